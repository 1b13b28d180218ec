//! What the demonstration prints: a line for each transition, alert and missed SLA, and the funnel now and then.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const WHO_WIDTH: usize = 42;
const BAR_WIDTH: f64 = 40.0;

/// A style of the terminal; none if the output is no terminal.
#[derive(Debug, Clone, Copy)]
enum Style {
    Plain,
    Dim,
    Bold,
    Blue,
    Cyan,
    Green,
    Yellow,
    Red,
    Magenta,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "0",
            Style::Dim => "2",
            Style::Bold => "1",
            Style::Blue => "34",
            Style::Cyan => "36",
            Style::Green => "1;32",
            Style::Yellow => "33",
            Style::Red => "31",
            Style::Magenta => "1;35",
        }
    }
}

/// Which records these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Transition,
    Alert,
    Sla,
    DeadLetter,
}

/// Counts what it shows.
#[derive(Debug)]
pub struct Show {
    colour: bool,
    /// The model's stages and whether they are beside the funnel.
    stages: Vec<(String, bool)>,
    /// The leads that have ever come to each stage.
    reached: Vec<u64>,
    alerts: BTreeMap<String, u64>,
    /// Leads with a missed SLA of each name, by when it began: `due` and `breached` are one.
    missed: BTreeSet<(String, String, String)>,
    met: u64,
    dead_letters: u64,
}

impl Show {
    pub fn new(stages: Vec<(String, bool)>, colour: bool) -> Show {
        let reached = vec![0; stages.len()];
        Show {
            colour,
            stages,
            reached,
            alerts: BTreeMap::new(),
            missed: BTreeSet::new(),
            met: 0,
            dead_letters: 0,
        }
    }

