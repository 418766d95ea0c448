//! The beginning of a remittance, gathered until its first claim.
//!
//! Called by the reader. Must stay true: the currency is known before the first amount is read, though CUR follows BPR.

use suture_core::currency::Currency;

use super::codes::{Handling, Method};
use super::model::{Header, Note};
use crate::x12::day::Day;
use crate::x12::envelope::Control;
use crate::x12::error::{Error, Kind};
use crate::x12::fields::{Fields, money_of};
use crate::x12::party::Organization;

/// The most segments before the first claim. The guide allows about 60.
const HEADER_SEGMENTS_MAX: u64 = 200;

pub(super) struct Draft {
    control: Control,
    begins: u64,
    currency: Currency,
    payment: Option<Payment>,
    trace: Option<(String, String)>,
    payer: Option<Organization>,
    payee: Option<Organization>,
    produced: Option<Day>,
    notes: Vec<Note>,
}

/// BPR as sent; its amount waits for the currency.
struct Payment {
    handling: Handling,
    total: String,
    credit_debit: String,
    method: Method,
    date: Option<Day>,
    segment: u64,
}

impl Draft {
    pub(super) const fn new(control: Control, begins: u64) -> Self {
        Self {
            control,
            begins,
            currency: Currency::USD,
            payment: None,
            trace: None,
            payer: None,
            payee: None,
            produced: None,
            notes: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        if fields.index() - self.begins > HEADER_SEGMENTS_MAX {
            return Err(fields.error(
                Kind::TooLarge,
                None,
                "more than 200 segments stand before the first claim",
            ));
        }
        match fields.segment().name() {
            "BPR" => self.payment(fields),
            "TRN" => self.trace(fields),
            "CUR" => self.currency(fields),
            "N1" => self.party(fields),
            "REF" => self.reference(fields),
            "DTM" => {
                if fields.text(1) == "405" {
                    self.produced = self.day(fields, 2);
                }
                Ok(())
            }
            "NTE" | "N2" | "N3" | "N4" | "PER" | "RDM" => Ok(()),
            "CAS" | "NM1" | "SVC" | "AMT" | "QTY" | "LQ" | "MIA" | "MOA" => {
                Err(fields.error(Kind::Structure, None, "the segment stands before the first claim"))
            }
            name => {
                self.notes.push(Note::UnknownSegment { segment: fields.index(), name: name.to_owned() });
                Ok(())
            }
        }
    }

    /// The header, when the first segment after it, `next`, is reached.
    pub(super) fn finish(self, next: &Fields<'_>) -> Result<Header, Error> {
        let missing =
            |what: &str| next.error(Kind::Missing, None, format!("{what} is missing before this segment"));
        let payment = self.payment.ok_or_else(|| missing("the payment (BPR)"))?;
        let (trace, payer_number) = self.trace.ok_or_else(|| missing("the trace number (TRN)"))?;
        let payer = self.payer.ok_or_else(|| missing("the payer (N1*PR)"))?;
        let payee = self.payee.ok_or_else(|| missing("the payee (N1*PE)"))?;
        let total = money_of(&payment.total, self.currency).map_err(|what| {
            let mut error = next.error(Kind::BadValue, Some(2), what);
            error.at.segment = payment.segment;
            "BPR".clone_into(&mut error.at.name);
            error
        })?;
        Ok(Header {
            control: self.control,
            handling: payment.handling,
            total,
            credit_debit: payment.credit_debit,
            method: payment.method,
            payment_date: payment.date,
            trace,
            payer_number,
            payer,
            payee,
            produced: self.produced,
            segment: payment.segment,
            notes: self.notes,
        })
    }

    fn payment(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        once(self.payment.is_some(), fields)?;
        self.payment = Some(Payment {
            handling: Handling::from(fields.code(1, fields.text(1), 2)?),
            total: fields.identifier(2)?.to_owned(),
            credit_debit: fields.code(3, fields.text(3), 1)?.to_owned(),
            method: Method::from(fields.code(4, fields.text(4), 3)?),
            date: self.day(fields, 16),
            segment: fields.index(),
        });
        Ok(())
    }

    fn trace(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        once(self.trace.is_some(), fields)?;
        self.trace = Some((fields.identifier(2)?.to_owned(), fields.identifier(3)?.to_owned()));
        Ok(())
    }

    fn currency(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let code = fields.identifier(2)?;
        self.currency = Currency::parse(code).map_err(|_| {
            fields.error(Kind::BadValue, Some(2), "the currency is not one that this system knows")
        })?;
        Ok(())
    }

    fn party(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let slot = match fields.text(1) {
            "PR" => &mut self.payer,
            "PE" => &mut self.payee,
            _ => return Ok(()),
        };
        once(slot.is_some(), fields)?;
        *slot = Some(Organization::of_n1(fields)?);
        Ok(())
    }

    /// REF*2U is the payer's id where N1 does not carry one.
    fn reference(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        if let ("2U", Some(payer)) = (fields.text(1), self.payer.as_mut().filter(|payer| payer.id.is_none()))
        {
            payer.id = fields.owned(2)?;
            payer.id_qualifier = Some("2U".to_owned());
        }
        Ok(())
    }

    fn day(&mut self, fields: &Fields<'_>, element: usize) -> Option<Day> {
        let text = fields.text(element);
        let day = Day::parse_compact(text);
        if day.is_none() && !text.is_empty() {
            self.notes.push(Note::DateNotReadable { segment: fields.index() });
        }
        day
    }
}

fn once(seen: bool, fields: &Fields<'_>) -> Result<(), Error> {
    if seen {
        return Err(fields.error(Kind::Structure, None, "the segment stands there twice"));
    }
    Ok(())
}
