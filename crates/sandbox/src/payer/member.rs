//! The payer's members: the fifty synthetic patients with a plan each, the same on every start.
//!
//! Children are dependents under the number of the parent who pays for them. What must stay true: a number belongs to
//! one family, and the patients that have no working coverage are always the same ones.

use crate::patients::{COUNT, Patient, patients};
use std::sync::OnceLock;

/// What a plan pays. Amounts are minor units of USD, shares are percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// EB05: the plan's name.
    pub name: &'static str,
    /// EB04: `PR` preferred provider, `HM` health maintenance, `C1` commercial.
    pub kind: &'static str,
    /// Copay of an office visit in the network; none when the plan has none.
    pub copay_minor: Option<i64>,
    /// Copay outside the network.
    pub copay_out_minor: Option<i64>,
    /// The patient's share in the network.
    pub coinsurance_percent: u32,
    /// The patient's share outside the network; none when nothing is covered there.
    pub coinsurance_out_percent: Option<u32>,
    /// Deductible of the calendar year.
    pub deductible_minor: i64,
    /// What is left of the deductible.
    pub deductible_left_minor: i64,
    /// Most that the patient pays in the calendar year.
    pub out_of_pocket_minor: i64,
    /// What is left of that.
    pub out_of_pocket_left_minor: i64,
}

const PLANS: [Plan; 5] = [
    Plan {
        name: "SANDBOX GOLD PPO",
        kind: "PR",
        copay_minor: Some(4_000),
        copay_out_minor: Some(8_000),
        coinsurance_percent: 20,
        coinsurance_out_percent: Some(40),
        deductible_minor: 150_000,
        deductible_left_minor: 35_000,
        out_of_pocket_minor: 500_000,
        out_of_pocket_left_minor: 275_000,
    },
    Plan {
        name: "SANDBOX SILVER HMO",
        kind: "HM",
        copay_minor: Some(2_500),
        copay_out_minor: None,
        coinsurance_percent: 10,
        coinsurance_out_percent: None,
        deductible_minor: 0,
        deductible_left_minor: 0,
        out_of_pocket_minor: 300_000,
        out_of_pocket_left_minor: 300_000,
    },
    Plan {
        name: "SANDBOX HIGH DEDUCTIBLE",
        kind: "C1",
        copay_minor: None,
        copay_out_minor: None,
        coinsurance_percent: 20,
        coinsurance_out_percent: Some(50),
        deductible_minor: 300_000,
        deductible_left_minor: 300_000,
        out_of_pocket_minor: 600_000,
        out_of_pocket_left_minor: 600_000,
    },
    Plan {
        name: "SANDBOX BRONZE PPO",
        kind: "PR",
        copay_minor: Some(6_000),
        copay_out_minor: Some(12_000),
        coinsurance_percent: 30,
        coinsurance_out_percent: Some(50),
        deductible_minor: 250_000,
        deductible_left_minor: 120_000,
        out_of_pocket_minor: 700_000,
        out_of_pocket_left_minor: 700_000,
    },
    Plan {
        name: "SANDBOX GOLD PPO MET",
        kind: "PR",
        copay_minor: Some(3_000),
        copay_out_minor: Some(6_000),
        coinsurance_percent: 15,
        coinsurance_out_percent: Some(35),
        deductible_minor: 150_000,
        deductible_left_minor: 0,
        out_of_pocket_minor: 500_000,
        out_of_pocket_left_minor: 2_000,
    },
];

/// What the payer answers about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Benefits.
    Active,
    /// EB*6.
    Inactive,
    /// AAA 42: the payer cannot answer now.
    Unable,
    /// AAA 80: the payer did not answer in time.
    Slow,
    /// AAA 75: nobody of that number.
    Unknown,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The number on the card; a child has the number of the parent.
    pub member_id: String,
    /// FHIR id of the patient, see [`crate::patients`].
    pub patient_id: String,
    /// Given name.
    pub given: String,
    /// Family name.
    pub family: String,
    /// `YYYYMMDD`
    pub birth_date: String,
    /// X12 gender: `F` or `M`.
    pub gender: &'static str,
    /// The subscriber's patient id; the member's own for subscribers.
    pub subscriber: String,
    /// What the plan pays.
    pub plan: Plan,
    /// What the payer answers when nobody turned a knob.
    pub coverage: Coverage,
}

impl Member {
    /// True for a child under a parent's number.
    #[must_use]
    pub fn is_dependent(&self) -> bool {
        self.subscriber != self.patient_id
    }
}

/// All members, in the order of the patients.
#[must_use]
pub fn members() -> &'static [Member] {
    static MEMBERS: OnceLock<Vec<Member>> = OnceLock::new();
    MEMBERS.get_or_init(|| patients().iter().enumerate().map(|(at, patient)| member(at, patient)).collect())
}

fn member(at: usize, patient: &Patient) -> Member {
    // A guarantor stands directly before its child in the list.
    let holder = if patient.guarantor == patient.id { at } else { at.saturating_sub(1) };
    Member {
        member_id: format!("SBXM{:05}", 10_001 + holder * 7),
        patient_id: patient.id.clone(),
        given: patient.given.clone(),
        family: patient.family.clone(),
        birth_date: patient.birth_date.replace('-', ""),
        gender: if patient.gender == "female" { "F" } else { "M" },
        subscriber: patient.guarantor.clone(),
        plan: PLANS[holder % PLANS.len()],
        coverage: coverage(at),
    }
}

/// Patients 45 to 48 of the list are those without an answer that helps.
fn coverage(at: usize) -> Coverage {
    const SPECIAL: [Coverage; 4] = [Coverage::Inactive, Coverage::Unable, Coverage::Slow, Coverage::Unknown];
    at.checked_sub(COUNT - 6).and_then(|at| SPECIAL.get(at)).copied().unwrap_or(Coverage::Active)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patients::by_id;

    #[test]
    fn a_child_has_the_number_and_the_plan_of_its_parent() {
        for child in members().iter().filter(|member| member.is_dependent()) {
            let parent = members().iter().find(|member| member.patient_id == child.subscriber).unwrap();
            assert_eq!((&child.member_id, child.plan), (&parent.member_id, parent.plan));
            assert!(!parent.is_dependent());
            assert_eq!(by_id(&child.patient_id).unwrap().family, child.family);
        }
        assert_eq!(members().iter().filter(|member| member.is_dependent()).count(), 5);
    }

    #[test]
    fn four_members_get_no_benefits() {
        let special: Vec<(usize, Coverage)> = members()
            .iter()
            .enumerate()
            .filter(|(_, member)| member.coverage != Coverage::Active)
            .map(|(at, member)| (at + 1, member.coverage))
            .collect();
        let wanted =
            [(45, Coverage::Inactive), (46, Coverage::Unable), (47, Coverage::Slow), (48, Coverage::Unknown)];
        assert_eq!(special, wanted);
    }
}
