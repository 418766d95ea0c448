//! Which connections can be opened.

use std::collections::BTreeMap;

use suture_connect::gateways::registry::{self, Connection};
use suture_connect::gateways::stripe::settings::{Settings, Stripe};

use crate::support::{KEY, secret, settings};

fn refused(change: impl FnOnce(&mut Settings)) -> String {
    let mut settings = settings();
    change(&mut settings);
    Stripe::try_new(settings).unwrap_err().to_string()
}

#[test]
fn a_key_of_the_wrong_kind_or_mode_is_refused_without_repeating_it() {
    let texts = [
        refused(|settings| settings.secret_key = secret("pk_test_hidden")),
        refused(|settings| settings.secret_key = secret("hidden")),
        refused(|settings| settings.secret_key = secret("sk_test_hidden\r\nx: y")),
        refused(|settings| settings.livemode = Some(true)),
        refused(|settings| {
            settings.secret_key = secret("sk_live_hidden");
            settings.livemode = Some(false);
        }),
    ];
    for text in texts {
        assert!(text.starts_with("the setting secret_key cannot be used: "), "{text}");
        assert!(!text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_live_key_never_travels_unencrypted() {
    let live = |base_url: &str| {
        let mut settings = settings();
        settings.secret_key = secret("rk_live_1");
        settings.base_url = base_url.to_owned();
        Stripe::try_new(settings)
    };
    assert!(live("http://127.0.0.1:4242").is_err());
    assert!(live("https://api.stripe.com/").is_ok_and(|stripe| stripe.livemode()));
}

#[test]
fn odd_addresses_accounts_and_limits_are_refused() {
    for base_url in ["", "api.stripe.com", "https://", "https://a/b", "https://u@h", "https://h?x", "ftp://h"]
    {
        let text = refused(|settings| settings.base_url = base_url.to_owned());
        assert!(text.contains("base_url"), "{base_url}: {text}");
    }
    assert!(refused(|settings| settings.account = Some("acct_1\r\nx".to_owned())).contains("account"));
    assert!(refused(|settings| settings.tolerance_seconds = -1).contains("tolerance"));
    assert!(refused(|settings| settings.future_tolerance_seconds = Some(-1)).contains("tolerance"));
}

fn connection(options: &[(&str, &str)]) -> Connection {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Connection { options, secrets: BTreeMap::from([("secret_key".to_owned(), vec![secret(KEY)])]) }
}

#[test]
fn the_registry_opens_stripe_from_named_settings() {
    let all = connection(&[
        ("base_url", "http://127.0.0.1:4242"),
        ("livemode", "false"),
        ("tolerance_seconds", "60"),
        ("future_tolerance_seconds", "none"),
    ]);
    let gateway = registry::open("stripe", &all).unwrap();
    assert_eq!(gateway.name(), "stripe");
    let probe = gateway.account().unwrap().probe();
    assert_eq!(probe.url, "http://127.0.0.1:4242/v1/balance");
}

#[test]
fn a_misspelled_or_unreadable_setting_is_refused_not_ignored() {
    for (name, value) in [("tolerance", "60"), ("tolerance_seconds", "soon"), ("livemode", "yes")] {
        assert!(registry::open("stripe", &connection(&[(name, value)])).is_err(), "{name}");
    }
    assert!(registry::open("stripe", &Connection::default()).is_err(), "a key is needed");
}
