//! Messages reach people: once by a channel, at a decent hour, by another channel when one fails, and never late.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use suture_connect::notices::sms::{SmsRoute, Style};
use suture_core::id::{AppointmentId, Mint, PatientId};
use suture_core::notice::{
    About, Channel, Notice, Placeholder, Progress, Quiet, Recipient, Rules, Skip, Status, Template, Topic,
    Values, Wording,
};
use suture_core::redact::{Phi, Secret};
use suture_core::time::Timestamp;
use suture_engine::notices::{Addresses, Arrival, Copy, NewChoice, NewNotice, Notices, Which};
use suture_engine::{EffectState, Mail, Mailer, Mailing, Unmailed};
use suture_sim::on_both_databases;
use suture_sim::world::{Fault, Pause, Stepped, World};

on_both_databases!(
    a_confirmation_is_in_the_inbox_at_once_and_says_nothing_clinical,
    the_same_key_is_the_same_notice,
    reminders_go_out_once_by_each_channel_when_they_are_due,
    a_reminder_moves_with_its_visit_and_says_the_new_time,
    a_withdrawn_reminder_is_never_sent,
    a_text_waits_for_the_morning_and_an_urgent_one_does_not,
    who_said_stop_gets_no_more_texts_and_start_allows_them_again,
    without_an_address_or_a_yes_a_channel_is_left_out,
    the_second_channel_is_taken_when_the_first_is_refused,
    a_report_that_a_text_did_not_arrive_sends_the_mail,
    a_lost_answer_is_unknown_and_not_sent_twice_by_the_same_channel,
    a_crash_between_send_and_record_never_texts_twice,
    a_provider_that_takes_a_key_is_asked_again_with_the_same_key,
    what_is_proven_not_to_have_left_is_tried_again_and_given_up_in_the_end,
    a_late_reminder_is_suppressed,
    an_urgent_message_that_reaches_nobody_asks_a_person,
    an_urgent_text_that_did_not_arrive_after_all_asks_a_person,
    a_name_that_tells_too_much_is_left_out_and_a_reason_stops_the_message,
    a_provider_that_takes_a_key_and_never_answers_leaves_the_text_unknown,
    an_organization_words_its_messages_and_the_linter_reads_them,
    a_forged_or_old_report_changes_nothing,
    messages_of_a_sandbox_stay_in_the_house_unless_told_otherwise,
    texts_end_and_survive_a_new_key,
);

const HOUR: i64 = 3_600_000;
const SMS_URL: &str = "http://receiver.test/sms";

/// A mail server that takes everything, unless told otherwise.
#[derive(Default)]
struct FakeMailer {
    taken: Mutex<Vec<Mail>>,
    answers: Mutex<VecDeque<Unmailed>>,
}

impl FakeMailer {
    fn taken(&self) -> Vec<Mail> {
        self.taken.lock().unwrap().clone()
    }

    fn answer(&self, answers: impl IntoIterator<Item = Unmailed>) {
        self.answers.lock().unwrap().extend(answers);
    }
}

impl Mailer for FakeMailer {
    fn mail(&self, mail: Mail, _: Duration) -> Mailing<'_> {
        Box::pin(async move {
            self.taken.lock().unwrap().push(mail);
            match self.answers.lock().unwrap().pop_front() {
                Some(unmailed) => Err(unmailed),
                None => Ok("250".to_owned()),
            }
        })
    }
}

fn sms(takes_key: bool) -> Option<Arc<SmsRoute>> {
    let body = json!({ "to": "{to}", "text": "{text}", "hook": "{callback}" });
    Some(Arc::new(SmsRoute {
        style: Style::Json { body, reference: "/id".to_owned(), takes_key },
        url: SMS_URL.to_owned(),
        from: "Clinic".to_owned(),
        secret: Secret::new("s3cret".to_owned()),
    }))
}

fn quiet() -> Rules {
    let quiet = Quiet::try_new("21:00", "08:00", "America/Chicago", &[Channel::Sms]).unwrap();
    Rules { quiet: Some(quiet), ask_first: false }
}

