//! Tokens of a user: `POST TokenResource.svc/` (EPICOR.md §2). There is no refresh token; ask again before it ends.
//!
//! Invariant: the password and the token are in secret headers or a [`Secret`], never in a message.

use serde::Deserialize;
use suture_core::redact::Secret;

use super::call;
use super::settings::Epicor;
use crate::http::{HttpRequest, HttpResponse, Method};
use crate::outcome::{Failure, Outcome, Retry};

/// Builds the request of a token for a user.
#[must_use]
pub fn token_request(
    epicor: &Epicor,
    user: &str,
    password: &Secret<String>,
    api_key: &Secret<String>,
) -> HttpRequest {
    HttpRequest::new(Method::Post, format!("{}/TokenResource.svc/", call::instance_url(epicor)))
        .header("accept", call::JSON)
        .header("username", user)
        .secret_header("password", password.expose().clone())
        .secret_header("x-api-key", api_key.expose().clone())
}

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The bearer token; opaque.
    pub secret: Secret<String>,
    /// How long it counts from the answer on. Sites configure it, so it is read, never assumed.
    pub expires_in_seconds: u64,
}

#[derive(Deserialize)]
struct Granted {
    #[serde(rename = "AccessToken")]
    access_token: String,
    #[serde(rename = "ExpiresIn")]
    expires_in: Option<u64>,
}

/// Assumed when Epicor does not say how long the token counts: short, so that it is fetched again soon.
const UNSAID_LIFETIME_SECONDS: u64 = 300;

/// Reads the answer to the request of a token.
#[must_use]
pub fn read_token(response: &HttpResponse) -> Outcome<AccessToken> {
    match response.status {
        200 | 201 => {}
        400 | 401 | 403 => {
            let message = "Epicor gave no token. Check the user's name and password, that the user may use the web \
                           service licence, and the API key.";
            return Outcome::Declined(Failure::new("erp_sign_in_refused", message, Retry::Never));
        }
        status => return unclear(status),
    }
    let Ok(granted) = serde_json::from_slice::<Granted>(&response.body) else {
        return unclear(response.status);
    };
    let secret = Secret::new(granted.access_token);
    // The token becomes a header, so only visible ASCII can be one.
    if secret.expose().is_empty() || !secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return unclear(response.status);
    }
    let expires_in_seconds = granted.expires_in.unwrap_or(UNSAID_LIFETIME_SECONDS);
    Outcome::Done(AccessToken { secret, expires_in_seconds })
}

fn unclear(status: u16) -> Outcome<AccessToken> {
    let message = format!(
        "Epicor did not answer as expected when asked for a token (HTTP {status}). It is asked again later."
    );
    Outcome::Unknown(Failure::new("erp_token_unclear", message, Retry::Later))
}
