//! The shell around the worlds: five HTTP servers (Stripe, Epic, Epicor, payer, control) and the clock.
//!
//! Called by tests, demos and the binary's sandbox mode. A request becomes a value, the world answers it under a
//! lock, the answer becomes HTTP. What must stay true: no lock is held while waiting.

use crate::clock::SandboxClock;
use crate::control;
use crate::cord::{Cord, CordListener};
use crate::deliver;
use crate::epic::{self, EpicWorld};
use crate::epicor::EpicorWorld;
use crate::payer::PayerWorld;
use crate::stripe::{StripeOptions, StripeWorld};
use crate::wire::{self, Request, Response};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::routing::any;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How a sandbox starts. Port 0 picks a free port.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the Stripe API.
    pub stripe_listen: SocketAddr,
    /// Address of the Epic API.
    pub epic_listen: SocketAddr,
    /// Address of the Epicor REST API.
    pub epicor_listen: SocketAddr,
    /// Address of the payer.
    pub payer_listen: SocketAddr,
    /// Address of the control API.
    pub control_listen: SocketAddr,
    /// The Stripe account: seed, keys, webhook.
    pub stripe: StripeOptions,
    /// Which Epic answers.
    pub epic_mode: epic::Mode,
    /// Seed of the Epic world.
    pub epic_seed: u64,
    /// Seed of the Epicor world.
    pub epicor_seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            stripe_listen: any_port,
            epic_listen: any_port,
            epicor_listen: any_port,
            payer_listen: any_port,
            control_listen: any_port,
            stripe: StripeOptions::default(),
            epic_mode: epic::Mode::default(),
            epic_seed: 0,
            epicor_seed: 0,
        }
    }
}

/// What the servers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<SandboxClock>,
    pub(crate) stripe: Arc<Mutex<StripeWorld>>,
    pub(crate) epic: Arc<Mutex<EpicWorld>>,
    pub(crate) epicor: Arc<Mutex<EpicorWorld>>,
    pub(crate) payer: Arc<Mutex<PayerWorld>>,
    /// Rung when a delivery may have become due.
    pub(crate) bell: Arc<Notify>,
}

