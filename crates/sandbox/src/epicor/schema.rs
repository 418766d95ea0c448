//! Tables, their columns, keys and indexes, and what reads a column.
//!
//! Used by the store, OData and the rules. Source: EPICOR.md §1 and §7. What must stay true: names are
//! Epicor's names in Epicor's case; a column that is `kept` is set by the server only, whatever a client sends.

use super::tables;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    Whole,
    /// A decimal with at most two places.
    Money,
    /// A decimal with at most five places.
    Number,
    Flag,
    Moment,
    Guid,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Set by the server only.
    pub(super) kept: bool,
}

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) id: Id,
    pub(super) name: &'static str,
    pub(super) keys: &'static [&'static str],
    /// Columns that are looked up by value, beside the keys and the user-defined columns.
    pub(super) indexed: &'static [&'static str],
    pub(super) columns: &'static [Column],
    /// Child tables in the same service, by the name of their set.
    pub(super) children: &'static [(&'static str, Id)],
}

/// Which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Customer,
    ShipTo,
    Part,
    OrderHed,
    OrderDtl,
    OrderRel,
    InvcGrp,
    InvcHead,
    InvcDtl,
    CashGrp,
    CashHead,
    CashDtl,
    GlJrnGrp,
    GlJrnHed,
    GlJrnDtlMnl,
    GlJrnDtl,
}

/// All tables, parents before children.
pub(super) const ALL: [Id; 16] = [
    Id::Customer,
    Id::ShipTo,
    Id::Part,
    Id::OrderHed,
    Id::OrderDtl,
    Id::OrderRel,
    Id::InvcGrp,
    Id::InvcHead,
    Id::InvcDtl,
    Id::CashGrp,
    Id::CashHead,
    Id::CashDtl,
    Id::GlJrnGrp,
    Id::GlJrnHed,
    Id::GlJrnDtlMnl,
    Id::GlJrnDtl,
];

impl Id {
    pub(super) fn table(self) -> &'static Table {
        match self {
            Self::Customer => &tables::CUSTOMER,
            Self::ShipTo => &tables::SHIP_TO,
            Self::Part => &tables::PART,
            Self::OrderHed => &tables::ORDER_HED,
            Self::OrderDtl => &tables::ORDER_DTL,
            Self::OrderRel => &tables::ORDER_REL,
            Self::InvcGrp => &tables::INVC_GRP,
            Self::InvcHead => &tables::INVC_HEAD,
            Self::InvcDtl => &tables::INVC_DTL,
            Self::CashGrp => &tables::CASH_GRP,
            Self::CashHead => &tables::CASH_HEAD,
            Self::CashDtl => &tables::CASH_DTL,
            Self::GlJrnGrp => &tables::GL_JRN_GRP,
            Self::GlJrnHed => &tables::GL_JRN_HED,
            Self::GlJrnDtlMnl => &tables::GL_JRN_DTL_MNL,
            Self::GlJrnDtl => &tables::GL_JRN_DTL,
        }
    }

    /// The table of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|id| id.table().name == name)
    }
}

impl Table {
    pub(super) fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The key columns of a row of this table without the company.
    pub(super) fn own_keys(&self) -> &'static [&'static str] {
        self.keys.split_first().map_or(&[], |(_, own)| own)
    }
}

/// Services and their entity sets. A service answers methods too; see `rpc`.
const SETS: [(&str, &str, Id); 18] = [
    ("Erp.BO.CustomerSvc", "Customers", Id::Customer),
    ("Erp.BO.CustomerSvc", "ShipToes", Id::ShipTo),
    ("Erp.BO.ShipToSvc", "ShipToes", Id::ShipTo),
    ("Erp.BO.PartSvc", "Parts", Id::Part),
    ("Erp.BO.SalesOrderSvc", "SalesOrders", Id::OrderHed),
    ("Erp.BO.SalesOrderSvc", "OrderDtls", Id::OrderDtl),
    ("Erp.BO.SalesOrderSvc", "OrderRels", Id::OrderRel),
    ("Erp.BO.InvcGrpSvc", "InvcGrps", Id::InvcGrp),
    ("Erp.BO.ARInvoiceSvc", "ARInvoices", Id::InvcHead),
    ("Erp.BO.ARInvoiceSvc", "InvcDtls", Id::InvcDtl),
    ("Erp.BO.CashGrpSvc", "CashGrps", Id::CashGrp),
    ("Erp.BO.CashRecSvc", "CashRecs", Id::CashHead),
    ("Erp.BO.CashRecSvc", "CashDtls", Id::CashDtl),
    ("Erp.BO.GLJrnGrpSvc", "GLJrnGrps", Id::GlJrnGrp),
    ("Erp.BO.GLJournalEntrySvc", "GLJournalEntries", Id::GlJrnHed),
    ("Erp.BO.GLJournalEntrySvc", "GLJrnDtlMnls", Id::GlJrnDtlMnl),
    ("Erp.BO.ReverseCashReceiptSvc", "ReverseCashReceipts", Id::CashHead),
    ("Erp.BO.ApplyCreditMemoSvc", "ApplyCreditMemoes", Id::InvcHead),
];

/// The table behind an entity set of a service. Both names are case-sensitive.
pub(super) fn set(service: &str, name: &str) -> Option<Id> {
    SETS.iter().find(|(known, set, _)| *known == service && *set == name).map(|(_, _, id)| *id)
}

/// The tables of a service, parents before children.
pub(super) fn tables_of(service: &str) -> Vec<Id> {
    SETS.iter().filter(|(known, _, _)| *known == service).map(|(_, _, id)| *id).collect()
}
