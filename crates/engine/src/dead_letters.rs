//! Stopped effects: look, edit and retry, skip; one, many, or all of a destination.

use suture_core::refusal::Refusal;
use suture_store::effects::{self, Effect, State};
use suture_store::lanes;

use crate::Error;
use crate::engine::Engine;
use crate::job::Job;
use crate::payments::Caller;

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

    /// Makes a stopped effect ready again, with an edited payload when one is given.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is not stopped, or the edited payload is not of its kind.
    pub async fn retry_effect(
        &self,
        caller: &Caller,
        id: &str,
        edited: Option<serde_json::Value>,
    ) -> Result<Effect, Error> {
        let effect = self.effect(&caller.organization, id).await?;
        let payload = match edited {
            Some(edited) => edited.to_string(),
            None => effect.payload.clone(),
        };
        let job = Job::parse(&payload).filter(|job| job.kind() == effect.kind).ok_or_else(|| {
            Refusal::invalid(
                "payload_not_of_kind",
                format!("Nothing was changed. The edited payload is not a {} job.", effect.kind),
            )
        })?;
        // An authorized person looked at the amount and lets it go on.
        let job = match job {
            Job::RunFlow { flow, event, .. } => Job::RunFlow { flow, event, released: true },
            // The whole ladder again.
            Job::Announce { endpoint, stream, version, .. } => {
                Job::Announce { endpoint, stream, version, tries: 0 }
            }
            other => other,
        };
        let (now, revived) = (self.now(), effect.clone());
        let (_, actor) = caller.actor.parts();
        let note = serde_json::json!({ "at": now.to_rfc3339(), "by": actor, "did": "retry" }).to_string();
        let history = effect.history.map_or(note.clone(), |before| format!("{before}\n{note}"));
        let revived = Effect { history: Some(history), ..revived };
        let outcome = self
            .0
            .store
            .write(move |tx| effects::revive(tx, &revived, &job.payload(), now).map_err(Error::from))
            .await;
        match outcome {
            Err(error) if error.is_conflict() => Err(Error::Refused(Refusal::state(
                "effect_not_stopped",
                format!("Nothing was changed: the effect is {}.", effect.state.name()),
            ))),
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
        let (_, actor) = caller.actor.parts();
        let text = format!("skipped by {actor}: {}", reason.as_str());
        let (organization, key, now) = (caller.organization.clone(), id.to_owned(), self.now());
        let skipped = self
            .0
            .store
            .write(move |tx| {
                effects::skip(tx, &organization, &key, &text, now)?;
                // What waited for it in its lane looks again: a person took it into their own hands.
                match effects::get(tx, &organization, &key)? {
                    Some(Effect { lane: Some(lane), kind, .. }) if kind == "post" => {
                        lanes::resume(tx, &organization, &lane, now).map(|_| ()).map_err(Error::from)
                    }
                    _ => Ok(()),
                }
            })
            .await;
        match skipped {
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

    /// Retries all dead effects of a destination, at most 1000. Returns how many.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn retry_all(&self, caller: &Caller, destination: &str) -> Result<usize, Error> {
        let dead = self.effects(&caller.organization, Some(State::Dead), i64::MAX, 1000).await?;
        let mut count = 0;
        for effect in dead.into_iter().rev().filter(|effect| effect.destination == destination) {
            self.retry_effect(caller, &effect.id, None).await?;
            count += 1;
        }
        Ok(count)
    }
}
