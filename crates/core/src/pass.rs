//! Passes: signed tokens in links that we send, for people who have no key of ours.
//!
//! A link is the only proof that its holder is the one we wrote to, so a pass names one purpose, one thing, and an end.
//! The engine makes and redeems them; whether one was used already is known to the store. What must stay true: a token
//! that was changed by one bit is forged, and the key never leaves this module.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::audit::seal::SealingKey;
use crate::id::Random;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// What the holder of a link may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Return to an interrupted payment. Once.
    ReturnToCheckout,
    /// Look at, move or cancel an appointment, until the pass ends.
    ManageBooking,
    /// Enter a visit by video, until the pass ends.
    VisitLink,
    /// Stop messages. As often as wanted: the second time changes nothing.
    OptOut,
    /// Take a time that became free. Once.
    WaitlistOffer,
    /// Read a provider's calendar feed, until the pass ends.
    CalendarFeed,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 6] = [
        Self::ReturnToCheckout,
        Self::ManageBooking,
        Self::VisitLink,
        Self::OptOut,
        Self::WaitlistOffer,
        Self::CalendarFeed,
    ];

    /// The purpose as written in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReturnToCheckout => "return_to_checkout",
            Self::ManageBooking => "manage_booking",
            Self::VisitLink => "visit_link",
            Self::OptOut => "opt_out",
            Self::WaitlistOffer => "waitlist_offer",
            Self::CalendarFeed => "calendar_feed",
        }
    }

    /// The first part of the link's path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ReturnToCheckout => "checkout",
            Self::ManageBooking => "booking",
            Self::VisitLink => "visit",
            Self::OptOut => "opt-out",
            Self::WaitlistOffer => "offer",
            Self::CalendarFeed => "calendar",
        }
    }

    /// Whether a pass serves once.
    #[must_use]
    pub const fn is_single_use(self) -> bool {
        match self {
            Self::ReturnToCheckout | Self::WaitlistOffer => true,
            Self::ManageBooking | Self::VisitLink | Self::OptOut | Self::CalendarFeed => false,
        }
    }

    /// The byte that stands for it in a token. Never given to another purpose.
    const fn code(self) -> u8 {
        match self {
            Self::ReturnToCheckout => 1,
            Self::ManageBooking => 2,
            Self::VisitLink => 3,
            Self::OptOut => 4,
            Self::WaitlistOffer => 5,
            Self::CalendarFeed => 6,
        }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    /// What it is for.
    pub purpose: Purpose,
    /// The tenant, `org_…`.
    pub organization: String,
    /// The thing that it opens, by id: an appointment, a payment, a place in the waiting list, a person.
    pub subject: String,
    /// When it ends, in whole seconds.
    pub expires_at: Timestamp,
    /// Eight random bytes: two passes for one thing are two tokens.
    pub nonce: [u8; 8],
}

/// Bytes of a token before its signature: purpose, organization, kind and id of the subject, end, nonce.
const CONTENT_BYTES: usize = 1 + 16 + 3 + 16 + 4 + 8;
/// Characters of a token; a longer one is not looked at.
const TOKEN_CHARACTERS: usize = (CONTENT_BYTES + 32) * 4 / 3 + 1;

/// The key that signs passes, made from the key that seals the audit trail: nothing more to configure.
pub struct PassKey(hmac::Key);

impl PassKey {
    /// The key of an installation.
    #[must_use]
    pub fn of(sealing_key: &SealingKey) -> Self {
        Self(sealing_key.derived("suture.pass.1"))
    }

    /// The token of a pass: 107 characters that a URL may hold.
    ///
    /// # Errors
    /// A refusal when organization or subject is not an id of ours, or the end lies after the year 2106.
    pub fn sign(&self, pass: &Pass) -> Result<String, Refusal> {
        let content = content(pass).ok_or_else(|| {
            Refusal::invalid(
                "id_invalid",
                "No link was made. A link opens one thing, named by an id of ours, and ends before the year 2106.",
            )
        })?;
        let tag = hmac::sign(&self.0, &content);
        Ok(URL_SAFE_NO_PAD.encode([content.as_slice(), tag.as_ref()].concat()))
    }

