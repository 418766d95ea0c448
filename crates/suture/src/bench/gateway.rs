//! A pretend Stripe for benchmarks: the sandbox's world behind HTTP by hand, which counts how long it works itself, so
//! that its time can be taken off ours. It sends no webhooks.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use suture_sandbox::stripe::{StripeOptions, StripeWorld};
use suture_sandbox::wire::{Request, Response};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use super::program::now;
use super::wire::read_message;

/// The gateway, and what it cost.
pub(super) struct Gateway {
    world: Mutex<StripeWorld>,
    clock: suture_sandbox::SandboxClock,
    busy_nanos: AtomicU64,
    calls: AtomicU64,
}

impl Gateway {
    /// Starts the gateway and returns it with its address.
    pub(super) async fn start() -> io::Result<(Arc<Self>, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let gateway = Arc::new(Self {
            world: Mutex::new(StripeWorld::new(StripeOptions::default())),
            clock: suture_sandbox::SandboxClock::new(),
            busy_nanos: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        });
        let serving = gateway.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let gateway = serving.clone();
                tokio::spawn(async move { gateway.serve(stream).await });
            }
        });
        Ok((gateway, address))
    }

    /// How long it worked since the last question, in nanoseconds: from a request that was read to an answer that is
    /// ready. Waiting for its lock counts: two calls at once would be Stripe's to serve.
    pub(super) fn busy_nanos(&self) -> u64 {
        self.busy_nanos.swap(0, Ordering::Relaxed)
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let length = read_message(&mut stream, &mut buffer).await?;
            let begun = now();
            let request = parse(&buffer[..length]);
            let response = self
                .world
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .handle(self.clock.now_ms(), &request);
            let answer = write(&response);
            buffer.drain(..length);
            let took = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.busy_nanos.fetch_add(took, Ordering::Relaxed);
            self.calls.fetch_add(1, Ordering::Relaxed);
            stream.write_all(&answer).await?;
        }
    }
}

fn parse(message: &[u8]) -> Request {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(message.len());
    let head = String::from_utf8_lossy(&message[..end]);
    let mut lines = head.lines();
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let request = headers
        .fold(Request::new(method, target), |request, (name, value)| request.with_header(name, value.trim()));
    request.with_body(message.get(end + 4..).unwrap_or_default())
}

fn write(response: &Response) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {} OK\r\ncontent-length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    [head.as_bytes(), &response.body].concat()
}
