//! `suture appointments`: list a calendar; book, pay, move, cancel and begin appointments.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::desk::segment;
use super::served::{Query, Served, all, post};
use crate::failure::Failure;
use crate::remote::Remote;
use crate::system;

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    at: Served,
    #[command(subcommand)]
    command: Command,
}

/// When a visit begins: a moment, or a date and a time on a wall.
#[derive(Args)]
struct Start {
    /// The moment, such as 2026-11-21T15:30:00Z
    #[arg(long, required_unless_present = "date", conflicts_with = "date")]
    at: Option<String>,
    /// The day, such as 2026-11-21
    #[arg(long, requires_all = ["time", "zone"])]
    date: Option<String>,
    /// The time of the day, such as 09:30
    #[arg(long)]
    time: Option<String>,
    /// The zone of date and time, such as America/Chicago
    #[arg(long)]
    zone: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// List appointments in order of their beginnings
    List {
        /// Only of this provider
        #[arg(long, conflicts_with = "patient")]
        provider: Option<String>,
        /// Only of this patient
        #[arg(long)]
        patient: Option<String>,
        /// Only of this day, such as 2026-11-21
        #[arg(long)]
        day: Option<String>,
        /// The zone of the day
        #[arg(long)]
        zone: Option<String>,
        /// Only those that stand there, such as at_risk
        #[arg(long)]
        status: Option<String>,
    },
    /// Show one whole
    Show {
        /// Its id
        id: String,
    },
    /// Hold a slot; a visit without a deposit is booked at once
    Book {
        /// The patient, pat_…
        #[arg(long)]
        patient: String,
        /// The provider, prv_…
        #[arg(long)]
        provider: String,
        /// The type of visit, vty_…
        #[arg(long)]
        visit_type: String,
        #[command(flatten)]
        start: Start,
        /// The answered coverage check, elg_…
        #[arg(long)]
        eligibility: Option<String>,
    },
    /// Take what is due
    Pay {
        /// Its id
        id: String,
        /// The gateway's method; the one on file when absent and off session
        #[arg(long)]
        method: Option<String>,
        /// The payer is not present: a consent must allow it
        #[arg(long)]
        off_session: bool,
    },
    /// Take an offer of the waiting list that costs nothing now
    Accept {
        /// Its id
        id: String,
    },
    /// Cancel it
    Cancel {
        /// Its id
        id: String,
        /// Who: patient, provider or clinic
        #[arg(long, default_value = "patient")]
        by: String,
        /// Why, as a code
        #[arg(long, default_value = "patient_request")]
        reason: String,
        /// Who waives the fee
        #[arg(long)]
        waived_by: Option<String>,
        /// Only say what it would cost
        #[arg(long)]
        preview: bool,
    },
    /// Move it to another time
    Move {
        /// Its id
        id: String,
        #[command(flatten)]
        start: Start,
        /// Who: patient, provider or clinic
        #[arg(long, default_value = "patient")]
        by: String,
        /// Why, as a code
        #[arg(long, default_value = "patient_request")]
        reason: String,
    },
    /// Say that the patient is here
    Arrive {
        /// Its id
        id: String,
    },
    /// Say that the patient did not come
    NoShow {
        /// Its id
        id: String,
        /// Only say what it would cost
        #[arg(long)]
        preview: bool,
    },
    /// See the patient although a payment failed
    Override {
        /// Its id
        id: String,
        /// Who
        #[arg(long)]
        by: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
    /// Never release it for money, or take that back
    Emergency {
        /// Its id
        id: String,
        /// Take it back
        #[arg(long)]
        end: bool,
        /// Who
        #[arg(long)]
        by: String,
        /// Why, as a code
        #[arg(long)]
        reason: String,
    },
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    system::runtime()?.block_on(async {
        let (at, remote) = (&arguments.at, arguments.at.remote()?);
        match &arguments.command {
            Command::List { .. } => {
                let rows = all(&remote, &listed(&arguments.command)).await?;
                at.print(&rows, &["startsAt", "id", "patient", "provider", "visitType", "status"]);
            }
            Command::Show { id } => at.print_whole(&remote.get(&path(id, "?purpose=command_line")).await?),
            command => told(at, &act(&remote, command).await?),
        }
        Ok(ExitCode::SUCCESS)
    })
}

fn listed(command: &Command) -> String {
    let Command::List { provider, patient, day, zone, status } = command else { return String::new() };
    Query::default()
        .with("purpose", Some(&"command_line".to_owned()))
        .with("provider", provider.as_ref())
        .with("patient", patient.as_ref())
        .with("day", day.as_ref())
        .with("zone", zone.as_ref())
        .with("status", status.as_ref())
        .on("/v1/appointments")
}

fn path(id: &str, rest: &str) -> String {
    format!("/v1/appointments/{}{rest}", segment(id))
}

/// Adds the beginning to a body.
fn starting(mut body: Value, start: &Start) -> Value {
    match &start.at {
        Some(at) => body["startsAt"] = json!(at),
        None => body["local"] = json!({ "date": start.date, "time": start.time, "zone": start.zone }),
    }
    body
}

async fn act(remote: &Remote, command: &Command) -> Result<Value, Failure> {
    match command {
        Command::Book { patient, provider, visit_type, start, eligibility } => {
            let body = json!({
                "patient": patient, "provider": provider, "visitType": visit_type, "eligibility": eligibility,
            });
            post(remote, "/v1/appointments", &starting(body, start)).await
        }
        Command::Pay { id, method, off_session } => {
            let how = json!({ "method": method, "offSession": off_session });
            Ok(post(remote, &path(id, "/pay"), &how).await?["appointment"].clone())
        }
        Command::Cancel { id, by, reason, preview: true, .. } => {
            let query = Query::default().with("by", Some(by)).with("reason", Some(reason));
            remote.get(&query.on(&path(id, "/cancel/preview"))).await
        }
        Command::Cancel { id, by, reason, waived_by, preview: false } => {
            let ending = json!({ "by": by, "reason": reason, "waivedBy": waived_by });
            post(remote, &path(id, "/cancel"), &ending).await
        }
        Command::Move { id, start, by, reason } => {
            let body = starting(json!({ "by": by, "reason": reason }), start);
            post(remote, &path(id, "/move"), &body).await
        }
        Command::NoShow { id, preview: true } => remote.get(&path(id, "/no-show/preview")).await,
        Command::NoShow { id, preview: false } => post(remote, &path(id, "/no-show"), &json!({})).await,
        Command::Arrive { id } => post(remote, &path(id, "/arrive"), &json!({})).await,
        Command::Accept { id } => post(remote, &path(id, "/accept"), &json!({})).await,
        Command::Override { id, by, reason } => {
            post(remote, &path(id, "/override"), &json!({ "by": by, "reason": reason })).await
        }
        Command::Emergency { id, end, by, reason } => {
            let mark = json!({ "emergency": !end, "by": by, "reason": reason });
            post(remote, &path(id, "/emergency"), &mark).await
        }
        Command::List { .. } | Command::Show { .. } => Ok(Value::Null),
    }
}

/// One line of an appointment, or the verdict of a preview.
fn told(at: &Served, answer: &Value) {
    match answer.get("verdict") {
        Some(verdict) => at.print(std::slice::from_ref(verdict), &["rule", "fee", "refund", "charge"]),
        None => at.print(
            std::slice::from_ref(answer),
            &["id", "startsAt", "status", "standing", "due", "heldUntil", "actions"],
        ),
    }
}
