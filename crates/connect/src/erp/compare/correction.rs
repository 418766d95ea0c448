//! The documents that put the ERP right. A proposal that would not pass its own check is not made.

use suture_core::money::Money;

use super::{Context, Field, Movement, Recorded, Rules, Said};
use crate::erp::document::{CashReceipt, CreditMemo, DebitMemo, Document, ReceiptReversal};

/// What to do about a difference.
pub(super) struct Proposed {
    pub(super) sentence: String,
    pub(super) document: Option<Document>,
}

impl Proposed {
    fn by(sentence: &str, document: Document) -> Self {
        match document.check() {
            Ok(()) => Self { sentence: sentence.to_owned(), document: Some(document) },
            Err(problem) => {
                Self { sentence: format!("{sentence} It cannot be proposed yet: {problem}."), document: None }
            }
        }
    }

    fn nothing(sentence: &str) -> Self {
        Self { sentence: sentence.to_owned(), document: None }
    }

    /// The ERP agrees with the gateway, and our own books do not.
    pub(super) fn ours() -> Self {
        Self::nothing(
            "The ERP agrees with the gateway; our own entry differs. Fetch it from the gateway again.",
        )
    }

    /// No document can correct it.
    pub(super) fn person(field: Field) -> Self {
        Self::nothing(match field {
            Field::Date => {
                "The days are further apart than is allowed. A person must look whether a closed period moved it."
            }
            Field::Customer => {
                "The customers differ. A person must decide who paid, then move the record in the ERP."
            }
            Field::Movement => "The kinds differ. A person must look before anything is corrected.",
            Field::Amount => {
                "The amounts differ on all sides. A person must look before anything is corrected."
            }
            Field::Presence | Field::Count => "A person must look before anything is corrected.",
        })
    }
}

/// The gateway and we have it, the ERP does not. The document has the fact's own reference, so that filing it where it
/// exists after all finds it.
pub(super) fn missing(truth: &Said, known: Option<&Context>, rules: &Rules) -> Proposed {
    let none = Context::default();
    let context = known.unwrap_or(&none);
    let Some(customer_number) = truth.customer_number else {
        return Proposed::nothing(
            "The ERP does not have this, and the customer is not known. Link the customer first.",
        );
    };
    let reference = truth.reference.clone();
    match truth.movement {
        Movement::Payment => {
            let receipt = receipt(reference, customer_number, context.order_number, truth.amount, truth);
            Proposed::by("The ERP does not have this payment. Record the receipt.", receipt)
        }
        Movement::Refund => match (&context.receipt, context.invoice_number) {
            (_, Some(invoice_number)) => Proposed::by(
                "The ERP does not have this refund. Credit the invoice.",
                credit(reference, invoice_number, customer_number, truth.amount, rules),
            ),
            (Some(receipt), None) => Proposed::by(
                "The ERP does not have this refund. Take the receipt back.",
                Document::ReceiptReversal(ReceiptReversal {
                    reference,
                    receipt: receipt.clone(),
                    amount: truth.amount,
                    date: truth.date,
                    reason: "refund".to_owned(),
                }),
            ),
            (None, None) => Proposed::nothing(
                "The ERP does not have this refund, and neither its receipt nor its invoice is known. A person must look.",
            ),
        },
        Movement::Dispute => {
            let document = debit(reference, customer_number, context.invoice_number, truth.amount, rules);
            Proposed::by("The ERP does not have this dispute. Charge the customer again.", document)
        }
    }
}

/// The ERP has it once too often.
pub(super) fn surplus(recorded: &Recorded, rules: &Rules, turn: usize) -> Proposed {
    let (said, context) = (&recorded.said, &recorded.context);
    let reference = correcting(&said.reference, turn);
    match (said.movement, &context.receipt) {
        (Movement::Payment, Some(receipt)) => Proposed::by(
            "Neither the gateway nor we have this record of the ERP. Take the receipt back.",
            Document::ReceiptReversal(ReceiptReversal {
                reference,
                receipt: receipt.clone(),
                amount: said.amount,
                date: rules.today,
                reason: "correction".to_owned(),
            }),
        ),
        (Movement::Dispute, _) => match (context.invoice_number, said.customer_number) {
            (Some(invoice_number), Some(customer_number)) => Proposed::by(
                "Neither the gateway nor we have this charge of the ERP. Credit it.",
                credit(reference, invoice_number, customer_number, said.amount, rules),
            ),
            (Some(_) | None, _) => Proposed::person(Field::Presence),
        },
        (Movement::Refund, _) => match said.customer_number {
            Some(customer_number) => Proposed::by(
                "Neither the gateway nor we have this credit of the ERP. Charge it again.",
                debit(reference, customer_number, context.invoice_number, said.amount, rules),
            ),
            None => Proposed::person(Field::Presence),
        },
        (Movement::Payment, None) => Proposed::person(Field::Presence),
    }
}

