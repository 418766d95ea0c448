//! Stories of notices: machine, rules of contact, words.

use super::*;
use crate::id::{AppointmentId, Mint, NoticeId, PatientId, Random};
use crate::time::Timestamp;

struct Fixed;

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [3; 10]
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn plan(spread: Spread) -> Plan {
    let mint = Mint::new(Timestamp::from_seconds(1), &Fixed);
    Plan {
        notice: NoticeId::mint(mint),
        to: Recipient::Patient(PatientId::mint(mint)),
        template: Template::VisitReminderDay,
        about: About { appointment: Some(AppointmentId::mint(mint)), ..About::default() },
        channels: vec![Channel::Email, Channel::Sms],
        spread,
        due_at: at("2026-11-24T15:00:00Z"),
        not_after: Some(at("2026-11-25T03:00:00Z")),
        zone: None,
        urgent: false,
        key: "apt_1/reminder_day".to_owned(),
    }
}

fn after(spread: Spread, commands: &[Command]) -> Notice {
    let first = Command::Plan(Box::new(plan(spread)));
    let all = std::iter::once(&first).chain(commands);
    all.fold(None, |state, command| {
        decide(state.as_ref(), command).unwrap().iter().fold(state, Notice::evolve)
    })
    .unwrap()
}

const EMAIL: Channel = Channel::Email;
const SMS: Channel = Channel::Sms;

fn attempt(channel: Channel) -> Command {
    Command::Try { channel }
}
fn sent(channel: Channel) -> Command {
    Command::RecordSent { channel, reference: "SM1".to_owned() }
}
fn failed(channel: Channel) -> Command {
    Command::RecordFailed { channel, code: "30003".to_owned() }
}
fn unknown(channel: Channel) -> Command {
    Command::RecordUnknown { channel, code: "answer_lost".to_owned() }
}
fn suppress(channel: Channel) -> Command {
    Command::Suppress { channel, reason: Skip::OptedOut }
}
fn withdraw() -> Command {
    Command::Withdraw { reason: "visit_canceled".to_owned() }
}
fn later() -> Command {
    Command::Move { due_at: at("2026-11-30T15:00:00Z"), not_after: None }
}

#[test]
fn the_transition_table_is_the_one_in_the_repository() {
    let of = |commands: &[Command]| Some(after(Spread::First, commands));
    let states = [
        ("nothing", None),
        ("planned", of(&[])),
        ("sending", of(&[attempt(EMAIL)])),
        ("sent", of(&[attempt(EMAIL), sent(EMAIL)])),
        ("delivered", of(&[attempt(EMAIL), sent(EMAIL), Command::RecordDelivered { channel: EMAIL }])),
        ("unknown, then texted", of(&[attempt(EMAIL), unknown(EMAIL)])),
        ("failed, then texted", of(&[attempt(EMAIL), failed(EMAIL)])),
        ("failed", of(&[attempt(EMAIL), failed(EMAIL), attempt(SMS), failed(SMS)])),
        ("unknown", of(&[attempt(EMAIL), unknown(EMAIL), suppress(SMS)])),
        ("suppressed", of(&[suppress(EMAIL), suppress(SMS)])),
        ("withdrawn", of(&[withdraw()])),
    ];
    let commands = [
        ("plan", Command::Plan(Box::new(plan(Spread::First)))),
        ("move", later()),
        ("withdraw", withdraw()),
        ("suppress email", suppress(EMAIL)),
        ("try email", attempt(EMAIL)),
        ("email not sent", Command::RecordNotSent { channel: EMAIL, code: "refused".to_owned() }),
        ("email sent", sent(EMAIL)),
        ("email unknown", unknown(EMAIL)),
        ("email failed", failed(EMAIL)),
        ("email delivered", Command::RecordDelivered { channel: EMAIL }),
    ];
    let rows: Vec<(String, Vec<String>)> = states
        .iter()
        .map(|(name, state)| {
            let cell = |(_, command): &(&str, Command)| match decide(state.as_ref(), command) {
                Ok(events) if events.is_empty() => "=".to_owned(),
                Ok(events) => {
                    events.iter().fold(state.clone(), Notice::evolve).unwrap().status().name().to_owned()
                }
                Err(refusal) => format!("- {}", refusal.code),
            };
            ((*name).to_owned(), commands.iter().map(cell).collect())
        })
        .collect();
    let columns: Vec<&str> = commands.iter().map(|(name, _)| *name).collect();
    crate::tables::check("notice", &columns, &rows);
}

