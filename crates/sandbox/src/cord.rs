//! Connections that can be cut from inside a handler, for answers that get lost.
//!
//! Used by `server`. What must stay true: after a cut not one more byte is written to the caller.

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// The handle by which a handler cuts its own connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cord(Arc<AtomicBool>);

impl Cord {
    /// Cuts the connection: the next write fails and the socket is closed.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

/// A listener whose connections carry a cord.
#[derive(Debug)]
pub(crate) struct CordListener(pub(crate) TcpListener);

/// A connection with its cord.
#[derive(Debug)]
pub(crate) struct CordStream {
    stream: TcpStream,
    cord: Cord,
}

impl Listener for CordListener {
    type Io = CordStream;
    type Addr = Cord;

    async fn accept(&mut self) -> (CordStream, Cord) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Without it small answers wait for the caller's delayed acknowledgement; a refusal changes nothing else.
        let _set = stream.set_nodelay(true);
        let cord = Cord::default();
        (CordStream { stream, cord: cord.clone() }, cord)
    }

    fn local_addr(&self) -> io::Result<Cord> {
        Ok(Cord::default())
    }
}

impl Connected<IncomingStream<'_, CordListener>> for Cord {
    fn connect_info(stream: IncomingStream<'_, CordListener>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for CordStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CordStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cord.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cord.check()?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
