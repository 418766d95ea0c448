//! Answers a 270 with a 271: benefits, inactive coverage, or why there is no answer (X12.md §2).
//!
//! Called by `world` for `POST /eligibility`. What must stay true: an answer is given on the level that carries the
//! patient, a percentage is never written where money belongs, and the trace of the question is in the answer.

use super::inquiry::{Inquiry, Person};
use super::member::{Coverage, Member, Plan, members};
use super::x12::{self, Envelope, money};

/// Reject reasons, AAA03.
const BIRTH_DATE_DIFFERS: &str = "71";
const NAME_DIFFERS: &str = "73";
const NOT_FOUND: &str = "75";

/// The member an inquiry is about, or the reject reason.
fn find(inquiry: &Inquiry) -> Result<&'static Member, &'static str> {
    let asked = inquiry.dependent.as_ref().unwrap_or(&inquiry.subscriber);
    let number = &inquiry.subscriber.member_id;
    let family: Vec<&'static Member> = members()
        .iter()
        .filter(|member| member.is_dependent() == inquiry.dependent.is_some())
        .filter(|member| if number.is_empty() { named(member, asked) } else { member.member_id == *number })
        .collect();
    if family.is_empty() {
        return Err(NOT_FOUND);
    }
    let nameless = asked.family.is_empty() && asked.given.is_empty();
    let found = family.into_iter().find(|member| nameless || named(member, asked)).ok_or(NAME_DIFFERS)?;
    if !asked.birth_date.is_empty() && asked.birth_date != found.birth_date {
        return Err(BIRTH_DATE_DIFFERS);
    }
    Ok(found)
}

fn named(member: &Member, person: &Person) -> bool {
    member.family.eq_ignore_ascii_case(&person.family) && member.given.eq_ignore_ascii_case(&person.given)
}

/// The number of the card that an inquiry is about, for knobs that are turned for one member.
pub(super) fn number_of(inquiry: &Inquiry) -> Option<&'static str> {
    find(inquiry).ok().map(|member| member.member_id.as_str())
}

/// The 271. `turned` is what the control API wants instead of the member's own coverage.
pub(super) fn answer(inquiry: &Inquiry, turned: Option<Coverage>, control: u64, now_ms: i64) -> String {
    let found = find(inquiry);
    let coverage = turned.unwrap_or(found.map_or(Coverage::Active, |member| member.coverage));
    let mut body = vec![
        format!("BHT*0022*11*{}*{}*{}", inquiry.reference, x12::day(now_ms), x12::clock(now_ms)),
        "HL*1**20*1".to_owned(),
        "NM1*PR*2*SANDBOX HEALTH PLAN*****PI*99999".to_owned(),
    ];
    match (coverage, found) {
        (Coverage::Unable, _) => body.push("AAA*Y**42*R".to_owned()),
        (Coverage::Slow, _) => body.push("AAA*Y**80*R".to_owned()),
        (Coverage::Unknown, _) => reject(&mut body, inquiry, NOT_FOUND),
        (Coverage::Active | Coverage::Inactive, Err(reason)) => reject(&mut body, inquiry, reason),
        (Coverage::Active | Coverage::Inactive, Ok(member)) => {
            patient(&mut body, inquiry, member);
            body.push(format!("DTP*346*D8*{}0101", &x12::day(now_ms)[..4]));
            if coverage == Coverage::Active {
                benefits(&mut body, &member.plan, &inquiry.services);
            } else {
                body.push(format!("EB*6*IND*30*{}*{}", member.plan.kind, member.plan.name));
            }
        }
    }
    Envelope { function: "HB", set: "271", version: "005010X279A1", control, now_ms }.wrap(&body)
}

/// Provider and subscriber levels up to the name, with the trace where the patient is.
fn levels(body: &mut Vec<String>, inquiry: &Inquiry) {
    let dependent = inquiry.dependent.is_some();
    body.push("HL*2*1*21*1".to_owned());
    if inquiry.provider.is_empty() {
        body.push("NM1*1P*2*SANDBOX CLINIC*****XX*1234567893".to_owned());
    } else {
        body.push(format!("NM1*1P*{}", inquiry.provider.join("*")));
    }
    body.push(format!("HL*3*2*22*{}", u8::from(dependent)));
    if !dependent {
        trace(body, inquiry);
    }
}

