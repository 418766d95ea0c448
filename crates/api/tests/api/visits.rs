//! Stories about visits over HTTP: the practice, openings, appointments, the day of the visit, and who may do what.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::kit::{Answer, Api};

const ZONE: &str = "America/New_York";

pub(crate) fn usd(minor: i64) -> Value {
    json!({ "minor": minor, "currency": "USD" })
}

/// A clinic with one provider, who is there every day from 09:00 to 17:00, and one type of visit.
pub(crate) struct Desk {
    pub(crate) clinic: String,
    pub(crate) provider: String,
    pub(crate) visit_type: String,
    pub(crate) patient: String,
}

pub(crate) fn clinic(timing: &str) -> Value {
    let rule = json!({ "name": "late", "when": { "occasions": ["patient_cancels"], "noticeHoursBelow": 24 },
        "fee": { "priceBasisPoints": 2_500 }, "chargeTheRest": true });
    let rest = json!({ "name": "free", "fee": "none" });
    json!({
        "name": "Harbor", "zone": ZONE,
        "timing": { "timing": timing, "reason": "test", "by": "kim" },
        "policy": { "version": "1", "rules": [rule, rest] },
    })
}

fn week(until: &str) -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    days.map(|day| json!({ "weekday": day, "from": "09:00", "until": until })).into_iter().collect()
}

pub(crate) fn provider(clinic: &str) -> Value {
    json!({ "clinic": clinic, "name": "Dr. Grey", "specialties": ["acupuncture"], "weekly": week("17:00") })
}

pub(crate) fn visit_type(clinic: &str, deposit: i64) -> Value {
    json!({
        "clinic": clinic, "name": "Follow-up", "durationMinutes": 30, "afterMinutes": 15, "intervalMinutes": 30,
        "horizonDays": 400, "price": usd(12_000), "deposit": usd(deposit), "holdMinutes": 10,
        "rescueMinutes": 10, "offerMinutes": 10,
    })
}

pub(crate) async fn desk(api: &Api, admin: &str, deposit: i64) -> Desk {
    let timing = if deposit == 0 { "post_visit" } else { "deposit_to_book" };
    let id = |made: Value| made["id"].as_str().unwrap().to_owned();
    let clinic = id(api.made("/v1/clinics", admin, &clinic(timing)).await);
    Desk {
        provider: id(api.made("/v1/providers", admin, &provider(&clinic)).await),
        visit_type: id(api.made("/v1/visit-types", admin, &visit_type(&clinic, deposit)).await),
        patient: id(api.made("/v1/patients", admin, &json!({})).await),
        clinic,
    }
}

impl Desk {
    fn slot(&self, starts_at: &str) -> Value {
        json!({ "patient": self.patient, "provider": self.provider, "visitType": self.visit_type, "startsAt": starts_at })
    }

    pub(crate) async fn book(&self, api: &Api, key: &str, starts_at: &str) -> Value {
        api.made("/v1/appointments", key, &self.slot(starts_at)).await
    }
}

async fn put(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    let request = Request::put(path).header("authorization", format!("Bearer {key}"));
    api.send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// 21 November 2025, 09:00 in New York; the clock of these stories stands at 04:40 UTC of that day.
const NINE: &str = "2025-11-21T14:00:00.000Z";

#[tokio::test]
async fn a_practice_is_defined_read_searched_and_changed_whole() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let path = format!("/v1/providers/{}", desk.provider);
    let known = api.get(&path, &front).await.json();
    assert_eq!((&known["zone"], &known["weekly"][0]["from"]), (&json!(ZONE), &json!("09:00")));
    for (query, found) in [
        ("specialty=acupuncture", 1),
        ("specialty=massage", 0),
        ("name=grey", 1),
        ("payer=88888", 1),
        ("location=annex", 0),
        (&format!("visitType={}", desk.visit_type), 1),
    ] {
        let page = api.get(&format!("/v1/providers?{query}"), &front).await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
    let same = put(&api, &path, &admin, &known).await;
    assert_eq!(same.status, StatusCode::OK, "what is read can be sent back: {}", same.text);
    let other = json!({ "id": desk.clinic, "clinic": desk.clinic, "name": "x" });
    assert_eq!(put(&api, &path, &admin, &other).await.problem(), (422, "field_invalid".into()));
    let visit = format!("/v1/visit-types/{}", desk.visit_type);
    let mut changed = api.get(&visit, &front).await.json();
    changed["durationMinutes"] = json!(60);
    assert_eq!(put(&api, &visit, &admin, &changed).await.json()["durationMinutes"], 60);
    changed["durationMinutes"] = json!(61);
    assert_eq!(put(&api, &visit, &admin, &changed).await.problem().1, "visit_times_invalid");
    let clinics = api.get("/v1/clinics?limit=1", &front).await.json();
    assert_eq!((&clinics["items"][0]["policy"]["version"], &clinics["next"]), (&json!("1"), &Value::Null));
}

#[tokio::test]
async fn a_wrong_definition_is_refused_with_what_is_wrong() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let with = |name: &str, value: Value| {
        let mut body = clinic("post_visit");
        body[name] = value;
        body
    };
    let overlap = json!([{ "from": "2026-01-02", "until": "2026-01-01", "reason": "x" }]);
    for (body, code) in [
        (with("zone", json!("CST6")), "zone_unknown"),
        (with("name", json!("")), "definition_invalid"),
        (with("holidays", overlap), "exception_invalid"),
        (with("policy", json!({ "version": "1", "rules": [] })), "policy_invalid"),
        (with("id", json!("cli_1")), "field_invalid"),
        (with("zone", json!(7)), "body_invalid"),
        (with("color", json!("red")), "unknown_field"),
    ] {
        assert_eq!(api.refused("/v1/clinics", &admin, &body).await.1, code, "{body}");
    }
    assert_eq!(api.refused("/v1/clinics", &front, &clinic("post_visit")).await.1, "forbidden");
    let foreign = provider("cli_0190a1b2c3d4e5f60718293a4b5c6d7e");
    assert_eq!(api.refused("/v1/providers", &admin, &foreign).await.1, "not_found");
}

