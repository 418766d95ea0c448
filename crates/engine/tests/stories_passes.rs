//! Links that we send: forged, old and used ones do nothing, and one that serves once serves once.

#![expect(clippy::unwrap_used, reason = "a test that meets an error should stop")]

use std::sync::Arc;
use std::time::Duration;

use suture_core::audit::seal::SealingKey;
use suture_core::id::{AppointmentId, Mint, PatientId, Random};
use suture_core::notice::Channel;
use suture_core::pass::{PassKey, Purpose};
use suture_engine::notices::{NewPass, Notices, TemplateRooms};
use suture_engine::{Caller, Error};
use suture_sim::on_both_databases;
use suture_sim::world::World;

on_both_databases!(
    a_link_that_serves_once_serves_once_even_for_two_clicks_at_once,
    a_link_that_may_be_opened_again_works_until_it_ends,
    forged_links_and_links_for_something_else_do_nothing,
    a_room_is_the_same_for_a_visit_and_not_to_be_guessed,
    an_opt_out_link_stops_mails_of_its_own_patient_only,
    used_passes_are_forgotten_when_they_could_not_serve_anyway,
);

struct Fixed(u8);

impl Random for Fixed {
    fn ten_bytes(&self) -> [u8; 10] {
        [self.0; 10]
    }
}

fn appointment(world: &World, seed: u8) -> String {
    AppointmentId::mint(Mint::new(world.now(), &Fixed(seed))).to_string()
}

fn code(error: &Error) -> &'static str {
    match error {
        Error::Refused(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}

async fn link(world: &World, purpose: Purpose, subject: &str, minutes: u64) -> String {
    let expires_at = world.now() + Duration::from_secs(60 * minutes);
    let new = NewPass { purpose, subject: subject.to_owned(), expires_at };
    world.engine(0).issue_link(&world.caller(), new).await.unwrap()
}

fn token(link: &str) -> String {
    link.rsplit('/').next().unwrap().to_owned()
}

async fn a_link_that_serves_once_serves_once_even_for_two_clicks_at_once(world: World) {
    for purpose in [Purpose::ReturnToCheckout, Purpose::WaitlistOffer] {
        let subject = appointment(&world, 1);
        let link = link(&world, purpose, &subject, 10).await;
        assert!(link.starts_with("http://127.0.0.1:8080/"), "{link}");
        let token = token(&link);
        assert_eq!(world.engine(0).read_pass(&token, purpose).unwrap().subject, subject);
        let engine = world.engine(0).clone();
        let clicks = (0..4).map(|_| {
            let (engine, token) = (engine.clone(), token.clone());
            tokio::spawn(async move { engine.redeem_pass(&token, purpose).await })
        });
        let mut answers = Vec::new();
        for click in clicks.collect::<Vec<_>>() {
            answers.push(click.await.unwrap());
        }
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            assert_eq!(code(refused), "link_used");
        }
    }
}

async fn a_link_that_may_be_opened_again_works_until_it_ends(mut world: World) {
    let subject = appointment(&world, 1);
    let manage = token(&link(&world, Purpose::ManageBooking, &subject, 60).await);
    for _ in 0..3 {
        let pass = world.engine(0).redeem_pass(&manage, Purpose::ManageBooking).await.unwrap();
        assert_eq!((pass.subject.as_str(), pass.organization.as_str()), (&*subject, &*world.organization));
        world.pass(19 * 60_000).await.unwrap();
    }
    world.pass(3 * 60_000).await.unwrap();
    let ended = world.engine(0).redeem_pass(&manage, Purpose::ManageBooking).await.unwrap_err();
    assert_eq!(code(&ended), "link_expired");
    assert!(ended.to_string().contains("Ask for a new one"), "{ended}");
}

