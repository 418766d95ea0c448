//! The invoice of a service: what the patient owes, what the estimates paid, and the difference, mirrored at the gateway
//! when one makes invoices.
//!
//! It moves no money: payments do. It follows its service and what the gateway says of the mirrored invoice, and it is
//! `paid` only together with its service's completion (FEATURES M144, M145).

use serde::{Deserialize, Serialize};

use crate::id::{InvoiceId, PatientId, ServiceId};
use crate::money::Money;
use crate::refusal::Refusal;

/// Where an invoice stands (FLOWS §0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can still change.
    Draft,
    /// It is final.
    Finalized,
    /// The patient has it.
    Sent,
    /// A part is paid.
    PartPaid,
    /// It is paid.
    Paid,
    /// The patient has paid more than is owed: a refund is due or on its way.
    CreditDue,
    /// It was taken back.
    Voided,
    /// It was given up.
    Uncollectible,
}

impl Status {
    /// The status as written in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Finalized => "finalized",
            Self::Sent => "sent",
            Self::PartPaid => "part_paid",
            Self::Paid => "paid",
            Self::CreditDue => "credit_due",
            Self::Voided => "voided",
            Self::Uncollectible => "uncollectible",
        }
    }

    /// Whether it has ended: it is never opened again silently (FLOWS 5f).
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Voided | Self::Uncollectible)
    }
}

/// One line, as the patient reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// `patient_responsibility`, `estimate_paid`, `paid_elsewhere`, `written_off`.
    pub what: String,
    /// How much; negative for what reduces the balance.
    pub amount: Money,
}

/// A credit note: the gateway's correction of an invoice that is over more than is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreditNote {
    /// Counts the notes of this invoice; part of the frozen key.
    pub number: u32,
    /// The gateway's invoice that it corrects.
    pub gateway_invoice: String,
    /// How much.
    pub amount: Money,
    /// The gateway's refunds that returned a part of it, in minor units.
    pub refunds: Vec<(String, i64)>,
    /// What was returned outside of the gateway, or was never paid there, in minor units.
    pub out_of_band_minor: i64,
    /// The gateway's note, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_note: Option<String>,
}

/// What happened to an invoice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It was made.
    Created {
        /// Its id.
        invoice: InvoiceId,
        /// The service.
        service: ServiceId,
        /// Whose.
        patient: PatientId,
        /// The link token.
        link: String,
        /// The connection whose gateway mirrors it.
        connection: Option<String>,
        /// Its lines.
        lines: Vec<Line>,
        /// Their sum: positive, the patient owes it.
        balance: Money,
    },
    /// Its lines changed with the service.
    Revised {
        /// Its lines.
        lines: Vec<Line>,
        /// Their sum.
        balance: Money,
    },
    /// The gateway has it.
    Mirrored {
        /// The gateway's invoice.
        gateway_invoice: String,
    },
    /// The gateway has a further one, over what is owed beside the first: a final invoice never changes.
    MirroredAgain {
        /// The gateway's invoice.
        gateway_invoice: String,
    },
    /// A credit note is going to be made at the gateway.
    CreditPlanned {
        /// The note.
        note: CreditNote,
    },
    /// A credit note was made at the gateway.
    Credited {
        /// Which.
        number: u32,
        /// The gateway's note.
        gateway_note: String,
    },
    /// It moved on.
    Moved {
        /// Where to.
        to: Status,
    },
    /// A document was kept.
    Archived {
        /// `invoice` or `receipt`.
        what: String,
        /// SHA-256 of its bytes, 64 hexadecimal digits.
        hash: String,
    },
}

impl Event {
    /// The event's type in the journal.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Created { .. } => "invoice.created",
            Self::Revised { .. } => "invoice.revised",
            Self::Mirrored { .. } => "invoice.mirrored",
            Self::MirroredAgain { .. } => "invoice.mirrored_again",
            Self::CreditPlanned { .. } => "invoice.credit_planned",
            Self::Credited { .. } => "invoice.credited",
            Self::Moved { to } => match to {
                Status::Draft => "invoice.draft",
                Status::Finalized => "invoice.finalized",
                Status::Sent => "invoice.sent",
                Status::PartPaid => "invoice.part_paid",
                Status::Paid => "invoice.paid",
                Status::CreditDue => "invoice.credit_due",
                Status::Voided => "invoice.voided",
                Status::Uncollectible => "invoice.uncollectible",
            },
            Self::Archived { .. } => "invoice.archived",
        }
    }
}