/// Mail by a fake server, texts by the receiver.
async fn sending(world: &mut World, takes_key: bool) -> Arc<FakeMailer> {
    let mailer = Arc::new(FakeMailer::default());
    let notices = Notices {
        mailer: Some(mailer.clone()),
        sms: sms(takes_key),
        sandbox_sends: true,
        ..Notices::default()
    };
    world.restart_sending(notices).await.unwrap();
    mailer
}

fn id_at(world: &World) -> Mint<'_> {
    Mint::new(world.now(), world.engine(0).random())
}

async fn patient(world: &World) -> PatientId {
    let patient = PatientId::mint(id_at(world));
    let addresses = Addresses {
        email: Some(Phi::new("ann@example.org".to_owned())),
        phone: Some(Phi::new("+1 555 123 4567".to_owned())),
    };
    let contact =
        world.engine(0).put_addresses(&world.caller(), &patient.to_string(), addresses).await.unwrap();
    assert_eq!(contact.channels, [Channel::Email, Channel::Sms]);
    patient
}

fn visit(world: &World, patient: PatientId, template: Template) -> NewNotice {
    let values = template.needs().iter().fold(Values::new(), |values, open| {
        values.with(
            *open,
            match open {
                Placeholder::When => "Tue 24 Nov 2026, 10:00 AM CST",
                Placeholder::Link => "https://care.example/booking/token",
                Placeholder::Provider => "Dr. Amara Okafor",
                Placeholder::Amount => "40.00 USD",
                _ => "today",
            },
        )
    });
    let appointment = AppointmentId::mint(id_at(world));
    NewNotice {
        to: Recipient::Patient(patient),
        template,
        about: About { appointment: Some(appointment), ..About::default() },
        values,
        due_at: world.now(),
        not_after: None,
        zone: None,
        urgent: false,
        key: format!("{appointment}/{}", template.name()),
    }
}

async fn plan(world: &World, new: NewNotice) -> Notice {
    world.engine(0).plan_notice(&world.caller(), new).await.unwrap()
}

async fn now(world: &World, notice: &Notice) -> Notice {
    world.engine(0).notice(&world.organization, notice.plan.notice).await.unwrap()
}

async fn copies(world: &World, notice: &Notice) -> Vec<Copy> {
    world.engine(0).notice_copies(&world.organization, notice.plan.notice).await.unwrap()
}

fn texts(world: &World) -> Vec<String> {
    let heard = world.outside.receiver.heard();
    heard.iter().map(|one| one.json()["text"].as_str().unwrap().to_owned()).collect()
}

fn suppressed(notice: &Notice, channel: Channel) -> Option<Skip> {
    match notice.progress(channel) {
        Some(Progress::Suppressed { reason }) => Some(*reason),
        _ => None,
    }
}

async fn asked(world: &World) -> Vec<String> {
    let parked = world.effects(EffectState::Parked).await.unwrap();
    let asked = parked.into_iter().filter(|effect| effect.destination == "unreached-people");
    asked.map(|effect| effect.error.unwrap_or_default()).collect()
}

async fn a_confirmation_is_in_the_inbox_at_once_and_says_nothing_clinical(mut world: World) {
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::BookingConfirmed)).await;
    world.settle().await.unwrap();

    let sent = now(&world, &notice).await;
    assert_eq!(sent.status(), Status::Sent);
    assert_eq!(sent.progress(Channel::Email), Some(&Progress::Sent { reference: "inbox".to_owned() }));
    assert_eq!(sent.progress(Channel::Sms), Some(&Progress::Waiting { tries: 0 }), "the first that works");
    let copies = copies(&world, &notice).await;
    assert_eq!(copies.len(), 1);
    assert_eq!(copies[0].to.expose(), "ann@example.org");
    let text = copies[0].text.expose();
    assert!(text.contains("Dr. Amara Okafor at Sandbox Clinic is booked for Tue 24 Nov"), "{text}");
    assert!(text.contains("http://127.0.0.1:8080/opt-out/"), "{text}");
    let journal =
        world.engine(0).notices(&world.organization, Some(patient.to_string()), "", 10).await.unwrap();
    let written = serde_json::to_string(&journal).unwrap();
    assert!(
        !written.contains("Okafor") && !written.contains("ann@") && !written.contains("24 Nov"),
        "{written}"
    );
    assert!(world.engine(0).verify_audit(&world.organization).await.unwrap().intact);
}