#[test]
fn the_second_channel_is_taken_when_the_first_fails_even_by_a_late_report() {
    let at_once = after(Spread::First, &[attempt(EMAIL), failed(EMAIL)]);
    assert_eq!((at_once.next_channels(), at_once.turn), (vec![SMS], 1), "whoever tried goes on");
    let done = after(Spread::First, &[attempt(EMAIL), sent(EMAIL)]);
    assert!(done.has_ended() && done.next_channels().is_empty());
    let canceled = after(Spread::First, &[attempt(EMAIL), sent(EMAIL), withdraw(), failed(EMAIL)]);
    assert!(canceled.next_channels().is_empty(), "what is not wanted any more does not fall back");
    let late = after(Spread::First, &[attempt(EMAIL), sent(EMAIL), failed(EMAIL)]);
    assert_eq!((late.next_channels(), late.turn), (vec![SMS], 2), "a new piece of work is needed");
}

#[test]
fn of_each_channel_once_one_does_not_hold_up_the_other() {
    let both = after(Spread::Each, &[attempt(EMAIL), sent(EMAIL)]);
    assert_eq!((both.next_channels(), both.status()), (vec![SMS], Status::Planned));
    let late = after(Spread::Each, &[attempt(EMAIL), sent(EMAIL), failed(EMAIL)]);
    assert_eq!(late.turn, 1, "the work that waits for the text goes on");
}

#[test]
fn what_another_system_says_is_kept_as_a_code() {
    let told = Command::RecordFailed { channel: EMAIL, code: "550 no such user ann@example.org".repeat(9) };
    let notice = after(Spread::First, &[attempt(EMAIL), told]);
    let Some(Progress::Failed { code }) = notice.progress(EMAIL) else { panic!("it failed") };
    assert!(code.len() <= 80 && !code.contains(['@', ' ']), "{code}");
}

#[test]
fn a_plan_without_a_key_or_with_a_channel_twice_is_refused() {
    for wrong in [
        Plan { key: String::new(), ..plan(Spread::First) },
        Plan { key: "Ann O'Hara".to_owned(), ..plan(Spread::First) },
        Plan { channels: Vec::new(), ..plan(Spread::First) },
        Plan { channels: vec![SMS, EMAIL, SMS], ..plan(Spread::First) },
    ] {
        assert_eq!(decide(None, &Command::Plan(Box::new(wrong))).unwrap_err().code, "notice_invalid");
    }
}

fn quiet(channels: &[Channel]) -> Quiet {
    Quiet::try_new("21:00", "08:00", "America/Chicago", channels).unwrap()
}

fn way(channel: Channel) -> Way {
    Way { channel, has_address: true, allowed: Ok(()) }
}

fn rules() -> Rules {
    Rules { quiet: Some(quiet(&[SMS])), ask_first: false }
}

