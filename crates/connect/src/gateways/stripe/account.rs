//! Checking the credentials (OBJECTS `balance`).
//!
//! Called by `engine` through [`Account`]. Reads the balance, because a restricted key that can do this connection's
//! work can read it (FACTS §l), and because the answer itself says whether the money is real.

use crate::gateway::{Account, AccountSeen};
use crate::gateways::stripe::form::Form;
use crate::gateways::stripe::settings::Stripe;
use crate::gateways::stripe::{errors, wire};
use crate::http::{HttpRequest, HttpResponse};
use crate::outcome::Outcome;

impl Account for Stripe {
    fn probe(&self) -> HttpRequest {
        self.get("/v1/balance", Form::new())
    }

    fn read_account(&self, response: &HttpResponse) -> Outcome<AccountSeen> {
        let outcome = errors::read(response, |wire: wire::Balance| {
            let id = self.settings.account.clone();
            (wire.object == "balance").then_some(AccountSeen { id, name: None, livemode: wire.livemode })
        });
        match outcome {
            // A probe asks about the key itself, so a refused key is its answer.
            Outcome::NotSent(failure) if failure.code == "invalid_credentials" => Outcome::Declined(failure),
            outcome => outcome,
        }
    }
}