async fn the_same_key_is_the_same_notice(mut world: World) {
    let patient = patient(&world).await;
    let new = visit(&world, patient, Template::Receipt);
    let first = plan(&world, new.clone()).await;
    let second = plan(&world, new).await;
    assert_eq!(first.plan.notice, second.plan.notice);
    world.settle().await.unwrap();
    let all = world.engine(0).notices(&world.organization, None, "", 10).await.unwrap();
    assert_eq!(all.len(), 1);
}

fn reminder(world: &World, patient: PatientId, hours: i64) -> NewNotice {
    let due_at = Timestamp::from_millis(world.now().millis() + hours * HOUR);
    NewNotice { due_at, ..visit(world, patient, Template::VisitReminderDay) }
}

async fn reminders_go_out_once_by_each_channel_when_they_are_due(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    let notice = plan(&world, reminder(&world, patient, 5)).await;
    world.pass(5 * HOUR - 1).await.unwrap();
    assert!(mailer.taken().is_empty() && texts(&world).is_empty());

    world.pass(48 * HOUR).await.unwrap();
    let mails = mailer.taken();
    assert_eq!((mails.len(), texts(&world).len()), (1, 1));
    assert_eq!(mails[0].message_id, format!("{}@notices.suture", notice.plan.notice));
    assert!(mails[0].unsubscribe.as_ref().unwrap().contains("/opt-out/"));
    assert_eq!(now(&world, &notice).await.status(), Status::Sent);
    let heard = world.outside.receiver.heard();
    let hook = heard[0].json()["hook"].as_str().unwrap().to_owned();
    assert!(hook.ends_with(&format!("/hooks/sms/{}/{}", world.organization, notice.plan.notice)), "{hook}");
    assert_eq!(heard[0].header("authorization"), "Bearer s3cret");
}

async fn a_reminder_moves_with_its_visit_and_says_the_new_time(mut world: World) {
    let patient = patient(&world).await;
    let new = reminder(&world, patient, 5);
    let key = new.key.clone();
    let notice = plan(&world, new).await;
    let later = Timestamp::from_millis(world.now().millis() + 30 * HOUR);
    let values = Values::new().with(Placeholder::When, "Wed 25 Nov 2026, 3:00 PM CST");
    assert!(world.engine(0).shift_notice(&world.caller(), &key, later, values.clone()).await.unwrap());
    world.pass(29 * HOUR).await.unwrap();
    assert_eq!(now(&world, &notice).await.status(), Status::Planned, "the old time has passed without it");
    world.pass(2 * HOUR).await.unwrap();
    let copies = copies(&world, &notice).await;
    assert_eq!(copies.len(), 2);
    let text = copies[0].text.expose();
    assert!(text.contains("Wed 25 Nov 2026, 3:00 PM") && text.contains("Okafor"), "{text}");

    let earlier = world.now();
    assert!(
        !world.engine(0).shift_notice(&world.caller(), &key, earlier, values).await.unwrap(),
        "it was sent"
    );
    assert!(!world.engine(0).shift_notice(&world.caller(), "unknown", earlier, Values::new()).await.unwrap());

    let new = reminder(&world, patient, 50);
    let key = new.key.clone();
    let sooner = plan(&world, new).await;
    let soon = Timestamp::from_millis(world.now().millis() + HOUR);
    assert!(world.engine(0).shift_notice(&world.caller(), &key, soon, Values::new()).await.unwrap());
    world.pass(2 * HOUR).await.unwrap();
    assert_eq!(now(&world, &sooner).await.status(), Status::Sent, "moved forward, it is not late");
}

