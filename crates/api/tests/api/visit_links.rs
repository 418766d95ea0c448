//! Stories about links and feeds: what their holder sees and does without a key, and what calendar programs and FHIR
//! readers see.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use suture_core::pass::Purpose;
use suture_core::time::Timestamp;
use suture_engine::Caller;
use suture_engine::notices::NewPass;

use crate::kit::{Answer, Api};
use crate::visits::{Desk, desk, usd};

const NINE: &str = "2025-11-21T14:00:00.000Z";

async fn token(api: &Api, purpose: Purpose, subject: &Value) -> String {
    let actor = suture_core::explain::Actor::Operator("test".to_owned());
    let caller = Caller { organization: api.organization.clone(), actor };
    let expires_at = Timestamp::from_seconds(1_763_800_000);
    let new = NewPass { purpose, subject: subject.as_str().unwrap().to_owned(), expires_at };
    let url = api.engine.issue_link(&caller, new).await.unwrap();
    url.rsplit('/').next().unwrap().to_owned()
}

async fn look(api: &Api, path: &str) -> Answer {
    api.send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn act(api: &Api, path: &str, body: &Value) -> Answer {
    api.send(Request::post(path).body(Body::from(body.to_string())).unwrap()).await
}

async fn booked(api: &Api, deposit: i64) -> (Desk, String, Value) {
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(api, &admin, deposit).await;
    let booked = desk.book(api, &front, NINE).await;
    (desk, front, booked)
}

#[tokio::test]
async fn a_booking_is_looked_at_moved_and_cancelled_by_its_link() {
    let api = Api::open().await;
    let (desk, _, booked) = booked(&api, 0).await;
    let path = format!("/booking/{}", token(&api, Purpose::ManageBooking, &booked["id"]).await);
    let seen = look(&api, &path).await;
    let visit = seen.json();
    assert_eq!((&visit["standing"], &visit["provider"]), (&json!("confirmed"), &json!("Dr. Grey")));
    assert_eq!(visit["cancel"]["fee"], usd(3_000), "the patient is warned before");
    assert!(!seen.text.contains(&desk.patient), "no id of a patient leaves: {}", seen.text);
    let openings = look(&api, &format!("{path}/openings")).await.json();
    let next = openings["items"][1]["startsAt"].clone();
    let moved = act(&api, &format!("{path}/move"), &json!({ "startsAt": next })).await;
    assert_eq!(moved.json()["startsAt"], next, "{}", moved.text);
    let again = act(&api, &format!("{path}/move"), &json!({ "startsAt": next })).await;
    assert_eq!(again.status, StatusCode::OK, "the same again changes nothing");
    let unseen = act(&api, &format!("{path}/cancel"), &json!({})).await;
    assert_eq!(unseen.problem(), (422, "fee_changed".to_owned()));
    assert_eq!(look(&api, &path).await.json()["standing"], "confirmed");
    let agreed = act(&api, &format!("{path}/cancel"), &json!({ "fee": usd(3_000) })).await;
    assert_eq!((&agreed.json()["standing"], &agreed.json()["cancel"]), (&json!("released"), &Value::Null));
    let twice = act(&api, &format!("{path}/cancel"), &json!({ "fee": usd(3_000) })).await;
    assert_eq!(twice.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_opens_its_own_thing_and_nothing_else() {
    let api = Api::open().await;
    let (_, _, booked) = booked(&api, 0).await;
    let manage = token(&api, Purpose::ManageBooking, &booked["id"]).await;
    for path in ["offer", "checkout", "visit", "calendar"] {
        let wrong = look(&api, &format!("/{path}/{manage}")).await;
        assert_eq!(wrong.problem(), (422, "link_forged".to_owned()), "{path}");
    }
    assert_eq!(look(&api, "/booking/x").await.problem().1, "link_forged");
    let large = "x".repeat(20_000);
    let sent = act(&api, &format!("/booking/{manage}/cancel"), &json!({ "reason": large })).await;
    assert_eq!(sent.problem(), (413, "body_too_large".to_owned()));
    let skipped = json!({ "local": { "date": "2026-03-08", "time": "02:30", "zone": "America/New_York" } });
    let gap = act(&api, &format!("/booking/{manage}/move"), &skipped).await;
    assert_eq!(gap.problem().1, "time_does_not_exist");
}

#[tokio::test]
async fn an_offer_is_declined_once() {
    let api = Api::open().await;
    let (_, front, held) = booked(&api, 5_000).await;
    let offer = token(&api, Purpose::WaitlistOffer, &held["id"]).await;
    let path = format!("/offer/{offer}");
    let seen = look(&api, &path).await.json();
    assert_eq!((&seen["due"], &seen["standing"]), (&usd(5_000), &json!("pay_to_keep")));
    let taken = act(&api, &path, &json!({})).await;
    assert_eq!(taken.problem().1, "deposit_required", "a refusal uses no link");
    assert_eq!(act(&api, &format!("{path}/pay"), &json!({})).await.problem().1, "no_gateway");
    let elsewhere = json!({ "returnUrl": "https://evil.example/" });
    assert_eq!(act(&api, &format!("{path}/pay"), &elsewhere).await.problem().1, "field_invalid");
    let declined = act(&api, &format!("{path}/decline"), &json!({})).await;
    assert_eq!(declined.json()["standing"], "released");
    for answer in [look(&api, &path).await, act(&api, &format!("{path}/decline"), &json!({})).await] {
        assert_eq!(answer.problem(), (409, "link_used".to_owned()));
    }
    let state = api.get(&format!("/v1/appointments/{}", held["id"].as_str().unwrap()), &front).await.json();
    assert_eq!(state["ended"]["reason"], "offer_declined");
}

#[tokio::test]
async fn a_link_to_a_payment_says_what_is_due_and_stays_open_until_it_is_paid() {
    let api = Api::open().await;
    let (_, _, held) = booked(&api, 5_000).await;
    let path = format!("/checkout/{}", token(&api, Purpose::ReturnToCheckout, &held["id"]).await);
    let due = look(&api, &path).await.json();
    assert_eq!((&due["visit"]["due"], &due["balance"]), (&usd(5_000), &Value::Null));
    assert_eq!(due["visit"]["deadline"], held["heldUntil"]);
    assert_eq!(act(&api, &path, &json!({ "useSaved": true })).await.problem().1, "method_missing");
    assert_eq!(act(&api, &path, &json!({ "method": "pm_1" })).await.problem().1, "no_gateway");
    assert_eq!(
        look(&api, &path).await.status,
        StatusCode::OK,
        "nothing was paid, so the link still leads there"
    );
}

#[tokio::test]
async fn the_door_of_a_visit_is_closed_until_it_is_near() {
    let api = Api::open().await;
    let (_, _, booked) = booked(&api, 0).await;
    let door = look(&api, &format!("/visit/{}", token(&api, Purpose::VisitLink, &booked["id"]).await)).await;
    let door = door.json();
    assert_eq!((&door["opensAt"], &door["room"]), (&json!("2025-11-21T13:45:00.000Z"), &Value::Null));
}

#[tokio::test]
async fn a_calendar_program_reads_the_feed_by_its_address() {
    let api = Api::open().await;
    let (desk, front, booked) = booked(&api, 0).await;
    let made =
        api.made(&format!("/v1/providers/{}/calendar-address", desk.provider), &front, &json!({})).await;
    let path = made["url"].as_str().unwrap().trim_start_matches("http://127.0.0.1:8080");
    let feed = look(&api, path).await;
    assert_eq!(feed.headers["content-type"], "text/calendar; charset=utf-8");
    assert!(
        feed.text.contains("SUMMARY:Booked: Follow-up") && feed.text.contains("DTSTART:20251121T140000Z")
    );
    assert!(!feed.text.contains(&desk.patient));
    let own = api.get(&format!("/v1/providers/{}/calendar.ics", desk.provider), &front).await;
    assert_eq!(own.text, feed.text);
    let cancel = json!({ "by": "clinic", "reason": "ill" });
    api.made(&format!("/v1/appointments/{}/cancel", booked["id"].as_str().unwrap()), &front, &cancel).await;
    assert!(look(&api, path).await.text.contains("STATUS:CANCELLED"), "a cancellation stays to be seen");
}

#[tokio::test]
async fn the_calendar_is_read_as_fhir() {
    let api = Api::open().await;
    let (desk, front, booked) = booked(&api, 0).await;
    let provider = desk.provider.replace('_', "-");
    let schedule = api.get(&format!("/fhir/Schedule?actor=Practitioner/{provider}"), &front).await;
    assert_eq!(schedule.headers["content-type"], "application/fhir+json");
    assert_eq!(schedule.json()["entry"][0]["resource"]["id"], json!(provider));
    let slots = format!(
        "/fhir/Slot?schedule=Schedule/{provider}&service-type={}&start=ge2025-11-21&start=lt2025-11-22",
        desk.visit_type
    );
    let slots = api.get(&slots, &front).await.json();
    let statuses: Vec<&str> = slots["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["resource"]["status"].as_str().unwrap())
        .collect();
    assert_eq!((statuses[0], statuses[1]), ("busy", "free"), "the buffer hides its neighbour");
    let day = "date=ge2025-11-21&date=lt2025-11-22";
    let found =
        api.get(&format!("/fhir/Appointment?actor=Practitioner/{provider}&{day}"), &front).await.json();
    let resource = &found["entry"][0]["resource"];
    assert_eq!((&resource["status"], &resource["identifier"][0]["value"]), (&json!("booked"), &booked["id"]));
    assert_eq!(resource["created"], "2025-11-21T04:40:00.000Z");
    let none = api.get("/fhir/Appointment?date=lt2025-11-21", &front).await.json();
    assert_eq!(none["entry"], json!([]));
    for wrong in ["date=soon", "actor=Location/1", "status=booked"] {
        assert_eq!(api.get(&format!("/fhir/Appointment?{wrong}"), &front).await.problem().0, 422, "{wrong}");
    }
    assert_eq!(look(&api, "/fhir/Schedule").await.problem().0, 401);
}
