//! The payer's answers of the story: deposit, under- and overpayment, denial, reversal, take-back.

use suture_connect::x12::decimal::Decimal;
use suture_connect::x12::remittance::{
    Claim, Difference, Group, Handling, Method, NOT_IN_OUR_TABLE, Note, Status, claim_key, file_key,
    line_key, reason_meaning, remittance_key, verify,
};
use suture_core::currency::Currency;
use suture_core::money::Money;

use crate::support::{fixture, remittance, remittances};
use crate::writer::{plain, write};

fn only_claim(name: &str) -> Claim {
    let mut claims = remittance(name).claims;
    assert_eq!(claims.len(), 1);
    claims.remove(0)
}

/// Patient responsibility and contractual adjustment in cents.
fn shares(claim: &Claim) -> (i64, i64) {
    let contractual = claim.total_of(&Group::ContractualObligation).unwrap();
    (claim.patient_responsibility().unwrap().minor, contractual.minor)
}

#[test]
fn a_deposit_that_was_too_small_leaves_fifty_for_the_patient() {
    let claim = only_claim("2a-underpaid-deposit.835");
    assert_eq!((claim.charge, claim.paid), (Money::usd(30_000), Money::usd(13_000)));
    assert_eq!(shares(&claim), (5_000, 12_000));
    let line = &claim.lines[0];
    assert_eq!((line.procedure.qualifier.as_str(), line.procedure.code.as_str()), ("HC", "99214"));
    assert_eq!(
        (line.procedure.modifiers.as_slice(), line.units),
        (&["25".to_owned()][..], Decimal::whole(1))
    );
    assert_eq!((line.control.as_deref(), line.allowed), (Some("L1"), Some(Money::usd(18_000))));
    assert_eq!(line.from.unwrap().to_string(), "2026-10-05");
    assert_eq!(claim.difference, None);
}

#[test]
fn the_header_tells_whose_money_it_is_and_how_to_find_it_at_the_bank() {
    let header = remittance("2a-underpaid-deposit.835").header;
    assert_eq!(
        (header.handling.clone(), header.method.clone()),
        (Handling::RemittanceAndPayment, Method::Ach)
    );
    assert_eq!((header.trace.as_str(), header.payer_number.as_str()), ("EFT-00201", "1777777777"));
    assert_eq!(
        (header.payer.name.as_str(), header.payer.id.as_deref()),
        ("HARBOR HEALTH PLAN", Some("88888"))
    );
    assert_eq!(header.payee.npi(), Some("1234567893"));
    assert_eq!((header.total, header.control.test), (Money::usd(13_000), false));
    assert_eq!(header.payment_date.unwrap().to_string(), "2026-11-03");
    assert!(header.moves_money());
}

#[test]
fn a_deposit_that_was_too_large_leaves_twenty_five_for_the_patient() {
    assert_eq!(shares(&only_claim("2b-overpaid-deposit.835")), (2_500, 12_000));
}

#[test]
fn deductible_and_copay_in_one_segment_both_count() {
    let claim = only_claim("2c-exact.835");
    assert_eq!(shares(&claim), (4_000, 12_000));
    let reasons: Vec<_> = claim.all_adjustments().map(|one| reason_meaning(&one.reason)).collect();
    assert_eq!(reasons, ["above the agreed fee", "deductible", "copay"]);
}

#[test]
fn a_denial_at_the_providers_cost_leaves_nothing_for_the_patient() {
    let remittance = remittance("2d-denial-contractual.835");
    let claim = &remittance.claims[0];
    assert!(claim.is_denial() && !remittance.header.moves_money());
    assert_eq!(shares(claim), (0, 30_000));
    assert_eq!((claim.difference, claim.lines[0].remarks.as_slice()), (None, &["M127".to_owned()][..]));
}

#[test]
fn a_denial_at_the_patients_cost_leaves_all_for_the_patient() {
    let claim = only_claim("2e-denial-patient.835");
    assert!(claim.is_denial());
    assert_eq!(shares(&claim), (30_000, 0));
    assert_eq!(claim.lines[0].adjustments[0].quantity, Some(Decimal::whole(1)));
}

#[test]
fn a_blank_statement_of_what_the_patient_owes_is_computed_and_told() {
    let claim = only_claim("2f-paid-elsewhere.835");
    assert_eq!((shares(&claim), claim.patient_paid), ((5_000, 12_000), Some(Money::usd(5_000))));
    assert_eq!(claim.difference, Some(Difference { stated: None, computed: Money::usd(5_000) }));
}

#[test]
fn a_reversal_and_its_correction_add_up_to_the_change() {
    let remittance = remittance("2g-reversal-and-correction.835");
    let [taken_back, new] = remittance.claims.as_slice() else { panic!("two claims") };
    assert!(taken_back.is_reversal() && !new.is_reversal());
    assert_eq!((shares(taken_back).0, shares(new).0), (-5_000, 7_000));
    assert_eq!(new.original_payer_control.as_deref(), Some("H201"));
    assert_eq!(remittance.trailer.total, Money::usd(-2_000));
    assert_ne!(claim_key(&remittance.header, taken_back), claim_key(&remittance.header, new));
}

