//! What every handler holds, and how the router is put together.

use std::sync::Arc;
use std::time::Duration;

use axum::middleware;
use suture_core::redact::Secret;
use suture_engine::{BODY_BYTES_MAX, Engine};
use tokio::sync::Semaphore;

use crate::frame;
use crate::limiter::Limiter;
use crate::open_streams::OpenStreams;
use crate::problem::Problem;
use crate::resources::EXPORTS_MAX;

/// Settings of the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many requests one API key may make in a second; twice as many in a burst.
    pub requests_per_second_per_key: u32,
    /// A request that takes longer is answered with `request_timeout`. Longer than the engine's patience with a gateway.
    pub request_limit: Duration,
    /// Larger bodies are refused unread, webhooks too.
    pub body_bytes_max: usize,
    /// The bearer token of `/metrics`. Without one, whoever reaches the port reads the counters; they hold no ids of
    /// patients or payments.
    pub metrics_token: Option<Secret<String>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests_per_second_per_key: 100,
            request_limit: Duration::from_secs(30),
            body_bytes_max: BODY_BYTES_MAX,
            metrics_token: None,
        }
    }
}

/// What every handler holds. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) settings: Settings,
    pub(crate) limiter: Limiter,
    pub(crate) open_streams: OpenStreams,
    /// Places for posted files: each holds a file in memory.
    pub(crate) files: Arc<Semaphore>,
    /// Places for exports of the audit trail: each holds a thread.
    pub(crate) exports: Arc<Semaphore>,
}

/// How many posted files are in memory at the same time.
const FILES_MAX: usize = 4;

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Inner {
    /// Refuses a link that asks too often. Links share few buckets by the end of what they open, so that they are bounded.
    pub(crate) fn link_may_ask(&self, subject: &str) -> Result<(), Problem> {
        let from = subject.len().saturating_sub(3);
        let bucket = format!("link/{}", subject.get(from..).unwrap_or_default());
        match self.limiter.take(&bucket, self.engine.now()) {
            true => Ok(()),
            false => Err(Problem::rate_limited()),
        }
    }
}

/// The whole API over an engine.
pub fn router(engine: Engine, settings: Settings) -> axum::Router {
    let limiter = Limiter::new(settings.requests_per_second_per_key);
    let app = App(Arc::new(Inner {
        engine,
        settings,
        limiter,
        open_streams: OpenStreams::default(),
        files: Arc::new(Semaphore::new(FILES_MAX)),
        exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
    }));
    let (routes, _) = crate::document::routes().split_for_parts();
    routes
        .fallback(async || Problem::not_found("path"))
        .layer(middleware::from_fn_with_state(app.clone(), frame::frame))
        .with_state(app)
}
