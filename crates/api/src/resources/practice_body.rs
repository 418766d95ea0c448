//! Clinics, providers and types of visit as JSON, both ways: what is read can be changed and sent back whole.

use serde::{Deserialize, Serialize};
use suture_core::calendar::{self, Exception, ExceptionKind, Hours, LocalDate, LocalTime, Rules, Zone};
use suture_core::explain::Reason;
use suture_core::id::{ClinicId, ProviderId, VisitTypeId};
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::visit::{Choice, Policy, Timing};
use suture_engine::Error;
use utoipa::ToSchema;

use super::visit_policy_body::PolicyBody;
use crate::bodies::{Money, field_invalid, in_field, words};
use crate::problem::Problem;

words! {
    /// When a visit is paid.
    VisitTiming = Timing { DepositToBook, PostVisit, Hybrid }
}

words! {
    /// A day of the week.
    Weekday = calendar::Weekday { Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday }
}

/// A timing, with who chose it and why.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = TimingChoice)]
#[serde(deny_unknown_fields)]
pub(super) struct ChoiceBody {
    timing: VisitTiming,
    /// Why, as a code.
    #[schema(example = "no_shows_cost_most")]
    reason: String,
    by: String,
}

/// Days on which other hours hold, or none.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = CalendarException)]
#[serde(deny_unknown_fields)]
pub(super) struct ExceptionBody {
    /// The first day.
    #[schema(value_type = String, example = "2026-12-24")]
    from: LocalDate,
    /// The last day, which belongs to it.
    #[schema(value_type = String, example = "2026-12-26")]
    until: LocalDate,
    /// The hours of these days; nobody is seen when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open: Option<OpenBody>,
    /// Why, as a code.
    #[schema(example = "holiday")]
    reason: String,
}

/// Hours of a day.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = OpenHours)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenBody {
    #[schema(value_type = String, example = "09:00")]
    from: LocalTime,
    /// At most `24:00`.
    #[schema(value_type = String, example = "12:00")]
    until: LocalTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// Hours of a weekday.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = WeeklyHours)]
#[serde(deny_unknown_fields)]
pub(super) struct HoursBody {
    weekday: Weekday,
    #[schema(value_type = String, example = "09:00")]
    from: LocalTime,
    /// At most `24:00`.
    #[schema(value_type = String, example = "17:00")]
    until: LocalTime,
    /// Where, by the clinic's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location: Option<String>,
}

/// A clinic, whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Clinic)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClinicBody {
    /// In answers always. In requests absent, or that of the path.
    pub(super) id: Option<String>,
    name: String,
    /// Its IANA zone.
    #[schema(example = "America/Chicago")]
    zone: String,
    /// When visits are paid, unless provider or type of visit say otherwise.
    timing: ChoiceBody,
    /// What missed visits cost; in requests: everything goes back when absent.
    policy: Option<PolicyBody>,
    /// Days on which nobody is seen.
    #[serde(default)]
    holidays: Vec<ExceptionBody>,
    /// Hundredths of a per cent of a post-visit charge that the platform keeps; no split when absent.
    platform_share_basis_points: Option<u32>,
    /// How many days a provider's share waits after its payment cleared.
    #[serde(default)]
    payout_hold_days: u32,
}

/// A provider, whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Provider)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ProviderBody {
    /// In answers always. In requests absent, or that of the path.
    pub(super) id: Option<String>,
    clinic: String,
    name: String,
    #[serde(default)]
    specialties: Vec<String>,
    /// Payers whose insurance is accepted; every payer when empty.
    #[serde(default)]
    payers: Vec<String>,
    /// The types of visit that are offered; all of the clinic when empty.
    #[serde(default)]
    visit_types: Vec<String>,
    /// The IANA zone of the hours; in requests the clinic's when absent.
    pub(super) zone: Option<String>,
    /// The hours of every week.
    #[serde(default)]
    weekly: Vec<HoursBody>,
    #[serde(default)]
    exceptions: Vec<ExceptionBody>,
    /// When visits are paid, unless the type of visit says otherwise.
    timing: Option<ChoiceBody>,
    /// The account at the gateway that the provider's share goes to.
    account: Option<String>,
    /// The id in the EHR.
    external: Option<String>,
    /// Whether patients can be booked.
    #[serde(default = "yes")]
    active: bool,
}