#[test]
fn quiet_hours_are_local_over_midnight_and_over_a_change_of_the_clocks() {
    let quiet = quiet(&[SMS]);
    // Chicago is six hours behind UTC in winter, and five in summer.
    assert_eq!(quiet.ends_at(SMS, at("2026-11-24T02:59:59Z")), None);
    assert_eq!(quiet.ends_at(SMS, at("2026-11-24T03:00:00Z")), Some(at("2026-11-24T14:00:00Z")));
    assert_eq!(quiet.ends_at(SMS, at("2026-11-24T13:59:59Z")), Some(at("2026-11-24T14:00:00Z")));
    assert_eq!(quiet.ends_at(SMS, at("2026-11-24T14:00:00Z")), None);
    assert_eq!(quiet.ends_at(EMAIL, at("2026-11-24T03:00:00Z")), None, "a mail wakes nobody");
    assert_eq!(quiet.ends_at(SMS, at("2026-11-01T03:00:00Z")), Some(at("2026-11-01T14:00:00Z")));
    assert_eq!(quiet.ends_at(SMS, at("2026-03-08T04:00:00Z")), Some(at("2026-03-08T13:00:00Z")));
    let elsewhere = quiet.in_zone(Some("Asia/Kathmandu"));
    assert_eq!(elsewhere.ends_at(SMS, at("2026-11-24T15:15:00Z")), Some(at("2026-11-25T02:15:00Z")));
    assert_eq!(quiet.in_zone(Some("Nowhere/Land")).ends_at(SMS, at("2026-11-24T14:00:00Z")), None);
    let none = Quiet::try_new("08:00", "08:00", "UTC", &[SMS]).unwrap();
    assert_eq!(none.ends_at(SMS, at("2026-11-24T08:00:00Z")), None);
    for (from, until, zone) in [("25:00", "08:00", "UTC"), ("9", "08:00", "UTC"), ("21:00", "08:00", "Mars")]
    {
        assert_eq!(Quiet::try_new(from, until, zone, &[SMS]).unwrap_err().code, "quiet_hours_invalid");
    }
}

#[test]
fn a_text_waits_for_the_morning_a_mail_does_not_and_an_urgent_one_waits_for_nobody() {
    let night = at("2026-11-24T05:00:00Z");
    let mut notice = after(Spread::Each, &[]);
    notice.plan.due_at = night;
    let ways = [way(EMAIL), way(SMS)];
    assert_eq!(next(&notice, &ways, &rules(), night), Next::Try(EMAIL));
    let mut mailed = after(Spread::Each, &[attempt(EMAIL), sent(EMAIL)]);
    mailed.plan.due_at = night;
    assert_eq!(next(&mailed, &ways, &rules(), night), Next::Wait(at("2026-11-24T14:00:00Z")));
    mailed.plan.urgent = true;
    assert_eq!(next(&mailed, &ways, &rules(), night), Next::Try(SMS));
    mailed.plan.urgent = false;
    mailed.plan.not_after = Some(at("2026-11-24T13:00:00Z"));
    assert_eq!(next(&mailed, &ways, &rules(), night), Next::Suppress(SMS, Skip::Quiet));
}

#[test]
fn a_reminder_whose_time_has_passed_is_suppressed_and_one_that_is_not_due_waits() {
    let notice = after(Spread::First, &[]);
    let ways = [way(EMAIL), way(SMS)];
    let before = at("2026-11-24T14:59:59Z");
    assert_eq!(next(&notice, &ways, &rules(), before), Next::Wait(notice.plan.due_at));
    assert_eq!(next(&notice, &ways, &rules(), at("2026-11-25T03:00:00Z")), Next::Try(EMAIL));
    assert_eq!(
        next(&notice, &ways, &rules(), at("2026-11-25T03:00:00.001Z")),
        Next::Suppress(EMAIL, Skip::Late)
    );
    assert_eq!(
        next(&notice, &[way(SMS)], &rules(), notice.plan.due_at),
        Next::Suppress(EMAIL, Skip::NoAddress)
    );
    assert_eq!(
        next(&after(Spread::First, &[withdraw()]), &ways, &rules(), notice.plan.due_at),
        Next::Nothing
    );
}