async fn a_withdrawn_reminder_is_never_sent(mut world: World) {
    let patient = patient(&world).await;
    let new = reminder(&world, patient, 5);
    let appointment = new.about.appointment.unwrap().to_string();
    let (first, caller) = (plan(&world, new.clone()).await, world.caller());
    let hour = NewNotice { template: Template::VisitReminderHour, key: "second".to_owned(), ..new };
    let second = plan(&world, hour).await;
    let other = plan(&world, reminder(&world, patient, 5)).await;
    let one = Which::About(appointment.clone(), vec![Template::VisitReminderDay]);
    assert_eq!(world.engine(0).withdraw_notices(&caller, one.clone(), "visit_canceled").await.unwrap(), 1);
    assert_eq!(world.engine(0).withdraw_notices(&caller, one, "visit_canceled").await.unwrap(), 0);
    assert_eq!(now(&world, &second).await.status(), Status::Planned);
    let all = Which::About(appointment, Vec::new());
    assert_eq!(world.engine(0).withdraw_notices(&caller, all, "visit_canceled").await.unwrap(), 1);
    world.pass(48 * HOUR).await.unwrap();
    for notice in [&first, &second] {
        assert_eq!(now(&world, notice).await.status(), Status::Withdrawn);
        assert!(copies(&world, notice).await.is_empty());
    }
    assert_eq!(
        now(&world, &other).await.status(),
        Status::Sent,
        "another visit's reminder is another matter"
    );
    let sent = Which::Key(other.plan.key.clone());
    assert_eq!(world.engine(0).withdraw_notices(&caller, sent, "visit_canceled").await.unwrap(), 0);
}

/// 05:00 UTC is 23:00 in Chicago.
async fn reach_the_night(world: &mut World) {
    world.pass(20 * HOUR).await.unwrap();
    assert!(world.now().to_rfc3339().contains("T05:00"));
}

async fn a_text_waits_for_the_morning_and_an_urgent_one_does_not(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let rules = Notices {
        rules: quiet(),
        mailer: Some(mailer),
        sms: sms(false),
        sandbox_sends: true,
        ..Notices::default()
    };
    world.restart_sending(rules).await.unwrap();
    let patient = patient(&world).await;
    reach_the_night(&mut world).await;
    let moved = plan(&world, visit(&world, patient, Template::VisitMoved)).await;
    let link = plan(&world, visit(&world, patient, Template::VisitLink)).await;
    let hour = plan(&world, visit(&world, patient, Template::VisitReminderHour)).await;
    world.settle().await.unwrap();
    assert!(texts(&world).is_empty());
    assert_eq!(
        suppressed(&now(&world, &hour).await, Channel::Sms),
        Some(Skip::Quiet),
        "the morning is too late"
    );

    let urgent = NewNotice { urgent: true, ..visit(&world, patient, Template::PaymentDeclined) };
    plan(&world, urgent).await;
    world.settle().await.unwrap();
    assert_eq!(texts(&world).len(), 1);
    assert_eq!(now(&world, &moved).await.status(), Status::Planned);

    world.pass(9 * HOUR - 1).await.unwrap();
    assert_eq!(texts(&world).len(), 1);
    world.pass(1).await.unwrap();
    assert_eq!(texts(&world).len(), 3, "08:00 in Chicago");
    for notice in [&moved, &link] {
        assert_eq!(now(&world, notice).await.status(), Status::Sent);
    }
}

fn signed(
    world: &World,
    notice: Option<&Notice>,
    body: &serde_json::Value,
    secret: &str,
) -> (Arrival, [String; 2]) {
    let tail = notice.map_or(String::new(), |notice| format!("/{}", notice.plan.notice));
    let path = format!("/hooks/sms/{}{tail}", world.organization);
    let (body, seconds) = (body.to_string(), world.now().seconds());
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = ring::hmac::sign(&key, format!("{seconds}.{path}.{body}").as_bytes());
    let signature = tag.as_ref().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    let arrival = Arrival {
        organization: world.organization.clone(),
        notice: notice.map(|notice| notice.plan.notice.to_string()),
        path,
        body: body.into_bytes(),
    };
    (arrival, [signature, seconds.to_string()])
}

