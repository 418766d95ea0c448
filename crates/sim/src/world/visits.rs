//! The front desk of a world: a clinic with a provider and types of visit, slots, encounters. What a story's reader does not
//! need to see has a default here.

use std::time::Duration;

use suture_core::appointment::Appointment;
use suture_core::calendar::{Hours, LocalTime, Rules, Weekday, Zone};
use suture_core::encounter::{Coded, Encounter};
use suture_core::id::{
    AppointmentId, ClinicId, EligibilityId, EncounterId, Mint, PatientId, ProviderId, VisitTypeId,
};
use suture_core::money::Money;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_core::visit::{Choice, Policy, Timing};
use suture_engine::scheduling::{NewPrice, PayVisit, Search, Select, Signature, Written};

use super::World;
use super::patients::person;

type Said<T> = Result<T, suture_engine::Error>;

/// The ids of a practice.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    /// The clinic.
    pub clinic: ClinicId,
    /// A provider who is always there.
    pub provider: ProviderId,
    /// A visit of 30 minutes for 120.00 with a deposit of 50.00 where the timing wants one.
    pub visit_type: VisitTypeId,
}

const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

impl World {
    /// Opens a practice whose visits are paid at a timing. `change` may say otherwise about anything.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn practice(
        &mut self,
        timing: Timing,
        change: impl FnOnce(&mut Clinic, &mut Provider, &mut VisitType),
    ) -> Said<Desk> {
        let engine = self.engine(0).clone();
        let now = self.now();
        let (clinic, provider) = (
            ClinicId::mint(Mint::new(now, engine.random())),
            ProviderId::mint(Mint::new(now, engine.random())),
        );
        let visit_type = VisitTypeId::mint(Mint::new(now, engine.random()));
        let desk = Desk { clinic, provider, visit_type };
        let (mut place, mut who, mut what) =
            (clinic_of(desk, timing), provider_of(desk), visit_of(desk, timing));
        change(&mut place, &mut who, &mut what);
        let caller = self.caller();
        engine.define_clinic(&caller, place).await?;
        engine.define_visit_type(&caller, what).await?;
        engine.define_provider(&caller, who).await?;
        Ok(desk)
    }

    /// The first opening at least so many minutes from now.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn opening(&self, desk: Desk, minutes: i64) -> Said<Timestamp> {
        let from = Timestamp::from_millis(self.clock.millis() + minutes * 60_000);
        let search = Search {
            visit_type: desk.visit_type,
            provider: Some(desk.provider),
            specialty: None,
            payer: None,
            name: None,
            location: None,
            from,
            until: from + Duration::from_secs(7 * 86_400),
            limit: 1,
        };
        let found = self.engine(0).find_openings(&self.organization, &search).await?;
        let first = found.first().and_then(|found| found.starts.first().copied());
        first.ok_or_else(|| suture_engine::Error::Missing("an opening".to_owned()))
    }

    /// Selects a slot for a patient of the sandbox.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn select(
        &mut self,
        desk: Desk,
        (patient, number): (PatientId, usize),
        starts_at: Timestamp,
        eligibility: Option<EligibilityId>,
    ) -> Said<Appointment> {
        let select = Select {
            patient,
            provider: desk.provider,
            visit_type: desk.visit_type,
            starts_at,
            zone: None,
            eligibility,
            account: Some(person(number).account_id.clone()),
            emergency: false,
        };
        self.engine(0).select_slot(&self.caller(), select).await
    }

    /// Pays what is due for an appointment with a card, and lets the world come to rest.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn pay(&mut self, appointment: AppointmentId, card: &str) -> Said<Appointment> {
        self.ask_to_pay(appointment, card).await?;
        self.rest().await;
        self.appointment(appointment).await
    }

    /// Asks for a payment, and does not wait for its answer.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn ask_to_pay(&mut self, appointment: AppointmentId, card: &str) -> Said<Appointment> {
        let how = PayVisit { method: Some(card.to_owned()), ..PayVisit::default() };
        let (known, _) = self.engine(0).pay_appointment(&self.caller(), appointment, how).await?;
        Ok(known)
    }

    /// An appointment as known now.
    ///
    /// # Errors
    /// The engine's.
    pub async fn appointment(&self, id: AppointmentId) -> Said<Appointment> {
        self.engine(0).appointment(&self.organization, id).await
    }

    /// Stores prices of procedure codes for everybody, from the beginning of the year.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn prices(&mut self, desk: Desk, prices: &[(&str, i64)]) -> Said<()> {
        let new = |(code, minor): &(&str, i64)| {
            suture_core::calendar::LocalDate::new(2020, 1, 1).map(|from| NewPrice {
                code: (*code).to_owned(),
                payer: None,
                from,
                until: None,
                amount: Money::usd(*minor),
            })
        };
        let new = prices.iter().filter_map(new).collect();
        self.engine(0).put_prices(&self.caller(), desk.clinic, new).await.map(|_| ())
    }

    /// The visit takes place: its encounter is opened and signed with codes.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn visit(&mut self, appointment: AppointmentId, codes: &[&str]) -> Said<Encounter> {
        let opened = self.engine(0).open_encounter(&self.caller(), appointment).await?;
        self.sign_encounter(opened.id, "S: better. O: fine. A: well. P: again in a year.", codes).await
    }

    /// Signs an encounter.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn sign_encounter(
        &mut self,
        encounter: EncounterId,
        text: &str,
        codes: &[&str],
    ) -> Said<Encounter> {
        let signed = (written(text, codes), Signature { signer: "dr_grey".to_owned() });
        let signed = self.engine(0).finalize_encounter(&self.caller(), encounter, signed).await?;
        self.rest().await;
        self.engine(0).encounter(&self.organization, signed.id).await
    }

    /// Adds to a signed encounter, with other codes.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn addend(&mut self, encounter: EncounterId, codes: &[&str]) -> Said<Encounter> {
        let signed = (written("addendum", codes), Signature { signer: "dr_grey".to_owned() });
        let signed = self.engine(0).addend_encounter(&self.caller(), encounter, signed).await?;
        self.rest().await;
        self.engine(0).encounter(&self.organization, signed.id).await
    }
}