    /// Counts a record, and the line to print for it.
    pub fn record(&mut self, kind: Kind, data: &Value) -> Option<String> {
        match kind {
            Kind::Transition => Some(self.transition(data)),
            Kind::Alert => Some(self.alert(data)),
            Kind::Sla => self.sla(data),
            Kind::DeadLetter => {
                self.dead_letters += 1;
                None
            }
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{}m{text}\x1b[0m", style.code()),
            false => text.to_owned(),
        }
    }

    fn transition(&mut self, data: &Value) -> String {
        let to = text(data, "to");
        if let Some(stage) = self.stages.iter().position(|(name, _)| name == to)
            && data["entered_before"] == false
        {
            self.reached[stage] += 1;
        }
        let style = self.style(to);
        let move_ = format!("{:>13} → {to:<13}", text(data, "from"));
        let mut why = text(data, "transition").to_owned();
        if let Some(value) = data["value"].as_f64() {
            let _ = write!(why, " ${}", thousands(value as u64));
        }
        if let Some(reason) = data["reason"].as_str() {
            let _ = write!(why, ": {reason}");
        }
        self.line(data, "●", style, &move_, &why)
    }

    fn alert(&mut self, data: &Value) -> String {
        let alert = text(data, "alert");
        *self.alerts.entry(alert.to_owned()).or_default() += 1;
        let style = match text(data, "priority") {
            "high" => Style::Magenta,
            _ => Style::Yellow,
        };
        let call = format!("{alert} → {}", text(data, "route"));
        let priority = format!("{} priority", text(data, "priority"));
        self.line(data, "▲", style, &format!("{call:<29}"), &priority)
    }

    fn sla(&mut self, data: &Value) -> Option<String> {
        let name = text(data, "sla");
        let key = || (name.to_owned(), text(data, "lead").to_owned(), text(data, "started_at").to_owned());
        match text(data, "state") {
            "due" | "breached" => {
                self.missed.insert(key());
                None
            }
            // A timely call that was reported late.
            "met" => {
                self.missed.remove(&key());
                self.met += 1;
                None
            }
            "past_due" => {
                let what = format!("{name} past due");
                Some(self.line(data, "!", Style::Red, &format!("{what:<29}"), text(data, "stage")))
            }
            _ => None,
        }
    }

    fn style(&self, stage: &str) -> Style {
        match stage {
            "lead" | "recycled" | "dormant" | "disqualified" | "visitor" => Style::Dim,
            "mql" => Style::Cyan,
            "sal" | "sql" => Style::Blue,
            "customer" => Style::Green,
            _ => Style::Bold,
        }
    }

    /// When, what, who, why.
    fn line(&self, data: &Value, sign: &str, style: Style, what: &str, why: &str) -> String {
        let at = text(data, "at");
        let when = at.get(..16).unwrap_or(at).replace('T', " ");
        let reasons = reasons(data);
        let scores = scores(data);
        let tail = if reasons.is_empty() { String::new() } else { format!("  {reasons}") };
        format!(
            "{} {} {} {:<WHO_WIDTH$} {}{}",
            self.paint(Style::Dim, &when),
            self.paint(style, sign),
            self.paint(style, what),
            who(data),
            self.paint(Style::Plain, &format!("{why:<24} {scores}")),
            self.paint(Style::Dim, &tail)
        )
    }

    /// The funnel in one line.
    pub fn funnel(&self, time: &str, events: u64, visitors: u64) -> String {
        let mut steps = String::new();
        for ((name, _), count) in self.steps(visitors) {
            let arrow = if steps.is_empty() { "" } else { " › " };
            let _ = write!(steps, "{arrow}{} {}", name, self.paint(Style::Bold, &thousands(count)));
        }
        let alerts: u64 = self.alerts.values().sum();
        format!(
            "{} {time}  {} events  {steps}  {} {} alerts, {} SLAs missed",
            self.paint(Style::Dim, "──"),
            thousands(events),
            self.paint(Style::Dim, "·"),
            thousands(alerts),
            self.missed.len()
        )
    }

    /// The stages of the funnel, and how many have ever come to each.
    fn steps(&self, visitors: u64) -> impl Iterator<Item = (&(String, bool), u64)> {
        let counts = std::iter::once(visitors).chain(self.reached.iter().skip(1).copied());
        self.stages.iter().zip(counts).filter(|((_, side), _)| !side)
    }

    /// The whole funnel, at the end.
    pub fn summary(&self, visitors: u64) -> String {
        let mut text = String::new();
        let mut before = None;
        for ((name, _), count) in self.steps(visitors) {
            let width = (count as f64 / visitors.max(1) as f64 * BAR_WIDTH).ceil() as usize;
            let bar = self.paint(self.style(name), &"█".repeat(width));
            let share = match before {
                Some(before) if before > 0 => format!("  {:.0} %", count as f64 / before as f64 * 100.0),
                _ => String::new(),
            };
            let _ = writeln!(text, "  {name:<12} {:>8}  {bar}{share}", thousands(count));
            before = Some(count);
        }
        let side: Vec<String> = self
            .stages
            .iter()
            .zip(&self.reached)
            .filter(|((_, side), _)| *side)
            .map(|((name, _), count)| format!("{name} {}", thousands(*count)))
            .collect();
        let _ = writeln!(text, "  beside it    {}", side.join(", "));
        let mut alerts: Vec<(&String, &u64)> = self.alerts.iter().collect();
        alerts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let alerts: Vec<String> =
            alerts.iter().map(|(name, count)| format!("{name} {}", thousands(**count))).collect();
        let _ = writeln!(text, "  alerts       {}", alerts.join(", "));
        let _ = writeln!(text, "  SLAs         met {}, missed {}", thousands(self.met), self.missed.len());
        let _ = writeln!(text, "  rejected     {}", thousands(self.dead_letters));
        text
    }
}

fn text<'a>(data: &'a Value, name: &str) -> &'a str {
    data[name].as_str().unwrap_or("—")
}

/// Their name, title and company, as far as they are known.
fn who(data: &Value) -> String {
    let traits = &data["traits"];
    let known = |name: &str| traits[name].as_str();
    let name = match (known("first_name"), known("last_name")) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        _ => {
            let id = text(data, "lead");
            format!("visitor {}", id.get(..8).unwrap_or(id))
        }
    };
    let parts = [Some(name.as_str()), known("title"), known("company.name")];
    let who = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    match who.char_indices().nth(WHO_WIDTH - 1) {
        Some((end, _)) if who.chars().count() > WHO_WIDTH => format!("{}…", &who[..end]),
        _ => who,
    }
}

