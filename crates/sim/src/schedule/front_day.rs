//! The day of a visit in a run: the patient comes or does not, is seen anyway, the encounter is signed and added to.

use suture_core::appointment::{Appointment, Status};
use suture_core::encounter::Coded;
use suture_core::id::EncounterId;
use suture_core::money::Money;
use suture_core::redact::Phi;
use suture_engine::Engine;
use suture_engine::scheduling::{NewPrice, Signature, Written};

use super::desk::{Desk, Seat};
use super::front::Front;
use super::front_acts::FrontAct;
use super::play::answered;

/// What providers sign; the last has a code without a price.
const CODES: [&[&str]; 5] = [&["99214"], &["99213"], &["99214", "90833"], &["99213"], &["99214", "99999"]];

impl Front {
    /// Plays an act of the day.
    ///
    /// # Errors
    /// A sentence when something failed that no fault explains.
    pub(super) async fn on_the_day(
        &mut self,
        seat: &Seat,
        desk: &mut Desk,
        act: FrontAct,
    ) -> Result<(), String> {
        let (engine, caller) = (&seat.engine, &seat.caller);
        match act {
            FrontAct::Arrive { appointment } => {
                let Some(id) = self.number(appointment) else { return Ok(()) };
                let arrived = engine.arrive(caller, id).await;
                self.accepted.entry(id).or_default().arrived |= arrived.is_ok();
                answered(arrived)
            }
            FrontAct::Miss { appointment } => {
                let Some(id) = self.number(appointment) else { return Ok(()) };
                let missed = engine.miss_appointment(caller, id).await;
                if missed.is_ok() {
                    self.accepted.entry(id).or_default().ended = Some(Status::NoShow.name());
                }
                answered(missed)
            }
            FrontAct::Override { appointment } => {
                let Some(id) = self.number(appointment) else { return Ok(()) };
                answered(engine.override_risk(caller, id, ("dr_grey", "continuity")).await)
            }
            FrontAct::Emergency { appointment, on } => {
                let Some(id) = self.number(appointment) else { return Ok(()) };
                answered(engine.mark_emergency(caller, id, (on, "dr_grey", "chest_pain")).await)
            }
            FrontAct::Sign { appointment, codes, twice } => {
                self.sign(seat, desk, (appointment, codes, twice)).await
            }
            FrontAct::Addend { appointment, codes } => self.addend(seat, appointment, codes).await,
            FrontAct::Price => {
                let Some(from) = suture_core::calendar::LocalDate::new(2020, 1, 1) else { return Ok(()) };
                let code = "99999".to_owned();
                let new = NewPrice { code, payer: None, from, until: None, amount: Money::usd(1_000) };
                answered(engine.put_prices(caller, self.practice.clinic, vec![new]).await)
            }
            _ => Ok(()),
        }
    }

    async fn sign(
        &mut self,
        seat: &Seat,
        desk: &mut Desk,
        (number, codes, twice): (usize, usize, bool),
    ) -> Result<(), String> {
        let Some(known) = self.known(seat, number).await? else { return Ok(()) };
        let Some(encounter) = opened(seat, &known).await? else { return Ok(()) };
        let sign = |engine: Engine| async move {
            engine.finalize_encounter(&seat.caller, encounter, written(codes)).await
        };
        let signed = match twice {
            false => vec![sign(seat.engine.clone()).await],
            true => {
                let (one, other) = tokio::join!(sign(seat.engine.clone()), sign(seat.other.clone()));
                vec![one, other]
            }
        };
        for signed in signed {
            self.accepted.entry(known.id).or_default().signed |= signed.is_ok();
            answered(signed)?;
        }
        // From here on the payer and the biller meet the visit's service like any other.
        let Some(service) = known.service else { return Ok(()) };
        if !desk.services.iter().any(|service_known| service_known.id == service) {
            let found = seat.engine.service(seat.organization(), service).await;
            desk.services.push(found.map_err(|error| error.to_string())?);
        }
        Ok(())
    }

    async fn addend(&self, seat: &Seat, number: usize, codes: usize) -> Result<(), String> {
        let Some(known) = self.known(seat, number).await? else { return Ok(()) };
        let Some(encounter) = known.encounter else { return Ok(()) };
        answered(seat.engine.addend_encounter(&seat.caller, encounter, written(codes)).await)
    }
}

/// The encounter of an appointment, opened where it was not.
async fn opened(seat: &Seat, known: &Appointment) -> Result<Option<EncounterId>, String> {
    if let Some(encounter) = known.encounter {
        return Ok(Some(encounter));
    }
    let opened = seat.engine.open_encounter(&seat.caller, known.id).await;
    let id = opened.as_ref().ok().map(|encounter| encounter.id);
    answered(opened).map(|()| id)
}

fn written(codes: usize) -> (Written, Signature) {
    let number = codes % CODES.len();
    let coded = |code: &&str| Coded { code: (*code).to_owned(), units: 1 };
    let text = Phi::new(format!("S: well. O: well. A: well. P: {number}."));
    let written = Written { text, codes: Some(CODES[number].iter().map(coded).collect()) };
    (written, Signature { signer: "dr_grey".to_owned() })
}