/// The gateway and we agree on an amount, the ERP has another.
pub(super) fn amount(truth: &Said, recorded: &Recorded, rules: &Rules, turn: usize) -> Proposed {
    let (said, context) = (&recorded.said, &recorded.context);
    let customer = said.customer_number.or(truth.customer_number);
    let (Ok(short), Some(customer_number)) = (truth.amount.minus(said.amount), customer) else {
        return Proposed::nothing(
            "The currencies differ, or the customer is not known. A person must correct it in the ERP.",
        );
    };
    let reference = correcting(&truth.reference, turn);
    let over = Money::new(short.minor.saturating_neg(), short.currency);
    match (truth.movement, short.is_positive()) {
        (Movement::Payment, true) => Proposed::by(
            "The ERP has less than was paid. Record the rest as a receipt.",
            receipt(reference, customer_number, context.order_number, short, truth),
        ),
        (Movement::Payment, false) => match (&context.receipt, context.posted) {
            (Some(receipt), false) => Proposed::by(
                "The ERP has more than was paid. Lower the receipt.",
                Document::ReceiptReversal(ReceiptReversal {
                    reference,
                    receipt: receipt.clone(),
                    amount: over,
                    date: rules.today,
                    reason: "correction".to_owned(),
                }),
            ),
            _ => Proposed::by(
                "The ERP has more than was paid, and the receipt is posted. Charge the customer the difference.",
                debit(reference, customer_number, context.invoice_number, over, rules),
            ),
        },
        (Movement::Refund, true) | (Movement::Dispute, false) => match context.invoice_number {
            Some(invoice_number) => Proposed::by(
                "The ERP has credited too little. Credit the difference.",
                credit(reference, invoice_number, customer_number, positive(short), rules),
            ),
            None => Proposed::person(Field::Presence),
        },
        (Movement::Refund, false) | (Movement::Dispute, true) => Proposed::by(
            "The ERP has charged too little. Charge the difference.",
            debit(reference, customer_number, context.invoice_number, positive(short), rules),
        ),
    }
}

fn positive(amount: Money) -> Money {
    Money::new(amount.minor.saturating_abs(), amount.currency)
}

/// Which reference a correction's reference corrects, and its number.
pub(super) fn corrected(reference: &str) -> Option<(&str, usize)> {
    let (base, number) = reference.rsplit_once('#')?;
    Some((base, number.parse().ok()?))
}

/// A reference of its own, and always the same one for the same correction.
fn correcting(reference: &str, turn: usize) -> String {
    format!("{reference}#{turn}")
}

fn receipt(reference: String, customer: i64, order: Option<i64>, amount: Money, truth: &Said) -> Document {
    Document::CashReceipt(CashReceipt {
        reference,
        customer_number: customer,
        order_number: order,
        amount,
        date: truth.date,
        bank_account: None,
        method: None,
        group: None,
    })
}

fn credit(reference: String, invoice: i64, customer: i64, amount: Money, rules: &Rules) -> Document {
    Document::CreditMemo(CreditMemo {
        reference,
        invoice_number: invoice,
        customer_number: customer,
        amount,
        tax_minor: 0,
        reason_code: rules.reason_code.clone(),
        lines: Vec::new(),
        date: rules.today,
    })
}

fn debit(reference: String, customer: i64, invoice: Option<i64>, amount: Money, rules: &Rules) -> Document {
    Document::DebitMemo(DebitMemo {
        reference,
        customer_number: customer,
        invoice_number: invoice,
        amount,
        reason_code: rules.reason_code.clone(),
        date: rules.today,
    })
}