#[test]
fn one_no_is_enough_and_offers_by_text_need_a_yes() {
    let choice = |channel, topic, wants| Choice { channel, topic, wants };
    let said = |all: &[Choice]| Choices(all.to_vec());
    let allow = |choices: &Choices, channel, topic| choices.allow(channel, topic, false);
    let nothing = Choices::default();
    assert_eq!(allow(&nothing, SMS, Topic::Visits), Ok(()));
    assert_eq!(allow(&nothing, SMS, Topic::Offers), Err(Skip::NoConsent));
    assert_eq!(allow(&nothing, EMAIL, Topic::Offers), Ok(()));
    let stopped = said(&[choice(SMS, None, false), choice(SMS, Some(Topic::Visits), true)]);
    assert_eq!(allow(&stopped, SMS, Topic::Visits), Err(Skip::OptedOut));
    assert_eq!(allow(&stopped, EMAIL, Topic::Visits), Ok(()));
    let one = said(&[choice(SMS, Some(Topic::Money), false), choice(SMS, Some(Topic::Offers), true)]);
    assert_eq!(allow(&one, SMS, Topic::Money), Err(Skip::OptedOut));
    assert_eq!(allow(&one, SMS, Topic::Offers), Ok(()));
    assert_eq!(nothing.allow(SMS, Topic::Visits, true), Err(Skip::NoConsent), "a house that asks first");
    assert_eq!(nothing.allow(SMS, Topic::Work, true), Ok(()), "providers are staff");
}

#[test]
fn stop_is_understood_however_it_is_written() {
    for text in
        ["STOP", "stop", " Stop! ", "Stop.", "\"STOP\"", "stop all", "Opt-Out", "unsubscribe", "QUIT\n"]
    {
        assert_eq!(super::said(text), Said::Stop, "{text:?}");
    }
    assert_eq!(super::said("Start"), Said::Start);
    assert_eq!(super::said("help?"), Said::Help);
    for text in ["please don't stop", "stopping by", "", "I will be late", "停止"] {
        assert_eq!(super::said(text), Said::Other, "{text:?}");
    }
}

fn full() -> Values {
    Placeholder::ALL.into_iter().fold(Values::new(), |values, open| values.with(open, "something"))
}

#[test]
fn every_wording_of_ours_passes_the_linter_and_renders() {
    for template in Template::ALL {
        assert_eq!(Template::parse(template.name()), Some(template));
        let wording = template.wording();
        wording.check(template).unwrap_or_else(|refusal| panic!("{}: {refusal}", template.name()));
        for channel in Channel::ALL {
            let rendered = wording.render(channel, &full()).unwrap();
            assert!(!rendered.text.contains(['{', '}']), "{}", rendered.text);
        }
        let only: Values =
            template.needs().iter().fold(Values::new(), |values, open| values.with(*open, "x"));
        assert_eq!(template.check_values(&only), Ok(()));
        let missing = template.check_values(&Values::new()).unwrap_err();
        assert_eq!(missing.code, "placeholder_missing");
    }
}

fn wording(sms: &str) -> Wording {
    Wording { subject: "Your visit".to_owned(), email: "Your visit is soon.".to_owned(), sms: sms.to_owned() }
}

#[test]
fn a_wording_that_could_tell_too_much_is_refused_with_what_to_write_instead() {
    for (sms, word) in [
        ("Your oncology visit is on {when}", "oncology"),
        ("Your Biopsy is on {when}", "biopsy"),
        ("Your results are in", "results"),
        ("Your diabetes check is on {when}", "diabetes"),
        ("Refill of your medication", "refill"),
        ("MRN 00417: see us on {when}", "mrn"),
        ("DOB needed before {when}", "dob"),
        ("Therapist {provider} sees you", "therapist"),
        ("Visit 99214 on {when}", "five-digit"),
        ("F32.1 on {when}", "ICD"),
        ("Card 4242 4242 4242 4242", "card number"),
        ("Born 1980-01-31", "birth date"),
        ("SSN-free 987-65-4321.", "ssn"),
        ("Number 987-65-4321.", "social security"),
    ] {
        let refusal = wording(sms).check(Template::VisitReminderDay).unwrap_err();
        assert_eq!(refusal.code, "template_refused");
        assert!(refusal.detail.contains(word) && refusal.detail.contains("write"), "{sms}: {refusal}");
        assert!(!refusal.detail.contains("4242 4242") && !refusal.detail.contains("65-4321"), "{refusal}");
    }
}

