//! One claim, gathered from CLP to the next claim, and balanced.
//!
//! Called by the reader. Must stay true: adjustments of the claim and of its lines are kept apart and both count, and a
//! claim is bounded in bytes and segments.

use suture_core::currency::Currency;

use super::balance;
use super::codes::{Group, Status};
use super::model::{Adjustment, Claim, ClaimDates, Difference, Note, People, Procedure, ServiceLine};
use crate::x12::day::Day;
use crate::x12::decimal::Decimal;
use crate::x12::error::{Error, Kind};
use crate::x12::fields::Fields;
use crate::x12::party::{Organization, Person};

/// The most bytes of one claim.
const CLAIM_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most segments of one claim: the guide allows 999 lines.
const CLAIM_SEGMENTS_MAX: u64 = 20_000;
/// The elements of a CAS segment: a group and six triplets.
const CAS_ELEMENTS_MAX: usize = 19;

pub(super) struct Draft {
    claim: Claim,
    bytes: usize,
}

impl Draft {
    /// From a CLP segment.
    pub(super) fn begin(
        fields: &Fields<'_>,
        position: u64,
        lx: &str,
        currency: Currency,
    ) -> Result<Self, Error> {
        let claim = Claim {
            position,
            segment: fields.index(),
            lx: lx.to_owned(),
            control: fields.identifier(1)?.to_owned(),
            status: Status::from(fields.code(2, fields.text(2), 2)?),
            charge: fields.amount(3, currency)?,
            paid: fields.amount(4, currency)?,
            stated_responsibility: fields.optional_amount(5, currency)?,
            filing: fields.owned(6)?,
            payer_control: fields.owned(7)?,
            facility: fields.owned(8)?,
            frequency: fields.owned(9)?,
            original_payer_control: None,
            rendering_id: None,
            crossover: None,
            adjustments: Vec::new(),
            lines: Vec::new(),
            dates: ClaimDates::default(),
            coverage_amount: None,
            patient_paid: None,
            remarks: Vec::new(),
            difference: None,
            notes: Vec::new(),
            people: People::default(),
        };
        Ok(Self { claim, bytes: 0 })
    }

    pub(super) const fn position(&self) -> u64 {
        self.claim.position
    }

