//! Searching openings of 500 providers over 30 days, at 10 thousand to 1 million booked appointments; and a thousand patients
//! who want one slot.
//!
//! Booked appointments are written as the rows that a search reads and the storage guards (slots, pages, visits), without
//! their streams: a search never reads those.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use suture_core::appointment::{self, Appointment, Command, Context, Selection};
use suture_core::calendar::{Exception, ExceptionKind, Hours, LocalDate, LocalTime, Rules, Weekday, Zone};
use suture_core::explain::Reason;
use suture_core::id::{AppointmentId, ClinicId, Mint, PatientId, ProviderId, VisitTypeId};
use suture_core::money::Money;
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::time::Timestamp;
use suture_core::visit::{Choice, Policy, Timing};
use suture_engine::billing::NewPatient;
use suture_engine::scheduling::{Search, Select};
use suture_engine::{Caller, Engine, Error};
use suture_store::calendar::{self, Slot, SlotState};
use suture_store::{Tx, visits};

use super::billing_stage;
use super::program::now;
use super::wire::percentile;

const PROVIDERS: usize = 500;
const SIZES: [i64; 3] = [10_000, 100_000, 1_000_000];
/// Booked visits of one provider on one day; the day has room for 15.
const A_DAY: i64 = 12;
const BATCH: i64 = 2_000;
const SEARCHES: usize = 200;
const RACERS: usize = 1_000;
const DAY: Duration = Duration::from_secs(86_400);
const DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

struct Stage {
    engine: Engine,
    caller: Caller,
    visit: VisitType,
    clinic: ClinicId,
    providers: Vec<ProviderId>,
    /// Eight o'clock of the first day, in the zone of the clinic.
    opens: Timestamp,
}