/// A type of visit, whole.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = VisitType)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VisitTypeBody {
    /// In answers always. In requests absent, or that of the path.
    pub(super) id: Option<String>,
    clinic: String,
    /// As patients read it.
    name: String,
    /// The specialty that a provider needs for it.
    specialty: Option<String>,
    /// 5 to 720, in steps of 5.
    duration_minutes: u16,
    /// Time that stays free before it.
    #[serde(default)]
    before_minutes: u16,
    /// Time that stays free after it.
    #[serde(default)]
    after_minutes: u16,
    /// A visit may begin every so many minutes.
    interval_minutes: u16,
    /// The latest booking before the start.
    #[serde(default)]
    notice_minutes: u32,
    /// How many days ahead it can be booked.
    horizon_days: u32,
    /// When it is paid; the provider's or the clinic's choice when absent.
    timing: Option<ChoiceBody>,
    /// What it is expected to cost.
    price: Money,
    /// The deposit, where the timing wants one.
    deposit: Money,
    /// A reserved deposit books already.
    #[serde(default)]
    reserve_only: bool,
    /// How long a selected slot is held.
    hold_minutes: u32,
    /// How much longer while the bank's check is open.
    #[serde(default)]
    extend_minutes: u32,
    /// The rest of the price is charged this long before the start.
    charge_before_minutes: Option<u32>,
    /// How long after a declined charge the slot is released.
    rescue_minutes: u32,
    /// How long a slot is offered to one patient of the waiting list.
    offer_minutes: u32,
    /// Whether it is booked only with a payment method on file.
    #[serde(default)]
    method_required: bool,
    #[serde(default)]
    video: bool,
    /// Whether it can be booked.
    #[serde(default = "yes")]
    active: bool,
}

const fn yes() -> bool {
    true
}

/// A zone by its name.
pub(super) fn zone(name: &str) -> Result<Zone, Problem> {
    Zone::parse(name).map_err(|_| {
        let detail = "Nothing was changed. The zone is not one of the IANA names, such as America/Chicago.";
        Problem::invalid("zone_unknown", detail)
    })
}

fn reason(text: &str) -> Result<Reason, Problem> {
    Ok(Reason::parse(text).map_err(Error::from)?)
}

/// Refuses a body that says another id than its path.
pub(super) fn same_id(given: Option<&str>, path: &str) -> Result<(), Problem> {
    match given.is_none_or(|given| given == path) {
        true => Ok(()),
        false => Err(field_invalid("id", "is the one of the path, or absent")),
    }
}

impl ChoiceBody {
    fn of(choice: &Choice) -> Self {
        Self { timing: choice.timing.into(), reason: choice.reason.clone(), by: choice.by.clone() }
    }

    fn understood(self) -> Choice {
        Choice { timing: self.timing.into(), reason: self.reason, by: self.by }
    }
}

impl ExceptionBody {
    fn of(exception: &Exception) -> Self {
        let open = match &exception.kind {
            ExceptionKind::Off => None,
            ExceptionKind::Open { from, until, location } => {
                Some(OpenBody { from: *from, until: *until, location: location.clone() })
            }
        };
        let reason = exception.reason.as_str().to_owned();
        Self { from: exception.from, until: exception.until, open, reason }
    }

    fn understood(self) -> Result<Exception, Problem> {
        let kind = self.open.map_or(ExceptionKind::Off, |open| ExceptionKind::Open {
            from: open.from,
            until: open.until,
            location: open.location,
        });
        Ok(Exception { from: self.from, until: self.until, kind, reason: reason(&self.reason)? })
    }
}

fn exceptions(bodies: Vec<ExceptionBody>) -> Result<Vec<Exception>, Problem> {
    bodies.into_iter().map(ExceptionBody::understood).collect()
}

impl HoursBody {
    fn of(hours: &Hours) -> Self {
        let (weekday, location) = (hours.weekday.into(), hours.location.clone());
        Self { weekday, from: hours.from, until: hours.until, location }
    }

    fn understood(self) -> Hours {
        let weekday = self.weekday.into();
        Hours { weekday, from: self.from, until: self.until, location: self.location }
    }
}

impl ClinicBody {
    pub(super) fn of(clinic: &Clinic) -> Self {
        Self {
            id: Some(clinic.id.to_string()),
            name: clinic.name.clone(),
            zone: clinic.zone.name().to_owned(),
            timing: ChoiceBody::of(&clinic.timing),
            policy: Some(PolicyBody::of(&clinic.policy)),
            holidays: clinic.holidays.iter().map(ExceptionBody::of).collect(),
            platform_share_basis_points: clinic.platform_share,
            payout_hold_days: clinic.payout_hold_days,
        }
    }