fn trace(body: &mut Vec<String>, inquiry: &Inquiry) {
    if let Some((number, origin)) = &inquiry.trace {
        body.push(format!("TRN*2*{number}*{origin}"));
    }
}

fn reject(body: &mut Vec<String>, inquiry: &Inquiry, reason: &str) {
    levels(body, inquiry);
    let asked = |code: &str, person: &Person| {
        let end =
            if person.member_id.is_empty() { String::new() } else { format!("****MI*{}", person.member_id) };
        format!("NM1*{code}*1*{}*{}{end}", person.family, person.given)
    };
    body.push(asked("IL", &inquiry.subscriber));
    if let Some(dependent) = &inquiry.dependent {
        body.push("HL*4*3*23*0".to_owned());
        trace(body, inquiry);
        body.push(asked("03", dependent));
    }
    body.push(format!("AAA*N**{reason}*C"));
}

fn patient(body: &mut Vec<String>, inquiry: &Inquiry, member: &Member) {
    levels(body, inquiry);
    let subscriber = members().iter().find(|one| one.patient_id == member.subscriber).unwrap_or(member);
    body.push(format!("NM1*IL*1*{}*{}****MI*{}", subscriber.family, subscriber.given, subscriber.member_id));
    if member.is_dependent() {
        body.push("HL*4*3*23*0".to_owned());
        trace(body, inquiry);
        body.push(format!("NM1*03*1*{}*{}", member.family, member.given));
        body.push(format!("DMG*D8*{}*{}", member.birth_date, member.gender));
        body.push("INS*N*19".to_owned());
    } else {
        body.push(format!("DMG*D8*{}*{}", member.birth_date, member.gender));
    }
}

/// Deductible and out-of-pocket of the plan, then copay and coinsurance of each service.
fn benefits(body: &mut Vec<String>, plan: &Plan, services: &[String]) {
    let row = |code: &str, service: &str| format!("EB*{code}*IND*{service}*{}*{}", plan.kind, plan.name);
    body.push(row("1", "30"));
    for (code, period, amount) in [
        ("C", "23", plan.deductible_minor),
        ("C", "29", plan.deductible_left_minor),
        ("G", "23", plan.out_of_pocket_minor),
        ("G", "29", plan.out_of_pocket_left_minor),
    ] {
        body.push(format!("{}*{period}*{}*****Y", row(code, "30"), money(amount)));
    }
    body.push(format!("{}*27**{}****Y", row("A", "30"), fraction(plan.coinsurance_percent)));
    let whole_plan = services.iter().all(|service| service == "30");
    let office = ["98".to_owned()];
    let asked = if whole_plan { &office[..] } else { services };
    for service in asked.iter().filter(|service| *service != "30") {
        // No plan here covers teeth.
        if service == "35" {
            body.push(row("I", service));
            continue;
        }
        match plan.copay_minor {
            Some(copay) => {
                body.push(format!("{}*27*{}*****Y", row("B", service), money(copay)));
                body.push("MSG*DEDUCTIBLE DOES NOT APPLY TO THE COPAY".to_owned());
            }
            None => {
                body.push(format!("{}*27**{}****Y", row("A", service), fraction(plan.coinsurance_percent)));
            }
        }
        outside(body, plan, service);
    }
}

fn outside(body: &mut Vec<String>, plan: &Plan, service: &str) {
    let row = |code: &str| format!("EB*{code}*IND*{service}*{}*{}", plan.kind, plan.name);
    let Some(share) = plan.coinsurance_out_percent else {
        body.push(format!("{}*******N", row("I")));
        return;
    };
    if let Some(copay) = plan.copay_out_minor {
        body.push(format!("{}*27*{}*****N", row("B"), money(copay)));
    }
    body.push(format!("{}*27**{}****N", row("A"), fraction(share)));
}

/// 20 percent as `.2`: EB08 is a fraction.
fn fraction(percent: u32) -> String {
    if percent >= 100 {
        return "1".to_owned();
    }
    let digits = format!("{percent:02}");
    match digits.trim_end_matches('0') {
        "" => "0".to_owned(),
        digits => format!(".{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::fraction;

    #[test]
    fn shares_are_fractions() {
        let written: Vec<String> = [0, 5, 15, 20, 100].into_iter().map(fraction).collect();
        assert_eq!(written, ["0", ".05", ".15", ".2", "1"]);
    }
}