async fn forged_links_and_links_for_something_else_do_nothing(world: World) {
    let subject = appointment(&world, 1);
    let right = token(&link(&world, Purpose::ManageBooking, &subject, 60).await);
    let pass = world.engine(0).read_pass(&right, Purpose::ManageBooking).unwrap();
    let other = PassKey::of(&SealingKey::from_seed(&[8; 32]).unwrap()).sign(&pass).unwrap();
    let mut changed = right.clone().into_bytes();
    changed[30] ^= 1;
    let changed = String::from_utf8(changed).unwrap();
    let forged = [
        (&*other, Purpose::ManageBooking),
        (&changed, Purpose::ManageBooking),
        (&right, Purpose::ReturnToCheckout),
        ("", Purpose::VisitLink),
    ];
    for (token, purpose) in forged {
        let refused = world.engine(0).redeem_pass(token, purpose).await.unwrap_err();
        assert_eq!(code(&refused), "link_forged", "{token}");
    }
    let named = NewPass { purpose: Purpose::OptOut, subject: "Ann".to_owned(), expires_at: world.now() };
    let refused = world.engine(0).issue_link(&world.caller(), named).await.unwrap_err();
    assert_eq!(code(&refused), "id_invalid");
}

async fn a_room_is_the_same_for_a_visit_and_not_to_be_guessed(mut world: World) {
    let (one, two) = (appointment(&world, 1), appointment(&world, 2));
    let own = link(&world, Purpose::VisitLink, &one, 60).await;
    assert!(own.starts_with("http://127.0.0.1:8080/visit/"), "{own}");
    assert_eq!(world.engine(0).read_pass(&token(&own), Purpose::VisitLink).unwrap().subject, one);

    let rooms = Arc::new(TemplateRooms::try_new("https://video.example/{room}").unwrap());
    world.restart_sending(Notices { rooms, ..Notices::default() }).await.unwrap();
    let first = link(&world, Purpose::VisitLink, &one, 60).await;
    assert_eq!(first, link(&world, Purpose::VisitLink, &one, 90).await, "patient and provider meet");
    assert_ne!(first, link(&world, Purpose::VisitLink, &two, 60).await);
    let room = token(&first);
    assert!(room.len() == 32 && !one.contains(&room), "{room}");
    let stranger = Caller { organization: world.organization.replace('0', "1"), ..world.caller() };
    let new = NewPass { purpose: Purpose::VisitLink, subject: one, expires_at: world.now() };
    let elsewhere = world.engine(0).issue_link(&stranger, new).await.unwrap();
    assert_ne!(token(&elsewhere), room, "another organization's room is another room");
}

async fn an_opt_out_link_stops_mails_of_its_own_patient_only(world: World) {
    let patient = PatientId::mint(Mint::new(world.now(), &Fixed(1))).to_string();
    let other = PatientId::mint(Mint::new(world.now(), &Fixed(2))).to_string();
    let token = token(&link(&world, Purpose::OptOut, &patient, 60).await);
    for _ in 0..2 {
        world.engine(0).opt_out_by_link(&token).await.unwrap();
    }
    let contact = world.engine(0).contact(&world.caller(), &patient).await.unwrap();
    assert_eq!(contact.choices.len(), 1);
    assert_eq!(
        (contact.choices[0].channel.as_str(), contact.choices[0].wants),
        (Channel::Email.name(), false)
    );
    assert!(world.engine(0).contact(&world.caller(), &other).await.unwrap().choices.is_empty());
    assert_eq!(code(&world.engine(0).opt_out_by_link("x").await.unwrap_err()), "link_forged");
}

async fn used_passes_are_forgotten_when_they_could_not_serve_anyway(mut world: World) {
    let subject = appointment(&world, 1);
    let once = token(&link(&world, Purpose::WaitlistOffer, &subject, 10).await);
    world.engine(0).redeem_pass(&once, Purpose::WaitlistOffer).await.unwrap();
    let organization = world.organization.clone();
    world.engine(0).plan_timers(&[organization]).await.unwrap();
    world.clock.reach(world.now().millis() + 40 * 86_400_000);
    world.settle().await.unwrap();
    let again = world.engine(0).redeem_pass(&once, Purpose::WaitlistOffer).await.unwrap_err();
    assert_eq!(code(&again), "link_expired");
}
