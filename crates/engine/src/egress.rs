//! The one way out: TLS, time limits, bounded answers, no redirects, nothing logged but method, host and status.

use std::error::Error as _;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method as WireMethod, RequestBuilder};
use suture_connect::http::{HeaderValue, HttpRequest, HttpResponse, Method};

use crate::endpoints::{is_inside, is_public};
use crate::ports::{Reach, Sending, Transport, Undelivered};

/// Answers larger than this are cut off and count as lost.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How much is read of an answer that nobody looks at: enough to use the connection again.
const UNREAD_BYTES_MAX: usize = 1024;

/// Sends requests over HTTP.
pub struct Egress {
    client: Client,
    /// Connects to public addresses only.
    public: Client,
}

/// Resolves names to public addresses only, at the moment of connecting, so that a name cannot change its mind between a
/// check and its use.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            match public.is_empty() {
                true => Err("its name resolves to no public address".into()),
                false => Ok::<Addrs, _>(Box::new(public.into_iter())),
            }
        })
    }
}

impl Egress {
    /// Builds the client.
    ///
    /// # Errors
    /// A sentence when TLS cannot be set up on this machine.
    pub fn try_new() -> Result<Self, String> {
        // Another part of the process may have chosen the same provider already; that is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let built = |building: ClientBuilder| {
            building.build().map_err(|error| format!("the HTTP client cannot be built: {error}"))
        };
        let client = || {
            Client::builder()
                .redirect(Policy::none())
                .connect_timeout(Duration::from_secs(5))
                .user_agent(concat!("suture/", env!("CARGO_PKG_VERSION")))
        };
        let public = client().pool_max_idle_per_host(4).dns_resolver(PublicOnly);
        Ok(Self { client: built(client().pool_max_idle_per_host(256))?, public: built(public)? })
    }

    fn building(client: &Client, request: HttpRequest, limit: Duration) -> RequestBuilder {
        let method = match request.method {
            Method::Get => WireMethod::GET,
            Method::Post => WireMethod::POST,
            Method::Put => WireMethod::PUT,
            Method::Patch => WireMethod::PATCH,
            Method::Delete => WireMethod::DELETE,
        };
        let mut building = client.request(method, &request.url).timeout(limit);
        for (name, value) in &request.headers {
            building = match value {
                HeaderValue::Text(text) => building.header(*name, text),
                HeaderValue::Secret(secret) => building.header(*name, secret.expose()),
            };
        }
        if !request.body.is_empty() {
            building = building.body(request.body);
        }
        building
    }

    async fn exchange(&self, request: HttpRequest, limit: Duration) -> Result<HttpResponse, Undelivered> {
        let building = Self::building(&self.client, request, limit);
        let mut answer = building.send().await.map_err(|error| undelivered(&error))?;
        let status = answer.status().as_u16();
        let text =
            |value: &reqwest::header::HeaderValue| value.to_str().map(ToOwned::to_owned).unwrap_or_default();
        let headers =
            answer.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_BYTES_MAX => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => return Err(Undelivered::Lost("the answer is larger than 8 MiB".to_owned())),
                Ok(None) => return Ok(HttpResponse { status, headers, body }),
                Err(error) => return Err(Undelivered::Lost(cause(&error))),
            }
        }
    }

    async fn tell(
        &self,
        request: HttpRequest,
        limit: Duration,
        reach: Reach,
    ) -> Result<HttpResponse, Undelivered> {
        let client = match reach {
            Reach::Anywhere => &self.client,
            Reach::PublicOnly => &self.public,
        };
        // A literal address is connected to without asking the resolver.
        let host = reqwest::Url::parse(&request.url).ok();
        let inside = host.as_ref().and_then(reqwest::Url::host_str).is_none_or(is_inside);
        if reach == Reach::PublicOnly && inside {
            return Err(Undelivered::NotSent("its address is not public".to_owned()));
        }
        let building = Self::building(client, request, limit);
        let mut answer = building.send().await.map_err(|error| undelivered(&error))?;
        let mut read = 0;
        while read <= UNREAD_BYTES_MAX {
            match answer.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                // The status is known; how the body ends is not interesting.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(HttpResponse { status: answer.status().as_u16(), headers: Vec::new(), body: Vec::new() })
    }
}

impl Transport for Egress {
    fn send(&self, request: HttpRequest, limit: Duration) -> Sending<'_> {
        Box::pin(self.exchange(request, limit))
    }

    fn notify(&self, request: HttpRequest, limit: Duration, reach: Reach) -> Sending<'_> {
        Box::pin(self.tell(request, limit, reach))
    }
}

/// A connection that could not be made, and a request that cannot be written, prove that nothing arrived.
fn undelivered(error: &reqwest::Error) -> Undelivered {
    if error.is_connect() || error.is_builder() {
        return Undelivered::NotSent(cause(error));
    }
    Undelivered::Lost(cause(error))
}

/// The innermost cause. The outer texts of the library repeat the URL, which is safe but long.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.source().is_none() && error.is_timeout() {
        "time limit reached".to_owned()
    } else {
        cause.to_string()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// A server on this machine that gives one answer and then keeps the connection open for ever.
    async fn server(answer: &'static str, more: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            assert!(stream.read(&mut request).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.write_all(&vec![b'x'; more]).await.unwrap();
            std::future::pending::<()>().await;
        });
        format!("http://{address}/hook")
    }

    fn hook(url: &str) -> HttpRequest {
        HttpRequest::new(Method::Post, url).body("application/json", "{}")
    }

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn of_a_long_answer_only_the_beginning_is_read() {
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n", 4096).await;
        let egress = Egress::try_new().unwrap();
        let answer = egress.notify(hook(&url), LIMIT, Reach::Anywhere);
        // Who reads on waits here until the limit.
        let answer = tokio::time::timeout(LIMIT / 2, answer).await.unwrap().unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0));
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let url =
            server("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n", 0)
                .await;
        let answer = Egress::try_new().unwrap().notify(hook(&url), LIMIT, Reach::Anywhere).await.unwrap();
        assert_eq!(answer.status, 302);
    }

    #[tokio::test]
    async fn an_address_inside_is_not_connected_to_for_a_live_organization() {
        let url = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 0).await;
        let egress = Egress::try_new().unwrap();
        let refused = egress.notify(hook(&url), LIMIT, Reach::PublicOnly).await.unwrap_err();
        assert_eq!(refused, Undelivered::NotSent("its address is not public".to_owned()));
        // A name is judged by what it resolves to, at the moment of connecting.
        let refused = PublicOnly.resolve("localhost".parse().unwrap()).await.map(|_| ()).unwrap_err();
        assert_eq!(refused.to_string(), "its name resolves to no public address");
    }
}
