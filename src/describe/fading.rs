//! What fades how fast: a small picture for each kind of decay.

use super::About;
use super::markdown::Page;
use crate::model::compiled::{Decay, ScoreKind};
use crate::words::{and, decay, number};

/// How many steps of time a picture shows, the beginning included.
const STEPS: i32 = 13;
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
        let longest =
            kinds.iter().map(|(decay, _)| length(*decay)).filter(|ms| *ms < i64::MAX).max().unwrap_or(0);
        let (unit, step_ms) = match longest {
            ms if ms >= 14 * 86_400_000 => ("week", 7 * 86_400_000),
            ms if ms >= 2 * 86_400_000 => ("day", 86_400_000),
            _ => ("hour", 3_600_000),
        };
        page.section("How fast points fade");
        page.text(&format!("What is left of 100 points, {unit} by {unit}: a bar for now and for each of the {} {unit}s that follow.", STEPS - 1));
        let rows: Vec<Vec<String>> = kinds
            .into_iter()
            .map(|(kind, groups)| {
                let left = |step: i32| share(kind, i64::from(step) * step_ms);
                let percent = |step: i32| format!("{} %", number((left(step) * 100.0).round()));
                let picture: String = (0..STEPS).map(|step| bar(left(step))).collect();
                vec![decay(kind), format!("`{picture}`"), percent(1), percent(4), percent(12), and(&groups)]
            })
            .collect();
        let after = |steps: i32| format!("After {steps} {unit}{}", if steps == 1 { "" } else { "s" });
        page.table(&["Points", "Picture", &after(1), &after(4), &after(12), "Where"], &rows);
    }
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
