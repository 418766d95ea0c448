//! Whatever the numbers, chunks and cuts: a file is read as it is, or refused whole at the right place.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, prop_assume, proptest};
use suture_connect::x12::eligibility;
use suture_connect::x12::error::Kind;
use suture_connect::x12::remittance::{Group, verify};
use suture_core::money::Money;

use crate::support::{fixture, items, remittances};
use crate::writer::{Falsify, any_remittance, plain, write};

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_file_that_balances_is_read_as_it_was_meant(meant in any_remittance()) {
        let read = remittances(write(&meant, None).text.as_bytes()).unwrap().remove(0);
        prop_assert_eq!(read.claims.len(), meant.claims.len());
        prop_assert_eq!(read.provider.len(), meant.provider.len());
        for (read, meant) in read.claims.iter().zip(&meant.claims) {
            prop_assert_eq!(read.patient_responsibility().unwrap(), Money::usd(meant.of_group("PR")));
            prop_assert_eq!(read.total_of(&Group::from("CR")).unwrap(), Money::usd(meant.of_group("CR")));
            prop_assert_eq!(read.is_reversal(), meant.reversal);
            prop_assert_eq!(read.lines.len(), meant.lines.len());
        }
    }

    #[test]
    fn one_wrong_amount_refuses_the_file_and_names_its_claim(
        meant in any_remittance(),
        at in any::<prop::sample::Index>(),
        by in -1_000..1_000_i64,
    ) {
        prop_assume!(by != 0);
        let amount = at.index(write(&meant, None).amounts);
        let written = write(&meant, Some(Falsify { amount, by }));
        let error = verify(written.text.as_bytes()).unwrap_err();
        prop_assert_eq!(error.kind, Kind::Unbalanced);
        prop_assert_eq!(error.at.claim, written.falsified_claim);
        prop_assert!(error.what.contains(&Money::usd(by.abs()).to_decimal()), "{}", error);
    }

    #[test]
    fn the_way_bytes_are_cut_into_chunks_changes_nothing(
        meant in any_remittance(),
        sizes in prop::collection::vec(1..200_usize, 1..400),
    ) {
        let text = write(&meant, None).text;
        let (mut rest, mut chunks) = (text.as_bytes(), Vec::new());
        for size in sizes {
            let (chunk, left) = rest.split_at(size.min(rest.len()));
            chunks.push(chunk);
            rest = left;
        }
        chunks.push(rest);
        prop_assert_eq!(items(chunks).unwrap(), items([text.as_bytes()]).unwrap());
    }

    #[test]
    fn one_changed_byte_never_panics_and_never_changes_a_sum_unseen(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let text = write(&plain(3), None).text;
        let before = verify(text.as_bytes()).unwrap();
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(after) = verify(&bytes) {
            prop_assert_eq!(after[0].trailer.total, before[0].trailer.total);
            prop_assert_eq!(after[0].trailer.claims, before[0].trailer.claims);
        }
    }

    #[test]
    fn no_answer_of_a_payer_panics(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = fixture("benefits.271").into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if cut {
            bytes.truncate(at);
        }
        let read = eligibility::read(&bytes);
        prop_assert!(!cut || read.is_err());
    }
}

#[test]
fn a_file_that_is_cut_at_any_byte_is_refused() {
    let text = write(&plain(2), None).text;
    let whole = text.trim_end().len();
    for length in 0..whole {
        assert!(items([&text.as_bytes()[..length]]).is_err(), "cut after {length} bytes");
    }
    assert!(items([&text.as_bytes()[..whole]]).is_ok(), "the last line end is no content");
}

#[test]
fn bytes_one_by_one_give_the_same_as_bytes_at_once() {
    let text = write(&plain(5), None).text;
    assert_eq!(items(text.as_bytes().chunks(1)).unwrap(), items([text.as_bytes()]).unwrap());
}
