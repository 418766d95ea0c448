//! A server in this process: HTTP, workers and timers, started together and stopped in order.
//!
//! Used by `serve` and by the demo. What must stay true: requests that were taken in are answered before workers stop,
//! because a request may wait for a worker; a killed process loses nothing either, it only leaves leases behind.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use suture_engine::Engine;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::Configuration;
use crate::failure::Failure;

/// How long open requests may take to end. Longer than a caller waits for a gateway.
const DRAIN: Duration = Duration::from_secs(25);
/// Timers of organizations and connections that were made since are planned this often.
const PLAN_EVERY: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop_http: watch::Sender<bool>,
    stop_work: watch::Sender<bool>,
    http: JoinHandle<()>,
    work: JoinHandle<()>,
    timers: JoinHandle<()>,
}

/// Starts HTTP, workers and timers on a listener.
///
/// # Errors
/// When the listener or the store does not work.
pub(crate) async fn start(
    engine: Engine,
    listener: TcpListener,
    router: Router,
    jobs: usize,
) -> Result<Serving, Failure> {
    let address = listener.local_addr().map_err(|error| Failure::of("the address cannot be used", &error))?;
    plan_timers(&engine).await?;
    let (stop_http, http_stopped) = watch::channel(false);
    let (stop_work, work_stopped) = watch::channel(false);
    // Small answers leave at once.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let watched = engine.clone();
    let http = tokio::spawn(async move {
        let stop = async move {
            stopped(http_stopped).await;
            watched.end_watches();
        };
        let served = axum::serve(listener, router).with_graceful_shutdown(stop).await;
        if let Err(error) = served {
            tracing::error!(%error, "the HTTP server ended");
        }
    });
    let worker = engine.clone();
    let work = tokio::spawn(async move {
        if let Err(error) = worker.work(jobs, stopped(work_stopped)).await {
            tracing::warn!(%error, "leases were not given back; they end by themselves");
        }
    });
    let timers = tokio::spawn(async move {
        loop {
            tokio::time::sleep(PLAN_EVERY).await;
            if let Err(failure) = plan_timers(&engine).await {
                tracing::error!(%failure, "timers were not planned; they are planned again in a minute");
            }
        }
    });
    Ok(Serving { address, stop_http, stop_work, http, work, timers })
}

impl Serving {
    /// Lets requests and jobs end, and gives leases back.
    pub(crate) async fn stop(self) {
        self.timers.abort();
        let _ = self.stop_http.send(true);
        if tokio::time::timeout(DRAIN, self.http).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut");
        }
        let _ = self.stop_work.send(true);
        let _ = tokio::time::timeout(DRAIN, self.work).await;
    }
}

/// The API over an engine, with the limits of a configuration.
pub(crate) fn router(engine: &Engine, configuration: &Configuration) -> Router {
    let settings = suture_api::Settings {
        requests_per_second_per_key: configuration.requests_per_second_per_key,
        metrics_token: configuration.metrics_token.clone(),
        ..suture_api::Settings::default()
    };
    suture_api::router(engine.clone(), settings)
}

async fn plan_timers(engine: &Engine) -> Result<(), Failure> {
    let unplanned = |error| Failure::of("the timers cannot be planned", &error);
    let organizations: Vec<String> =
        engine.organizations().await.map_err(unplanned)?.into_iter().map(|one| one.id).collect();
    engine.plan_timers(&organizations).await.map_err(unplanned)
}

async fn stopped(mut signal: watch::Receiver<bool>) {
    // A sender that is gone means the same as a signal.
    let _ = signal.wait_for(|stop| *stop).await;
}

/// Resolves when the process is asked to end: ctrl-c, or SIGTERM from a service manager.
pub(crate) async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
