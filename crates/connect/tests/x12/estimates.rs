//! What a patient will probably owe, and when a person must look first.

use suture_connect::x12::eligibility::{
    Answer, Basis, Choose, Confidence, Estimate, EstimateError, Extent, LimitPeriod, LimitUnit, Network,
    Question, Reason, estimate, read,
};
use suture_core::money::Money;

use crate::support::fixture;

fn answer(name: &str) -> Answer {
    read(fixture(name).as_bytes()).unwrap().remove(0)
}

fn question(service_types: &[&str], allowed: i64) -> Question {
    Question {
        service_types: service_types.iter().map(|&code| code.to_owned()).collect(),
        network: Network::In,
        allowed: Money::usd(allowed),
        choose: Choose::Highest,
    }
}

fn of(name: &str, service_type: &str, allowed: i64) -> Estimate {
    estimate(&answer(name), &question(&[service_type], allowed)).unwrap()
}

fn assert_parts_sum(one: &Estimate) {
    let parts = one.copay.minor + one.deductible.minor + one.coinsurance.minor + one.not_covered.minor;
    assert_eq!(parts, one.total.minor, "{one:?}");
    assert!(one.low.minor <= one.total.minor && one.total.minor <= one.high.minor, "{one:?}");
}

#[test]
fn coinsurance_comes_after_what_is_left_of_the_lesser_deductible() {
    let one = of("benefits.271", "5", 50_000);
    assert_eq!(
        (one.deductible, one.coinsurance, one.total),
        (Money::usd(20_000), Money::usd(6_000), Money::usd(26_000))
    );
    assert_eq!((one.low, one.high, one.confidence), (one.total, one.total, Confidence::Stated));
    assert_eq!(
        (one.deductible_left, one.deductible_met),
        (Some(Money::usd(20_000)), Some(Money::usd(115_000)))
    );
    assert_eq!(
        (one.out_of_pocket_left, one.out_of_pocket_met),
        (Some(Money::usd(275_000)), Some(Money::usd(225_000)))
    );
    assert_parts_sum(&one);
}

#[test]
fn a_copay_beside_an_open_deductible_is_a_range() {
    let one = of("benefits.271", "98", 16_000);
    assert_eq!((one.low, one.high), (Money::usd(2_500), Money::usd(16_000)));
    assert_eq!(
        (one.confidence, one.reasons.as_slice()),
        (Confidence::Range, &[Reason::DeductibleWithCopay][..])
    );
    assert_parts_sum(&one);
    let lowest = Question { choose: Choose::Lowest, ..question(&["98"], 16_000) };
    let lowest = estimate(&answer("benefits.271"), &lowest).unwrap();
    assert_eq!((lowest.total, lowest.copay), (Money::usd(2_500), Money::usd(2_500)));
    assert_parts_sum(&lowest);
}

#[test]
fn rows_of_the_other_network_do_not_count() {
    let out = Question { network: Network::Out, ..question(&["5"], 10_000) };
    let one = estimate(&answer("benefits.271"), &out).unwrap();
    assert_eq!((one.low, one.high), (Money::usd(4_500), Money::usd(10_000)));
    assert_eq!(one.reasons, [Reason::UsedPartUnknown]);
    assert_eq!(one.deductible_met, None);
    assert_parts_sum(&one);
}

#[test]
fn two_copays_that_only_free_text_tells_apart_need_a_person() {
    let one = of("benefits.271", "MH", 2_000_000);
    assert_eq!(one.confidence, Confidence::NeedsPerson);
    assert!(one.reasons.contains(&Reason::DifferOnlyByMessage), "{:?}", one.reasons);
    assert_eq!((one.low, one.high), (Money::usd(2_000), Money::usd(23_500)));
    assert_parts_sum(&one);
}

#[test]
fn of_several_kinds_of_provider_the_chosen_rule_counts() {
    let highest = estimate(&answer("benefits.271"), &question(&["98", "UC"], 100_000)).unwrap();
    assert_eq!((highest.service_type.as_str(), highest.chosen), ("UC", Choose::Highest));
    let compared: Vec<_> =
        highest.compared.iter().map(|one| (one.service_type.as_str(), one.low.minor)).collect();
    assert_eq!(compared, [("98", 2_500), ("UC", 7_500)]);
    let lowest = Question { choose: Choose::Lowest, ..question(&["UC", "98"], 100_000) };
    let lowest = estimate(&answer("benefits.271"), &lowest).unwrap();
    assert_eq!((lowest.service_type.as_str(), lowest.total), ("98", Money::usd(2_500)));
}

#[test]
fn limits_are_told_in_words_and_a_silent_payer_is_not_unlimited() {
    let words = |service| -> Vec<String> {
        of("benefits.271", service, 10_000).limits.into_iter().map(|limit| limit.words).collect()
    };
    assert_eq!(
        words("33"),
        ["at most 20 visits per calendar year", "12 visits left", "at most 5000.00 USD per lifetime"]
    );
    assert_eq!(words("PT"), ["at most 30 visits per benefit year"]);
    let of = |service| of("benefits.271", service, 10_000).limits.remove(0);
    assert_eq!((of("MH").extent, of("98").extent), (Extent::Unlimited, Extent::Unknown));
    assert_eq!((of("PT").unit, of("PT").period), (LimitUnit::Visits, LimitPeriod::BenefitYear));
}