async fn tell(world: &World, notice: Option<&Notice>, body: serde_json::Value) {
    let (arrival, [signature, seconds]) = signed(world, notice, &body, "s3cret");
    let header = move |name: &str| match name {
        "suture-signature" => Some(signature.clone()),
        "suture-timestamp" => Some(seconds.clone()),
        _ => None,
    };
    world.engine(0).hear_of_text(arrival, header).await.unwrap();
}

async fn who_said_stop_gets_no_more_texts_and_start_allows_them_again(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    let says = |text: &str| json!({ "type": "inbound", "from": "+15551234567", "text": text });
    for text in ["I will be late", "Stop", "STOP"] {
        tell(&world, None, says(text)).await;
    }
    let contact = world.engine(0).contact(&world.caller(), &patient.to_string()).await.unwrap();
    assert_eq!(
        (contact.choices.len(), contact.choices[0].wants, contact.choices[0].by.as_str()),
        (1, false, "text")
    );
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    let sent = now(&world, &notice).await;
    assert_eq!(suppressed(&sent, Channel::Sms), Some(Skip::OptedOut));
    assert_eq!((texts(&world).len(), mailer.taken().len()), (0, 1), "the mail takes its place");

    tell(&world, None, says("start")).await;
    plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    assert_eq!(texts(&world).len(), 1);

    let no = NewChoice { channel: Channel::Sms, topic: None, wants: false };
    world.engine(0).choose_contact(&world.caller(), &patient.to_string(), no).await.unwrap();
    tell(&world, None, says("START")).await;
    let third = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    let third = suppressed(&now(&world, &third).await, Channel::Sms);
    assert_eq!(third, Some(Skip::OptedOut), "what the patient told the desk is the desk's to change");
}

async fn without_an_address_or_a_yes_a_channel_is_left_out(mut world: World) {
    let nobody = PatientId::mint(id_at(&world));
    let notice = plan(&world, visit(&world, nobody, Template::Receipt)).await;
    world.settle().await.unwrap();
    let ended = now(&world, &notice).await;
    assert_eq!(
        (ended.status(), suppressed(&ended, Channel::Email)),
        (Status::Suppressed, Some(Skip::NoAddress))
    );
    assert!(asked(&world).await.is_empty(), "nobody is asked about what is not urgent");

    let (caller, patient) = (world.caller(), patient(&world).await);
    let offer = plan(&world, visit(&world, patient, Template::WaitlistOffer)).await;
    world.settle().await.unwrap();
    assert_eq!(suppressed(&now(&world, &offer).await, Channel::Sms), Some(Skip::NoConsent));
    let yes = NewChoice { channel: Channel::Sms, topic: Some(Topic::Offers), wants: true };
    world.engine(0).choose_contact(&caller, &patient.to_string(), yes).await.unwrap();
    let offer = plan(&world, visit(&world, patient, Template::WaitlistOffer)).await;
    world.settle().await.unwrap();
    assert_eq!(copies(&world, &offer).await[0].channel, Channel::Sms);

    let engine = world.engine(0).clone();
    let wrong = Addresses { phone: Some(Phi::new("555 1234".to_owned())), ..Addresses::default() };
    let refused = engine.put_addresses(&caller, &patient.to_string(), wrong).await.unwrap_err();
    assert!(refused.to_string().contains("with its country") && !refused.to_string().contains("555 1234"));
    assert!(engine.contact(&caller, "pay_1").await.is_err());
}

async fn the_second_channel_is_taken_when_the_first_is_refused(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    mailer.answer([Unmailed::Refused("550".to_owned())]);
    let notice = plan(&world, visit(&world, patient, Template::Receipt)).await;
    world.settle().await.unwrap();
    let sent = now(&world, &notice).await;
    assert_eq!(sent.progress(Channel::Email), Some(&Progress::Failed { code: "550".to_owned() }));
    assert!(matches!(sent.progress(Channel::Sms), Some(Progress::Sent { .. })));
    assert_eq!(
        texts(&world),
        ["Sandbox Clinic: we received 40.00 USD for your visit on Tue 24 Nov 2026, 10:00 AM CST. Thank you."]
    );
}

