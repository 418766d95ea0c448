//! How scenarios begin: a clinic, a patient who can be reached, a visit that is booked. What a reader does not need to see has
//! a default here.

use serde_json::json;
use suture_core::appointment::{Appointment, Status};
use suture_core::consent::Purpose;
use suture_core::id::{PatientId, PaymentId};
use suture_core::money::Money;
use suture_core::payment::{self, Payment};
use suture_core::practice::{Clinic, Provider, VisitType};
use suture_core::redact::Phi;
use suture_core::time::Timestamp;
use suture_core::visit::{Occasion, Policy, Rule, Share, Timing, When};
use suture_engine::notices::Addresses;

use super::scene::{Scene, Told};
use crate::world::Desk;

pub(super) const MINUTE: i64 = 60_000;
pub(super) const DAY: i64 = 86_400_000;
/// A card that pays.
pub(super) const VISA: &str = "pm_card_visa";
/// Stored without trouble, and declined when it is charged.
pub(super) const DECLINED_LATER: &str = "pm_card_chargeCustomerFail";
/// Declined for a reason that passes.
pub(super) const POOR: &str = "pm_card_visa_chargeDeclinedInsufficientFunds";
/// A card whose bank asks the cardholder.
pub(super) const ASKS: &str = "pm_card_threeDSecure2Required";
/// From nine in the morning to three in the afternoon, when the visits of most scenarios begin.
pub(super) const UNTIL_THREE: i64 = 360;

/// A visit at a desk, before it is booked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) desk: Desk,
    pub(super) patient: PatientId,
    pub(super) starts_at: Timestamp,
}

impl Scene {
    /// A clinic whose provider can be reached.
    pub(super) async fn clinic(
        &mut self,
        timing: Timing,
        change: impl FnOnce(&mut Clinic, &mut Provider, &mut VisitType),
    ) -> Told<Desk> {
        let desk = self.world.practice(timing, change).await?;
        self.reachable(&desk.provider.to_string(), "grey@clinic.example").await?;
        Ok(desk)
    }

    /// A patient who can be reached, with a card on file or without.
    pub(super) async fn patient(&mut self, number: usize, card: Option<&str>) -> Told<PatientId> {
        let patient = match card {
            Some(card) => self.world.patient_with_card(number, card).await?.id,
            None => self.world.patient(number).await?.id,
        };
        self.reachable(&patient.to_string(), &format!("patient{number}@example.org")).await?;
        Ok(patient)
    }

    async fn reachable(&self, subject: &str, email: &str) -> Told<()> {
        let addresses = Addresses { email: Some(Phi::new(email.to_owned())), phone: None };
        self.world.engine(0).put_addresses(&self.world.caller(), subject, addresses).await?;
        Ok(())
    }

    /// A clinic and a patient, and the first opening so many minutes from now.
    pub(super) async fn plan(&mut self, timing: Timing, card: Option<&str>, minutes: i64) -> Told<Plan> {
        let desk = self.clinic(timing, |_, _, _| {}).await?;
        self.plan_at(desk, card, minutes).await
    }

    /// As [`plan`](Self::plan), at a clinic that is there already.
    pub(super) async fn plan_at(&mut self, desk: Desk, card: Option<&str>, minutes: i64) -> Told<Plan> {
        let patient = self.patient(0, card).await?;
        let starts_at = self.world.opening(desk, minutes).await?;
        Ok(Plan { desk, patient, starts_at })
    }

    /// Selects the slot.
    pub(super) async fn select(&mut self, plan: Plan) -> Told<Appointment> {
        Ok(self.world.select(plan.desk, (plan.patient, 0), plan.starts_at, None).await?)
    }

    /// Selects the slot and pays its deposit.
    pub(super) async fn book(&mut self, plan: Plan) -> Told<Appointment> {
        let held = self.select(plan).await?;
        Ok(self.world.pay(held.id, VISA).await?)
    }

    /// A visit at three in the afternoon with its deposit paid, whose rest of 70.00 is charged ten minutes before. Told as
    /// the first step.
    pub(super) async fn charged_before(&mut self, card: &str) -> Told<(Plan, Appointment)> {
        let desk =
            self.clinic(Timing::DepositToBook, |_, _, visit| visit.charge_before_minutes = Some(10)).await?;
        let plan = self.plan_at(desk, Some(card), UNTIL_THREE).await?;
        self.world.consent(plan.patient, Purpose::Visit, 20_000).await?;
        let booked = self.book(plan).await?;
        let happened = [
            "The visit begins at 3 PM and costs 120.00. 50.00 are paid at once and make the booking.",
            "The patient allowed us to charge the rest to the card on file, up to 200.00.",
        ];
        self.step("A visit is booked with a deposit; the rest is due ten minutes before it", &happened)
            .await?;
        self.expect("the booking stands", Status::Confirmed, booked.status);
        self.expect_booked(
            "50.00 lie at Stripe and are still the patient's",
            &[("gw:stripe", 5_000), ("deposit:patient", -5_000)],
        );
        self.expect_said(
            "the patient has a confirmation and a receipt",
            &["patient booking_confirmed", "patient receipt"],
        );
        Ok((plan, booked))
    }

    /// The card that a patient stored first.
    pub(super) async fn card_of(&self, patient: PatientId) -> Told<String> {
        let known = self.world.engine(0).patient(&self.world.organization, patient).await?;
        known.methods.keys().next().cloned().ok_or_else(|| "no card is on file".to_owned().into())
    }

    /// The payments of an appointment.
    pub(super) async fn payments_of(&self, appointment: &Appointment) -> Told<Vec<Payment>> {
        let mut payments = Vec::new();
        for id in appointment.payments.keys() {
            if let Ok(id) = PaymentId::parse(id) {
                payments.push(self.world.payment(id).await?);
            }
        }
        Ok(payments)
    }

    /// The patient answers the bank's question of the payment that waits for it.
    pub(super) async fn answer_bank(&mut self, appointment: &Appointment, outcome: &str) -> Told<()> {
        for payment in self.payments_of(appointment).await? {
            if payment.status() == payment::Status::RequiresAction {
                let done = json!({ "payment_intent": payment.intent, "outcome": outcome });
                self.world.outside.at_stripe("complete_3ds", &done)?;
            }
        }
        Ok(())
    }

    /// Whether another patient could have the slot now.
    pub(super) async fn is_open(&self, plan: Plan) -> Told<bool> {
        let minutes = (plan.starts_at.millis() - self.world.clock.millis()) / MINUTE;
        Ok(self.world.opening(plan.desk, minutes).await? == plan.starts_at)
    }
}

/// A policy that keeps 25.00 of a visit that the patient cancels, and half of the price of one that is missed.
pub(super) fn strict() -> Policy {
    let rule = |name: &str, occasion, fee| Rule {
        name: name.to_owned(),
        when: When { occasions: vec![occasion], ..When::default() },
        fee,
        charge_the_rest: true,
    };
    Policy {
        version: "strict-1".to_owned(),
        rules: vec![
            rule("late_cancel", Occasion::PatientCancels, Share::Amount(Money::usd(2_500))),
            rule("no_show", Occasion::NoShow, Share::OfPrice(5_000)),
            Rule { name: "else".to_owned(), when: When::default(), fee: Share::None, charge_the_rest: false },
        ],
        examples: Vec::new(),
    }
}