#[test]
fn a_price_under_a_condition_stands_beside_the_plain_one() {
    let lowest = Question { choose: Choose::Lowest, ..question(&["33"], 10_000) };
    let one = estimate(&answer("benefits.271"), &lowest).unwrap();
    assert_eq!(one.total, Money::usd(4_000));
    let [conditional] = one.conditional.as_slice() else { panic!("{:?}", one.conditional) };
    assert_eq!((conditional.total, conditional.is_better), (Money::usd(1_000), true));
    assert_eq!(conditional.quantity_unit.as_deref(), Some("VS"));
}

#[test]
fn a_service_that_needs_the_payers_word_says_so() {
    assert!(of("benefits.271", "PT", 10_000).reasons.contains(&Reason::AuthorizationRequired));
}

#[test]
fn what_is_not_covered_is_paid_by_the_patient() {
    let one = of("benefits.271", "35", 10_000);
    assert_eq!(
        (one.basis, one.total, one.not_covered),
        (Basis::SelfPay, Money::usd(10_000), Money::usd(10_000))
    );
    assert_eq!(one.reasons, [Reason::NotCovered]);
    assert_parts_sum(&one);
    let inactive = of("inactive.271", "98", 10_000);
    assert_eq!((inactive.basis, inactive.confidence), (Basis::SelfPay, Confidence::NeedsPerson));
}

#[test]
fn a_service_that_is_both_covered_and_not_needs_a_person() {
    let text = fixture("benefits.271").replace("EB*X9**AL", "EB*1**35");
    let answer = read(text.as_bytes()).unwrap().remove(0);
    let one = estimate(&answer, &question(&["35"], 10_000)).unwrap();
    assert_eq!((one.basis, one.confidence), (Basis::SelfPay, Confidence::NeedsPerson));
    assert_eq!(one.reasons, [Reason::NotCovered, Reason::SeveralRows]);
}

#[test]
fn a_deductible_without_copay_or_coinsurance_does_not_tell_what_comes_after_it() {
    let one = of("benefits.271", "AL", 50_000);
    assert_eq!((one.low, one.high), (Money::usd(20_000), Money::usd(50_000)));
    assert_eq!(
        (one.confidence, one.reasons.as_slice()),
        (Confidence::NeedsPerson, &[Reason::NothingStated][..])
    );
    assert_parts_sum(&one);
}

#[test]
fn a_deductible_per_admission_is_not_taken_for_none() {
    let text = fixture("percent-as-number.271")
        .replace("EB*A*IND*98*****20", "EB*C*IND*98***36*250~\nEB*A*IND*98*****.2");
    let answer = read(text.replace("SE*15*", "SE*16*").as_bytes()).unwrap().remove(0);
    let one = estimate(&answer, &question(&["98"], 10_000)).unwrap();
    assert_eq!(
        (one.confidence, one.reasons.as_slice()),
        (Confidence::NeedsPerson, &[Reason::AmountMissing][..])
    );
}

#[test]
fn a_service_that_nobody_spoke_about_can_cost_anything() {
    let one = of("subscriber-not-found.271", "98", 10_000);
    assert_eq!(
        (one.low, one.high, one.confidence),
        (Money::usd(0), Money::usd(10_000), Confidence::NeedsPerson)
    );
    assert_eq!(one.reasons, [Reason::CoverageUnknown, Reason::NothingStated, Reason::Rejected]);
    assert_parts_sum(&one);
}

#[test]
fn what_is_used_of_the_year_is_subtracted_and_rounded_once() {
    let one = of("year-to-date.271", "98", 20_001);
    assert_eq!((one.deductible, one.deductible_met), (Money::usd(9_999), Some(Money::usd(90_001))));
    assert_eq!(one.coinsurance, Money::usd(3_331), "0.333 of 100.02 is 33.30666");
    assert_eq!((one.low, one.high), (Money::usd(0), Money::usd(13_330)), "the limit may be reached already");
    assert_parts_sum(&one);
}

#[test]
fn a_percentage_that_is_no_fraction_is_not_used() {
    let one = of("percent-as-number.271", "98", 10_000);
    assert_eq!((one.low, one.high), (Money::usd(0), Money::usd(10_000)));
    assert!(one.reasons.contains(&Reason::CoinsuranceIsNoFraction));
    assert_eq!(one.confidence, Confidence::NeedsPerson);
}

#[test]
fn a_question_without_sense_has_no_answer() {
    let answer = answer("benefits.271");
    assert_eq!(estimate(&answer, &question(&[], 1)), Err(EstimateError::ServiceTypes));
    assert_eq!(estimate(&answer, &question(&["98"], -1)), Err(EstimateError::Allowed));
    let either = Question { network: Network::Either, ..question(&["98"], 1) };
    assert_eq!(estimate(&answer, &either), Err(EstimateError::Network));
}

#[test]
fn every_reason_says_what_to_know_or_do_and_the_same_question_gives_the_same_answer() {
    let first = of("benefits.271", "MH", 12_345);
    assert_eq!(first, of("benefits.271", "MH", 12_345));
    assert!(first.reasons.iter().all(|reason| reason.words().ends_with('.')));
}