#[tokio::test]
async fn a_policy_is_tried_before_it_holds() {
    let api = Api::open().await;
    let front = api.key("front_desk").await;
    let case = json!({ "occasion": "patient_cancels", "noticeMinutes": 60, "reason": "ill", "price": usd(12_000),
        "deposit": usd(1_000) });
    let policy = clinic("post_visit")["policy"].clone();
    let asked = json!({ "policy": policy, "cases": [case] });
    let request =
        Request::post("/v1/visit-policies/check").header("authorization", format!("Bearer {front}"));
    let answer = api.send(request.body(Body::from(asked.to_string())).unwrap()).await.json();
    let verdict = json!({ "rule": "late", "fee": usd(3_000), "refund": usd(0), "charge": usd(2_000) });
    assert_eq!(answer["answers"][0]["verdict"], verdict, "no key of its own is needed: nothing changes");
    let mut wrong = asked;
    let example =
        json!({ "name": "late", "case": wrong["cases"][0], "rule": "late", "fee": usd(1), "refund": usd(0) });
    wrong["policy"]["examples"] = json!([example]);
    assert_eq!(api.refused("/v1/visit-policies/check", &front, &wrong).await.1, "policy_example_failed");
}

#[tokio::test]
async fn openings_are_found_by_provider_and_first_available_in_the_zone_that_is_asked_for() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let search = format!("visitType={}&zone=America/Chicago", desk.visit_type);
    let found = api.get(&format!("/v1/openings?{search}&limit=2"), &front).await.json();
    let starts = &found["providers"][0]["starts"];
    assert_eq!((starts.as_array().unwrap().len(), &starts[0]["startsAt"]), (2, &json!(NINE)));
    assert_eq!(starts[0]["local"]["time"], "08:00");
    let first = api.get(&format!("/v1/openings/first?{search}"), &front).await.json();
    assert_eq!(
        (&first["items"][0]["name"], &first["items"][0]["startsAt"]),
        (&json!("Dr. Grey"), &json!(NINE))
    );
    for (query, expected) in [
        ("visitType=vty_1", (422, "query_invalid")),
        ("visitType=vty_0190a1b2c3d4e5f60718293a4b5c6d7e", (404, "not_found")),
        (&format!("{search}&from=soon"), (422, "time_invalid")),
        (&format!("{search}&until=2027-11-21T00:00:00Z"), (422, "query_invalid")),
        (&format!("visitType={}&zone=Mars/Base", desk.visit_type), (422, "zone_unknown")),
    ] {
        let refused = api.get(&format!("/v1/openings?{query}"), &front).await.problem();
        assert_eq!(refused, (expected.0, expected.1.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_booked_slot_leaves_the_live_list_of_others_at_once() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let path =
        format!("/v1/openings/stream?visitType={}&provider={}&limit=1", desk.visit_type, desk.provider);
    let mut frames = api.open_stream(&path, &front, "none").await.into_data_stream();
    let before = String::from_utf8(frames.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(before.contains("event: openings") && before.contains(NINE), "{before}");
    desk.book(&api, &front, NINE).await;
    let after = String::from_utf8(frames.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(after.contains("2025-11-21T15:00:00.000Z") && !after.contains(NINE), "{after}");
    let version = after.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    desk.book(&api, &front, "2025-11-21T15:00:00Z").await;
    let mut again = api.open_stream(&path, &front, version).await.into_data_stream();
    let next = String::from_utf8(again.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(next.contains("2025-11-21T16:00:00.000Z"), "what was seen is not sent again: {next}");
}

#[tokio::test]
async fn a_slot_is_held_once_and_the_other_is_told_the_next_openings() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 5_000).await;
    let held = desk.book(&api, &front, NINE).await;
    assert_eq!((&held["status"], &held["standing"]), (&json!("pending_payment"), &json!("pay_to_keep")));
    assert_eq!((&held["due"], &held["local"]["zone"]), (&usd(5_000), &json!(ZONE)));
    assert_eq!(held["actions"], json!(["pay", "cancel"]));
    let (status, code, detail) = api.refused("/v1/appointments", &front, &desk.slot(NINE)).await;
    assert_eq!((status, code.as_str()), (409, "slot_taken"));
    assert!(detail.contains("2025-11-21T15:00:00.000Z"), "{detail}");
    let path = format!("/v1/appointments/{}", held["id"].as_str().unwrap());
    let pay = api.refused(&format!("{path}/pay"), &front, &json!({})).await;
    assert_eq!(pay.1, "no_gateway");
    assert_eq!(api.refused(&format!("{path}/accept"), &front, &json!({})).await.1, "deposit_required");
    let preview = api.get(&format!("{path}/cancel/preview"), &front).await.json();
    assert_eq!(preview["verdict"]["fee"], usd(0), "what never stood costs nothing: {preview}");
    let cancel = json!({ "by": "patient", "reason": "changed_mind" });
    let canceled = api.made(&format!("{path}/cancel"), &front, &cancel).await;
    assert_eq!((&canceled["status"], &canceled["due"]), (&json!("canceled"), &Value::Null));
    desk.book(&api, &front, NINE).await;
}

#[tokio::test]
async fn a_local_time_that_clocks_skip_is_refused_and_one_that_exists_is_booked() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let at = |time: &str, date: &str| {
        let mut body = desk.slot(NINE);
        body.as_object_mut().unwrap().remove("startsAt");
        body["local"] = json!({ "date": date, "time": time, "zone": ZONE });
        body
    };
    let (status, code, detail) = api.refused("/v1/appointments", &front, &at("02:30", "2026-03-08")).await;
    assert_eq!((status, code.as_str()), (422, "time_does_not_exist"));
    assert!(detail.contains("03:00"), "{detail}");
    let booked = api.made("/v1/appointments", &front, &at("09:30", "2026-03-08")).await;
    assert_eq!(
        (&booked["status"], &booked["startsAt"]),
        (&json!("confirmed"), &json!("2026-03-08T13:30:00.000Z"))
    );
    let mut both = at("09:30", "2026-03-09");
    both["startsAt"] = json!(NINE);
    assert_eq!(api.refused("/v1/appointments", &front, &both).await.1, "time_invalid");
    let neither = json!({ "patient": desk.patient, "provider": desk.provider, "visitType": desk.visit_type });
    assert_eq!(api.refused("/v1/appointments", &front, &neither).await.1, "time_invalid");
}

#[tokio::test]
async fn a_changed_calendar_names_the_appointments_that_it_breaks_before_and_after() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let booked = desk.book(&api, &front, NINE).await;
    let path = format!("/v1/providers/{}", desk.provider);
    let mut away = api.get(&path, &front).await.json();
    away["exceptions"] = json!([{ "from": "2025-11-21", "until": "2025-11-21", "reason": "vacation" }]);
    let preview = api.post(&format!("{path}/preview"), &front, "", &away).await.json();
    assert_eq!(preview["outsideHours"][0]["id"], booked["id"]);
    let unchanged = api.get(&path, &front).await.json();
    assert_eq!(unchanged["exceptions"], json!([]), "a preview stores nothing");
    let changed = put(&api, &path, &admin, &away).await.json();
    assert_eq!((&changed["outsideHours"][0]["id"], &changed["id"]), (&booked["id"], &json!(desk.provider)));
    let holiday = format!("/v1/clinics/{}", desk.clinic);
    let mut closed = api.get(&holiday, &front).await.json();
    closed["holidays"] = json!([{ "from": "2025-11-21", "until": "2025-11-21", "reason": "holiday" }]);
    assert_eq!(put(&api, &holiday, &admin, &closed).await.json()["outsideHours"][0]["id"], booked["id"]);
    let search = format!("/v1/openings?visitType={}&until=2025-11-22T00:00:00Z", desk.visit_type);
    assert_eq!(api.get(&search, &front).await.json()["providers"], json!([]));
}

#[tokio::test]
async fn a_day_is_listed_in_pages_by_provider_and_patient() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let mut booked = Vec::new();
    for start in ["2025-11-21T16:00:00Z", NINE, "2025-11-21T15:00:00Z", "2025-11-22T15:00:00Z"] {
        booked.push(desk.book(&api, &front, start).await["id"].as_str().unwrap().to_owned());
    }
    let list = async |query: &str| api.get(&format!("/v1/appointments?{query}"), &front).await.json();
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let day = list(&format!("provider={}&day=2025-11-21&limit=2", desk.provider)).await;
    assert_eq!(ids(&day), [booked[1].clone(), booked[2].clone()]);
    let next = day["next"].as_str().unwrap();
    let rest = list(&format!("provider={}&day=2025-11-21&limit=2&cursor={next}", desk.provider)).await;
    assert_eq!((ids(&rest), &rest["next"]), (vec![booked[0].clone()], &Value::Null));
    assert_eq!(ids(&list(&format!("patient={}", desk.patient)).await).len(), 4);
    assert_eq!(ids(&list("status=canceled").await).len(), 0);
    for query in ["day=today", "day=2025-11-21&from=2025-11-21T00:00:00Z", "provider=prv_1", "cursor=x"] {
        assert_eq!(api.get(&format!("/v1/appointments?{query}"), &front).await.problem().0, 422, "{query}");
    }
}