/// An invoice as known now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// The service.
    pub service: ServiceId,
    /// Whose.
    pub patient: PatientId,
    /// The link token.
    pub link: String,
    /// The connection whose gateway mirrors it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Their sum: positive, the patient owes it.
    pub balance: Money,
    /// The gateway's invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_invoice: Option<String>,
    /// The gateway's further invoices, over what became owed after the first was final.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further: Vec<String>,
    /// Credit notes at the gateway, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credit_notes: Vec<CreditNote>,
    /// Where it stands.
    pub status: Status,
    /// Documents that were kept: what, and the SHA-256 of its bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<(String, String)>,
}

/// An order to an invoice.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Make it.
    Create {
        /// Its id.
        invoice: InvoiceId,
        /// The service.
        service: ServiceId,
        /// Whose.
        patient: PatientId,
        /// The link token.
        link: String,
        /// The connection whose gateway mirrors it.
        connection: Option<String>,
        /// Its lines.
        lines: Vec<Line>,
    },
    /// Take in how the service stands now.
    Revise {
        /// Its lines.
        lines: Vec<Line>,
        /// Paid on the balance, in minor units.
        paid_minor: i64,
        /// Whether the service is completed: then, and only then, the invoice is paid.
        completed: bool,
    },
    /// The gateway has it.
    Mirror {
        /// The gateway's invoice.
        gateway_invoice: String,
    },
    /// The gateway has a further one.
    MirrorAgain {
        /// The gateway's invoice.
        gateway_invoice: String,
    },
    /// Freeze a credit note before the gateway is asked for it.
    PlanCredit {
        /// The note.
        note: CreditNote,
    },
    /// The gateway made a credit note.
    Credit {
        /// Which.
        number: u32,
        /// The gateway's note.
        gateway_note: String,
    },
    /// It is final.
    Finalize,
    /// The patient has it.
    Send,
    /// It was taken back, here or at the gateway.
    Void,
    /// It was given up, here or at the gateway.
    GiveUp,
    /// A document was kept.
    Archive {
        /// `invoice` or `receipt`.
        what: String,
        /// SHA-256 of its bytes.
        hash: String,
    },
}

impl Invoice {
    /// The credit note that is planned and not known to be made.
    #[must_use]
    pub fn planned_credit(&self) -> Option<&CreditNote> {
        self.credit_notes.iter().find(|note| note.gateway_note.is_none())
    }

    /// How much of a gateway's refund credit notes name already, in minor units.
    #[must_use]
    pub fn linked_minor(&self, refund: &str) -> i64 {
        let linked = self.credit_notes.iter().flat_map(|note| &note.refunds);
        linked.filter(|(known, _)| known == refund).map(|(_, minor)| minor).sum()
    }

    /// Applies an event. Total.
    #[must_use]
    pub fn evolve(state: Option<Self>, event: &Event) -> Option<Self> {
        match (state, event) {
            (None, Event::Created { invoice, service, patient, link, connection, lines, balance }) => {
                Some(Self {
                    id: *invoice,
                    service: *service,
                    patient: *patient,
                    link: link.clone(),
                    connection: connection.clone(),
                    lines: lines.clone(),
                    balance: *balance,
                    gateway_invoice: None,
                    further: Vec::new(),
                    credit_notes: Vec::new(),
                    status: Status::Draft,
                    documents: Vec::new(),
                })
            }
            (None, _) => None,
            (Some(mut invoice), event) => {
                match event {
                    Event::Created { .. } => {}
                    Event::Revised { lines, balance } => {
                        invoice.lines.clone_from(lines);
                        invoice.balance = *balance;
                    }
                    Event::Mirrored { gateway_invoice } => {
                        invoice.gateway_invoice = Some(gateway_invoice.clone());
                    }
                    Event::MirroredAgain { gateway_invoice } => invoice.further.push(gateway_invoice.clone()),
                    Event::CreditPlanned { note } => invoice.credit_notes.push(note.clone()),
                    Event::Credited { number, gateway_note } => {
                        let notes = invoice.credit_notes.iter_mut();
                        notes
                            .filter(|note| note.number == *number)
                            .for_each(|note| note.gateway_note = Some(gateway_note.clone()));
                    }
                    Event::Moved { to } => invoice.status = *to,
                    Event::Archived { what, hash } => invoice.documents.push((what.clone(), hash.clone())),
                }
                Some(invoice)
            }
        }
    }
}

