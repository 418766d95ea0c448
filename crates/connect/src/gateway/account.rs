//! Reading the account: are the credentials right, and is the money real?
//!
//! Asked by `engine` when a connection is opened or probed.

use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

/// What the account says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSeen {
    /// The gateway's account id, when it tells it.
    pub id: Option<String>,
    /// The display name, when it tells it.
    pub name: Option<String>,
    /// Whether the credentials are for real money.
    pub livemode: bool,
}

/// Read the account, to check the credentials.
pub trait Account: Send + Sync {
    /// Builds the request.
    fn probe(&self) -> HttpRequest;
    /// Reads the answer; `Declined` with code `invalid_credentials` when the key is refused.
    fn read_account(&self, response: &HttpResponse) -> Outcome<AccountSeen>;
}
