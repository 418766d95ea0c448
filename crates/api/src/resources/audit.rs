//! The audit trail: the story of one payment, the verification of everything, and the export for others to verify.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use suture_engine::audit::Verdict;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;

use super::events::EventBody;
use crate::app::App;
use crate::auth::{Permission, Session};
use crate::page::Page;
use crate::problem::Problem;

/// What a verification found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
#[serde(rename_all = "camelCase")]
pub(super) struct VerdictBody {
    /// Whether everything fits.
    intact: bool,
    /// The first thing that does not, by name.
    broken: Option<String>,
    entries: u64,
    streams: u64,
    seals: u64,
    /// Entries that no seal covers yet.
    unsealed: u64,
    /// Ledger entries checked against the events that cause them.
    ledger_entries: u64,
    /// The key that seals verify with, hexadecimal.
    public_key: String,
}

impl VerdictBody {
    fn of(verdict: Verdict, public_key: String) -> Self {
        Self {
            intact: verdict.intact,
            broken: verdict.broken,
            entries: verdict.entries,
            streams: verdict.streams,
            seals: verdict.seals,
            unsealed: verdict.unsealed,
            ledger_entries: verdict.ledger_entries,
            public_key,
        }
    }
}

/// A payment's story with hashes: its own events, and those of its debt, refunds, disputes and postings. Looking is logged.
#[utoipa::path(get, path = "/v1/audit/payments/{id}", tag = "audit", params(("id" = String, Path)), responses((status = 200, body = Page<EventBody>)))]
pub(super) async fn get_payment_chain(
    State(app): State<App>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Page<EventBody>>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let chain = app.engine.chain_of(&caller.organization, &id).await?;
    let patient = chain.iter().find_map(|stored| stored.entry.care.patient.clone());
    let subject = patient.as_deref().unwrap_or("*");
    app.engine.log_access(&caller, "read", subject, &format!("audit/{id}"), "audit").await?;
    Ok(Json(Page { items: chain.into_iter().map(EventBody::from).collect(), next: None }))
}

/// Checks the whole trail: every hash, every seal, every state, and the ledger.
#[utoipa::path(get, path = "/v1/audit/verify", tag = "audit", responses((status = 200, body = VerdictBody)))]
pub(super) async fn verify_audit(
    State(app): State<App>,
    session: Session,
) -> Result<Json<VerdictBody>, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let verdict = app.engine.verify_audit(&caller.organization).await?;
    Ok(Json(VerdictBody::of(verdict, app.engine.public_key())))
}

/// The trail as NDJSON: a line per entry with its hash, a line per seal with its leaves. Exporting is logged. Two exports run
/// at a time, and one whose caller reads nothing for 30 seconds is cut off.
#[utoipa::path(get, path = "/v1/audit/export", tag = "audit", responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(super) async fn export_audit(State(app): State<App>, session: Session) -> Result<Response, Problem> {
    let caller = session.may(Permission::ReadAudit)?;
    let place = enter(&app.exports)?;
    app.engine.log_access(&caller, "export", "*", "audit", "audit").await?;
    let (out, mut chunks) = pipe(PATIENCE);
    let runtime = tokio::runtime::Handle::current();
    // The writer blocks while the caller reads slowly, so it has a thread of its own: one of the runtime's would be missing to
    // everybody who reads the database, the export itself among them.
    let writer = std::thread::Builder::new().name("audit-export".to_owned()).spawn(move || {
        let _place = place;
        let failed = out.chunks.clone();
        let export = app.engine.export_audit(&caller.organization, out);
        let ended = runtime.block_on(export).map_err(|error| error.to_string());
        let ended = ended.and_then(|mut out| out.flush().map_err(|error| error.to_string()));
        if let Err(cause) = ended {
            tracing::warn!("an export of the audit trail was cut off: {cause}");
            // The caller's connection then breaks instead of ending as if the export were whole.
            let _ = failed.send(Err(io::Error::other("the export was cut off")));
        }
    });
    writer.map_err(|error| {
        Problem::internal(&format!("no thread for an export of the audit trail: {error}"))
    })?;
    let stream = futures_util::stream::poll_fn(move |context| chunks.poll(context));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

/// A place for one more export, if there is any.
fn enter(exports: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    exports.clone().try_acquire_owned().map_err(|_| {
        let detail = "Nothing was exported. Two exports of the audit trail are running; wait until one ends.";
        Problem::new("too_many_exports", StatusCode::TOO_MANY_REQUESTS, detail).retry_after(30)
    })
}

/// How many exports run at the same time: each holds a thread and a connection to the database.
pub(crate) const EXPORTS_MAX: usize = 2;

/// How long an export waits for a caller who reads nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// How many chunks may wait for the caller.
const CHUNKS_WAITING: usize = 8;

/// How large a chunk is.
const CHUNK_BYTES: usize = 64 * 1024;

/// The writing end of a pipe: waits when too many chunks are unread, fails when nobody reads any more.
struct PipeIn {
    patience: Duration,
    buffer: Vec<u8>,
    chunks: UnboundedSender<io::Result<Bytes>>,
    permits: Receiver<()>,
}

/// The reading end: gives a permit back for each chunk that it hands out.
struct PipeOut {
    chunks: UnboundedReceiver<io::Result<Bytes>>,
    permits: SyncSender<()>,
}

fn pipe(patience: Duration) -> (PipeIn, PipeOut) {
    let (chunks_in, chunks_out) = unbounded_channel();
    let (permits_in, permits_out) = sync_channel(CHUNKS_WAITING);
    for _ in 0..CHUNKS_WAITING {
        // The channel was just made with room for all of them.
        let _ = permits_in.try_send(());
    }
    let pipe_in = PipeIn { patience, buffer: Vec::new(), chunks: chunks_in, permits: permits_out };
    (pipe_in, PipeOut { chunks: chunks_out, permits: permits_in })
}

impl Write for PipeIn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.permits.recv_timeout(self.patience).map_err(|_| closed())?;
        let chunk = Bytes::from(std::mem::take(&mut self.buffer));
        self.chunks.send(Ok(chunk)).map_err(|_| closed())
    }
}

impl PipeOut {
    fn poll(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<io::Result<Bytes>>> {
        let polled = self.chunks.poll_recv(context);
        if matches!(polled, std::task::Poll::Ready(Some(_))) {
            // Full means that the chunk was a failure, which took no permit.
            let _ = self.permits.try_send(());
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_that_nobody_reads_is_cut_off() {
        let (mut out, unread) = pipe(Duration::from_millis(20));
        let chunk = vec![b'x'; CHUNK_BYTES];
        for _ in 0..CHUNKS_WAITING {
            out.write_all(&chunk).unwrap();
        }
        assert_eq!(out.write_all(&chunk).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        drop(unread);
    }

    #[test]
    fn a_third_export_waits_for_one_to_end() {
        let exports = Arc::new(Semaphore::new(EXPORTS_MAX));
        let (one, two) = (enter(&exports).unwrap(), enter(&exports).unwrap());
        assert!(enter(&exports).is_err());
        drop(one);
        assert!(enter(&exports).is_ok());
        drop(two);
    }
}