async fn a_report_that_a_text_did_not_arrive_sends_the_mail(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    assert_eq!((texts(&world).len(), mailer.taken().len()), (1, 0));
    let failed = json!({ "type": "status", "status": "undelivered", "code": "30003" });
    for _ in 0..2 {
        tell(&world, Some(&notice), failed.clone()).await;
    }
    world.settle().await.unwrap();
    assert_eq!((texts(&world).len(), mailer.taken().len()), (1, 1));

    let second = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    tell(&world, Some(&second), json!({ "type": "status", "status": "delivered" })).await;
    tell(&world, Some(&second), failed).await;
    world.settle().await.unwrap();
    assert_eq!(now(&world, &second).await.status(), Status::Delivered);
    assert_eq!(mailer.taken().len(), 1);
}

async fn a_lost_answer_is_unknown_and_not_sent_twice_by_the_same_channel(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    mailer.answer([Unmailed::Lost("answer_lost".to_owned())]);
    let notice = plan(&world, visit(&world, patient, Template::BookingConfirmed)).await;
    world.pass(48 * HOUR).await.unwrap();
    let sent = now(&world, &notice).await;
    assert!(matches!(sent.progress(Channel::Email), Some(Progress::Unknown { .. })));
    assert_eq!(
        (mailer.taken().len(), texts(&world).len()),
        (1, 1),
        "better twice than never, but not twice one way"
    );
}

async fn a_crash_between_send_and_record_never_texts_twice(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    assert_eq!(world.step_until(0, Pause::After).await.unwrap(), Stepped::Standing);
    assert_eq!(texts(&world).len(), 1);
    world.crash(0).await.unwrap();
    world.pass(HOUR).await.unwrap();
    let sent = now(&world, &notice).await;
    assert!(matches!(sent.progress(Channel::Sms), Some(Progress::Unknown { .. })));
    assert_eq!((texts(&world).len(), mailer.taken().len()), (1, 1));

    world.outside.receiver.forget();
    let second = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    assert_eq!(world.step_until(0, Pause::After).await.unwrap(), Stepped::Standing);
    world.crash(0).await.unwrap();
    tell(&world, Some(&second), json!({ "type": "status", "status": "delivered" })).await;
    world.pass(HOUR).await.unwrap();
    assert_eq!(now(&world, &second).await.status(), Status::Delivered, "the report proved the text");
    assert_eq!((texts(&world).len(), mailer.taken().len()), (1, 1));
}

async fn a_provider_that_takes_a_key_is_asked_again_with_the_same_key(mut world: World) {
    let mailer = sending(&mut world, true).await;
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    assert_eq!(world.step_until(0, Pause::After).await.unwrap(), Stepped::Standing);
    world.crash(0).await.unwrap();
    world.pass(HOUR).await.unwrap();
    let heard = world.outside.receiver.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[0].header("idempotency-key"), format!("{}/sms", notice.plan.notice));
    assert_eq!(heard[0].header("idempotency-key"), heard[1].header("idempotency-key"));
    assert_eq!(heard[0].body, heard[1].body, "the same text, whatever changed meanwhile");
    assert_eq!((now(&world, &notice).await.status(), mailer.taken().len()), (Status::Sent, 0));
}

async fn what_is_proven_not_to_have_left_is_tried_again_and_given_up_in_the_end(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    world.outside.receiver.answer([429, 429]);
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.pass(60_000).await.unwrap();
    assert_eq!((texts(&world).len(), now(&world, &notice).await.status()), (3, Status::Sent));

    world.outside.receiver.forget();
    mailer.answer(vec![Unmailed::NotSent("421".to_owned()); 20]);
    world.outside.receiver.answer([429; 20]);
    let notice = plan(&world, visit(&world, patient, Template::Receipt)).await;
    world.pass(48 * HOUR).await.unwrap();
    let failed = now(&world, &notice).await;
    assert_eq!(failed.status(), Status::Failed);
    assert_eq!(failed.progress(Channel::Sms), Some(&Progress::Failed { code: "given_up".to_owned() }));
    assert_eq!((mailer.taken().len(), texts(&world).len()), (7, 7));
}

