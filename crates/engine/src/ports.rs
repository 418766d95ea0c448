//! What the engine needs of the world: the time, random bits, and a way to send requests.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use suture_connect::http::{HttpRequest, HttpResponse};
use suture_core::time::Timestamp;

/// The time. The server passes the system's, tests and the simulator one that they move by hand.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// A request that brought no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undelivered {
    /// Proven not to have left: no connection could be made.
    NotSent(String),
    /// It may have arrived.
    Lost(String),
}

/// The future of a sent request.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, Undelivered>> + Send + 'a>>;

/// Where a request may go whose address a customer chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere, this machine too.
    Anywhere,
    /// To addresses of the public internet only, whatever its host's name resolves to.
    PublicOnly,
}

/// Sends requests. One implementation talks HTTP; the simulator's talks to worlds in memory.
pub trait Transport: Send + Sync {
    /// Sends a request and waits for its whole answer, no longer than the limit.
    fn send(&self, request: HttpRequest, limit: Duration) -> Sending<'_>;

    /// Sends a request of whose answer only the status counts; at most 1 KiB of its body is read, and none given back.
    /// Without a network there are no addresses to keep to.
    fn notify(&self, request: HttpRequest, limit: Duration, reach: Reach) -> Sending<'_> {
        let _ = reach;
        self.send(request, limit)
    }
}