#[test]
fn a_take_back_is_money_between_payer_and_provider_only() {
    let remittance = remittance("2h-take-back.835");
    let found: Vec<_> = remittance
        .provider
        .iter()
        .map(|one| (one.code.as_str(), one.reference.as_deref(), one.amount))
        .collect();
    assert_eq!(found, [("WO", Some("H201"), Money::usd(13_000)), ("L6", Some("H208"), Money::usd(-50))]);
    assert_eq!(shares(&remittance.claims[0]), (2_500, 12_000));
    let trailer = &remittance.trailer;
    assert_eq!(
        (trailer.paid.minor, trailer.provider_adjustments.minor, trailer.total.minor),
        (15_500, 12_950, 2_550)
    );
}

#[test]
fn two_remittances_in_one_file_are_two() {
    let all = remittances(fixture("two-remittances.835").as_bytes()).unwrap();
    let currencies: Vec<_> = all.iter().map(|one| one.header.total.currency).collect();
    assert_eq!(currencies, [Currency::USD, Currency::parse("EUR").unwrap()]);
    assert_eq!((all[0].header.control.set.as_str(), all[1].header.control.set.as_str()), ("0001", "0002"));
    assert!(all.iter().all(|one| one.header.control.test && !one.header.moves_money()));
    assert_eq!((all[0].header.payer.id.as_deref(), all[0].header.payee.id.as_deref()), (Some("88888"), None));
    assert_ne!(file_key(&all[0].header), file_key(&all[1].header));
    assert_eq!(all[1].claims[0].position, 1);
}

#[test]
fn codes_that_we_do_not_know_are_kept_and_cost_the_patient_nothing() {
    let claim = &remittances(fixture("two-remittances.835").as_bytes()).unwrap()[0].claims[0];
    let groups: Vec<_> = claim.all_adjustments().map(|one| one.group.code()).collect();
    assert_eq!(groups, ["CR", "PR", "PR", "CO", "ZZ"]);
    assert_eq!(claim.patient_responsibility().unwrap(), Money::usd(1_000));
    assert_eq!(claim.total_of(&Group::from("ZZ")).unwrap(), Money::usd(3_000));
    assert_eq!(reason_meaning("QQ9"), NOT_IN_OUR_TABLE);
    assert!(claim.notes.iter().any(|note| matches!(note, Note::UnknownSegment { name, .. } if name == "K3")));
}

#[test]
fn a_claim_that_was_sent_on_waits_for_the_next_payer() {
    let claim = &remittances(fixture("two-remittances.835").as_bytes()).unwrap()[0].claims[0];
    assert_eq!((claim.status.clone(), claim.awaits_next_payer()), (Status::PrimaryForwarded, true));
    assert_eq!(claim.crossover.as_ref().unwrap().id.as_deref(), Some("77777"));
    assert_eq!(
        (claim.remarks.as_slice(), claim.lines[0].units),
        (&["MA18".to_owned()][..], Decimal::whole(4))
    );
    assert!(!only_claim("2a-underpaid-deposit.835").awaits_next_payer());
}

#[test]
fn what_cannot_be_split_or_dated_is_kept_as_text_and_told() {
    let claim = &remittances(fixture("two-remittances.835").as_bytes()).unwrap()[1].claims[0];
    let line = &claim.lines[0];
    assert_eq!((line.procedure.text.as_str(), line.procedure.code.as_str()), ("HC:90834", ""));
    assert_eq!((line.from, claim.notes.len()), (None, 2));
}

#[test]
fn a_payment_that_is_sent_again_is_recognised() {
    let text = fixture("2a-underpaid-deposit.835");
    let again = remittances(text.replace("000000201", "000000999").as_bytes()).unwrap().remove(0);
    let first = remittance("2a-underpaid-deposit.835");
    assert_eq!(file_key(&first.header), file_key(&remittance("2a-underpaid-deposit.835").header));
    assert_ne!(file_key(&first.header), file_key(&again.header));
    assert_eq!(remittance_key(&first.header), remittance_key(&again.header));
    assert_eq!(claim_key(&first.header, &first.claims[0]), claim_key(&again.header, &again.claims[0]));
    assert_ne!(line_key(&first.header, &first.claims[0], 0), line_key(&first.header, &first.claims[0], 1));
}

#[test]
fn neither_debug_nor_json_tells_who_the_patient_is() {
    let mut all = String::new();
    for remittance in remittances(fixture("two-remittances.835").as_bytes()).unwrap() {
        all.push_str(&format!("{remittance:?}"));
        for claim in &remittance.claims {
            let json = serde_json::to_string(claim).unwrap();
            let stored: Claim = serde_json::from_str(&json).unwrap();
            assert_eq!((stored.paid, &stored.lines), (claim.paid, &claim.lines));
            all.push_str(&json);
        }
    }
    for word in ["SAMPLE", "PAT\"", "ROBIN", "M-0001", "999999999"] {
        assert!(!all.contains(word), "{word}");
    }
    let claim = only_claim("2a-underpaid-deposit.835");
    assert_eq!(claim.people.patient.unwrap().member_id.expose(), "M-0001");
}

#[test]
fn the_sums_of_a_file_are_known_before_anything_is_applied() {
    let totals = verify(write(&plain(100), None).text.as_bytes()).unwrap().remove(0);
    assert_eq!((totals.trailer.claims, totals.trailer.lines), (100, 200));
    assert_eq!(totals.charge, Money::usd(4_000_000));
    assert_eq!(totals.patient_responsibility(), Money::usd(1_000_000));
    assert_eq!(totals.by_group[&Group::ContractualObligation], Money::usd(800_000));
    assert_eq!(totals.trailer.total, Money::usd(2_199_000));
    assert_eq!((totals.differences, totals.first_differences.len()), (100, 100));
}