/// Engagement and fit, the two that decide.
fn scores(data: &Value) -> String {
    let engagement = data["scores"]["engagement"].as_f64().unwrap_or(0.0);
    format!("{engagement:>3.0} {}", data["grades"]["best_fit"].as_str().unwrap_or("?"))
}

/// Why: what they did, before who they are; the two that weigh most.
fn reasons(data: &Value) -> String {
    let reasons: Vec<&Value> = data["reasons"].as_array().into_iter().flatten().collect();
    let (did, are): (Vec<&Value>, Vec<&Value>) =
        reasons.into_iter().partition(|reason| !reason["signal"].is_null());
    let mut shown: Vec<String> = Vec::new();
    for reason in did.into_iter().chain(are) {
        let points = reason["points"].as_f64().unwrap_or(0.0);
        // Two buyer profiles may say the same.
        let text = format!("{} {points:+.0}", text(reason, "label"));
        if !shown.contains(&text) {
            shown.push(text);
        }
    }
    shown.truncate(2);
    shown.join(", ")
}

/// 41549 → 41,549
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn show() -> Show {
        let stages = [("visitor", false), ("lead", false), ("mql", false), ("recycled", true)];
        Show::new(stages.map(|(name, side)| (name.to_owned(), side)).to_vec(), false)
    }

    fn transition(to: &str, entered_before: bool) -> Value {
        json!({
            "lead": "0123456789", "at": "2026-03-01T10:20:30.000Z", "from": "lead", "to": to, "transition": "qualify",
            "entered_before": entered_before, "scores": { "engagement": 54.4 }, "grades": { "best_fit": "A" },
            "traits": { "first_name": "Ana", "last_name": "Abel", "title": "VP Sales", "company.name": "Northwind" },
            "reasons": [{ "label": "Viewed pricing", "points": 19.6 }], "value": 12000.0
        })
    }

    #[test]
    fn a_transition_is_one_line() {
        let line = show().record(Kind::Transition, &transition("mql", false)).expect("a line");
        assert_eq!(
            line,
            "2026-03-01 10:20 ●          lead → mql           Ana Abel, VP Sales, Northwind              qualify $12,000           54 A  Viewed pricing +20"
        );
    }

    #[test]
    fn the_funnel_counts_each_lead_once() {
        let mut show = show();
        for (to, before) in [("lead", false), ("mql", false), ("recycled", false), ("mql", true)] {
            show.record(Kind::Transition, &transition(to, before));
        }
        let line = show.funnel("2026-03-01", 1234, 9);
        assert_eq!(
            line,
            "── 2026-03-01  1,234 events  visitor 9 › lead 1 › mql 1  · 0 alerts, 0 SLAs missed"
        );
        assert!(show.summary(9).contains("beside it    recycled 1\n"), "{}", show.summary(9));
    }

    #[test]
    fn an_sla_is_missed_once_and_met_by_a_late_report() {
        let mut show = show();
        let sla = |state: &str, started: &str| json!({ "lead": "a", "sla": "s", "state": state, "started_at": started, "at": "" });
        for (state, started) in [("due", "1"), ("breached", "1"), ("due", "2"), ("met", "2"), ("met", "3")] {
            assert_eq!(show.record(Kind::Sla, &sla(state, started)), None);
        }
        assert!(show.record(Kind::Sla, &sla("past_due", "1")).is_some());
        assert!(show.summary(1).contains("met 2, missed 1"), "{}", show.summary(1));
    }

    #[test]
    fn long_names_are_cut() {
        let mut data = transition("mql", false);
        data["traits"]["company.name"] = "Ü".repeat(80).into();
        let who = who(&data);
        assert_eq!(who.chars().count(), WHO_WIDTH);
        assert!(who.ends_with("Ü…"));
    }
}