#[test]
fn placeholders_are_those_of_the_template_and_no_others() {
    for (sms, why) in [
        ("{patient_name}, see us", "no placeholder"),
        ("{diagnosis}", "no placeholder"),
        ("{amount} is due", "has no value for"),
        ("see us {when", "brace"),
        ("see us when}", "brace"),
        ("", "empty"),
        ("two\nlines", "one line"),
    ] {
        let refusal = wording(sms).check(Template::VisitReminderDay).unwrap_err();
        assert!(refusal.detail.contains(why), "{sms}: {refusal}");
    }
    assert!(wording(&"x".repeat(176)).check(Template::VisitReminderDay).is_ok());
    let long = format!("{}{{link}}", "x".repeat(176));
    assert!(wording(&long).check(Template::VisitReminderDay).unwrap_err().detail.contains("321 characters"));
}

#[test]
fn a_name_that_tells_too_much_stops_the_message_and_a_link_never_does() {
    let values = full().with(Placeholder::Provider, "Dr. Okafor, Oncology");
    let wording = Template::BookingConfirmed.wording();
    assert_eq!(wording.render(EMAIL, &values).unwrap_err().code, "message_refused");
    let neutral = wording.render(EMAIL, &values.neutral()).unwrap();
    assert!(neutral.text.contains("with your provider at something"), "{}", neutral.text);
    let values = full().with(Placeholder::Link, "https://care.test/booking/99214-mrn-4242424242424242");
    assert!(wording.render(SMS, &values).unwrap().text.contains("4242424242424242"));
    let values = full().with(Placeholder::Provider, "Dr. Okafor\r\nBcc: everybody@example.org");
    let mail = wording.render(EMAIL, &values);
    assert_eq!(mail.unwrap_err().code, "message_refused", "no second line, and no address");
}

#[test]
fn values_are_single_lines_of_bounded_length_and_are_not_printed() {
    let values = Values::new().with(Placeholder::When, "a\nb".repeat(200)).with(Placeholder::Reason, " ");
    assert_eq!(values.get(Placeholder::When).map(str::len), Some(120));
    assert!(!values.get(Placeholder::When).unwrap().contains('\n'));
    assert_eq!(values.get(Placeholder::Reason), None, "an empty value is missing");
    assert_eq!(format!("{values:?}"), "{\"when\", \"reason\"}");
    let newer = Values::new().with(Placeholder::When, "later");
    assert_eq!(values.updated(&newer).get(Placeholder::When), Some("later"));
}

#[test]
fn a_moment_is_written_in_words_and_in_its_zone() {
    let moment = at("2026-11-24T16:00:00Z");
    assert_eq!(local_time(moment, "America/Chicago"), "Tue 24 Nov 2026, 10:00 AM CST");
    assert_eq!(local_time(moment, "Nowhere"), "Tue 24 Nov 2026, 4:00 PM UTC");
    assert!(lint(&local_time(moment, "America/Chicago")).is_empty());
}

#[test]
fn events_survive_storage_and_replay_gives_the_state() {
    let notice = after(Spread::Each, &[attempt(EMAIL), sent(EMAIL), attempt(SMS), unknown(SMS)]);
    let text = serde_json::to_string(&notice).unwrap();
    assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
    let planned = Event::Planned(Box::new(plan(Spread::Each)));
    let text = serde_json::to_string(&planned).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), planned);
}

#[test]
fn an_address_that_could_reach_a_stranger_is_none() {
    assert_eq!(phone(" +1 (555) 123-4567 ").as_deref(), Some("+15551234567"));
    assert_eq!(phone("0049 30 1234567").as_deref(), Some("+49301234567"));
    for wrong in ["555 123 4567", "+1555", "+0551234567", "+1555123456789012", "+1 555 CALL NOW", "", "+"] {
        assert_eq!(phone(wrong), None, "{wrong}");
    }
    assert_eq!(mailbox(" Ann.O'Hara+x@Example.ORG ").as_deref(), Some("Ann.O'Hara+x@example.org"));
    for wrong in [
        "ann",
        "ann@host",
        "a@b.c, d@e.f",
        "a b@example.org",
        "a@b..org",
        ".a@example.org",
        "a@example.org\nBcc: x@y.zz",
    ] {
        assert_eq!(mailbox(wrong), None, "{wrong}");
    }
}
