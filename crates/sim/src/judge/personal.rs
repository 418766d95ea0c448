//! I8: no personal data in anything that reaches a gateway.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use suture_sandbox::patients::patients;
use suture_sandbox::wire::Request;

/// Procedure codes that stories and schedules use.
const CODES: [&str; 3] = ["99214", "99291", "90837"];

/// Every value that only the EHR may know, as whole words.
fn words() -> &'static BTreeSet<&'static str> {
    static WORDS: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    WORDS.get_or_init(|| {
        let of = |patient: &'static suture_sandbox::patients::Patient| {
            [
                patient.id.as_str(),
                &patient.mrn,
                &patient.given,
                &patient.birth_date,
                &patient.account_id,
                &patient.claim_id,
                &patient.coverage_id,
                &patient.encounter_id,
                &patient.practitioner_id,
                "Sandbox",
            ]
        };
        patients().iter().flat_map(of).collect()
    })
}

/// The first patient value in a request to a gateway, if there is one: where it is, never what it is.
#[must_use]
pub fn found_in(request: &Request) -> Option<String> {
    let mut places = vec![("path".to_owned(), request.path.clone())];
    places.extend(request.query.iter().cloned());
    // The sandbox's own host name and credentials are no place for patient values, but any other header is.
    places.extend(request.headers.iter().filter(|(name, _)| name != "authorization").cloned());
    places.extend(request.form());
    places.into_iter().find(|(place, text)| holds_personal(place, text)).map(|(place, _)| place)
}

fn holds_personal(place: &str, text: &str) -> bool {
    let is_part = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let code = !place.contains("amount") && text.split(|c| !is_part(c)).any(|word| CODES.contains(&word));
    let dated = patients().iter().any(|patient| text.contains(&patient.birth_date));
    code || dated || text.split(|c| !is_part(c)).any(|word| words().contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str) -> Request {
        Request::new("POST", "/v1/payment_intents").with_body(body)
    }

    #[test]
    fn a_patient_value_is_found_in_any_field_and_an_amount_is_not_a_code() {
        let patient = &patients()[3];
        for leak in [
            format!("description=for+{}", patient.given),
            format!("metadata[mrn]={}", patient.mrn),
            format!("metadata[born]={}", patient.birth_date),
            "description=CPT+99214".to_owned(),
            format!("metadata[who]={}", patient.id),
        ] {
            assert!(found_in(&request(&leak)).is_some(), "{leak}");
        }
        assert_eq!(found_in(&request("amount=99214&metadata[suture_link]=lnk_0190")), None);
    }
}
