//! Gateway payouts, their lines, exceptions, and what a bank's files hold, as JSON.

use serde::Serialize;
use suture_core::settlement::Settlement;
use suture_engine::reconcile::{Document, Exception, Imported, Kept, KeptLine, Stored};
use utoipa::ToSchema;

use crate::bodies::{Money, time, word};

/// A payout of a gateway to the bank.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayPayout)]
pub(super) struct SettlementBody {
    id: String,
    connection: String,
    gateway: String,
    /// The gateway's id.
    payout: String,
    /// What goes to the bank; negative when the gateway takes it from there.
    amount: Money,
    created_on: String,
    /// When the bank should have it.
    arrives_on: String,
    /// Where the gateway says that it stands: `pending`, `in_transit`, `paid`, `canceled`, `failed`.
    standing: String,
    /// `open`, `exception`, `matched`, `returned`, `failed`, `closed`.
    status: &'static str,
    /// The bank's reference.
    trace: Option<String>,
    /// Why it failed, as the gateway says.
    failure: Option<String>,
    /// How many lines it has; absent until they are known.
    lines: Option<i64>,
    /// How many of them facts of the books explain.
    matched: i64,
    /// The remainder in words: `explained 100 %`, or what is unexplained.
    remainder: String,
    /// What is not explained, as it changed the gateway's balance.
    unexplained: Money,
    /// What is on its way to the bank; negative on its way back.
    in_transit: Money,
    /// Lines of the bank that belong to it.
    bank_lines: Vec<String>,
    /// Lines that nothing explains.
    exceptions: Vec<OpenBody>,
}

/// A payout with a page of its lines.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayPayoutWithLines)]
pub(super) struct SettlementPage {
    #[serde(flatten)]
    pub(super) payout: SettlementBody,
    /// Its lines in the order of their ids.
    pub(super) items: Vec<LineBody>,
    /// The cursor of the next page of lines; `null` on the last.
    #[schema(required = true)]
    pub(super) next: Option<String>,
}

/// A line of a payout that nothing explains.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenLine)]
pub(super) struct OpenBody {
    /// The gateway's id of the line.
    id: String,
    /// The line in words.
    label: String,
    amount: Money,
    /// Who looks after it.
    owner: Option<String>,
}

/// A line of a payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GatewayLine)]
pub(super) struct LineBody {
    /// The gateway's id.
    id: String,
    /// `charge`, `refund`, `dispute`, `transfer`, `payout`, `fee`, `other`.
    class: String,
    /// The gateway's word for it.
    kind: String,
    /// What it speaks of, by the gateway's id.
    source: Option<String>,
    /// Before fees.
    gross: Money,
    fee: Money,
    on: String,
    /// `matched`, `booked` or `exception`.
    state: String,
    /// Keys of the ledger's entries that explain it.
    facts: Vec<String>,
    /// What no entry explains.
    left: Money,
}

/// An exception that is open.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReconciliationException)]
pub(super) struct ExceptionBody {
    /// The gateway's id of the line.
    pub(super) id: String,
    /// Our id of the payout, which is named when it is assigned or resolved.
    payout: String,
    /// The line in words.
    label: String,
    amount: Money,
    opened_at: String,
    /// Who looks after it.
    owner: Option<String>,
}

/// A statement of a bank.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BankStatement)]
pub(super) struct StatementBody {
    /// Its fingerprint: the same statement is taken in once.
    id: String,
    /// The account, as a hash and its last four signs.
    account: String,
    format: String,
    /// What the file proved by itself: `totals`, `closing_only`, `none`.
    proof: String,
    opening: Option<Money>,
    closing: Option<Money>,
    closes_on: Option<String>,
    lines: i64,
    /// Of those, lines that another file had shown; they count once.
    repeated: i64,
    imported_by: String,
    imported_at: String,
}

/// A statement that was taken in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportedStatement)]
pub(super) struct ImportedBody {
    statement: StatementBody,
    /// It was taken in before; nothing was changed.
    known: bool,
}

/// A line of a bank.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankLine)]
pub(super) struct BankLineBody {
    /// Its id in the account.
    id: String,
    /// The account, as a hash and its last four signs.
    account: String,
    day: String,
    /// Money in is positive.
    amount: Money,
    /// What the bank wrote. Personal: looking is logged.
    descriptor: String,
    /// The bank's reference. Personal: looking is logged.
    reference: Option<String>,
    /// `open`, `matched` or `resolved`.
    state: String,
    /// Our ids of the gateway payouts that it belongs to.
    payouts: Vec<String>,
    /// Who resolved it.
    owner: Option<String>,
    /// The reason that was given.
    note: Option<String>,
}

