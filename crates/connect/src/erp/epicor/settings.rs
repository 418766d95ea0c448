//! What must be known about one company in one Kinetic environment before anything can be asked of it.
//!
//! Built by the engine from the connection's stored settings; holds no secret. Whatever the facts do not confirm
//! (EPICOR.md, marks S and I) is a setting with a default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suture_core::currency::Currency;

use super::words::ErrorWords;
use crate::url;

/// One company of one Kinetic environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Epicor {
    /// Scheme and host, for example `https://erp.example`.
    pub base_url: String,
    /// The instance's name, the first segment of the path. Empty: there is none.
    pub instance: String,
    /// The company's id.
    pub company: String,
    /// The site in which calls act; `None` leaves it to the user's default (EPICOR.md §2, `CallSettings`).
    pub plant: Option<String>,
    /// The company's base currency, for rows that tell none.
    pub currency: Currency,
    /// In which fields our references stand.
    pub references: References,
    /// The bank account of receipts that name none.
    pub bank_account: String,
    /// Names of groups, one or two characters each.
    pub groups: GroupPrefixes,
    /// Whether groups of receipts are posted by us. Posting is an act of the general ledger, so it is off.
    pub auto_post: bool,
    /// What happens to a document whose day is in a closed period.
    pub closed_period: ClosedPeriod,
    /// Customers.
    pub customers: CustomerSettings,
    /// Sales orders.
    pub orders: OrderSettings,
    /// Cash receipts.
    pub receipts: ReceiptSettings,
    /// Credit and debit memos.
    pub memos: MemoSettings,
    /// Journals.
    pub journals: JournalSettings,
    /// How sets are read.
    pub reads: ReadSettings,
    /// How calls of business process management are signed.
    pub webhook: WebhookSettings,
    /// What Epicor's texts mean.
    pub words: ErrorWords,
}

/// The fields that hold our references (EPICOR.md §4). Names ending in `_c` are user-defined and must be made first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct References {
    /// Of `OrderHed`.
    pub order: String,
    /// Of `CashHead`.
    pub receipt: String,
    /// Of `Customer`; holds our key of the customer.
    pub customer: String,
    /// Of `InvcHead`.
    pub invoice: String,
    /// Of `GLJrnHed`.
    pub journal: String,
}

/// The first one or two characters of groups' names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupPrefixes {
    /// Of groups of cash receipts.
    pub receipts: String,
    /// Of groups of invoices and memos.
    pub invoices: String,
    /// Of groups of journals.
    pub journals: String,
}

/// Where a document goes whose day is in a closed period. The result always says that it was moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedPeriod {
    /// To the first day of the next month, and on until a period is open; never past the month after now.
    NextMonth,
    /// To the next day, and on for at most 45 days; never past tomorrow.
    NextDay,
    /// Nowhere: it is refused.
    Refuse,
}

/// Defaults and rules of customers (EPICOR.md §7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerSettings {
    /// `TerritoryID` when the document names none.
    pub territory: Option<String>,
    /// `TermsCode` when the document names none; `None` leaves it to the company's default.
    pub terms: Option<String>,
    /// `GroupCode` when the document names none.
    pub group: Option<String>,
    /// `CustomerType`.
    pub customer_type: String,
    /// The first characters of `CustID`; the rest, to ten characters, comes from our key.
    pub id_prefix: String,
    /// `CountryNum` by ISO 3166 code. A country that is not here is sent as text only.
    pub countries: BTreeMap<String, i64>,
    /// What a customer with the same e-mail and name means.
    pub adopt: Adopt,
}

/// What a customer means that has the same e-mail and name, but not our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adopt {
    /// It is the one: it is used, and gets our key when it has none.
    Link,
    /// It is the one, and is left as it is.
    Use,
    /// Nothing: a new one is created.
    Never,
}

