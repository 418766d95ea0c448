//! What payers answer about a patient's coverage, kept without loss.

use suture_connect::x12::decimal::Decimal;
use suture_connect::x12::eligibility::{
    Answer, Ask, Coverage, Kind, Level, Network, Period, Relation, RetryHelps, read,
};
use suture_connect::x12::error::Kind as ErrorKind;
use suture_core::money::Money;

use crate::support::fixture;

fn answer(name: &str) -> Answer {
    let mut all = read(fixture(name).as_bytes()).unwrap();
    assert_eq!(all.len(), 1, "{name}");
    all.remove(0)
}

#[test]
fn an_answer_echoes_our_number_and_names_payer_and_provider() {
    let answer = answer("benefits.271");
    assert_eq!((answer.reference.as_str(), answer.traces[0].number.as_str()), ("Q-301", "Q-301"));
    assert_eq!(answer.payer.as_ref().unwrap().id.as_deref(), Some("88888"));
    assert_eq!(answer.provider.as_ref().unwrap().npi(), Some("1234567893"));
    let subject = answer.subject.as_ref().unwrap();
    assert_eq!((subject.relation, &subject.subscriber), (Relation::Subscriber, &None));
    assert_eq!(subject.person.as_ref().unwrap().birth_date.expose(), "19800101");
    assert_eq!((answer.coverage(), answer.dates[0].qualifier.as_str()), (Coverage::Active, "346"));
}

#[test]
fn a_row_keeps_every_element_and_all_that_follows_it() {
    let answer = answer("benefits.271");
    let row = answer.benefits.iter().find(|row| row.kind == Kind::Coinsurance).unwrap();
    assert_eq!(row.service_types, ["5", "4"]);
    assert_eq!((row.fraction, row.amount), (Decimal::parse("0.2").ok(), None));
    assert_eq!(
        (&row.level, &row.network, &row.period),
        (&Level::Individual, &Network::In, &Some(Period::Visit))
    );
    assert_eq!((row.insurance_type.as_deref(), row.plan.as_deref()), (Some("HM"), Some("HARBOR PPO")));
    let message = answer.benefits.iter().find(|row| row.amount == Some(Money::usd(3_500))).unwrap();
    assert_eq!(message.messages.expose(), &["BY VIDEO"]);
    let last = answer.benefits.last().unwrap();
    assert_eq!((last.code.as_str(), last.kind, last.related.expose().len()), ("L", Kind::Other, 3));
    assert_eq!((last.raw.expose().len(), last.loop_id), (4, "2110C"));
    let therapy = answer.benefits.iter().find(|row| !row.deliveries.is_empty()).unwrap();
    assert_eq!(therapy.raw.expose(), &["EB*F*IND*PT*HM*HARBOR PPO", "HSD*VS*30***22*1"]);
}

#[test]
fn the_benefits_of_a_dependent_are_the_dependents() {
    let answer = answer("dependent.271");
    let subject = answer.subject.as_ref().unwrap();
    assert_eq!(subject.relation, Relation::Dependent);
    assert_eq!(subject.person.as_ref().unwrap().first_name.expose(), "KIM");
    assert_eq!(subject.subscriber.as_ref().unwrap().member_id.expose(), "M-0001");
    assert_eq!((answer.benefits.len(), answer.benefits[0].loop_id), (2, "2110D"));
    let refusal = &answer.rejections[0];
    assert_eq!(
        (refusal.loop_id, refusal.code.as_str(), refusal.meaning),
        ("2110D", "T9", "not in our table")
    );
}

#[test]
fn a_subscriber_who_is_not_found_tells_which_field_to_ask_for() {
    let answer = answer("subscriber-not-found.271");
    let refusal = &answer.rejections[0];
    assert_eq!((refusal.loop_id, refusal.code.as_str(), refusal.valid), ("2100C", "75", false));
    assert_eq!((refusal.ask, refusal.retry), (Some(Ask::MemberId), RetryHelps::AfterCorrection));
    assert_eq!(answer.coverage(), Coverage::Unknown);
}

#[test]
fn a_refusal_above_any_patient_is_an_answer_without_a_patient() {
    let silent = answer("payer-silent.271");
    assert_eq!((silent.subject.is_none(), silent.rejections[0].loop_id), (true, "2100A"));
    assert_eq!(silent.rejections[0].retry, RetryHelps::Later);
    let unknown = answer("provider-unknown.271");
    assert_eq!((unknown.rejections[0].loop_id, unknown.rejections[0].ask), ("2100B", Some(Ask::Provider)));
    assert_eq!(unknown.rejections[0].retry, RetryHelps::AfterCorrection);
}

#[test]
fn coverage_that_ended_is_inactive_and_a_contradiction_is_unknown() {
    assert_eq!(answer("inactive.271").coverage(), Coverage::Inactive);
    let both = fixture("inactive.271").replace("DTP*357*D8*20260630", "EB*1**30");
    assert_eq!(read(both.as_bytes()).unwrap()[0].coverage(), Coverage::Unknown);
    let other = fixture("inactive.271").replace("DTP*357*D8*20260630", "EB*1**35");
    assert_eq!(
        read(other.as_bytes()).unwrap()[0].coverage(),
        Coverage::Inactive,
        "dental is not the whole plan"
    );
}

#[test]
fn debug_does_not_tell_who_the_patient_is_nor_what_was_written_in_free_text() {
    let text = format!("{:?} {:?}", answer("benefits.271"), answer("dependent.271"));
    for word in ["SAMPLE", "KIM", "M-0001", "19800101", "ELM", "VIDEO", "AVERY"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn an_answer_that_says_nothing_is_refused() {
    let text = fixture("payer-silent.271").replace("AAA*Y**42*R~\n", "").replace("SE*8*", "SE*7*");
    let error = read(text.as_bytes()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Missing, "{error}");
    let huge = vec![b'A'; 5 * 1024 * 1024];
    assert_eq!(read(&huge).unwrap_err().kind, ErrorKind::TooLarge);
}