/// Locks a world. A panic under the lock was a bug of one call; the state is still the best there is.
pub(crate) fn lock<T>(world: &Mutex<T>) -> MutexGuard<'_, T> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A sandbox that runs until it is shut down or dropped.
#[derive(Debug)]
pub struct Running {
    /// Base address of the Stripe API, without a slash at the end.
    pub stripe_url: String,
    /// Base address of the Epic API.
    pub epic_url: String,
    /// Base address of the Epicor server; the instance is `Kinetic`.
    pub epicor_url: String,
    /// Base address of the payer.
    pub payer_url: String,
    /// Base address of the control API.
    pub control_url: String,
    /// The clock of all worlds.
    pub clock: Arc<SandboxClock>,
    /// The Stripe world.
    pub stripe: Arc<Mutex<StripeWorld>>,
    /// The Epic world.
    pub epic: Arc<Mutex<EpicWorld>>,
    /// The Epicor world.
    pub epicor: Arc<Mutex<EpicorWorld>>,
    /// The payer.
    pub payer: Arc<Mutex<PayerWorld>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Stops the servers and the deliveries; connections end.
    pub fn shutdown(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// Starts the five servers and the task that delivers webhooks and callbacks.
///
/// # Errors
/// When an address cannot be listened on, or the HTTP client for webhooks cannot be made.
pub async fn start(options: Options) -> io::Result<Running> {
    let stripe_listener = TcpListener::bind(options.stripe_listen).await?;
    let epic_listener = TcpListener::bind(options.epic_listen).await?;
    let epicor_listener = TcpListener::bind(options.epicor_listen).await?;
    let payer_listener = TcpListener::bind(options.payer_listen).await?;
    let control_listener = TcpListener::bind(options.control_listen).await?;
    let stripe_url = format!("http://{}", stripe_listener.local_addr()?);
    let epic_url = format!("http://{}", epic_listener.local_addr()?);
    let epicor_url = format!("http://{}", epicor_listener.local_addr()?);
    let payer_url = format!("http://{}", payer_listener.local_addr()?);
    let control_url = format!("http://{}", control_listener.local_addr()?);
    let clock = Arc::new(SandboxClock::new());
    let mut stripe = StripeWorld::new(options.stripe);
    stripe.serve_at(&stripe_url);
    stripe.advance(clock.now_ms());
    let shared = Shared {
        clock: Arc::clone(&clock),
        stripe: Arc::new(Mutex::new(stripe)),
        epic: Arc::new(Mutex::new(EpicWorld::new(options.epic_seed, options.epic_mode))),
        epicor: Arc::new(Mutex::new(EpicorWorld::new(options.epicor_seed))),
        payer: Arc::new(Mutex::new(PayerWorld::new())),
        bell: Arc::new(Notify::new()),
    };
    let client = deliver::client()?;
    let stripe_app = Router::new().fallback(any(answer_stripe)).with_state(shared.clone());
    let epic_app = Router::new().fallback(any(answer_epic)).with_state(shared.clone());
    let epicor_app = Router::new().fallback(any(answer_epicor)).with_state(shared.clone());
    let payer_app = Router::new().fallback(any(answer_payer)).with_state(shared.clone());
    let tasks = vec![
        serve(stripe_listener, stripe_app),
        serve(epic_listener, epic_app),
        serve(epicor_listener, epicor_app),
        serve(payer_listener, payer_app),
        serve(control_listener, control::router(shared.clone())),
        tokio::spawn(deliver::run(shared.clone(), client)),
    ];
    Ok(Running {
        stripe_url,
        epic_url,
        epicor_url,
        payer_url,
        control_url,
        clock,
        stripe: shared.stripe,
        epic: shared.epic,
        epicor: shared.epicor,
        payer: shared.payer,
        tasks,
    })
}

fn serve(listener: TcpListener, app: Router) -> JoinHandle<()> {
    let service = app.into_make_service_with_connect_info::<Cord>();
    tokio::spawn(async move {
        // axum documents that serving ends only by abort or graceful shutdown, never with an error.
        let _ended = axum::serve(CordListener(listener), service).await;
    })
}

async fn answer_stripe(
    State(shared): State<Shared>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = read(request).await;
    let (response, latency_ms) = {
        let mut world = lock(&shared.stripe);
        (world.handle(shared.clock.now_ms(), &request), world.latency_ms())
    };
    shared.bell.notify_one();
    if latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
    write(response, &cord)
}

async fn answer_epic(
    State(shared): State<Shared>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = read(request).await;
    let response = lock(&shared.epic).handle(shared.clock.now_ms(), &request);
    write(response, &cord)
}

async fn answer_epicor(
    State(shared): State<Shared>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = read(request).await;
    let (response, latency_ms) = {
        let mut world = lock(&shared.epicor);
        (world.handle(shared.clock.now_ms(), &request), world.latency_ms())
    };
    shared.bell.notify_one();
    if latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
    write(response, &cord)
}

async fn answer_payer(
    State(shared): State<Shared>,
    ConnectInfo(cord): ConnectInfo<Cord>,
    request: axum::extract::Request,
) -> axum::response::Response {
    let request = read(request).await;
    let (response, latency_ms) = {
        let mut world = lock(&shared.payer);
        (world.handle(shared.clock.now_ms(), &request), world.latency_ms())
    };
    if latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
    write(response, &cord)
}

/// Reads a request to its end. A body that breaks off or is too large is taken as empty.
async fn read(request: axum::extract::Request) -> Request {
    let (parts, body) = request.into_parts();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: wire::decode_pairs(parts.uri.query().unwrap_or_default()),
        headers,
        body: to_bytes(body, BODY_BYTES_MAX).await.map(Vec::from).unwrap_or_default(),
    }
}

/// Turns an answer into HTTP, or cuts the connection.
fn write(response: Response, cord: &Cord) -> axum::response::Response {
    if response.is_cut() {
        cord.cut();
        return axum::response::Response::new(Body::empty());
    }
    let mut builder = axum::http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body)).unwrap_or_else(|_| {
        let mut broken =
            axum::response::Response::new(Body::from("the world gave an answer that is not HTTP"));
        *broken.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        broken
    })
}
