//! Metrics, health, answers about leads and the page, over HTTP, on threads of its own with the least priority that is
//! useful: neither a flood nor slow clients hold up the stream.
//!
//! - [`ask`]: asks workers between two records; [`lead`]: one lead; [`top`]: the list of leads
//! - [`figures`]: the funnel and the health; [`live`]: what happens, as it happens
//! - [`openapi`]: the description of all this

pub mod ask;
mod figures;
mod lead;
pub mod live;
mod openapi;
mod top;

use crate::config::Settings;
use crate::core::rules::Rules;
use crate::metrics::text::Format;
use crate::shared::lock;
use crate::worker::Line;
use crate::worker::telling::Observers;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, oneshot};

/// Connections at a time; others wait to be accepted.
const CONNECTIONS: usize = 256;
/// Of these, listeners to what happens.
const LISTENERS: usize = 64;
/// For the head of a request, idle time between two requests included.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection lasts at most, so that who reads slowly does not keep it for ever.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(600);
/// Metrics are gathered no more often than this.
const SCRAPE_EVERY: Duration = Duration::from_millis(500);
/// Lower than that of the workers: where cores are few, they go first.
const NICENESS: i32 = 10;

/// The model as people may read it.
#[derive(Debug, Clone)]
pub struct Pages {
    pub yaml: String,
    pub markdown: String,
}

/// The model in force.
#[derive(Clone)]
pub struct InForce {
    pub rules: Arc<Rules>,
    pub pages: Arc<Pages>,
}

/// What answers are made of.
pub struct Shared {
    settings: Arc<Settings>,
    in_force: Mutex<InForce>,
    lines: Vec<Line>,
    observers: Observers,
    started: Instant,
    input_partitions: i32,
    scraped: Mutex<Option<(Instant, Format, Arc<str>)>>,
    rate: Mutex<figures::Rate>,
    asking: Semaphore,
    listeners: Arc<Semaphore>,
    top: tokio::sync::Mutex<top::Kept>,
}

impl Shared {
    pub fn new(
        settings: Arc<Settings>,
        in_force: InForce,
        lines: Vec<Line>,
        observers: Observers,
        input_partitions: i32,
    ) -> Shared {
        Shared {
            settings,
            in_force: Mutex::new(in_force),
            lines,
            observers,
            started: Instant::now(),
            input_partitions,
            scraped: Mutex::new(None),
            rate: Mutex::default(),
            asking: Semaphore::new(ask::AT_ONCE),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            top: <_>::default(),
        }
    }

    /// Another version of the model is in force.
    pub fn change_model(&self, in_force: InForce) {
        *lock(&self.in_force) = in_force;
    }

    fn in_force(&self) -> InForce {
        lock(&self.in_force).clone()
    }

    fn not_ready(&self) -> Vec<String> {
        self.lines.iter().flat_map(|line| line.status.not_ready()).collect()
    }
}

/// The server; it ends when it is dropped.
pub struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Takes the address.
///
/// # Errors
/// It is taken, or none of this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).map_err(|error| {
        let hint = match error.kind() {
            io::ErrorKind::AddrInUse => "another program uses it, perhaps another qualifyd",
            io::ErrorKind::AddrNotAvailable => "it is no address of this machine",
            io::ErrorKind::PermissionDenied => "ports below 1024 need a permission",
            _ => "the system refuses",
        };
        io::Error::new(
            error.kind(),
            format!("http.listen: {address} cannot be listened at: {hint}; choose another address or port ({error})"),
        )
    })?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    /// Begins to answer.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Server> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(2)
            .thread_name("http-answer")
            .on_thread_start(give_way)
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("http".into()).spawn(move || {
            give_way();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(listener, shared) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        })?;
        Ok(Server { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// On Linux a priority is a thread's; elsewhere it would be that of the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "answers keep their priority");
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "http.listen cannot be listened at"),
    };
    let router = router(shared);
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, say: it would come again at once.
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(64 * 1024);
            let served = connection.serve_connection(TokioIo::new(stream), service);
            // How a client ends is its own affair.
            let _ = tokio::time::timeout(CONNECTION_TIMEOUT, served).await;
        });
    }
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/ready", get(ready))
        .route("/health", get(figures::health))
        .route("/funnel", get(figures::funnel))
        .route("/leads", get(top::leads))
        .route("/leads/{id}", get(lead::lead))
        .route("/model", get(model))
        .route("/config", get(async |State(shared): State<Arc<Shared>>| json_of(&shared.settings.redacted())))
        .route("/openapi.json", get(async || json_of(&openapi::description())))
        .route("/events", get(live::events))
        .route_layer(middleware::from_fn_with_state(shared.clone(), authorized))
        // Neither tells anything: who restarts a hanging daemon has no token, nor has a browser that opens the page.
        .route("/live", get(async || "live\n"))
        .route("/", get(async || Html(include_str!("page.html"))))
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is nothing at this path; see /openapi.json"))
        .with_state(shared)
}

async fn authorized(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(token) = &shared.settings.http.token else { return next.run(request).await };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    let given =
        given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    let same = given.is_some_and(|given| given.as_bytes().ct_eq(token.reveal().as_bytes()).into());
    if same {
        return next.run(request).await;
    }
    let mut refused =
        refuse(StatusCode::UNAUTHORIZED, "send the token of http.token: Authorization: Bearer …");
    refused.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    refused
}

async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let reasons = shared.not_ready();
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, json_of(&json!({ "ready": reasons.is_empty(), "reasons": reasons }))).into_response()
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let format = Format::of_accept(accept(&headers));
    // Others wait here, and take what the first has gathered.
    let mut scraped = lock(&shared.scraped);
    let text = match &*scraped {
        Some((at, of, text)) if *of == format && at.elapsed() < SCRAPE_EVERY => text.clone(),
        _ => {
            let metrics = &shared.observers.metrics;
            metrics.renew(&shared.in_force().rules, &shared.lines);
            match metrics.text(format) {
                Ok(text) => {
                    let text: Arc<str> = text.into();
                    *scraped = Some((Instant::now(), format, text.clone()));
                    text
                }
                Err(error) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
            }
        }
    };
    drop(scraped);
    ([(header::CONTENT_TYPE, format.content_type())], text.to_string()).into_response()
}

async fn model(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let pages = shared.in_force().pages;
    let (kind, text) = match accept(&headers).contains("text/markdown") {
        true => ("text/markdown; charset=utf-8", &pages.markdown),
        false => ("application/yaml; charset=utf-8", &pages.yaml),
    };
    ([(header::CONTENT_TYPE, kind)], text.clone()).into_response()
}

fn accept(headers: &HeaderMap) -> &str {
    headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn json_of(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], Body::from(value.to_string())).into_response()
}

/// An answer that is none, with what to do.
fn refuse(status: StatusCode, message: &str) -> Response {
    (status, json_of(&json!({ "error": message }))).into_response()
}
