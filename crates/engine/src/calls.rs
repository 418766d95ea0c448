//! Calls to other systems: through the throttle, the firewall and the time limit, outside of any transaction.

use std::time::Duration;

use suture_connect::http::{HttpRequest, HttpResponse};
use suture_connect::outcome::{Failure, Outcome, Retry};
use suture_core::firewall;
use suture_core::time::Timestamp;

use crate::connections::{Open, System};
use crate::engine::Engine;
use crate::ports::Undelivered;

/// A call that brought no answer to read.
#[derive(Debug, Clone)]
pub(crate) enum NoAnswer {
    /// A limit says not now; nothing was sent.
    Wait(Timestamp),
    /// The firewall stopped it; nothing was sent.
    Stopped(Failure),
    /// Proven not to have left.
    NotSent(Failure),
    /// It may have arrived.
    Lost(Failure),
}

impl Engine {
    /// Sends a request of an effect, unless its lease has run out: then somebody else may be working on it, and a process
    /// that was frozen in between must not send what it once meant to send.
    pub(crate) async fn call_leased(
        &self,
        working: &crate::worker::Working,
        open: &Open,
        request: HttpRequest,
    ) -> Result<HttpResponse, NoAnswer> {
        let limit = self.0.settings.request_limit;
        if self.now() + limit > working.until {
            let text = "the lease of this work ran out before the request left; nothing was sent";
            return Err(NoAnswer::NotSent(Failure::new("lease_lost", text, Retry::Later)));
        }
        self.call(open, request).await
    }

    /// Sends a request over a connection.
    pub(crate) async fn call(&self, open: &Open, request: HttpRequest) -> Result<HttpResponse, NoAnswer> {
        let now = self.now();
        if let System::Gateway { .. } = open.system {
            self.0.metrics.count("firewall_checked", "");
            if let Err(stopped) = check_fields(&request) {
                self.0.metrics.count("firewall_stopped", &format!("rule=\"{}\"", stopped.rule));
                tracing::error!(connection = %open.id, field = %stopped.field, rule = stopped.rule, "stopped a call that would have sent personal data");
                return Err(NoAnswer::Stopped(Failure::new(
                    "personal_data_stopped",
                    stopped.to_string(),
                    Retry::Never,
                )));
            }
        }
        open.throttle.enter(now).map_err(NoAnswer::Wait)?;
        self.0.metrics.count("calls", &format!("connection=\"{}\"", open.id));
        match self.0.transport.send(request, self.0.settings.request_limit).await {
            Ok(response) => {
                self.judge(open, &response);
                Ok(response)
            }
            Err(Undelivered::NotSent(cause)) => {
                open.throttle.failed(self.now());
                let text =
                    format!("no connection to {} could be made ({cause}); nothing was sent", open.name);
                Err(NoAnswer::NotSent(Failure::new("not_reachable", text, Retry::Later)))
            }
            Err(Undelivered::Lost(cause)) => {
                open.throttle.failed(self.now());
                let text = format!("the answer of {} was lost ({cause}); it may have happened", open.name);
                Err(NoAnswer::Lost(Failure::new("answer_lost", text, Retry::LookUpFirst)))
            }
        }
    }

    fn judge(&self, open: &Open, response: &HttpResponse) {
        match response.status {
            429 => {
                let wait = response.get("retry-after").and_then(|text| text.parse().ok()).unwrap_or(2);
                open.throttle.pause(self.now(), Duration::from_secs(wait));
                open.throttle.answered();
            }
            500..=599 => open.throttle.failed(self.now()),
            _ => open.throttle.answered(),
        }
    }
}

/// An outcome as the retry rules see it.
pub(crate) fn outcome<T>(
    answer: Result<HttpResponse, NoAnswer>,
    read: impl FnOnce(&HttpResponse) -> Outcome<T>,
) -> Result<Outcome<T>, Timestamp> {
    match answer {
        Ok(response) => Ok(read(&response)),
        Err(NoAnswer::Wait(until)) => Err(until),
        Err(NoAnswer::Stopped(failure)) => Ok(Outcome::Declined(failure)),
        Err(NoAnswer::NotSent(failure)) => Ok(Outcome::NotSent(failure)),
        Err(NoAnswer::Lost(failure)) => Ok(Outcome::Unknown(failure)),
    }
}

/// Fields of a form that hold numbers and words of the protocol, not text of ours.
fn is_text_field(field: &str) -> bool {
    let name = field.split('[').next().unwrap_or(field);
    matches!(
        name,
        "metadata"
            | "description"
            | "statement_descriptor"
            | "statement_descriptor_suffix"
            | "receipt_email"
            | "name"
            | "email"
            | "phone"
            | "shipping"
            | "address"
            | "transfer_group"
    )
}

/// Runs the firewall over the text fields of a form body.
fn check_fields(request: &HttpRequest) -> Result<(), firewall::Stopped> {
    let body = std::str::from_utf8(&request.body).unwrap_or_default();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (field, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (field, value) = (decode(field), decode(value));
        let card = firewall::holds_card_number(&value);
        if card || is_text_field(&field) {
            firewall::check(&field, &value, &[])?;
        }
    }
    Ok(())
}

/// Decodes form text. What does not decode is checked as it stands.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = || text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => match hex() {
                Some(byte) => {
                    out.push(byte);
                    at += 2;
                }
                None => out.push(b'%'),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use suture_connect::http::Method;

    use super::*;

    fn request(body: &str) -> HttpRequest {
        HttpRequest::new(Method::Post, "https://gateway.test/v1/x")
            .body("application/x-www-form-urlencoded", body)
    }

    #[test]
    fn personal_data_in_a_text_field_is_stopped_and_amounts_pass() {
        assert!(
            check_fields(&request("amount=12000&currency=usd&metadata%5Bsuture_link%5D=lnk_0190")).is_ok()
        );
        let stopped = check_fields(&request("amount=1&description=CPT+99214")).unwrap_err();
        assert_eq!((stopped.field.as_str(), stopped.rule), ("description", "procedure_code"));
        assert!(check_fields(&request("payment_method%5Bcard%5D=4242424242424242")).is_err());
    }
}
