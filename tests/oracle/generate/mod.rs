//! Seeded random models and streams, small enough that things collide and ties happen.

mod conditions;
mod rng;
mod scores;
mod sections;
mod stream;

pub use rng::Rng;
pub use stream::arrange;

use super::doc::Doc;

/// One model, one stream, and the options to replay it with.
#[derive(Clone, Debug)]
pub struct Case {
    pub seed: u64,
    pub model: Doc,
    pub lines: Vec<Vec<u8>>,
    pub until: Option<i64>,
    pub scores: bool,
}

impl Case {
    pub fn of(seed: u64) -> Case {
        let mut rng = Rng::new(seed);
        // Fading points are judged second by second, so their streams are short.
        let pace = if rng.one_in(3) { Pace::Slow } else { Pace::Fast };
        let model = sections::model(&mut rng, pace);
        let (lines, end) = stream::lines(&mut rng, pace);
        let until = rng.one_in(2).then(|| end + rng.below(pace.tail() as u64) as i64 - 30_000);
        Case { seed, model, lines, until, scores: rng.one_in(2) }
    }

    pub fn input(&self) -> Vec<u8> {
        self.lines.join(&b'\n')
    }
}

/// How long things last.
#[derive(Clone, Copy, PartialEq)]
pub enum Pace {
    /// Seconds and minutes, with points that fade.
    Fast,
    /// Minutes to days; nothing fades bit by bit.
    Slow,
}

impl Pace {
    /// How far beyond the stream's end time goes on, at most, ms.
    fn tail(self) -> i64 {
        match self {
            Pace::Fast => 600_000,
            Pace::Slow => 30 * 86_400_000,
        }
    }

    fn duration(self, rng: &mut Rng) -> Doc {
        let choices: &[&str] = match self {
            Pace::Fast => {
                &["500ms", "1s", "1500ms", "5s", "10s", "20s", "30s", "1m", "90s", "2m", "5m", "10m"]
            }
            Pace::Slow => &["10s", "1m", "10m", "30m", "1h", "6h", "1d", "36h", "2d", "1w"],
        };
        Doc::from(*rng.pick(choices))
    }
}