/// How a charge beside the lines is written on an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// Not at all: Epicor calculates it.
    Calculated,
    /// As a miscellaneous charge of this code (`OHOrderMscs`).
    Miscellaneous(String),
    /// As a line of this part.
    Part(String),
    /// In this field of the head.
    Field(String),
}

/// Sales orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderSettings {
    /// How tax is written.
    pub tax: Charge,
    /// How shipping is written.
    pub shipping: Charge,
    /// `ReadyToCalc`: asks Epicor to calculate its taxes.
    pub ready_to_calculate: bool,
    /// The truth value that says that the order is on hold.
    pub held_field: String,
    /// The field for the reason; `None` leaves it out.
    pub hold_reason_field: Option<String>,
    /// The field with the order's total, compared with ours where Epicor tells it; `None`: it is not compared.
    pub total_field: Option<String>,
}

/// Cash receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptSettings {
    /// `TranType`: `PayInv` leaves the money unapplied, `Deposit` makes a deposit (EPICOR.md §6.2).
    pub transaction_type: String,
    /// Whether our reference is `CheckRef` as well, where people see it.
    pub check_reference: bool,
    /// Whether a posted receipt may be applied through its credit memo. Without it a person applies it.
    pub apply_posted: bool,
    /// The task agent that posts groups; empty: the default one.
    pub agent: String,
    /// The program's name that the agent's log shows.
    pub posting_program: String,
}

/// Credit and debit memos.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoSettings {
    /// `SalesCatID` of lines; Epicor refuses a blank one (EPICOR.md §7).
    pub sales_category: String,
    /// `InvoiceType` of both kinds.
    pub invoice_type: String,
    /// The field of `InvcHead` for the reason code; `None` puts it into the lines' text.
    pub reason_field: Option<String>,
    /// `SalesCatID` of the line with the tax; `None`: that of the other lines.
    pub tax_category: Option<String>,
    /// What is negative in a credit memo's lines.
    pub credit_by: CreditBy,
}

/// What is negative in the lines of a credit memo; its amounts always are (EPICOR.md §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditBy {
    /// The quantity.
    Quantity,
    /// The price.
    Price,
}

/// Journals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalSettings {
    /// `BookID`.
    pub book: String,
    /// `JournalCode`.
    pub journal_code: String,
}

/// How sets are read. Some services answer 500 to OData reads on some hosts (EPICOR.md §3).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadSettings {
    /// The BAQ that replaces a set, by the set's name: `{"CashRecs":"SUTURE_Receipts"}`. Its columns are the set's
    /// fields, with or without the table's name and `_` before them.
    pub baqs: BTreeMap<String, String>,
}

/// How calls of business process management are signed. The secrets are kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// The header with the signature, in lower case.
    pub header: String,
    /// What stands before the signature's hex digits, for example `sha256=`; it may be missing in the header.
    pub prefix: String,
}

impl Default for Epicor {
    fn default() -> Self {
        Self {
            base_url: String::new(),
            instance: String::new(),
            company: String::new(),
            plant: None,
            currency: Currency::USD,
            references: References::default(),
            bank_account: String::new(),
            groups: GroupPrefixes::default(),
            auto_post: false,
            closed_period: ClosedPeriod::NextMonth,
            customers: CustomerSettings::default(),
            orders: OrderSettings::default(),
            receipts: ReceiptSettings::default(),
            memos: MemoSettings::default(),
            journals: JournalSettings::default(),
            reads: ReadSettings::default(),
            webhook: WebhookSettings::default(),
            words: ErrorWords::default(),
        }
    }
}

impl Default for References {
    fn default() -> Self {
        let (user_defined, external) = ("SutureRef_c".to_owned(), "ExternalID".to_owned());
        Self {
            order: user_defined.clone(),
            receipt: external.clone(),
            customer: external.clone(),
            invoice: external,
            journal: user_defined,
        }
    }
}

impl Default for GroupPrefixes {
    fn default() -> Self {
        Self { receipts: "S".to_owned(), invoices: "SI".to_owned(), journals: "SJ".to_owned() }
    }
}

