//! Stopped effects: look, edit and retry, skip; one, many, or all of a destination.

use suture_core::id::Mint;
use suture_core::refusal::Refusal;
use suture_store::effects::{self, Effect, State};
use suture_store::lanes;

use crate::Error;
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::Caller;
use crate::repairs::{self, Repair};

impl Engine {
    /// Effects of a state (or all), newest first, before a sequence number.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn effects(
        &self,
        organization: &str,
        state: Option<State>,
        before: i64,
        limit: i64,
    ) -> Result<Vec<Effect>, Error> {
        let organization = organization.to_owned();
        self.0
            .store
            .read_long(move |tx| effects::list(tx, &organization, state, before, limit).map_err(Error::from))
            .await
    }

    /// One effect.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn effect(&self, organization: &str, id: &str) -> Result<Effect, Error> {
        let (organization, key) = (organization.to_owned(), id.to_owned());
        let found =
            self.0.store.read(move |tx| effects::get(tx, &organization, &key).map_err(Error::from)).await?;
        found.ok_or_else(|| Error::not_found("effect", id))
    }

    /// Makes a stopped effect ready again, with an edited payload when one is given. An amount that was held as unusual is let
    /// go on: the caller looked at it, and may do so.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not stopped, or the edited payload is not of its kind or contradicts its facts.
    pub async fn retry_effect(
        &self,
        caller: &Caller,
        id: &str,
        edited: Option<serde_json::Value>,
    ) -> Result<Effect, Error> {
        self.revive(caller, id, (edited, true)).await
    }

    /// Makes a stopped effect ready again as it stands. An unusual amount stays held.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not stopped.
    pub async fn retry_as_it_stands(&self, caller: &Caller, id: &str) -> Result<Effect, Error> {
        self.revive(caller, id, (None, false)).await
    }

    async fn revive(
        &self,
        caller: &Caller,
        id: &str,
        (edited, release): (Option<serde_json::Value>, bool),
    ) -> Result<Effect, Error> {
        let (engine, who, key) = (self.clone(), caller.clone(), id.to_owned());
        let outcome = self
            .0
            .store
            .write(move |tx| {
                let effect = effects::get(tx, &who.organization, &key)?
                    .ok_or_else(|| Error::not_found("effect", &key))?;
                let payload = edited.as_ref().map_or(effect.payload.clone(), ToString::to_string);
                let job = again(repairs::edited(tx, &effect, &payload)?, release);
                let now = engine.now();
                let (mint, repair) = (Mint::new(now, engine.random()), Repair::Retry(&payload));
                let history = repairs::record(tx, &who, (&effect, &repair), (mint, now))?;
                let revived = Effect { history: Some(history), ..effect };
                effects::revive(tx, &revived, &job.payload(), now).map_err(Error::from)
            })
            .await;
        self.repaired(caller, id, outcome).await
    }

    /// What a repair came to.
    async fn repaired(&self, caller: &Caller, id: &str, outcome: Result<(), Error>) -> Result<Effect, Error> {
        match outcome {
            Err(error) if error.is_conflict() => {
                let effect = self.effect(&caller.organization, id).await?;
                Err(Error::Refused(Refusal::state(
                    "effect_not_stopped",
                    format!("Nothing was changed: the effect is {}.", effect.state.name()),
                )))
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.0.wake.notify_one();
                self.effect(&caller.organization, id).await
            }
        }
    }

    /// Gives a stopped effect up, with a reason.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not stopped.
    pub async fn skip_effect(&self, caller: &Caller, id: &str, reason: &str) -> Result<Effect, Error> {
        let reason = suture_core::explain::Reason::parse(reason)?;
        let (engine, who, key) = (self.clone(), caller.clone(), id.to_owned());
        let skipped = self
            .0
            .store
            .write(move |tx| {
                let effect = effects::get(tx, &who.organization, &key)?
                    .ok_or_else(|| Error::not_found("effect", &key))?;
                let (now, reason) = (engine.now(), reason.as_str());
                let (mint, repair) = (Mint::new(now, engine.random()), Repair::Skip(reason));
                let history = repairs::record(tx, &who, (&effect, &repair), (mint, now))?;
                let text = format!("skipped by {}: {reason}", who.actor.parts().1);
                effects::skip(tx, &Effect { history: Some(history), ..effect.clone() }, &text, now)?;
                // What waited for it in its lane looks again: a person took it into their own hands.
                match &effect.lane {
                    Some(lane) if effect.kind == "post" => {
                        lanes::resume(tx, &who.organization, lane, now).map(|_| ()).map_err(Error::from)
                    }
                    _ => Ok(()),
                }
            })
            .await;
        self.repaired(caller, id, skipped).await
    }

    /// Retries all dead effects of a destination as they stand, at most 1000; those that move money only when the caller may
    /// move money. Returns how many.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn retry_all(
        &self,
        caller: &Caller,
        destination: &str,
        may_move_money: bool,
    ) -> Result<usize, Error> {
        let dead = self.effects(&caller.organization, Some(State::Dead), i64::MAX, 1000).await?;
        let mut count = 0;
        let wanted = |effect: &Effect| {
            effect.destination == destination && (may_move_money || !repairs::moves_money(&effect.kind))
        };
        for effect in dead.into_iter().rev().filter(wanted) {
            self.retry_as_it_stands(caller, &effect.id).await?;
            count += 1;
        }
        Ok(count)
    }
}

/// The job as it is tried again.
fn again(job: Job, release: bool) -> Job {
    match job {
        // An authorized person looked at the amount and lets it go on.
        Job::RunFlow { flow, event, .. } if release => Job::RunFlow { flow, event, released: true },
        // The whole ladder again.
        Job::Announce { endpoint, stream, version, .. } => {
            Job::Announce { endpoint, stream, version, tries: 0 }
        }
        other => other,
    }
}