/// Prints searches at each size, and the race.
pub(super) async fn measure(url: &str) -> Result<(), String> {
    let stage = Arc::new(set(url).await.map_err(|error| error.to_string())?);
    race(&stage).await.map_err(|error| error.to_string())?;
    let mut booked = 0;
    for size in SIZES {
        let begun = now();
        while booked < size {
            let until = (booked + BATCH).min(size);
            book(&stage, booked, until).await.map_err(|error| error.to_string())?;
            booked = until;
        }
        println!("{size} appointments booked ({:.1?} for the new ones)", begun.elapsed());
        searches(&stage).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

async fn set(url: &str) -> Result<Stage, Error> {
    let engine = billing_stage::open(url).await.map_err(Error::Missing)?;
    let organization = engine.make_organization("bench", suture_engine::admin::Mode::Sandbox).await?.id;
    let caller = Caller { organization, actor: suture_core::explain::Actor::Operator("bench".to_owned()) };
    let mint = || Mint::new(engine.now(), engine.random());
    let clinic = ClinicId::mint(mint());
    let visit = visit_type(VisitTypeId::mint(mint()), clinic);
    engine.define_clinic(&caller, place(clinic)?).await?;
    engine.define_visit_type(&caller, visit.clone()).await?;
    let first = zone()?.local(engine.now() + DAY).date;
    let opens = zone()?.moment(first, time(8 * 60))?;
    let mut providers = Vec::new();
    for number in 0..PROVIDERS {
        let id = ProviderId::mint(mint());
        engine.define_provider(&caller, provider(id, clinic, number, first)?).await?;
        providers.push(id);
    }
    providers.sort();
    Ok(Stage { engine, caller, visit, clinic, providers, opens })
}

fn zone() -> Result<Zone, Error> {
    Zone::parse("America/New_York").map_err(|wrong| Error::Missing(wrong.to_string()))
}

fn time(minutes: u16) -> LocalTime {
    LocalTime::from_minutes(minutes).unwrap_or(LocalTime::START)
}

fn place(id: ClinicId) -> Result<Clinic, Error> {
    Ok(Clinic {
        id,
        name: "Bench".to_owned(),
        zone: zone()?,
        timing: Choice { timing: Timing::PostVisit, reason: "bench".to_owned(), by: "bench".to_owned() },
        policy: Policy::lenient(),
        holidays: Vec::new(),
        platform_share: None,
        payout_hold_days: 0,
    })
}

/// Every day from eight to six, but for ten vacations of two days.
fn provider(id: ProviderId, clinic: ClinicId, number: usize, first: LocalDate) -> Result<Provider, Error> {
    let hours = |weekday| Hours { weekday, from: time(8 * 60), until: time(18 * 60), location: None };
    let mut exceptions = Vec::new();
    let mut day = (0..number % 5).fold(first, |day, _| day.tomorrow());
    for _ in 0..10 {
        let last = day.tomorrow();
        exceptions.push(Exception {
            from: day,
            until: last,
            kind: ExceptionKind::Off,
            reason: Reason::of("vacation"),
        });
        day = (0..20).fold(last, |day, _| day.tomorrow());
    }
    Ok(Provider {
        id,
        clinic,
        name: format!("Provider {number}"),
        specialties: Vec::new(),
        payers: Vec::new(),
        visit_types: Vec::new(),
        rules: Rules { zone: zone()?, weekly: DAYS.into_iter().map(hours).collect(), exceptions },
        timing: None,
        account: None,
        external: None,
        active: true,
    })
}

/// 30 minutes with five free before and after.
fn visit_type(id: VisitTypeId, clinic: ClinicId) -> VisitType {
    VisitType {
        id,
        clinic,
        name: "Visit".to_owned(),
        specialty: None,
        duration_minutes: 30,
        before_minutes: 5,
        after_minutes: 5,
        interval_minutes: 10,
        notice_minutes: 0,
        horizon_days: 400,
        timing: None,
        price: Money::usd(12_000),
        deposit: Money::usd(0),
        reserve_only: false,
        hold_minutes: 10,
        extend_minutes: 0,
        charge_before_minutes: None,
        rescue_minutes: 10,
        offer_minutes: 10,
        method_required: false,
        video: false,
        active: true,
    }
}

/// Writes booked appointments: the providers in turn, each provider's day after day.
async fn book(stage: &Arc<Stage>, from: i64, until: i64) -> Result<(), Error> {
    let work = stage.clone();
    stage
        .engine
        .store()
        .write(move |tx: &mut Tx<'_>| (from..until).try_for_each(|number| put(tx, &work, number)))
        .await
}

fn put(tx: &mut Tx<'_>, stage: &Stage, number: i64) -> Result<(), Error> {
    let count = i64::try_from(PROVIDERS).unwrap_or(1);
    let (provider, own) = (number % count, number / count);
    let (day, place) = (own / A_DAY, own % A_DAY);
    let provider = stage.providers[usize::try_from(provider).unwrap_or(0)];
    let minutes = day * 1_440 + place * 50 + 10;
    let starts_at = Timestamp::from_millis(stage.opens.millis() + minutes * 60_000);
    let mint = Mint::new(stage.engine.now(), stage.engine.random());
    let held =
        appointment_of(stage, (AppointmentId::mint(mint), provider, PatientId::mint(mint)), starts_at)?;
    let organization = &stage.caller.organization;
    let calendar = calendar::number(tx, organization, provider)?;
    let slot = Slot {
        appointment: held.id,
        from: starts_at - Duration::from_secs(300),
        until: held.ends_at + Duration::from_secs(300),
        state: SlotState::Booked,
        held_until: None,
    };
    calendar::take(tx, (organization, provider, calendar), &slot)?;
    Ok(visits::put(tx, organization, &held, stage.engine.now())?)
}

fn appointment_of(
    stage: &Stage,
    (id, provider, patient): (AppointmentId, ProviderId, PatientId),
    starts_at: Timestamp,
) -> Result<Appointment, Error> {
    let selection = Selection {
        appointment: id,
        context: Context { patient, provider, visit_type: stage.visit.id, starts_at },
        clinic: stage.clinic,
        ends_at: starts_at + Duration::from_secs(1_800),
        zone: "America/New_York".to_owned(),
        link: String::new(),
        debt: None,
        terms: stage.visit.terms(Timing::PostVisit),
        eligibility: None,
        waiting: None,
    };
    let events = appointment::decide(None, &Command::Select(Box::new(selection)), stage.engine.now())?;
    events.iter().fold(None, Appointment::evolve).ok_or_else(|| Error::Missing("an appointment".to_owned()))
}

async fn searches(stage: &Stage) -> Result<(), Error> {
    let search = Search {
        visit_type: stage.visit.id,
        provider: None,
        specialty: None,
        payer: None,
        name: None,
        location: None,
        from: stage.opens,
        until: stage.opens + DAY * 30,
        limit: usize::MAX,
    };
    let (organization, engine) = (&stage.caller.organization, &stage.engine);
    let (mut all, mut first) = (Vec::new(), Vec::new());
    let mut starts = 0;
    for _ in 0..SEARCHES {
        let begun = now();
        let found = engine.find_openings(organization, &search).await?;
        all.push(begun.elapsed());
        starts = found.iter().map(|found| found.starts.len()).sum();
        let begun = now();
        engine.first_available(organization, &search).await?;
        first.push(begun.elapsed());
    }
    all.sort();
    first.sort();
    println!(
        "{PROVIDERS} providers over 30 days, {starts} openings: all p50 {:?} p99 {:?}; first available p50 {:?} p99 {:?}",
        percentile(&all, 50),
        percentile(&all, 99),
        percentile(&first, 50),
        percentile(&first, 99),
    );
    Ok(())
}

/// A thousand patients select one slot at once.
async fn race(stage: &Arc<Stage>) -> Result<(), Error> {
    let mut patients = Vec::new();
    for _ in 0..RACERS {
        let new = NewPatient { external: BTreeMap::new(), personal: Vec::new(), customer_at: Vec::new() };
        patients.push(stage.engine.create_patient(&stage.caller, new).await?.id);
    }
    let starts_at = stage.opens + DAY * 390;
    let begun = now();
    let racers: Vec<_> = patients
        .into_iter()
        .map(|patient| {
            let stage = stage.clone();
            tokio::spawn(async move {
                let select = Select {
                    patient,
                    provider: stage.providers[0],
                    visit_type: stage.visit.id,
                    starts_at,
                    zone: None,
                    eligibility: None,
                    account: None,
                    emergency: false,
                };
                stage.engine.select_slot(&stage.caller, select).await.is_ok()
            })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += u32::from(racer.await.unwrap_or(false));
    }
    println!(
        "{RACERS} patients select one slot at once: {won} holds it, all answered in {:?}",
        begun.elapsed()
    );
    Ok(())
}
