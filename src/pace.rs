//! How fast a generated stream is sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How soon a stop is noticed while waiting.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// As fast as it is taken.
    Free,
    /// So many events in a second.
    Rate(f64),
    /// Time in the stream goes by so many times as fast as outside; 1: live.
    Speed(f64),
}

/// Holds events back until it is their turn.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    began: Instant,
    sent: u64,
    first_ms: Option<i64>,
}

impl Pacer {
    pub fn new(pace: Pace) -> Pacer {
        Pacer { pace, began: Instant::now(), sent: 0, first_ms: None }
    }

    /// Waits until it is time for the event that arrives then in the stream; false if told to stop meanwhile.
    pub fn wait(&mut self, arrives_ms: i64, stop: &AtomicBool) -> bool {
        let after = self.after(arrives_ms);
        while !stop.load(Ordering::Relaxed) {
            let left = after.saturating_sub(self.began.elapsed());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(LONGEST_SLEEP));
        }
        false
    }

    /// How long after the beginning the next event goes out.
    fn after(&mut self, arrives_ms: i64) -> Duration {
        let first_ms = *self.first_ms.get_or_insert(arrives_ms);
        let seconds = match self.pace {
            Pace::Free => 0.0,
            Pace::Rate(rate) => self.sent as f64 / rate,
            Pace::Speed(speed) => (arrives_ms - first_ms) as f64 / 1000.0 / speed,
        };
        self.sent += 1;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_go_out_by_number_or_by_time() {
        let after = |pace| {
            let mut pacer = Pacer::new(pace);
            [5_000, 65_000, 125_000].map(|arrives_ms| pacer.after(arrives_ms).as_secs_f64())
        };
        assert_eq!(after(Pace::Free), [0.0, 0.0, 0.0]);
        assert_eq!(after(Pace::Rate(4.0)), [0.0, 0.25, 0.5]);
        assert_eq!(after(Pace::Speed(120.0)), [0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        let mut pacer = Pacer::new(Pace::Speed(1.0));
        assert!(pacer.wait(0, &AtomicBool::new(false)));
        assert!(!pacer.wait(i64::MAX / 2, &AtomicBool::new(true)));
    }
}