    /// What a token says, when it is ours, is for this, and has not ended.
    ///
    /// # Errors
    /// `link_forged` or `link_expired`. Neither says more than the holder may know.
    pub fn verify(&self, token: &str, purpose: Purpose, now: Timestamp) -> Result<Pass, Refusal> {
        let pass = self.read(token).filter(|pass| pass.purpose == purpose).ok_or_else(forged)?;
        if pass.expires_at <= now {
            return Err(Refusal::state(
                "link_expired",
                "Nothing was done. This link has expired. Ask for a new one; the newest message has it.",
            ));
        }
        Ok(pass)
    }

    fn read(&self, token: &str) -> Option<Pass> {
        if token.len() != TOKEN_CHARACTERS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (content, tag) = bytes.split_at_checked(CONTENT_BYTES)?;
        hmac::verify(&self.0, content, tag).ok()?;
        pass_of(content)
    }
}

/// The bytes that are signed. Every field has its own length, so no two passes have the same bytes.
fn content(pass: &Pass) -> Option<Vec<u8>> {
    let (prefix, organization) = id_bytes(&pass.organization)?;
    let (kind, subject) = id_bytes(&pass.subject)?;
    let expires = u32::try_from(pass.expires_at.seconds()).ok()?;
    (prefix == *b"org").then(|| {
        let mut bytes = vec![pass.purpose.code()];
        bytes.extend_from_slice(&organization);
        bytes.extend_from_slice(&kind);
        bytes.extend_from_slice(&subject);
        bytes.extend_from_slice(&expires.to_be_bytes());
        bytes.extend_from_slice(&pass.nonce);
        bytes
    })
}

fn pass_of(content: &[u8]) -> Option<Pass> {
    let (code, rest) = content.split_first()?;
    let (organization, rest) = rest.split_at_checked(16)?;
    let (kind, rest) = rest.split_at_checked(3)?;
    let (subject, rest) = rest.split_at_checked(16)?;
    let (expires, nonce) = rest.split_at_checked(4)?;
    let expires = u32::from_be_bytes(expires.try_into().ok()?);
    Some(Pass {
        purpose: Purpose::ALL.into_iter().find(|purpose| purpose.code() == *code)?,
        organization: format!("org_{}", hex(organization)),
        subject: format!("{}_{}", std::str::from_utf8(kind).ok()?, hex(subject)),
        expires_at: Timestamp::from_seconds(i64::from(expires)),
        nonce: nonce.try_into().ok()?,
    })
}