#[tokio::test]
async fn a_late_cancellation_shows_its_fee_first_and_a_waiver_needs_the_right_to_settle() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let booked = desk.book(&api, &front, NINE).await;
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let preview = api.get(&format!("{path}/cancel/preview?by=patient&reason=ill"), &front).await.json();
    assert_eq!((&preview["verdict"]["rule"], &preview["verdict"]["fee"]), (&json!("late"), &usd(3_000)));
    assert_eq!(preview["case"]["noticeMinutes"], 560);
    let waived = json!({ "by": "patient", "reason": "ill", "waivedBy": "kim" });
    assert_eq!(api.refused(&format!("{path}/cancel"), &front, &waived).await.1, "forbidden");
    let no_show = api.refused(&format!("{path}/no-show"), &front, &json!({})).await;
    assert_eq!((no_show.0, no_show.1.as_str()), (409, "visit_not_begun"));
    let canceled = api.made(&format!("{path}/cancel"), &admin, &waived).await;
    assert_eq!((&canceled["status"], &canceled["ended"]["verdict"]["fee"]), (&json!("canceled"), &usd(0)));
}

#[tokio::test]
async fn a_visit_moves_begins_is_documented_signed_and_added_to() {
    let api = Api::open().await;
    let (admin, front, doctor) =
        (api.key("admin").await, api.key("front_desk").await, api.key("provider").await);
    let desk = desk(&api, &admin, 0).await;
    let prices = json!({ "prices": [{ "code": "99214", "from": "2025-01-01", "amount": usd(12_000) }] });
    api.made(&format!("/v1/clinics/{}/prices", desk.clinic), &admin, &prices).await;
    let stored = api.get(&format!("/v1/clinics/{}/prices", desk.clinic), &front).await.json();
    assert_eq!(
        (&stored["items"][0]["from"], &stored["items"][0]["until"]),
        (&json!("2025-01-01"), &Value::Null)
    );
    let booked = desk.book(&api, &front, NINE).await;
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let to = json!({ "local": { "date": "2025-11-22", "time": "10:00", "zone": ZONE }, "by": "clinic", "reason": "x" });
    let moved = api.made(&format!("{path}/move"), &front, &to).await;
    assert_eq!((&moved["startsAt"], &moved["moves"]), (&json!("2025-11-22T15:00:00.000Z"), &json!(1)));
    assert_eq!(api.made(&format!("{path}/arrive"), &front, &json!({})).await["status"], "in_visit");
    assert_eq!(api.refused(&format!("{path}/encounter"), &front, &json!({})).await.1, "forbidden");
    let opened = api.made(&format!("{path}/encounter"), &doctor, &json!({})).await;
    let encounter = format!("/v1/encounters/{}", opened["id"].as_str().unwrap());
    let draft = json!({ "text": "S: Ann has a cough.", "codes": [{ "code": "99214" }] });
    let drafted = put(&api, &encounter, &doctor, &draft).await;
    assert_eq!(drafted.json()["status"], "documented");
    assert!(!drafted.text.contains("cough"), "texts are a resource of their own");
    let texts = api.get(&format!("{encounter}/texts"), &doctor).await.json();
    assert_eq!(texts["draft"], "S: Ann has a cough.");
    assert_eq!(api.get(&format!("{encounter}/texts"), &front).await.problem().0, 403);
    let sign = json!({ "text": "S: Ann has a cough.", "codes": [{ "code": "99214" }], "signer": "dr-grey" });
    let signed = api.made(&format!("{encounter}/sign"), &doctor, &sign).await;
    assert_eq!((&signed["total"], &signed["version"]), (&usd(12_000), &json!(1)));
    let again = put(&api, &encounter, &doctor, &draft).await;
    assert_eq!(again.problem(), (409, "note_signed".to_owned()));
    let more = json!({ "text": "P: rest.", "signer": "dr-grey" });
    assert_eq!(api.made(&format!("{encounter}/addenda"), &doctor, &more).await["version"], 2);
    let outcome = json!({ "outcome": "improved", "by": "dr-grey" });
    assert_eq!(api.made(&format!("{encounter}/outcome"), &doctor, &outcome).await["outcome"], "improved");
    let texts = api.get(&format!("{encounter}/texts"), &doctor).await.json();
    assert_eq!((texts["notes"].as_array().unwrap().len(), &texts["draft"]), (2, &Value::Null));
    assert_eq!(api.get(&path, &front).await.json()["status"], "completed");
}

