//! HTTP/1.1 by hand, so that the load and the sink cost next to nothing beside what is measured.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A connection that is kept open.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8192) })
    }

    /// Sends a request and reads the answer; returns its status.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request).await?;
        let message = read_message(&mut self.stream, &mut self.buffer).await?;
        let status = self.buffer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        self.buffer.drain(..message);
        status.ok_or_else(|| io::Error::other("no status line"))
    }
}

/// Reads one message with a content length into the buffer; returns its length.
pub(super) async fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<usize> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let length = content_length(&buffer[..end]);
            if buffer.len() >= end + 4 + length {
                return Ok(end + 4 + length);
            }
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

fn find(content: &[u8], wanted: &[u8]) -> Option<usize> {
    content.windows(wanted.len()).position(|window| window == wanted)
}

fn content_length(head: &[u8]) -> usize {
    let name = b"content-length:";
    let found = head.windows(name.len()).position(|window| window.eq_ignore_ascii_case(name));
    let rest = found.map(|at| &head[at + name.len()..]).unwrap_or_default();
    let digits: Vec<u8> =
        rest.iter().copied().skip_while(|b| *b == b' ').take_while(u8::is_ascii_digit).collect();
    std::str::from_utf8(&digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A pretend Epic that takes every payment, remembers its reference, and answers with a receipt.
#[derive(Default)]
pub(super) struct Sink {
    posts: AtomicU64,
    doubles: AtomicU64,
    seen: Mutex<HashSet<String>>,
    arrivals: Mutex<Vec<(u64, Instant)>>,
}

impl Sink {
    /// Starts the sink and returns its address.
    pub(super) async fn start(self: &Arc<Self>) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let sink = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let sink = sink.clone();
                tokio::spawn(async move { sink.serve(stream).await });
            }
        });
        Ok(address)
    }

    pub(super) fn posts(&self) -> u64 {
        self.posts.load(Ordering::Relaxed)
    }

    pub(super) fn doubles(&self) -> u64 {
        self.doubles.load(Ordering::Relaxed)
    }

    /// When each numbered payment arrived.
    pub(super) fn arrivals(&self) -> Vec<(u64, Instant)> {
        self.arrivals.lock().map(|mut arrivals| std::mem::take(&mut *arrivals)).unwrap_or_default()
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let length = read_message(&mut stream, &mut buffer).await?;
            let body = self.answer(&buffer[..length]);
            buffer.drain(..length);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        }
    }

    fn answer(&self, request: &[u8]) -> String {
        if find(request, b"client_assertion").is_some() {
            return r#"{"access_token":"bench","token_type":"bearer","expires_in":3600,"scope":""}"#
                .to_owned();
        }
        let name = b"\"TransactionID\":\"";
        let start = find(request, name).map(|at| at + name.len()).unwrap_or_default();
        let reference: String =
            request[start..].iter().take_while(|byte| **byte != b'"').map(|byte| char::from(*byte)).collect();
        let number = self.posts.fetch_add(1, Ordering::Relaxed) + 1;
        let payment = reference.rsplit("Bench").next().and_then(|digits| digits.parse().ok()).unwrap_or(0);
        if let Ok(mut arrivals) = self.arrivals.lock() {
            arrivals.push((payment, super::program::now()));
        }
        if self.seen.lock().is_ok_and(|mut seen| !seen.insert(reference.clone())) {
            self.doubles.fetch_add(1, Ordering::Relaxed);
        }
        format!(
            r#"{{"Status":"Accepted","TransactionID":"{reference}","ReceiptNumber":"R{number}","TransactionType":"Payment","Amount":120.00,"Currency":"USD"}}"#
        )
    }
}

/// A percentile of sorted durations.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len().saturating_sub(1)) * percent / 100;
    sorted.get(at).copied().unwrap_or_default()
}