    pub(super) const fn loop_id(&self) -> &'static str {
        if self.claim.lines.is_empty() { "2100" } else { "2110" }
    }

    pub(super) fn take(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        self.bytes += fields.segment().text().len();
        if self.bytes > CLAIM_BYTES_MAX || fields.index() - self.claim.segment > CLAIM_SEGMENTS_MAX {
            return Err(fields.error(
                Kind::TooLarge,
                None,
                "the claim has more than 4 MiB or 20000 segments",
            ));
        }
        match fields.segment().name() {
            "CAS" => self.adjustments(fields),
            "SVC" => self.line(fields),
            "NM1" => self.person(fields),
            "DTM" => self.day(fields),
            "REF" => self.reference(fields),
            "AMT" => self.amount(fields),
            "LQ" => self.remark(fields),
            "MIA" => self.remarks(fields, &[5, 20, 21, 22, 23]),
            "MOA" => self.remarks(fields, &[3, 4, 5, 6, 7]),
            "QTY" | "PER" => Ok(()),
            name @ ("BPR" | "TRN" | "CUR" | "N1" | "TS2" | "TS3") => {
                Err(fields.error(Kind::Structure, None, format!("{name} stands inside a claim")))
            }
            name => {
                let note = Note::UnknownSegment { segment: fields.index(), name: name.to_owned() };
                self.claim.notes.push(note);
                Ok(())
            }
        }
    }

    /// The claim, when it balances.
    pub(super) fn finish(mut self) -> Result<Claim, Error> {
        balance::check_claim(&self.claim)?;
        let computed = self.claim.patient_responsibility().map_err(|_| {
            let place = crate::x12::error::Place {
                loop_id: "2100",
                claim: Some(self.claim.position),
                segment: self.claim.segment,
                name: "CLP".to_owned(),
                element: None,
            };
            balance::too_large(&place)
        })?;
        let stated = self.claim.stated_responsibility;
        if stated.map_or(computed.minor != 0, |stated| stated != computed) {
            self.claim.difference = Some(Difference { stated, computed });
        }
        Ok(self.claim)
    }

    /// Triplets of reason, amount and quantity from CAS02 on; an empty quantity leaves its separator.
    fn adjustments(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let currency = self.claim.charge.currency;
        if fields.segment().count() > CAS_ELEMENTS_MAX {
            return Err(fields.error(Kind::Structure, None, "the segment holds more than six adjustments"));
        }
        let group = Group::from(fields.code(1, fields.text(1), 2)?);
        let into = match self.claim.lines.last_mut() {
            Some(line) => &mut line.adjustments,
            None => &mut self.claim.adjustments,
        };
        for first in (2..=fields.segment().count().max(2)).step_by(3) {
            let triplet = [first, first + 1, first + 2].map(|element| fields.text(element));
            if first > 2 && triplet == [""; 3] {
                continue;
            }
            into.push(Adjustment {
                group: group.clone(),
                reason: fields.code(first, triplet[0], 5)?.to_owned(),
                amount: fields.amount(first + 1, currency)?,
                quantity: fields.optional_decimal(first + 2)?,
            });
        }
        Ok(())
    }

    fn line(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let currency = self.claim.charge.currency;
        let procedure = self.procedure(fields, 1)?.unwrap_or_default();
        let original = self.procedure(fields, 6)?;
        self.claim.lines.push(ServiceLine {
            procedure,
            original,
            charge: fields.amount(2, currency)?,
            paid: fields.amount(3, currency)?,
            units: fields.optional_decimal(5)?.unwrap_or(Decimal::whole(1)),
            from: None,
            to: None,
            control: None,
            allowed: None,
            remarks: Vec::new(),
            adjustments: Vec::new(),
            segment: fields.index(),
        });
        Ok(())
    }

    /// `HC:99213:25`. What does not split is kept as text: the components are never guessed.
    fn procedure(&mut self, fields: &Fields<'_>, element: usize) -> Result<Option<Procedure>, Error> {
        let Some(text) = fields.optional(element)? else { return Ok(None) };
        let mut parts = fields.segment().components(text).map(str::to_owned);
        let (qualifier, code) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if qualifier.len() != 2 || code.is_empty() {
            self.claim.notes.push(Note::ProcedureNotSplit { segment: fields.index() });
            return Ok(Some(Procedure { text: text.to_owned(), ..Procedure::default() }));
        }
        let modifiers = parts.take(4).filter(|modifier| !modifier.is_empty()).collect();
        Ok(Some(Procedure { qualifier, code, modifiers, text: text.to_owned() }))
    }

    fn person(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let people = &mut self.claim.people;
        match fields.text(1) {
            "QC" => people.patient = Some(Person::of_nm1(fields)?),
            "74" => people.insured = Some(Person::of_nm1(fields)?),
            "IL" if people.insured.is_none() => people.insured = Some(Person::of_nm1(fields)?),
            "82" => self.claim.rendering_id = Organization::of_nm1(fields)?.id,
            "TT" => self.claim.crossover = Some(Organization::of_nm1(fields)?),
            _ => {}
        }
        Ok(())
    }

    fn day(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let day = Day::parse_compact(fields.text(2));
        if day.is_none() {
            self.claim.notes.push(Note::DateNotReadable { segment: fields.index() });
        }
        let dates = &mut self.claim.dates;
        match (fields.text(1), self.claim.lines.last_mut()) {
            ("472", Some(line)) => (line.from, line.to) = (day, day),
            ("150", Some(line)) => line.from = day,
            ("151", Some(line)) => line.to = day,
            ("232", None) => dates.from = day,
            ("233", None) => dates.to = day,
            ("050", None) => dates.received = day,
            ("036", None) => dates.coverage_ended = day,
            _ => {}
        }
        Ok(())
    }

    fn reference(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        match (fields.text(1), self.claim.lines.last_mut()) {
            ("6R", Some(line)) => line.control = fields.owned(2)?,
            ("F8", None) => self.claim.original_payer_control = fields.owned(2)?,
            ("EA", None) => {
                self.claim.people.record_number = fields.owned(2)?.map(suture_core::redact::Phi::new);
            }
            _ => {}
        }
        Ok(())
    }

    fn amount(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let currency = self.claim.charge.currency;
        match (fields.text(1), self.claim.lines.last_mut()) {
            ("B6", Some(line)) => line.allowed = fields.optional_amount(2, currency)?,
            ("AU", None) => self.claim.coverage_amount = fields.optional_amount(2, currency)?,
            ("F5", None) => self.claim.patient_paid = fields.optional_amount(2, currency)?,
            _ => {}
        }
        Ok(())
    }

    fn remark(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let Some(code) = fields.optional(2)? else { return Ok(()) };
        match self.claim.lines.last_mut() {
            Some(line) => line.remarks.push(code.to_owned()),
            None => self.claim.remarks.push(code.to_owned()),
        }
        Ok(())
    }

    fn remarks(&mut self, fields: &Fields<'_>, elements: &[usize]) -> Result<(), Error> {
        for element in elements {
            self.claim.remarks.extend(fields.owned(*element)?);
        }
        Ok(())
    }
}