    pub(super) fn understood(self, id: ClinicId) -> Result<Clinic, Problem> {
        Ok(Clinic {
            id,
            name: self.name,
            zone: zone(&self.zone)?,
            timing: self.timing.understood(),
            policy: self.policy.map_or_else(|| Ok(Policy::lenient()), PolicyBody::understood)?,
            holidays: exceptions(self.holidays)?,
            platform_share: self.platform_share_basis_points,
            payout_hold_days: self.payout_hold_days,
        })
    }
}

impl ProviderBody {
    pub(super) fn of(provider: &Provider) -> Self {
        let rules = &provider.rules;
        Self {
            id: Some(provider.id.to_string()),
            clinic: provider.clinic.to_string(),
            name: provider.name.clone(),
            specialties: provider.specialties.clone(),
            payers: provider.payers.clone(),
            visit_types: provider.visit_types.iter().map(ToString::to_string).collect(),
            zone: Some(rules.zone.name().to_owned()),
            weekly: rules.weekly.iter().map(HoursBody::of).collect(),
            exceptions: rules.exceptions.iter().map(ExceptionBody::of).collect(),
            timing: provider.timing.as_ref().map(ChoiceBody::of),
            account: provider.account.clone(),
            external: provider.external.clone(),
            active: provider.active,
        }
    }

    /// The clinic that the body names.
    pub(super) fn clinic(&self) -> Result<ClinicId, Problem> {
        in_field(ClinicId::parse, &self.clinic, "clinic")
    }

    /// The provider, with the clinic's zone unless the body has one.
    pub(super) fn understood(self, id: ProviderId, clinic: &Clinic) -> Result<Provider, Problem> {
        let visit_types = self.visit_types.iter().map(|id| in_field(VisitTypeId::parse, id, "visitTypes"));
        let visit_types = visit_types.collect::<Result<_, _>>()?;
        let zone = self.zone.as_deref().map_or_else(|| Ok(clinic.zone.clone()), zone)?;
        Ok(Provider {
            id,
            clinic: clinic.id,
            name: self.name,
            specialties: self.specialties,
            payers: self.payers,
            visit_types,
            rules: Rules {
                zone,
                weekly: self.weekly.into_iter().map(HoursBody::understood).collect(),
                exceptions: exceptions(self.exceptions)?,
            },
            timing: self.timing.map(ChoiceBody::understood),
            account: self.account,
            external: self.external,
            active: self.active,
        })
    }
}

impl VisitTypeBody {
    pub(super) fn of(visit: &VisitType) -> Self {
        Self {
            id: Some(visit.id.to_string()),
            clinic: visit.clinic.to_string(),
            name: visit.name.clone(),
            specialty: visit.specialty.clone(),
            duration_minutes: visit.duration_minutes,
            before_minutes: visit.before_minutes,
            after_minutes: visit.after_minutes,
            interval_minutes: visit.interval_minutes,
            notice_minutes: visit.notice_minutes,
            horizon_days: visit.horizon_days,
            timing: visit.timing.as_ref().map(ChoiceBody::of),
            price: visit.price.into(),
            deposit: visit.deposit.into(),
            reserve_only: visit.reserve_only,
            hold_minutes: visit.hold_minutes,
            extend_minutes: visit.extend_minutes,
            charge_before_minutes: visit.charge_before_minutes,
            rescue_minutes: visit.rescue_minutes,
            offer_minutes: visit.offer_minutes,
            method_required: visit.method_required,
            video: visit.video,
            active: visit.active,
        }
    }

    pub(super) fn understood(self, id: VisitTypeId) -> Result<VisitType, Problem> {
        Ok(VisitType {
            id,
            clinic: in_field(ClinicId::parse, &self.clinic, "clinic")?,
            name: self.name,
            specialty: self.specialty,
            duration_minutes: self.duration_minutes,
            before_minutes: self.before_minutes,
            after_minutes: self.after_minutes,
            interval_minutes: self.interval_minutes,
            notice_minutes: self.notice_minutes,
            horizon_days: self.horizon_days,
            timing: self.timing.map(ChoiceBody::understood),
            price: self.price.try_into()?,
            deposit: self.deposit.try_into()?,
            reserve_only: self.reserve_only,
            hold_minutes: self.hold_minutes,
            extend_minutes: self.extend_minutes,
            charge_before_minutes: self.charge_before_minutes,
            rescue_minutes: self.rescue_minutes,
            offer_minutes: self.offer_minutes,
            method_required: self.method_required,
            video: self.video,
            active: self.active,
        })
    }
}