impl Default for CustomerSettings {
    fn default() -> Self {
        Self {
            territory: None,
            terms: None,
            group: None,
            customer_type: "CUS".to_owned(),
            id_prefix: "S".to_owned(),
            countries: BTreeMap::new(),
            adopt: Adopt::Link,
        }
    }
}

impl Default for OrderSettings {
    fn default() -> Self {
        Self {
            tax: Charge::Miscellaneous("TAX".to_owned()),
            shipping: Charge::Miscellaneous("SHIP".to_owned()),
            ready_to_calculate: false,
            held_field: "OrderHeld".to_owned(),
            hold_reason_field: Some("OrderComment".to_owned()),
            total_field: Some("DocOrderAmt".to_owned()),
        }
    }
}

impl Default for ReceiptSettings {
    fn default() -> Self {
        Self {
            transaction_type: "PayInv".to_owned(),
            check_reference: true,
            apply_posted: false,
            agent: String::new(),
            posting_program: "Erp.UI.CashReceiptPost".to_owned(),
        }
    }
}

impl Default for MemoSettings {
    fn default() -> Self {
        Self {
            sales_category: "SUTURE".to_owned(),
            invoice_type: "Mis".to_owned(),
            reason_field: Some("CMReason".to_owned()),
            tax_category: None,
            credit_by: CreditBy::Quantity,
        }
    }
}

impl Default for JournalSettings {
    fn default() -> Self {
        Self { book: "MAIN".to_owned(), journal_code: "GJ".to_owned() }
    }
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { header: "x-suture-signature".to_owned(), prefix: "sha256=".to_owned() }
    }
}

impl Epicor {
    /// A company of which only the address is known; everything else has its default.
    #[must_use]
    pub fn new(base_url: impl Into<String>, instance: impl Into<String>, company: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            instance: instance.into(),
            company: company.into(),
            ..Self::default()
        }
    }

    /// What a person must correct before this company can be used, one sentence each. Empty: nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut check = |holds: bool, sentence: &str| {
            if !holds {
                problems.push(sentence.to_owned());
            }
        };
        let address = url::origin(&self.base_url).is_some() && !self.base_url.contains(['?', '#']);
        check(address, "The base URL is not an absolute http or https URL without query and fragment.");
        check(is_word(&self.company), "The company is not an id of letters, digits, - and _.");
        check(
            self.instance.is_empty() || is_word(&self.instance),
            "The instance is not one segment of a path.",
        );
        let names = &self.references;
        let named = [&names.order, &names.receipt, &names.customer, &names.invoice, &names.journal];
        check(named.iter().all(|name| is_field(name)), "A field for our references is not a field's name.");
        let held = [Some(&self.orders.held_field), self.orders.hold_reason_field.as_ref()];
        check(
            held.into_iter().flatten().all(|name| is_field(name)),
            "A field of holds is not a field's name.",
        );
        check(!self.bank_account.trim().is_empty(), "The bank account of receipts is missing.");
        let groups = &self.groups;
        let prefixes = [&groups.receipts, &groups.invoices, &groups.journals];
        check(
            prefixes.iter().all(|prefix| is_prefix(prefix)),
            "A group's prefix is not one or two characters of A-Z and 0-9.",
        );
        check(
            (1..=4).contains(&self.customers.id_prefix.len()) && is_word(&self.customers.id_prefix),
            "The prefix of customers' ids is not one to four characters.",
        );
        let header = &self.webhook.header;
        check(
            !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "The header of signatures is not a header's name in lower case.",
        );
        problems
    }
}

/// An id that can stand in a path and in a key.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=50).contains(&text.len()) && text.bytes().all(plain)
}

fn is_field(text: &str) -> bool {
    (1..=60).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_prefix(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (1..=2).contains(&text.len()) && text.bytes().all(plain)
}