async fn a_late_reminder_is_suppressed(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    let passed = Timestamp::from_millis(world.now().millis() - HOUR);
    let hour = NewNotice { due_at: passed, ..visit(&world, patient, Template::VisitReminderHour) };
    let late = plan(&world, hour).await;
    let begins = Timestamp::from_millis(world.now().millis() + 2 * HOUR);
    let strict = NewNotice { not_after: Some(begins), ..reminder(&world, patient, 1) };
    let asleep = plan(&world, strict).await;
    world.clock.reach(world.now().millis() + 3 * HOUR);
    world.settle().await.unwrap();
    for notice in [&late, &asleep] {
        let ended = now(&world, notice).await;
        assert_eq!(
            (ended.status(), suppressed(&ended, Channel::Email)),
            (Status::Suppressed, Some(Skip::Late))
        );
    }
    assert!(mailer.taken().is_empty() && texts(&world).is_empty());
}

async fn an_urgent_message_that_reaches_nobody_asks_a_person(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    mailer.answer([Unmailed::Refused("550".to_owned())]);
    world.outside.receiver.answer([400]);
    let urgent = NewNotice { urgent: true, ..visit(&world, patient, Template::PaymentDeclined) };
    let notice = plan(&world, urgent).await;
    world.settle().await.unwrap();
    assert_eq!(now(&world, &notice).await.status(), Status::Failed);
    let asked = asked(&world).await;
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("payment_declined") && asked[0].contains("another way"), "{asked:?}");
    assert!(!asked[0].contains("ann@"), "{asked:?}");
}

async fn an_urgent_text_that_did_not_arrive_after_all_asks_a_person(mut world: World) {
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    mailer.answer([Unmailed::Refused("550".to_owned())]);
    let urgent = NewNotice { urgent: true, ..visit(&world, patient, Template::PaymentDeclined) };
    let notice = plan(&world, urgent).await;
    world.settle().await.unwrap();
    assert!(asked(&world).await.is_empty(), "the text was taken");
    tell(&world, Some(&notice), json!({ "type": "status", "status": "failed" })).await;
    world.settle().await.unwrap();
    assert_eq!((asked(&world).await.len(), now(&world, &notice).await.status()), (1, Status::Failed));
}

async fn a_name_that_tells_too_much_is_left_out_and_a_reason_stops_the_message(mut world: World) {
    let patient = patient(&world).await;
    let mut new = visit(&world, patient, Template::BookingConfirmed);
    new.values = new.values.with(Placeholder::Provider, "Dr. Okafor, Oncology");
    let notice = plan(&world, new).await;
    world.settle().await.unwrap();
    let text = copies(&world, &notice).await[0].text.expose().clone();
    assert!(text.contains("with your provider at Sandbox Clinic") && !text.contains("Oncology"), "{text}");

    let mut new = visit(&world, patient, Template::BalanceNotice);
    new.values = new.values.with(Placeholder::Reason, "your biopsy");
    let notice = plan(&world, new).await;
    world.settle().await.unwrap();
    let failed = now(&world, &notice).await;
    assert_eq!(
        failed.progress(Channel::Email),
        Some(&Progress::Failed { code: "message_refused".to_owned() })
    );
    assert!(copies(&world, &notice).await.is_empty());
    let asked = asked(&world).await;
    assert!(asked.len() == 2 && asked[0].contains("balance_notice"), "{asked:?}");
    assert!(!asked[0].contains("biopsy"), "what it is about stays sealed: {asked:?}");
    let missing = NewNotice { values: Values::new(), ..visit(&world, patient, Template::Receipt) };
    let refused = world.engine(0).plan_notice(&world.caller(), missing).await.unwrap_err();
    assert!(refused.to_string().contains("{amount}"), "{refused}");
}

async fn a_provider_that_takes_a_key_and_never_answers_leaves_the_text_unknown(mut world: World) {
    let mailer = sending(&mut world, true).await;
    let patient = patient(&world).await;
    world.outside.receiver.answer([500; 40]);
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.pass(48 * HOUR).await.unwrap();
    let ended = now(&world, &notice).await;
    assert!(matches!(ended.progress(Channel::Sms), Some(Progress::Unknown { .. })), "it may have been sent");
    assert_eq!((texts(&world).len(), mailer.taken().len()), (12, 1));
}

