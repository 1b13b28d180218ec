//! Asks workers about their leads. They answer between two records, and few questions are under way at a time.

use super::{Shared, refuse};
use crate::worker::working::Working;
use crate::worker::{Command, Line};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use std::time::Duration;
use tokio::sync::{SemaphorePermit, oneshot};

/// Questions that are under way at a time.
pub const AT_ONCE: usize = 4;
/// How long a question waits for its turn, and for the workers' answers.
const TURN: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Too many ask.
    Busy,
    /// A worker is busy with something that takes long, or has ended.
    Silent,
}

impl Refusal {
    pub fn response(self) -> Response {
        let message = match self {
            Refusal::Busy => "too many questions at a time; ask again in a moment",
            Refusal::Silent => "a worker does not answer just now; ask again in a moment, and see /ready",
        };
        let mut response = refuse(StatusCode::SERVICE_UNAVAILABLE, message);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        response
    }
}

impl Shared {
    /// Waits for a turn to ask.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refusal> {
        match tokio::time::timeout(TURN, self.asking.acquire()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::Busy),
        }
    }

    /// Asks every worker, and waits for all answers. `look` must be quick: nothing is applied meanwhile.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        look: impl Fn(&mut dyn Iterator<Item = (i32, &Working)>) -> T + Clone + Send + 'static,
    ) -> Result<Vec<T>, Refusal> {
        let asked: Option<Vec<_>> = self.lines.iter().map(|line| ask_one(line, look.clone())).collect();
        let mut answers = Vec::new();
        for answer in asked.ok_or(Refusal::Silent)? {
            match tokio::time::timeout(ANSWER, answer).await {
                Ok(Ok(answer)) => answers.push(answer),
                _ => return Err(Refusal::Silent),
            }
        }
        Ok(answers)
    }
}

/// `None`: the worker has ended.
fn ask_one<T: Send + 'static>(
    line: &Line,
    look: impl FnOnce(&mut dyn Iterator<Item = (i32, &Working)>) -> T + Send + 'static,
) -> Option<oneshot::Receiver<T>> {
    let (tell, answer) = oneshot::channel();
    let asked = line.send(Command::Look(Box::new(move |partitions| {
        // Who asked may have gone.
        let _ = tell.send(look(partitions));
    })));
    asked.then_some(answer)
}
