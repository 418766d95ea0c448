//! Verifying the audit trail, beside hashing the same bytes with nothing else.

use super::end_to_end::{full_load, rate};
use super::intake::ratio;
use super::program::now;
use super::stage::Stage;

/// Prints entries per second of a whole verification, and of bare SHA-256 over the entries' bodies.
pub(super) async fn measure(url: &str, payments: u64) -> Result<(), String> {
    let stage = Stage::set(url, true).await?;
    full_load(&stage, payments, 64).await?;
    while stage.engine.seal(&stage.organization).await.map_err(|error| error.to_string())? {}
    let begun = now();
    let verdict = stage.engine.verify_audit(&stage.organization).await.map_err(|error| error.to_string())?;
    let verified = rate(verdict.entries, begun.elapsed());
    if !verdict.intact {
        return Err(format!("the trail is broken: {}", verdict.broken.unwrap_or_default()));
    }
    let out = stage
        .engine
        .export_audit(&stage.organization, Vec::new())
        .await
        .map_err(|error| error.to_string())?;
    let begun = now();
    let lines = out.split(|byte| *byte == b'\n').map(suture_core::audit::chain::Hash::of).count();
    let hashed = rate(u64::try_from(lines).unwrap_or(u64::MAX), begun.elapsed());
    println!(
        "{} entries in {} streams, {} seals, {} ledger entries: verified {verified:.0}/s | bare SHA-256 of the exported \
         lines {hashed:.0}/s | ratio {:.3}",
        verdict.entries,
        verdict.streams,
        verdict.seals,
        verdict.ledger_entries,
        ratio(verified, hashed)
    );
    Ok(())
}
