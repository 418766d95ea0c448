//! The codes in plain words, with the pages that document them.

use suture_connect::gateway::Guide;
use suture_core::evidence::DeclineAdvice;

use crate::support::{json, stripe};

fn titles(code: &str) -> Vec<&'static str> {
    stripe().explain(code).unwrap().pages.iter().map(|page| page.title).collect()
}

#[test]
fn every_decline_word_is_explained_with_its_class_and_its_page() {
    let words = json("words.json");
    for list in ["card_decline_codes", "lpm_decline_codes"] {
        for word in words[list].as_array().unwrap() {
            let found = stripe().explain(word.as_str().unwrap());
            let found = found.unwrap_or_else(|| panic!("{word} is not explained"));
            assert!(found.advice.is_some() && found.sentence.ends_with('.'), "{found:?}");
            assert_eq!(found.pages[0].title, "Stripe decline codes", "{word}");
        }
    }
}

#[test]
fn a_code_tells_whether_to_retry_and_where_to_read_on() {
    let advice = |code| stripe().explain(code).unwrap().advice;
    assert_eq!(advice("lost_card"), Some(DeclineAdvice::HardDecline));
    assert_eq!(advice("insufficient_funds"), Some(DeclineAdvice::SoftDecline));
    assert_eq!(advice("expired_card"), Some(DeclineAdvice::FixMethod));
    assert_eq!(advice("authentication_required"), Some(DeclineAdvice::Authenticate));
    assert_eq!(advice("invoice_not_editable"), None);
    assert!(titles("authentication_required").contains(&"3D Secure authentication"));
    assert!(titles("charge_expired_for_capture").contains(&"Place a hold on a payment method"));
    assert!(titles("charge_already_refunded").contains(&"Refund and cancel payments"));
    assert_eq!(stripe().explain("a_new_word"), None);
}

#[test]
fn every_listed_code_is_a_word_of_stripe_and_is_explained() {
    let codes = stripe().codes();
    assert!(codes.is_sorted() && codes.len() > 100, "{}", codes.len());
    let words = json("words.json");
    let known: Vec<&str> = ["card_decline_codes", "lpm_decline_codes", "error_codes"]
        .iter()
        .flat_map(|list| words[*list].as_array().unwrap())
        .filter_map(|word| word.as_str())
        .collect();
    for code in codes {
        assert!(stripe().explain(code).is_some_and(|found| !found.pages.is_empty()), "{code}");
        assert!(known.contains(&code), "{code} is no word of Stripe");
    }
}
