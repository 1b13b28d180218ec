//! What fades how fast: a small picture for each kind of decay.

use super::About;
use super::markdown::Page;
use crate::model::compiled::{Decay, ScoreKind};
use crate::words::{and, decay, number};

/// How many steps of time a picture shows, the beginning included.
const STEPS: i32 = 13;
const DAY: i64 = 86_400_000;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl About<'_> {
    pub(super) fn fading(&self, page: &mut Page) {
        let mut kinds: Vec<(Decay, Vec<String>)> = Vec::new();
        for contribution in &self.model.contributions {
            let score = &self.model.scores[usize::from(contribution.score)];
            let ScoreKind::Points(points) = &score.kind else { continue };
            let group = format!("{} / {}", score.name, points.groups[usize::from(contribution.group)].name);
            match kinds.iter_mut().find(|(decay, _)| *decay == contribution.decay) {
                Some((_, groups)) if groups.contains(&group) => {}
                Some((_, groups)) => groups.push(group),
                None => kinds.push((contribution.decay, vec![group])),
            }
        }
        if kinds.is_empty() {
            return;
        }
        kinds.sort_by_key(|(decay, _)| length(*decay));
        page.section("How fast points fade");
        page.text(&format!(
            "What is left of 100 points: a bar for now, and one for each of the {} hours, days or weeks that follow.",
            STEPS - 1
        ));
        // What is over within days would be a single bar in weeks.
        let (hours, longer): (Vec<_>, Vec<_>) =
            kinds.into_iter().partition(|(decay, _)| length(*decay) < DAY);
        let (days, weeks): (Vec<_>, Vec<_>) =
            longer.into_iter().partition(|(decay, _)| length(*decay) < 14 * DAY);
        for (unit, step_ms, kinds) in
            [("hour", DAY / 24, hours), ("day", DAY, days), ("week", 7 * DAY, weeks)]
        {
            if !kinds.is_empty() {
                table(page, unit, step_ms, kinds);
            }
        }
    }
}

/// Pictures with steps of one length.
fn table(page: &mut Page, unit: &str, step_ms: i64, kinds: Vec<(Decay, Vec<String>)>) {
    let row = |(kind, groups): (Decay, Vec<String>)| {
        let left = |step: i32| share(kind, i64::from(step) * step_ms);
        let percent = |step: i32| format!("{} %", number((left(step) * 100.0).round()));
        let picture: String = (0..STEPS).map(|step| bar(left(step))).collect();
        vec![decay(kind), format!("`{picture}`"), percent(1), percent(4), percent(12), and(&groups)]
    };
    let rows: Vec<Vec<String>> = kinds.into_iter().map(row).collect();
    let after = |steps: i32| format!("After {steps} {unit}{}", if steps == 1 { "" } else { "s" });
    page.table(&["Points", &format!("By the {unit}"), &after(1), &after(4), &after(12), "Where"], &rows);
}

fn length(decay: Decay) -> i64 {
    match decay {
        Decay::None => i64::MAX,
        Decay::HalfLife(ms) => ms,
        Decay::Lifespan { life, .. } | Decay::Window { life, .. } => life,
    }
}

/// The share that is left at this age.
fn share(decay: Decay, age_ms: i64) -> f64 {
    let of = |ms: i64| age_ms as f64 / ms as f64;
    match decay {
        Decay::None => 1.0,
        Decay::HalfLife(half) => (-of(half)).exp2(),
        Decay::Lifespan { life, .. } => (1.0 - of(life)).max(0.0),
        Decay::Window { life, .. } => f64::from(u8::from(age_ms < life)),
    }
}

fn bar(share: f64) -> char {
    match share {
        share if share < 0.005 => '·',
        share => BARS[((share * 8.0).ceil() as usize).clamp(1, 8) - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(decay: Decay) -> String {
        (0..STEPS).map(|week| bar(share(decay, i64::from(week) * 7 * 86_400_000))).collect()
    }

    #[test]
    fn pictures_show_the_curve() {
        let days = |days: i64| days * 86_400_000;
        assert_eq!(picture(Decay::HalfLife(days(14))), "█▆▄▃▂▂▁▁▁▁▁▁▁");
        assert_eq!(picture(Decay::Lifespan { life: days(28), slot: 1 }), "█▆▄▂·········");
        assert_eq!(picture(Decay::Window { life: days(28), slot: 1 }), "████·········");
        assert_eq!(picture(Decay::None), "█████████████");
    }
}