fn written(text: &str, codes: &[&str]) -> Written {
    let coded = |code: &&str| Coded { code: (*code).to_owned(), units: 1 };
    Written { text: Phi::new(text.to_owned()), codes: Some(codes.iter().map(coded).collect()) }
}

fn clinic_of(desk: Desk, timing: Timing) -> Clinic {
    Clinic {
        id: desk.clinic,
        name: "Sandbox Clinic".to_owned(),
        zone: zone(),
        timing: Choice { timing, reason: "story".to_owned(), by: "owner".to_owned() },
        policy: Policy::lenient(),
        holidays: Vec::new(),
        platform_share: None,
        payout_hold_days: 0,
    }
}

fn zone() -> Zone {
    Zone::parse("America/New_York").unwrap_or_else(|_| unreachable!("a zone of the bundled database"))
}

fn provider_of(desk: Desk) -> Provider {
    let hours = |weekday| Hours { weekday, from: LocalTime::START, until: LocalTime::END, location: None };
    Provider {
        id: desk.provider,
        clinic: desk.clinic,
        name: "Dr Grey".to_owned(),
        specialties: Vec::new(),
        payers: Vec::new(),
        visit_types: Vec::new(),
        rules: Rules { zone: zone(), weekly: DAYS.into_iter().map(hours).collect(), exceptions: Vec::new() },
        timing: None,
        account: None,
        external: None,
        active: true,
    }
}

fn visit_of(desk: Desk, timing: Timing) -> VisitType {
    let deposit = if timing == Timing::DepositToBook { 5_000 } else { 0 };
    VisitType {
        id: desk.visit_type,
        clinic: desk.clinic,
        name: "Visit".to_owned(),
        specialty: None,
        duration_minutes: 30,
        before_minutes: 0,
        after_minutes: 0,
        interval_minutes: 30,
        notice_minutes: 0,
        horizon_days: 60,
        timing: None,
        price: Money::usd(12_000),
        deposit: Money::usd(deposit),
        reserve_only: false,
        hold_minutes: 10,
        extend_minutes: 5,
        charge_before_minutes: None,
        rescue_minutes: 10,
        offer_minutes: 10,
        method_required: false,
        video: false,
        active: true,
    }
}