/// A journal that balances.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Journal)]
pub(super) struct JournalBody {
    /// `day` or `payout`.
    kind: &'static str,
    /// The day, or the gateway's id of the payout.
    of: String,
    entries: Vec<JournalLineBody>,
    /// Entries that belong to an earlier day, which was locked when they came.
    moved: Vec<MovedBody>,
}

/// One line of a journal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JournalLine)]
pub(super) struct JournalLineBody {
    /// The practitioner's id of the care, or `general`.
    department: String,
    /// The account; in a payout's journal the kind of line.
    account: String,
    /// Debit positive, credit negative.
    amount: Money,
    /// Of how many lines.
    lines: i64,
}

/// An entry in a later day than its own.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MovedEntry)]
pub(super) struct MovedBody {
    entry: String,
    /// Its own day.
    day: String,
}

impl From<&Settlement> for SettlementBody {
    fn from(state: &Settlement) -> Self {
        let heard = &state.heard;
        let open = state.exceptions.iter().map(|(id, open)| OpenBody {
            id: id.clone(),
            label: open.label.clone(),
            amount: open.amount.into(),
            owner: open.owner.clone(),
        });
        Self {
            id: heard.settlement.to_string(),
            connection: heard.connection.clone(),
            gateway: heard.gateway.clone(),
            payout: heard.payout.clone(),
            amount: heard.amount.into(),
            created_on: heard.created_on.to_string(),
            arrives_on: heard.arrives_on.to_string(),
            standing: word(&state.standing),
            status: state.status().name(),
            trace: state.trace.clone(),
            failure: state.failure.clone(),
            lines: state.lines,
            matched: state.matched,
            remainder: state.remainder(),
            unexplained: state.unexplained().into(),
            in_transit: state.transit().into(),
            bank_lines: state.bank_lines.clone(),
            exceptions: open.collect(),
        }
    }
}

impl From<Stored> for LineBody {
    fn from(stored: Stored) -> Self {
        let line = stored.line;
        let left = suture_core::money::Money::new(stored.left_minor, line.gross.currency);
        Self {
            id: line.transaction,
            class: word(&line.class),
            kind: line.kind,
            source: line.source,
            gross: line.gross.into(),
            fee: line.fee.into(),
            on: line.on.to_string(),
            state: stored.state,
            facts: stored.facts,
            left: left.into(),
        }
    }
}

impl From<Exception> for ExceptionBody {
    fn from(one: Exception) -> Self {
        Self {
            id: one.id,
            payout: one.settlement,
            label: one.label,
            amount: one.amount.into(),
            opened_at: time(one.opened_at),
            owner: one.owner,
        }
    }
}

impl From<Kept> for StatementBody {
    fn from(kept: Kept) -> Self {
        let money = |minor: Option<i64>| {
            minor.map(|minor| Money { minor, currency: kept.currency.code().to_owned() })
        };
        Self {
            opening: money(kept.opening_minor),
            closing: money(kept.closing_minor),
            id: kept.id,
            account: kept.account,
            format: kept.format,
            proof: kept.proof,
            closes_on: kept.closes_on,
            lines: kept.lines,
            repeated: kept.repeated,
            imported_by: kept.imported_by,
            imported_at: time(kept.imported_at),
        }
    }
}

impl From<Imported> for ImportedBody {
    fn from(imported: Imported) -> Self {
        Self { statement: imported.statement.into(), known: imported.known }
    }
}

impl From<KeptLine> for BankLineBody {
    fn from(line: KeptLine) -> Self {
        Self {
            id: line.id,
            account: line.account,
            day: line.day.to_string(),
            amount: line.amount.into(),
            descriptor: line.words.descriptor.expose().clone(),
            reference: line.words.reference.map(|reference| reference.expose().clone()),
            state: line.state,
            payouts: line.settlements,
            owner: line.owner,
            note: line.note,
        }
    }
}

impl From<Document> for JournalBody {
    fn from(document: Document) -> Self {
        let entries = document.entries.into_iter().map(|entry| JournalLineBody {
            department: entry.department,
            account: entry.account,
            amount: entry.amount.into(),
            lines: entry.lines,
        });
        let moved = document.moved.into_iter().map(|(entry, day)| MovedBody { entry, day });
        Self { kind: document.kind, of: document.of, entries: entries.collect(), moved: moved.collect() }
    }
}
