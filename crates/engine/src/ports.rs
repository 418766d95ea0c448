//! What the engine needs of the world: the time, random bits, and a way to send requests.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use suture_connect::http::{HttpRequest, HttpResponse};
use suture_core::redact::Phi;
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

/// One e-mail to one mailbox. Printed without address and text.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The mailbox.
    pub to: Phi<String>,
    /// The subject: one line.
    pub subject: Phi<String>,
    /// The text, plain.
    pub text: Phi<String>,
    /// A name for it that is the same however often it is sent, without the brackets.
    pub message_id: String,
    /// Where its recipient says no with one click (RFC 8058).
    pub unsubscribe: Option<String>,
}

/// An e-mail that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unmailed {
    /// Proven not to have been taken; it may be later. The code, without personal data.
    NotSent(String),
    /// It will never be taken: the mailbox is wrong, or the sender is. The code.
    Refused(String),
    /// It may have been taken.
    Lost(String),
}

/// The future of an e-mail: the server's name for it, when it took it.
pub type Mailing<'a> = Pin<Box<dyn Future<Output = Result<String, Unmailed>> + Send + 'a>>;

/// Sends e-mails. The server's talks SMTP; without one they stay in the house.
pub trait Mailer: Send + Sync {
    /// Hands an e-mail over and waits for the answer, no longer than the limit.
    fn mail(&self, mail: Mail, limit: Duration) -> Mailing<'_>;
}
