//! Reading payouts for the API and the command line: which are held, why, and until when (FEATURES M190, M193).

use suture_core::id::ProviderPayoutId;
use suture_core::payout::{ProviderPayout, Status};
use suture_store::journal;

use crate::Error;
use crate::change::Machine;
use crate::engine::Engine;

/// Rows that one statement reads.
const STEP: i64 = 200;
/// Payouts that one page looks at: most are paid, and a status is found by looking.
const LOOKED_AT_MAX: usize = 5_000;

impl Engine {
    /// A payout as known now.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn provider_payout(
        &self,
        organization: &str,
        id: ProviderPayoutId,
    ) -> Result<ProviderPayout, Error> {
        self.state::<ProviderPayout>(organization, &id.to_string()).await
    }

    /// Payouts in order of their ids, after one of them, with where to go on. A page may hold fewer than asked for while
    /// there is more to look at.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn provider_payouts(
        &self,
        organization: &str,
        status: Option<Status>,
        after: &str,
        limit: usize,
    ) -> Result<(Vec<ProviderPayout>, Option<String>), Error> {
        let (organization, from) = (organization.to_owned(), after.to_owned());
        self.0
            .store
            .read_long(move |tx| {
                let (mut found, mut looked_at, mut after) = (Vec::new(), 0, from.clone());
                loop {
                    let kind = ProviderPayout::KIND;
                    let step =
                        journal::list_streams::<ProviderPayout>(tx, &organization, kind, &after, STEP)?;
                    if step.is_empty() {
                        return Ok((found, None));
                    }
                    for (stream, payout) in step {
                        looked_at += 1;
                        after = stream;
                        if status.is_none_or(|wanted| payout.status() == wanted) {
                            found.push(payout);
                        }
                        if found.len() >= limit || looked_at >= LOOKED_AT_MAX {
                            return Ok((found, Some(after)));
                        }
                    }
                }
            })
            .await
    }
}