async fn an_organization_words_its_messages_and_the_linter_reads_them(mut world: World) {
    let (engine, caller) = (world.engine(0).clone(), world.caller());
    let patient = patient(&world).await;
    let words = |sms: &str| {
        Some(Wording {
            subject: "Thanks".to_owned(),
            email: "Paid: {amount}".to_owned(),
            sms: sms.to_owned(),
        })
    };
    for (sms, word) in [("Your biopsy is paid", "biopsy"), ("{link}", "{link}"), ("CPT 99214", "cpt")] {
        let refused = engine.put_wording(&caller, Template::Receipt, words(sms)).await.unwrap_err();
        assert!(refused.to_string().contains(word), "{refused}");
    }
    let own = engine.put_wording(&caller, Template::Receipt, words("Paid")).await.unwrap();
    assert!(own.is_own);
    let notice = plan(&world, visit(&world, patient, Template::Receipt)).await;
    world.settle().await.unwrap();
    assert!(copies(&world, &notice).await[0].text.expose().starts_with("Paid: 40.00 USD\n"));
    assert!(!engine.put_wording(&caller, Template::Receipt, None).await.unwrap().is_own);
    assert!(engine.wordings(&world.organization).await.unwrap().iter().all(|view| !view.is_own));
}

async fn a_forged_or_old_report_changes_nothing(mut world: World) {
    sending(&mut world, false).await;
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.settle().await.unwrap();
    let body = json!({ "type": "status", "status": "delivered" });
    let engine = world.engine(0).clone();
    for (secret, wait) in [("other", 0), ("s3cret", 301_000)] {
        let (arrival, [signature, seconds]) = signed(&world, Some(&notice), &body, secret);
        world.pass(wait).await.unwrap();
        let header = move |name: &str| match name {
            "suture-signature" => Some(signature.clone()),
            _ => Some(seconds.clone()),
        };
        assert!(engine.hear_of_text(arrival, header).await.is_err(), "{secret}");
    }
    assert_eq!(now(&world, &notice).await.status(), Status::Sent);
}

async fn messages_of_a_sandbox_stay_in_the_house_unless_told_otherwise(mut world: World) {
    let mailer = Arc::new(FakeMailer::default());
    let notices = Notices { mailer: Some(mailer.clone()), sms: sms(false), ..Notices::default() };
    world.restart_sending(notices).await.unwrap();
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::VisitLink)).await;
    world.settle().await.unwrap();
    assert_eq!(copies(&world, &notice).await.len(), 2);
    assert!(mailer.taken().is_empty() && texts(&world).is_empty());
}

async fn texts_end_and_survive_a_new_key(mut world: World) {
    let patient = patient(&world).await;
    let notice = plan(&world, visit(&world, patient, Template::Receipt)).await;
    world.settle().await.unwrap();
    assert!(world.engine(0).rotate_encryption().await.is_ok());
    assert_eq!(copies(&world, &notice).await.len(), 1);
    let organization = world.organization.clone();
    world.engine(0).plan_timers(&[organization]).await.unwrap();
    world.clock.reach(world.now().millis() + 31 * 24 * HOUR);
    world.settle().await.unwrap();
    assert!(copies(&world, &notice).await.is_empty(), "texts are kept for thirty days");
    assert_eq!(now(&world, &notice).await.status(), Status::Sent, "what happened is kept for ever");
}

#[tokio::test]
async fn a_request_that_left_and_an_answer_that_did_not_come_are_one_text() {
    let mut world = World::open(suture_sim::world::Setup::on("sqlite")).await.unwrap();
    let mailer = sending(&mut world, false).await;
    let patient = patient(&world).await;
    world.outside.plan([Fault::AnswerLost]);
    let notice = plan(&world, visit(&world, patient, Template::VisitCanceled)).await;
    world.pass(HOUR).await.unwrap();
    assert_eq!((texts(&world).len(), mailer.taken().len()), (1, 1));
    assert!(matches!(now(&world, &notice).await.progress(Channel::Sms), Some(Progress::Unknown { .. })));
}
