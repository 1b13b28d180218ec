//! What happens, as it happens: committed transitions, alerts and SLAs for whoever listens. Who is too slow misses some.

use super::Shared;
use crate::core::effects::{Output, Topic};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Records that wait for a slow listener; then it misses the oldest.
const WAITING: usize = 1_024;

/// A record that was committed.
#[derive(Debug)]
pub struct Record {
    /// What it is: `transition`, `alert` or `sla`.
    pub kind: &'static str,
    /// Its JSON as it was sent.
    pub data: String,
}

impl Record {
    pub fn of(output: &Output<'_>) -> Record {
        let kind = match output.topic {
            Topic::Transitions => "transition",
            Topic::Alerts => "alert",
            Topic::Slas => "sla",
            Topic::Scores => "score",
        };
        Record { kind, data: String::from_utf8_lossy(output.data).into_owned() }
    }
}

/// Hands records on from workers to listeners.
#[derive(Debug, Clone)]
pub struct Live(Sender<Arc<Record>>);

impl Default for Live {
    fn default() -> Self {
        Live(broadcast::channel(WAITING).0)
    }
}

impl Live {
    /// Whether anybody listens.
    pub fn is_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub fn tell(&self, record: Record) {
        // Nobody may be listening any more.
        let _ = self.0.send(Arc::new(record));
    }

    pub fn listen(&self) -> Receiver<Arc<Record>> {
        self.0.subscribe()
    }
}

/// `/events`: server-sent events, for as long as the connection lasts.
pub(super) async fn events(State(shared): State<Arc<Shared>>) -> Response {
    let Ok(permit) = shared.listeners.clone().try_acquire_owned() else {
        return super::refuse(StatusCode::SERVICE_UNAVAILABLE, "too many listen already; try again later");
    };
    let listener =
        Listener { waiting: None, receiver: Some(shared.observers.live.listen()), _permit: permit };
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (headers, Sse::new(listener).keep_alive(alive)).into_response()
}

type Next = (Receiver<Arc<Record>>, Option<Arc<Record>>);

/// Somebody who listens, and the record that is waited for.
struct Listener {
    receiver: Option<Receiver<Arc<Record>>>,
    waiting: Option<Pin<Box<dyn Future<Output = Next> + Send>>>,
    _permit: OwnedSemaphorePermit,
}

/// The next record; those that were missed are passed over.
async fn next(mut receiver: Receiver<Arc<Record>>) -> Next {
    loop {
        match receiver.recv().await {
            Ok(record) => return (receiver, Some(record)),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return (receiver, None),
        }
    }
}

impl Stream for Listener {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(receiver) = self.receiver.take() {
            self.waiting = Some(Box::pin(next(receiver)));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Ready(None) };
        let (receiver, record) = std::task::ready!(waiting.as_mut().poll(context));
        self.waiting = None;
        self.receiver = record.is_some().then_some(receiver);
        Poll::Ready(record.map(|record| Ok(Event::default().event(record.kind).data(&record.data))))
    }
}
