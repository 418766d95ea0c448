//! A practice for schedules: two providers who race for the same patients' hours, and one type of visit per way to pay.

use suture_core::id::{ClinicId, Mint, ProviderId, VisitTypeId};
use suture_core::money::Money;
use suture_core::practice::{Provider, VisitType};
use suture_core::visit::{Choice, Occasion, Policy, Rule, Share, Timing, When};

use super::World;

/// The ids of a practice with more than one provider.
#[derive(Debug, Clone)]
pub struct Practice {
    /// The clinic.
    pub clinic: ClinicId,
    /// Providers who are always there.
    pub providers: Vec<ProviderId>,
    /// With a deposit; charged before as well; with a reserved deposit; paid after; hybrid.
    pub visits: Vec<VisitType>,
    /// What the clinic keeps.
    pub policy: Policy,
}

/// The platform's part of a charge, in hundredths of a per cent.
const PLATFORM_SHARE: u32 = 1_500;

impl World {
    /// Opens a practice of two providers and five types of visit. A strict one keeps fees, a lenient one none.
    ///
    /// # Errors
    /// The engine's refusal.
    pub async fn busy_practice(&mut self, strict: bool) -> Result<Practice, suture_engine::Error> {
        let policy = if strict { strict_policy() } else { Policy::lenient() };
        let kept = policy.clone();
        let shared = strict.then_some(PLATFORM_SHARE);
        let first = self
            .practice(Timing::DepositToBook, |clinic, _, visit| {
                (clinic.policy, clinic.platform_share) = (policy, shared);
                visit.after_minutes = 5;
            })
            .await?;
        let (engine, caller) = (self.engine(0).clone(), self.caller());
        let known = engine.practice(&self.organization).await?;
        let missing = |what: &str| suture_engine::Error::Missing(what.to_owned());
        let visit = known.visit_types.get(&first.visit_type).ok_or_else(|| missing("type of visit"))?;
        let provider = known.providers.get(&first.provider).ok_or_else(|| missing("provider"))?;
        let now = self.now();
        let other = Provider { id: ProviderId::mint(Mint::new(now, engine.random())), ..provider.clone() };
        engine.define_provider(&caller, other.clone()).await?;
        let mut visits = vec![visit.clone()];
        for change in [charged_before, reserved, paid_after, hybrid] {
            let id = VisitTypeId::mint(Mint::new(now, engine.random()));
            let mut next = VisitType { id, ..visit.clone() };
            change(&mut next);
            engine.define_visit_type(&caller, next.clone()).await?;
            visits.push(next);
        }
        self.prices(first, &[("99214", 12_000), ("99213", 8_000), ("90833", 7_500)]).await?;
        let providers = vec![first.provider, other.id];
        Ok(Practice { clinic: first.clinic, providers, visits, policy: kept })
    }
}

fn paid(timing: Timing) -> Option<Choice> {
    Some(Choice { timing, reason: "schedule".to_owned(), by: "owner".to_owned() })
}

fn charged_before(visit: &mut VisitType) {
    (visit.duration_minutes, visit.charge_before_minutes) = (60, Some(10));
}

fn reserved(visit: &mut VisitType) {
    (visit.before_minutes, visit.reserve_only) = (5, true);
}

fn paid_after(visit: &mut VisitType) {
    (visit.timing, visit.deposit) = (paid(Timing::PostVisit), Money::usd(0));
}

fn hybrid(visit: &mut VisitType) {
    (visit.timing, visit.deposit) = (paid(Timing::Hybrid), Money::usd(0));
}

/// 25.00 for a patient who cancels within two days, half of the price for one who does not come, the deposit for one who does
/// not pay.
fn strict_policy() -> Policy {
    let rule = |name: &str, occasion, fee| Rule {
        name: name.to_owned(),
        when: When { occasions: vec![occasion], ..When::default() },
        fee,
        charge_the_rest: true,
    };
    let late =
        When { notice_hours_below: Some(48), occasions: vec![Occasion::PatientCancels], ..When::default() };
    let late =
        Rule { when: late, ..rule("late", Occasion::PatientCancels, Share::Amount(Money::usd(2_500))) };
    let unpaid = rule("unpaid", Occasion::PaymentMissed, Share::OfDeposit(10_000));
    let rest =
        Rule { name: "else".to_owned(), when: When::default(), fee: Share::None, charge_the_rest: false };
    Policy {
        version: "strict-1".to_owned(),
        rules: vec![late, rule("no_show", Occasion::NoShow, Share::OfPrice(5_000)), unpaid, rest],
        examples: Vec::new(),
    }
}