/// The two parts of an id such as `apt_018f…`.
fn id_bytes(id: &str) -> Option<([u8; 3], [u8; 16])> {
    let (prefix, digits) = id.split_once('_')?;
    let prefix: [u8; 3] = prefix.as_bytes().try_into().ok()?;
    let digits: &[u8; 32] = digits.as_bytes().try_into().ok()?;
    let plain = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    if !prefix.iter().all(u8::is_ascii_lowercase) || !digits.iter().all(plain) {
        return None;
    }
    let mut bytes = [0; 16];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some((prefix, bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

impl Pass {
    /// A fresh pass.
    #[must_use]
    pub fn fresh(
        purpose: Purpose,
        organization: &str,
        subject: &str,
        expires_at: Timestamp,
        random: &dyn Random,
    ) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = random.ten_bytes();
        Self {
            purpose,
            organization: organization.to_owned(),
            subject: subject.to_owned(),
            expires_at: Timestamp::from_seconds(expires_at.seconds()),
            nonce: [a, b, c, d, e, f, g, h],
        }
    }

    /// The name under which its use is remembered.
    #[must_use]
    pub fn mark(&self) -> String {
        format!("{}/{}/{}", self.purpose.name(), self.subject, hex(&self.nonce))
    }
}

/// A link that we did not make, or made for something else.
#[must_use]
pub fn forged() -> Refusal {
    Refusal::invalid(
        "link_forged",
        "Nothing was done. This is not a link that we sent, or a part of it is missing. Open it from the message itself, \
         whole.",
    )
}

/// A link that served already.
#[must_use]
pub fn used() -> Refusal {
    Refusal::state(
        "link_used",
        "Nothing was done. This link was used already and serves once. Ask for a new one if what you wanted has not \
         happened.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u8);

    impl Random for Fixed {
        fn ten_bytes(&self) -> [u8; 10] {
            [self.0; 10]
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_795_251_600);

    fn key(seed: u8) -> PassKey {
        PassKey::of(&SealingKey::from_seed(&[seed; 32]).unwrap())
    }

    fn pass(purpose: Purpose) -> Pass {
        let organization = "org_018f3c1e5b7a7d3e8f9a0b1c2d3e4f50";
        let until = Timestamp::from_seconds(NOW.seconds() + 60);
        Pass::fresh(purpose, organization, "apt_0190a1b2c3d4e5f60718293a4b5c6d7e", until, &Fixed(9))
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_ends() {
        for purpose in Purpose::ALL {
            let token = key(1).sign(&pass(purpose)).unwrap();
            assert_eq!(token.len(), TOKEN_CHARACTERS);
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            assert_eq!(key(1).verify(&token, purpose, NOW), Ok(pass(purpose)));
            let end = pass(purpose).expires_at;
            assert_eq!(key(1).verify(&token, purpose, end).unwrap_err().code, "link_expired");
        }
    }

    #[test]
    fn every_changed_character_another_key_and_another_purpose_are_forged() {
        let token = key(1).sign(&pass(Purpose::VisitLink)).unwrap();
        let forged = |key: &PassKey, token: &str, purpose| {
            assert_eq!(key.verify(token, purpose, NOW).unwrap_err().code, "link_forged", "{token}");
        };
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            forged(&key(1), &String::from_utf8(changed).unwrap(), Purpose::VisitLink);
        }
        forged(&key(2), &token, Purpose::VisitLink);
        forged(&key(1), &token, Purpose::ManageBooking);
        for wrong in ["", "x", &token[1..], &format!("{token}A"), "ä"] {
            forged(&key(1), wrong, Purpose::VisitLink);
        }
    }

    #[test]
    fn an_end_that_passed_is_not_told_of_a_forged_link() {
        let mut old = pass(Purpose::OptOut);
        old.expires_at = Timestamp::from_seconds(1);
        let token = key(2).sign(&old).unwrap();
        assert_eq!(key(1).verify(&token, Purpose::OptOut, NOW).unwrap_err().code, "link_forged");
    }

    #[test]
    fn only_ids_of_ours_are_signed() {
        let right = pass(Purpose::OptOut);
        for (organization, subject) in [
            ("org_1", right.subject.as_str()),
            (right.subject.as_str(), right.subject.as_str()),
            (right.organization.as_str(), "Ann O'Hara"),
            (right.organization.as_str(), "apt_0190A1B2C3D4E5F60718293A4B5C6D7E"),
        ] {
            let wrong =
                Pass { organization: organization.to_owned(), subject: subject.to_owned(), ..right.clone() };
            assert_eq!(key(1).sign(&wrong).unwrap_err().code, "id_invalid", "{organization} {subject}");
        }
    }

    #[test]
    fn two_passes_for_one_thing_have_two_marks() {
        let one = pass(Purpose::WaitlistOffer);
        let other = Pass { nonce: [1; 8], ..one.clone() };
        assert_ne!(one.mark(), other.mark());
        assert_eq!(one.mark().split('/').next(), Some("waitlist_offer"));
    }
}
