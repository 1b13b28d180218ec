//! Records in plain words.

use super::record::{Data, Ordered, Reason, Record};
use serde_json::{Map, Value};

/// A record as lines of the snapshot.
pub fn record(record: &Record) -> String {
    let data = &record.data;
    if record.topic == "dead-letter" {
        let reason = data.reason.as_ref().map(scalar).unwrap_or_default();
        return format!("{:21}dead letter {reason} (line {}): {}\n", "", data.line, data.detail);
    }
    let head = format!("{}  {}", time_shown(&data.at), record.key.as_deref().unwrap_or("?"));
    match record.topic.as_str() {
        "transitions" => format!("{head}  {}", transition(data)),
        "alerts" => format!("{head}  {}", alert(data)),
        "slas" => format!("{head}  {}\n", sla(data)),
        _ => format!("{head}  score: {}\n", score(data)),
    }
}

/// A lead's scores, asked for.
pub fn checkpoint(record: &Record) -> String {
    let data = &record.data;
    let lead = record.key.as_deref().unwrap_or("?");
    format!("{:21}{lead}  {}\n{}", "", score(data), because(data))
}

fn transition(data: &Data) -> String {
    let mut text = format!("TRANSITION {}: {} → {}", data.transition, data.from, data.to);
    if data.entered_before {
        text.push_str(" again");
    }
    text.push_str(&format!(", after {}", duration(data.seconds_in_from)));
    for (name, value) in [("owner", &data.owner), ("action", &data.action)] {
        text.extend(value.iter().map(|value| format!(", {name} {value}")));
    }
    text.extend(data.reason.iter().map(|reason| format!(", reason \"{}\"", scalar(reason))));
    text.extend(data.value.iter().map(|value| format!(", value {value}")));
    text.push('\n');
    let scores = scores(data);
    if !scores.is_empty() {
        text.push_str(&format!("{:25}{scores}\n", ""));
    }
    text.push_str(&because(data));
    text.push_str(&data.attribution.as_ref().map(credit).unwrap_or_default());
    text
}

fn alert(data: &Data) -> String {
    let route = data.route.as_deref().unwrap_or("nobody");
    let priority = data.priority.as_ref().map(|priority| format!(", priority {priority}"));
    let head = format!("ALERT {} to {route}{}", data.alert, priority.unwrap_or_default());
    let scores = scores(data);
    let scores = if scores.is_empty() { scores } else { format!(": {scores}") };
    format!("{head}, stage {}{scores}\n{}", data.stage, because(data))
}

fn sla(data: &Data) -> String {
    let state = data.state.replace('_', " ");
    let elapsed = duration(data.elapsed_seconds);
    format!("SLA {} {state} after {elapsed} (was due {})", data.sla, time_shown(&data.due_at))
}

fn score(data: &Data) -> String {
    let mut parts = vec![format!("stage {}", data.stage)];
    let scores = scores(data);
    parts.extend((!scores.is_empty()).then_some(scores));
    for (name, groups) in &data.groups.0 {
        let groups = groups.0.iter().filter(|(_, value)| *value != 0.0);
        let groups: Vec<String> = groups.map(|(group, value)| format!("{group} {value}")).collect();
        if groups.len() > 1 {
            parts.push(format!("{name} is {}", groups.join(" + ").replace("+ -", "- ")));
        }
    }
    parts.extend(data.qualified.0.iter().map(|(name, criteria)| qualified(name, criteria)));
    if !data.missing.is_empty() {
        parts.push(format!("missing {}", data.missing.join(" and ")));
    }
    parts.join("; ")
}

fn qualified(name: &str, criteria: &Ordered<bool>) -> String {
    let met: Vec<&str> = criteria.0.iter().filter(|(_, met)| *met).map(|(name, _)| name.as_str()).collect();
    match met.len() {
        0 => format!("{name} 0 of {}", criteria.0.len()),
        n if n == criteria.0.len() => format!("{name} complete"),
        n => format!("{name} {n} of {} ({})", criteria.0.len(), met.join(", ")),
    }
}

fn scores(data: &Data) -> String {
    let shown = data.scores.0.iter().map(|(name, value)| {
        let grade = data.grades.get(name).map(|grade| grade.as_deref().unwrap_or("no grade"));
        let profile = data.profiles.get(name).map(String::as_str);
        let notes: Vec<&str> = [grade, profile].into_iter().flatten().collect();
        match notes.is_empty() {
            true => format!("{name} {value}"),
            false => format!("{name} {value} ({})", notes.join(", ")),
        }
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn because(data: &Data) -> String {
    if data.reasons.is_empty() {
        return String::new();
    }
    let reasons: Vec<String> = data.reasons.iter().map(reason).collect();
    format!("{:25}because {}\n", "", reasons.join(", "))
}

fn reason(reason: &Reason) -> String {
    let name = reason.label.clone().or_else(|| reason.signal.clone());
    let name = name
        .unwrap_or_else(|| format!("{} criterion {}", reason.score, reason.criterion.unwrap_or_default()));
    let count = reason.count.map(|count| format!(" ({count}×)")).unwrap_or_default();
    format!("{name} {:+}{count}", reason.points)
}

fn credit(models: &Ordered<Ordered<f64>>) -> String {
    let shown = models.0.iter().map(|(model, channels)| {
        let channels: Vec<String> =
            channels.0.iter().map(|(channel, weight)| format!("{channel} {weight}")).collect();
        format!("{model}: {}", channels.join(" "))
    });
    let shown: Vec<String> = shown.collect();
    format!("{:25}credit {}\n", "", if shown.is_empty() { "nobody".to_owned() } else { shown.join("; ") })
}

/// Milliseconds since the epoch as date and time, with milliseconds only if there are any.
pub fn moment(ms: i64) -> String {
    let mut text = Vec::new();
    qualifyd::event::time::write_rfc3339(&mut text, ms);
    time_shown(&String::from_utf8_lossy(&text))
}

fn time_shown(rfc3339: &str) -> String {
    rfc3339.replacen('T', " ", 1).trim_end_matches('Z').trim_end_matches(".000").to_owned()
}

fn duration(seconds: f64) -> String {
    let whole = seconds as i64;
    let rest = ((seconds - whole as f64) * 1000.0).round();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut parts = Vec::new();
    let mut left = whole;
    for (size, unit) in units {
        if left / size > 0 {
            parts.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    if rest > 0.0 {
        parts.push(format!("{rest}ms"));
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// `key value, key value`, nested objects by dots.
pub fn plain(map: &Map<String, Value>) -> String {
    let shown = map.iter().map(|(key, value)| match value {
        Value::Object(inner) => format!("{key} [{}]", plain(inner)),
        Value::String(text) if text.is_empty() => format!("{key} (empty)"),
        value => format!("{key} {}", scalar(value)),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
