//! A person decides what a run of a flow asks: may it go on.

use suture_core::explain::Reason;
use suture_core::refusal::Refusal;
use suture_flow::run::{Answer, Next};
use suture_store::lanes;

use crate::Error;
use crate::engine::Engine;
use crate::payments::Caller;
use crate::running::{self, approval_lane};

/// What a run asks of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the person reads. It may name things of the event: shown to who may answer.
    pub question: String,
    /// The role that may answer.
    pub by: String,
}

impl Engine {
    /// What a run asks, when it asks.
    ///
    /// # Errors
    /// [`Error::NotFound`] for no such run, [`Error::Refused`] when it asks nothing.
    pub async fn asked_by_run(&self, organization: &str, run: &str) -> Result<Asked, Error> {
        let mut live = self.live(organization, run).await?.map_err(|what| nothing_asked(&what))?;
        let compiled = live.compiled.clone();
        match compiled.advance(&mut live.run, None) {
            Next::Approve { question, by, .. } => Ok(Asked { question: question.into_exposed(), by }),
            _ => Err(nothing_asked("it does not wait for an approval")),
        }
    }

    /// Decides what a run asks. `by` is who decides; the caller has checked that the role may.
    ///
    /// # Errors
    /// [`Error::Refused`] when it asks nothing, or was decided meanwhile.
    pub async fn decide_run(
        &self,
        caller: &Caller,
        run: &str,
        (approve, reason): (bool, &str),
    ) -> Result<(), Error> {
        let reason = Reason::parse(reason)?;
        let mut live = self.live(&caller.organization, run).await?.map_err(|what| nothing_asked(&what))?;
        let compiled = live.compiled.clone();
        let Next::Approve { step, .. } = compiled.advance(&mut live.run, None) else {
            return Err(nothing_asked("it does not wait for an approval"));
        };
        let by = caller.actor.parts().1.to_owned();
        let answer = match approve {
            true => Answer::Approved { by },
            false => Answer::Rejected { by, reason: reason.as_str().to_owned() },
        };
        let (runner, order) = (self.runner(&caller.organization), self.order_of(caller, reason));
        self.apply(&live.id.clone(), order, move |change| {
            let (organization, now) = (change.order.organization.clone(), change.order.now);
            if lanes::close(change.tx, &organization, &approval_lane(&live.id), now)? == 0 {
                return Err(nothing_asked("somebody decided it a moment ago, or its time is over"));
            }
            running::go_on(change, &runner, live.clone(), Some((step.clone(), answer.clone())))
        })
        .await
    }
}

fn nothing_asked(what: &str) -> Error {
    Error::Refused(Refusal::state("nothing_to_approve", format!("Nothing was decided for this run: {what}.")))
}
