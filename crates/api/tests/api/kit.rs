//! The API in this process: a real SQLite file, a clock that stands, and no workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use suture_core::audit::seal::SealingKey;
use suture_core::id::Random;
use suture_core::time::Timestamp;
use suture_engine::admin::Mode;
use suture_engine::{Clock, Egress, Engine, Parts};
use suture_store::testkit::Fresh;
use tower::ServiceExt as _;

/// A clock that stands.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_763_700_000)
    }
}

struct Counting(AtomicU64);

impl Random for Counting {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [7; 10];
        bytes[2..].copy_from_slice(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    }
}

/// An API over a fresh database, with one organization.
pub(crate) struct Api {
    pub(crate) engine: Engine,
    pub(crate) organization: String,
    router: Router,
    posts: AtomicU64,
    _database: Option<Fresh>,
}

/// An answer, read.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("JSON, not {:?}", self.text))
    }

    /// Status and code of a problem, after a look at its shape.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.text);
        let body = self.json();
        let code = body["code"].as_str().unwrap().to_owned();
        assert_eq!(body["type"], format!("/problems/{code}"));
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["instance"], self.headers["x-request-id"].to_str().unwrap());
        assert!(!body["title"].as_str().unwrap().is_empty() && !body["detail"].as_str().unwrap().is_empty());
        assert!(suture_api::problem::page(&code).is_some(), "{code} has a page");
        (self.status.as_u16(), code)
    }
}

impl Api {
    pub(crate) async fn open() -> Self {
        Self::with(suture_api::Settings::default()).await
    }

    pub(crate) async fn with(settings: suture_api::Settings) -> Self {
        let database = Fresh::sqlite();
        let engine = Engine::open(Parts {
            store: database.open(),
            clock: Arc::new(Standing),
            random: Arc::new(Counting(AtomicU64::new(1))),
            // Nothing is sent: no worker runs in these stories.
            transport: Arc::new(Egress::try_new().unwrap()),
            flows: Vec::new(),
            sealing_key: SealingKey::from_seed(&[9; 32]).unwrap(),
            node: "test".to_owned(),
            slots: 0,
            settings: suture_engine::Settings::default(),
        })
        .await
        .unwrap();
        let organization = engine.make_organization("Clinic", Mode::Sandbox).await.unwrap().id;
        let router = suture_api::router(engine.clone(), settings);
        Self { engine, organization, router, posts: AtomicU64::new(0), _database: Some(database) }
    }

    /// An API over an engine of a world.
    pub(crate) fn over(engine: Engine, organization: String) -> Self {
        let router = suture_api::router(engine.clone(), suture_api::Settings::default());
        Self { engine, organization, router, posts: AtomicU64::new(0), _database: None }
    }

    /// A fresh key with a role.
    pub(crate) async fn key(&self, role: &str) -> String {
        let (_, secret) = self.engine.make_api_key(&self.organization, role, role).await.unwrap();
        secret.expose().clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// An open live stream, which begins after a version.
    pub(crate) async fn open_stream(&self, path: &str, key: &str, after: &str) -> Body {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {key}"))
            .header("last-event-id", after);
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response.into_body()
    }

    /// The first frame of a live stream, as text.
    pub(crate) async fn first_frame(&self, path: &str, key: &str) -> String {
        let mut frames = self.open_stream(path, key, "0").await.into_data_stream();
        let frame = frames.next().await.unwrap().unwrap();
        String::from_utf8(frame.to_vec()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str, key: &str) -> Answer {
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, key: &str, idempotency_key: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .header("idempotency-key", idempotency_key);
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Posts a file of a kind.
    pub(crate) async fn post_file(
        &self,
        path: &str,
        key: &str,
        (idempotency_key, kind): (&str, &str),
        content: impl Into<Body>,
    ) -> Answer {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {key}"))
            .header("idempotency-key", idempotency_key)
            .header("content-type", kind);
        self.send(request.body(content.into()).unwrap()).await
    }

    /// Posts something that must work, under a key of its own, and gives the answer.
    pub(crate) async fn made(&self, path: &str, key: &str, body: &Value) -> Value {
        let number = self.posts.fetch_add(1, Ordering::Relaxed);
        let answer = self.post(path, key, &format!("made-{number}"), body).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer.json()
    }

    /// Posts something that must be refused, under a key of its own, and gives status, code and detail.
    pub(crate) async fn refused(&self, path: &str, key: &str, body: &Value) -> (u16, String, String) {
        let number = self.posts.fetch_add(1, Ordering::Relaxed);
        let answer = self.post(path, key, &format!("refused-{number}"), body).await;
        let (status, code) = answer.problem();
        (status, code, answer.json()["detail"].as_str().unwrap().to_owned())
    }

    /// A connection to a gateway, and its id.
    pub(crate) async fn stripe(&self, admin: &str) -> String {
        let body = json!({
            "kind": "stripe",
            "name": "cards",
            "secrets": { "secret_key": ["sk_test_secretsecret"], "webhook_secret": ["whsec_secretsecret"] },
        });
        let made = self.post("/v1/connections", admin, "make-stripe", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        assert!(!made.text.contains("secretsecret"), "credentials are write-only");
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// A link, and its token.
    pub(crate) async fn link(&self, key: &str) -> String {
        let body = json!({ "patient": "p-1", "account": "a-1", "purpose": "balance" });
        let made = self.post("/v1/links", key, "make-link", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.json()["id"].as_str().unwrap().to_owned()
    }
}