#[tokio::test]
async fn a_patient_waits_is_listed_and_leaves() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let wish = |until: &str, zone: &str| json!({ "patient": desk.patient, "visitType": desk.visit_type, "until": until, "zone": zone });
    let place = api.made("/v1/waiting-list", &front, &wish("2025-12-01T00:00:00Z", ZONE)).await;
    assert_eq!((&place["status"], &place["provider"]), (&json!("waiting"), &Value::Null));
    let listed = api.get(&format!("/v1/waiting-list?status=waiting&patient={}", desk.patient), &front).await;
    assert_eq!(listed.json()["items"][0]["id"], place["id"]);
    assert_eq!(
        api.refused("/v1/waiting-list", &front, &wish("2025-12-01T00:00:00Z", "X")).await.1,
        "zone_unknown"
    );
    assert_eq!(
        api.refused("/v1/waiting-list", &front, &wish("2025-11-01T00:00:00Z", ZONE)).await.1,
        "time_invalid"
    );
    let path = format!("/v1/waiting-list/{}", place["id"].as_str().unwrap());
    let left = api.made(&format!("{path}/leave"), &front, &json!({ "reason": "found_elsewhere" })).await;
    assert_eq!(
        (&left["status"], &api.get(&path, &front).await.json()["status"]),
        (&json!("left"), &json!("left"))
    );
}

