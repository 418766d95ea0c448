//! Journals, and what posting wrote into the general ledger: their columns (EPICOR.md §6 and §7).
//!
//! Read by `schema` only.

use super::column::{CHANGED, COMPANY, REVISION, ROW_ID, flag, kept, moment, money, text, whole};
use crate::epicor::schema::{Id, Table};

pub(in crate::epicor) static GL_JRN_GRP: Table = Table {
    id: Id::GlJrnGrp,
    name: "GLJrnGrp",
    keys: &["Company", "GroupID"],
    indexed: &[],
    columns: &[
        COMPANY,
        text("GroupID", 1_000),
        text("BookID", 12),
        moment("JEDate"),
        kept(whole("FiscalYear")),
        kept(whole("FiscalPeriod")),
        kept(text("ActiveUserID", 75)),
        CHANGED,
        REVISION,
        ROW_ID,
    ],
    children: &[],
};

pub(in crate::epicor) static GL_JRN_HED: Table = Table {
    id: Id::GlJrnHed,
    name: "GLJrnHed",
    keys: &["Company", "JournalNum"],
    indexed: &["GroupID", "Description", "ExternalID"],
    columns: &[
        COMPANY,
        kept(whole("JournalNum")),
        text("GroupID", 1_000),
        text("BookID", 12),
        text("JournalCode", 4),
        text("CurrencyCode", 4),
        text("Description", 30),
        text("ExternalID", 20),
        moment("JEDate"),
        kept(whole("FiscalYear")),
        kept(whole("FiscalPeriod")),
        kept(money("TotDebit")),
        kept(money("TotCredit")),
        kept(flag("Posted")),
        CHANGED,
        REVISION,
        ROW_ID,
    ],
    children: &[("GLJrnDtlMnls", Id::GlJrnDtlMnl)],
};

pub(in crate::epicor) static GL_JRN_DTL_MNL: Table = Table {
    id: Id::GlJrnDtlMnl,
    name: "GLJrnDtlMnl",
    keys: &["Company", "JournalNum", "JournalLine"],
    indexed: &[],
    columns: &[
        COMPANY,
        whole("JournalNum"),
        kept(whole("JournalLine")),
        text("Description", 30),
        text("GLAccount", 200),
        text("SegValue1", 50),
        text("SegValue2", 50),
        money("DebitAmount"),
        money("CreditAmount"),
        money("TransAmt"),
        CHANGED,
        REVISION,
        ROW_ID,
    ],
    children: &[],
};

/// What posting wrote into the general ledger. No entity set shows it; the judge reads it.
pub(in crate::epicor) static GL_JRN_DTL: Table = Table {
    id: Id::GlJrnDtl,
    name: "GLJrnDtl",
    keys: &["Company", "GLJrnDtlNum"],
    indexed: &["GLAccount"],
    columns: &[
        COMPANY,
        kept(whole("GLJrnDtlNum")),
        kept(text("GLAccount", 200)),
        kept(moment("JEDate")),
        kept(money("DebitAmount")),
        kept(money("CreditAmount")),
        kept(text("Source", 20)),
        kept(whole("SourceNum")),
        kept(whole("CustNum")),
        CHANGED,
        REVISION,
        ROW_ID,
    ],
    children: &[],
};
