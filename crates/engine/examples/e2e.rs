#![allow(dead_code, missing_docs, unreachable_pub, clippy::all)]
#[path = "../../suture/src/bench"]
mod bench {
    pub mod end_to_end;
    pub mod payload;
    pub mod stage;
    pub mod wire;
    pub fn now() -> std::time::Instant { std::time::Instant::now() }
    pub mod system {
        use suture_core::time::Timestamp;
        #[derive(Default)] pub struct SystemClock;
        impl suture_engine::Clock for SystemClock { fn now(&self) -> Timestamp { Timestamp::from_millis(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64) } }
        #[derive(Default)] pub struct SystemRandom(ring::rand::SystemRandom2);
        mod ring { pub mod rand { #[derive(Default)] pub struct SystemRandom2; } }
        impl suture_core::id::Random for SystemRandom { fn ten_bytes(&self) -> [u8; 10] { use ::ring::rand::SecureRandom as _; let mut b=[0;10]; ::ring::rand::SystemRandom::new().fill(&mut b).unwrap(); b } }
    }
    pub async fn go(url: String, n: u64) {
        let stage = stage::Stage::set(&url).await.unwrap();
        let t = end_to_end::full_load(&stage, n, 64).await.unwrap();
        println!("ack/s {:.0} confirmed/s {:.0} doubles {}", t.acknowledged_per_second, t.confirmed_per_second, t.doubles);
        let l = end_to_end::steady(&stage, n, 2500, 500).await.unwrap();
        println!("500/s ack p50 {:?} p99 {:?}; epic p50 {:?} p99 {:?}", l.acknowledged.0, l.acknowledged.1, l.arrived.0, l.arrived.1);
        println!("{}", stage.engine.metrics().render());
        let v = stage.engine.verify_audit(&stage.organization).await.unwrap();
        println!("{v:?}");
    }
    pub fn app(engine: suture_engine::Engine) -> axum::Router {
        use axum::extract::{Path, State}; use axum::http::{HeaderMap, StatusCode};
        async fn hook(State(engine): State<suture_engine::Engine>, Path(connection): Path<String>, headers: HeaderMap, body: bytes::Bytes) -> (StatusCode, String) {
            let h = |n: &str| headers.get(n).and_then(|v| v.to_str().ok()).map(|s| s.to_owned());
            match engine.receive_webhook(&connection, h, &body).await {
                Ok(suture_engine::Delivery::Refused { code, detail }) => (StatusCode::BAD_REQUEST, format!("{code}: {detail}")),
                Ok(_) => (StatusCode::OK, "{}".into()),
                Err(e) => { eprintln!("{e:?}"); (StatusCode::SERVICE_UNAVAILABLE, e.to_string()) }
            }
        }
        axum::Router::new().route("/webhooks/{connection}", axum::routing::post(hook)).with_state(engine)
    }
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let url = args.get(1).cloned().unwrap_or_else(|| { let p=format!("/tmp/e2e-{}.db", std::process::id()); format!("sqlite:{p}") });
    let n: u64 = args.get(2).and_then(|a| a.parse().ok()).unwrap_or(20000);
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    rt.block_on(bench::go(url, n));
}
