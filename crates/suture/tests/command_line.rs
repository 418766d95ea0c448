//! The binary from outside: what it refuses, what it prints, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A fresh folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// The command without any setting of the machine that the test runs on.
fn suture(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suture"));
    command.env_clear().current_dir(folder).args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let Output { status, stdout, stderr } = suture(folder, arguments).output().expect("the binary starts");
    (status.success(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

/// A folder with keys and a configuration on a free port.
fn configured(name: &str, more: &str) -> PathBuf {
    let folder = folder(name);
    assert!(run(&folder, &["keys", "init", "--dir", "keys"]).0);
    let text = format!(
        "{more}\nlisten = \"127.0.0.1:0\"\nencryption_keys = [\"k1 = file:keys/encryption.key\"]\nsealing_key = \
         \"file:keys/sealing.key\"\n"
    );
    std::fs::write(folder.join("suture.toml"), text).expect("the target folder can be written");
    folder
}

#[test]
fn an_unknown_key_is_refused_by_its_name_and_nothing_starts() {
    let folder = configured("unknown-key", "listen_on = \"127.0.0.1:1\"");
    let (good, told) = run(&folder, &["serve"]);
    assert!(!good && told.contains("listen_on") && told.contains("suture.toml"), "{told}");
    assert!(!folder.join("suture.db").exists());
}

#[test]
fn a_secret_given_inline_is_refused_and_not_repeated() {
    let folder = configured("inline-secret", "database = \"postgres://suture:hunter2@db/suture\"");
    let (good, told) = run(&folder, &["check"]);
    assert!(!good && told.contains("database") && told.contains("file:PATH"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_report_of_going_live_is_signed_by_the_installation_and_changes_are_seen() {
    let folder = configured("go-live", "");
    let (good, told) = run(&folder, &["go-live-check", "--config", "suture.toml", "--out", "report.json"]);
    assert!(good && told.contains("scenarios held"), "{told}");
    assert!(!folder.join("suture.db").exists(), "the installation's database is left alone");
    let (_, key) = run(&folder, &["audit", "key", "--config", "suture.toml"]);
    let verify = |file: &str| run(&folder, &["go-live-check", "--verify", file, "--public-key", key.trim()]);
    let (good, told) = verify("report.json");
    assert!(good && told.contains("the installation's sealing key"), "{told}");
    let text = std::fs::read_to_string(folder.join("report.json")).expect("the report is there");
    let changed = text.replacen("\"minor\": 5000", "\"minor\": 5001", 1);
    assert_ne!(changed, text);
    std::fs::write(folder.join("changed.json"), changed).expect("the target folder can be written");
    let (good, told) = verify("changed.json");
    assert!(!good && told.contains("NOT GENUINE"), "{told}");
    let (good, told) = run(&folder, &["go-live-check", "--out", "report.json"]);
    assert!(!good && told.contains("never overwritten"), "{told}");
}

#[test]
fn keys_are_never_overwritten() {
    let folder = configured("keys-twice", "");
    let before = std::fs::read(folder.join("keys/encryption.key")).expect("the key is there");
    let (good, told) = run(&folder, &["keys", "init", "--dir", "keys"]);
    assert!(!good && told.contains("never overwritten"), "{told}");
    assert_eq!(std::fs::read(folder.join("keys/encryption.key")).expect("the key is there"), before);
}

#[test]
fn a_broken_flow_is_told_with_file_line_and_column() {
    let folder = folder("broken-flow");
    let text = "flow: broken\nversion: 1\ntrigger: { source: stripe, event: payment.captured }\nsteps:\n  - name: told\n    \
                write_back: stripe.metadata\n    with: '{ amount: '\n";
    std::fs::write(folder.join("broken.yaml"), text).expect("the target folder can be written");
    let (good, told) = run(&folder, &["flow", "check", "broken.yaml"]);
    assert!(!good && told.starts_with("broken.yaml:7:"), "{told}");
}

#[test]
fn the_shipped_flow_passes_its_own_tests() {
    let flow = concat!(env!("CARGO_MANIFEST_DIR"), "/../../flows/stripe-to-epic.yaml");
    let (good, told) = run(&folder("shipped-flow"), &["flow", "test", flow]);
    assert!(good && !told.contains("FAILED"), "{told}");
}

#[test]
fn the_example_configuration_can_be_used_as_it_is() {
    let folder = configured("example", "");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../suture.example.toml");
    std::fs::copy(example, folder.join("suture.toml")).expect("the target folder can be written");
    let (good, told) = run(&folder, &["init", "--name", "Clinic"]);
    assert!(good && told.contains("suture_"), "{told}");
    let (good, told) = run(&folder, &["init", "--name", "Clinic"]);
    assert!(!good && told.contains("--another"), "{told}");
}

#[test]
fn an_endpoint_is_made_from_the_command_line_and_its_secret_is_told_once() {
    let folder = configured("endpoints", "");
    assert!(run(&folder, &["init", "--name", "Clinic"]).0);
    let add = ["endpoints", "--json", "add", "http://127.0.0.1:9/hook", "--event", "payment.*"];
    let (good, told) = run(&folder, &add);
    assert!(good && told.contains("whsec_") && told.contains("payment.*"), "{told}");
    let (good, told) = run(&folder, &["endpoints", "--json", "list"]);
    assert!(good && told.contains("whk_") && !told.contains("whsec_"), "{told}");
    let (good, told) = run(&folder, &["endpoints", "add", "http://127.0.0.1:9/hook", "--event", "payment.x"]);
    assert!(!good && told.contains("is not an event type"), "{told}");
}

#[test]
fn a_server_starts_answers_and_stops_when_it_is_asked_to() {
    let folder = configured("serve", "log = \"json\"");
    assert!(run(&folder, &["init", "--name", "Clinic"]).0);
    let mut server = suture(&folder, &["serve"]).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut log = BufReader::new(server.stderr.take().expect("it was piped")).lines();
    let line = log.by_ref().map_while(Result::ok).find(|line| line.contains("listening on"));
    let line = line.expect("it says where it listens");
    let address =
        line.split("listening on ").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = format!("GET /ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let asked = Command::new("kill").args(["-TERM", &server.id().to_string()]).status();
    assert!(asked.expect("there is a kill").success());
    assert!(log.map_while(Result::ok).any(|line| line.contains("stopped")));
    assert!(server.wait().expect("it ends").success());
}

#[test]
fn a_remittance_is_taken_in_and_shown_from_the_database() {
    let folder = configured("remittances", "");
    assert!(run(&folder, &["init", "--name", "Clinic"]).0);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../connect/tests/fixtures/x12/2c-exact.835");
    let (good, told) = run(&folder, &["remittances", "import", "--json", file]);
    assert!(good && told.contains("rem_") && told.contains("\"claims\":1"), "{told}");
    let id = told.split('"').find(|part| part.starts_with("rem_")).expect("an id").to_owned();
    let (good, told) = run(&folder, &["remittances", "show", &id]);
    assert!(good && told.contains("CLM-2C") && !told.contains("SAMPLE"), "{told}");
    let (good, told) = run(&folder, &["remittances", "import", file]);
    assert!(!good && told.contains(&id), "a file that came before is named: {told}");
    for listing in [&["services", "settling"][..], &["credits"]] {
        let (good, told) = run(&folder, listing);
        assert!(good && told.contains("Nothing here."), "{told}");
    }
    let (good, told) = run(&folder, &["patients", "statement", "Ann"]);
    assert!(!good && told.contains("no such patient"), "{told}");
}

#[test]
fn a_remittance_is_taken_in_through_a_running_server() {
    let folder = configured("remittances-served", "log = \"json\"");
    let (_, told) = run(&folder, &["init", "--name", "Clinic"]);
    let key = told.split_whitespace().find(|word| word.starts_with("suture_")).expect("a key").to_owned();
    let mut server = suture(&folder, &["serve"]).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut log = BufReader::new(server.stderr.take().expect("it was piped")).lines();
    let line = log.by_ref().map_while(Result::ok).find(|line| line.contains("listening on"));
    let line = line.expect("it says where it listens");
    let address =
        line.split("listening on ").nth(1).and_then(|rest| rest.split('"').next()).expect("an address");
    let server_at = format!("http://{address}");
    let ask = |arguments: &[&str]| {
        let there = ["--server", &server_at, "--key", "env:DESK_KEY", "--json"];
        let all: Vec<&str> = arguments.iter().chain(&there).copied().collect();
        let output = suture(&folder, &all).env("DESK_KEY", &key).output().expect("the binary starts");
        let told =
            [String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)].concat();
        (output.status.success(), told)
    };
    let file =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../connect/tests/fixtures/x12/2d-denial-contractual.835");
    let imported = ask(&["remittances", "import", file]);
    let again = ask(&["remittances", "import", file]);
    let settling = ask(&["services", "settling"]);
    let credits = ask(&["credits"]);
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    assert!(imported.0 && imported.1.contains("rem_"), "{}", imported.1);
    assert!(!again.0 && again.1.contains("came before"), "{}", again.1);
    assert!(settling.0 && credits.0, "{} {}", settling.1, credits.1);
}

#[test]
fn the_demo_tells_its_story_to_a_good_end() {
    let (good, told) = run(&folder("demo"), &["demo", "--once"]);
    assert!(good && told.contains("expectations held."), "{told}");
}

#[test]
fn the_demo_tells_a_patient_s_bill_to_a_good_end() {
    let (good, told) = run(&folder("demo-billing"), &["demo", "billing", "--once"]);
    assert!(good && told.contains("expectations held."), "{told}");
}

#[test]
fn the_demo_tells_a_shop_s_orders_to_a_good_end() {
    let (good, told) = run(&folder("demo-orders"), &["demo", "order-to-cash", "--once"]);
    assert!(good && told.contains("expectations held."), "{told}");
}