/// Decides what follows from a command. Changes nothing.
///
/// # Errors
/// A [`Refusal`] that says what did not happen and what to do.
pub fn decide(state: Option<&Invoice>, command: &Command) -> Result<Vec<Event>, Refusal> {
    let invoice = match (state, command) {
        (None, Command::Create { invoice, service, patient, link, connection, lines }) => {
            return Ok(vec![Event::Created {
                invoice: *invoice,
                service: *service,
                patient: *patient,
                link: link.clone(),
                connection: connection.clone(),
                lines: lines.clone(),
                balance: sum(lines)?,
            }]);
        }
        (None, _) => {
            return Err(Refusal::state("invoice_missing", "There is no such invoice; nothing was changed."));
        }
        (Some(_), Command::Create { .. }) => {
            return Err(Refusal::state(
                "invoice_exists",
                "This invoice exists already; nothing was changed.",
            ));
        }
        (Some(invoice), _) => invoice,
    };
    match command {
        Command::Create { .. } => Ok(Vec::new()),
        Command::Revise { lines, paid_minor, completed } => revise(invoice, lines, *paid_minor, *completed),
        Command::Mirror { gateway_invoice } => match &invoice.gateway_invoice {
            Some(known) if known == gateway_invoice => Ok(Vec::new()),
            Some(known) => Err(Refusal::state(
                "invoice_mirrored",
                format!("Nothing was changed: the invoice is {known} at the gateway."),
            )),
            None => Ok(vec![Event::Mirrored { gateway_invoice: gateway_invoice.clone() }]),
        },
        Command::MirrorAgain { gateway_invoice } => Ok(match invoice.further.contains(gateway_invoice) {
            true => Vec::new(),
            false => vec![Event::MirroredAgain { gateway_invoice: gateway_invoice.clone() }],
        }),
        // One note after the other: the next one is computed from what this one left.
        Command::PlanCredit { note } => Ok(match invoice.planned_credit() {
            Some(_) => Vec::new(),
            None => vec![Event::CreditPlanned { note: note.clone() }],
        }),
        Command::Credit { number, gateway_note } => {
            let open = invoice.planned_credit().filter(|note| note.number == *number);
            let made =
                open.map(|note| Event::Credited { number: note.number, gateway_note: gateway_note.clone() });
            Ok(made.into_iter().collect())
        }
        Command::Finalize => Ok(match invoice.status {
            Status::Draft => vec![Event::Moved { to: Status::Finalized }],
            _ => Vec::new(),
        }),
        Command::Send => match invoice.status {
            Status::Draft | Status::Finalized => Ok(vec![Event::Moved { to: Status::Sent }]),
            status if status.is_ended() => Err(ended(status)),
            _ => Ok(Vec::new()),
        },
        Command::Void => end(invoice, Status::Voided),
        Command::GiveUp => end(invoice, Status::Uncollectible),
        Command::Archive { what, hash } => {
            let document = (what.clone(), hash.clone());
            Ok(match invoice.documents.contains(&document) {
                true => Vec::new(),
                false => vec![Event::Archived { what: document.0, hash: document.1 }],
            })
        }
    }
}

fn sum(lines: &[Line]) -> Result<Money, Refusal> {
    let refused = || {
        Refusal::invalid(
            "lines_invalid",
            "No invoice was made. Give at least one line; all amounts must be in one currency and fit 64 bits.",
        )
    };
    let currency = lines.first().map(|line| line.amount.currency).ok_or_else(refused)?;
    lines.iter().try_fold(Money::zero(currency), |sum, line| sum.plus(line.amount)).map_err(|_| refused())
}

fn revise(
    invoice: &Invoice,
    lines: &[Line],
    paid_minor: i64,
    completed: bool,
) -> Result<Vec<Event>, Refusal> {
    if invoice.status.is_ended() {
        return Ok(Vec::new());
    }
    let mut events = Vec::new();
    let balance = sum(lines)?;
    if lines != invoice.lines {
        events.push(Event::Revised { lines: lines.to_vec(), balance });
    }
    let to = if completed {
        Status::Paid
    } else if balance.minor < 0 {
        Status::CreditDue
    } else if paid_minor > 0 && balance.minor > 0 {
        Status::PartPaid
    } else if matches!(invoice.status, Status::Paid | Status::CreditDue | Status::PartPaid) {
        Status::Finalized
    } else {
        invoice.status
    };
    if to != invoice.status {
        events.push(Event::Moved { to });
    }
    Ok(events)
}

fn end(invoice: &Invoice, to: Status) -> Result<Vec<Event>, Refusal> {
    match invoice.status {
        status if status == to => Ok(Vec::new()),
        // The gateway lets an invoice that was given up be voided later.
        Status::Uncollectible if to == Status::Voided => Ok(vec![Event::Moved { to }]),
        status if status.is_ended() => Err(ended(status)),
        Status::Paid => Err(Refusal::state(
            "not_allowed_now",
            "Nothing was changed: the invoice is paid. Refund the payment instead.",
        )),
        _ => Ok(vec![Event::Moved { to }]),
    }
}

fn ended(status: Status) -> Refusal {
    Refusal::state(
        "not_allowed_now",
        format!("Nothing was changed: the invoice is {}, and is not opened again.", status.name()),
    )
}

#[cfg(test)]
mod tests;