#[tokio::test]
async fn what_another_organization_has_is_not_there_and_roles_hold() {
    let api = Api::open().await;
    let (admin, front) = (api.key("admin").await, api.key("front_desk").await);
    let desk = desk(&api, &admin, 0).await;
    let booked = desk.book(&api, &front, NINE).await;
    let other = api.engine.make_organization("Other", suture_engine::admin::Mode::Sandbox).await.unwrap().id;
    let (_, stranger) = api.engine.make_api_key(&other, "x", "admin").await.unwrap();
    let (stranger, integrator) = (stranger.expose().clone(), api.key("integrator").await);
    let appointment = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    for path in [
        format!("/v1/clinics/{}", desk.clinic),
        format!("/v1/clinics/{}/prices", desk.clinic),
        format!("/v1/providers/{}", desk.provider),
        format!("/v1/providers/{}/calendar.ics", desk.provider),
        format!("/v1/visit-types/{}", desk.visit_type),
        format!("/v1/openings?visitType={}", desk.visit_type),
        format!("{appointment}/cancel/preview"),
        format!("/fhir/Slot?schedule=Schedule/{}", desk.provider),
        appointment,
    ] {
        assert_eq!(api.get(&path, &stranger).await.problem(), (404, "not_found".into()), "{path}");
        assert_eq!(api.get(&path, &integrator).await.problem(), (403, "forbidden".into()), "{path}");
    }
    let slot = desk.slot("2025-11-21T15:00:00Z");
    assert_eq!(api.refused("/v1/appointments", &stranger, &slot).await.1, "not_found");
    assert_eq!(api.refused("/v1/appointments", &integrator, &slot).await.1, "forbidden");
    let empty = api.get("/v1/appointments", &stranger).await.json();
    assert_eq!(empty["items"], json!([]));
}
