//! Reads a 271: payer, provider, patient and the rows of benefits, one answer per patient.
//!
//! Called with an answer that has arrived whole. Must stay true: benefits belong to the patient in whose loop they
//! stand, and a payer's refusal above the patient is told in every answer that it concerns.

use suture_core::currency::Currency;
use suture_core::redact::Phi;

use super::model::{
    Answer, Authorization, Benefit, Delivery, Kind, Level, Network, Period, PlanDate, Relation, Subject,
    Trace,
};
use super::rejections::{FollowUp, Rejection};
use crate::x12::envelope::{Control, Envelope, Expected, Frame};
use crate::x12::error::{Error, Kind as ErrorKind, Place};
use crate::x12::fields::Fields;
use crate::x12::party::{Organization, Person};
use crate::x12::segments::{Segment, Segments};

/// The most bytes of one file of answers.
pub const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The most rows of benefits in one file.
pub const BENEFITS_MAX: usize = 10_000;
/// The most patients in one file.
const ANSWERS_MAX: usize = 1_000;
/// The most refusals in one file, and the most that one payer or provider can have, for they are told to each patient.
const REJECTIONS_MAX: usize = 10_000;
const INHERITED_MAX: usize = 20;

const EXPECTED: Expected = Expected { group: "HB", set: "271", guide: "005010X279" };

/// Reads all answers of a file, one per patient; a refusal above any patient gives an answer without a subject.
///
/// # Errors
/// [`Error`] when the file is cut off, altered, of another kind, or larger than this reader takes.
pub fn read(bytes: &[u8]) -> Result<Vec<Answer>, Error> {
    if bytes.len() > ANSWER_BYTES_MAX {
        let place = Place { loop_id: "envelope", ..Place::default() };
        return Err(Error::new(ErrorKind::TooLarge, "the answer is larger than 4 MiB", place));
    }
    let mut segments = Segments::new();
    let mut envelope = Envelope::new(EXPECTED);
    let mut reading = Reading::default();
    segments.feed(bytes);
    segments.finish();
    while let Some(segment) = segments.next_segment()? {
        match envelope.observe(&segment)? {
            Frame::Envelope => {}
            Frame::SetBegins => reading.set_begins(envelope.control().clone()),
            Frame::Body => reading.take(&segment)?,
            Frame::SetEnds => reading.set_ends(&segment)?,
        }
    }
    envelope.ended(segments.read())?;
    Ok(reading.answers)
}

#[derive(Default)]
struct Reading {
    answers: Vec<Answer>,
    answers_before_set: usize,
    answers_before_provider: usize,
    benefits: usize,
    rejections: usize,
    control: Control,
    reference: String,
    payer: Option<Organization>,
    payer_rejections: Vec<Rejection>,
    provider: Option<Organization>,
    provider_rejections: Vec<Rejection>,
    subscriber: Option<Person>,
    at: At,
    patient: Option<Answer>,
}

/// Whose loop is being read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Begin,
    Payer,
    Provider,
    Subscriber,
    Dependent,
}

impl At {
    const fn loops(self) -> (&'static str, &'static str) {
        match self {
            Self::Begin => ("header", "header"),
            Self::Payer => ("2100A", "2100A"),
            Self::Provider => ("2100B", "2100B"),
            Self::Subscriber => ("2100C", "2110C"),
            Self::Dependent => ("2100D", "2110D"),
        }
    }
}

impl Reading {
    fn set_begins(&mut self, control: Control) {
        let (answers, benefits, rejections) =
            (std::mem::take(&mut self.answers), self.benefits, self.rejections);
        let before = answers.len();
        *self = Self {
            answers_before_set: before,
            answers_before_provider: before,
            answers,
            benefits,
            rejections,
            control,
            ..Self::default()
        };
    }

    fn set_ends(&mut self, segment: &Segment<'_>) -> Result<(), Error> {
        self.leave_patient(false);
        self.leave_provider();
        if self.answers.len() > self.answers_before_set {
            return Ok(());
        }
        let fields = Fields::new(segment, "2000C");
        Err(fields.error(ErrorKind::Missing, None, "the answer names neither a patient nor a reason"))
    }

    fn take(&mut self, segment: &Segment<'_>) -> Result<(), Error> {
        let fields = Fields::new(segment, self.loop_id());
        match segment.name() {
            "BHT" => {
                fields.optional(3)?.unwrap_or_default().clone_into(&mut self.reference);
                Ok(())
            }
            "HL" => self.hierarchy(&fields),
            "AAA" => self.rejection(&fields),
            "EB" => self.benefit(&fields),
            _ => match (self.at, &mut self.patient) {
                (At::Begin, _) => {
                    Err(fields.error(ErrorKind::Structure, None, "the segment stands before HL"))
                }
                (At::Payer, _) => named(&mut self.payer, &fields),
                (At::Provider, _) => named(&mut self.provider, &fields),
                (At::Subscriber | At::Dependent, Some(patient)) => match patient.benefits.last_mut() {
                    Some(benefit) => add_to_benefit(benefit, &fields),
                    None => add_to_patient(patient, &fields),
                },
                (At::Subscriber | At::Dependent, None) => Ok(()),
            },
        }
    }

    fn loop_id(&self) -> &'static str {
        let (outside, inside) = self.at.loops();
        let in_benefit = self.patient.as_ref().is_some_and(|patient| !patient.benefits.is_empty());
        if in_benefit { inside } else { outside }
    }

    fn hierarchy(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let next = match fields.text(3) {
            "20" => At::Payer,
            "21" => At::Provider,
            "22" => At::Subscriber,
            "23" => At::Dependent,
            _ => {
                return Err(fields.error(
                    ErrorKind::BadValue,
                    Some(3),
                    "the level is none of 20, 21, 22 and 23",
                ));
            }
        };
        self.leave_patient(next == At::Dependent);
        if self.answers.len() > ANSWERS_MAX {
            return Err(fields.error(
                ErrorKind::TooLarge,
                None,
                "the file answers for more than 1000 patients",
            ));
        }
        match next {
            At::Begin => {}
            At::Payer => {
                self.leave_provider();
                (self.payer, self.provider) = (None, None);
                self.payer_rejections.clear();
            }
            At::Provider => {
                if self.at != At::Payer {
                    self.leave_provider();
                }
                self.provider = None;
                self.answers_before_provider = self.answers.len();
            }
            At::Subscriber => {
                self.subscriber = None;
                self.patient = Some(self.begin(Relation::Subscriber));
            }
            At::Dependent => self.patient = Some(self.begin(Relation::Dependent)),
        }
        self.at = next;
        Ok(())
    }

    fn begin(&self, relation: Relation) -> Answer {
        let subscriber = self.subscriber.clone().filter(|_| relation == Relation::Dependent);
        Answer { subject: Some(Subject { relation, person: None, subscriber }), ..self.without_subject() }
    }

    fn without_subject(&self) -> Answer {
        Answer {
            control: self.control.clone(),
            reference: self.reference.clone(),
            payer: self.payer.clone(),
            provider: self.provider.clone(),
            subject: None,
            traces: Vec::new(),
            dates: Vec::new(),
            benefits: Vec::new(),
            rejections: [self.payer_rejections.as_slice(), self.provider_rejections.as_slice()].concat(),
            raw: Phi::new(Vec::new()),
        }
    }

    /// A subscriber without benefits or refusals of its own, who stands there only for a dependent, is no answer.
    fn leave_patient(&mut self, for_dependent: bool) {
        let Some(patient) = self.patient.take() else { return };
        let inherited = self.payer_rejections.len() + self.provider_rejections.len();
        let is_subscriber = self.at == At::Subscriber;
        if is_subscriber {
            self.subscriber = patient.subject.as_ref().and_then(|subject| subject.person.clone());
        }
        let carries_nothing = patient.benefits.is_empty() && patient.rejections.len() == inherited;
        if !(for_dependent && is_subscriber && carries_nothing) {
            self.answers.push(patient);
        }
    }

    /// A refusal of payer or provider below which no patient stands is an answer of its own.
    fn leave_provider(&mut self) {
        let refused = !self.payer_rejections.is_empty() || !self.provider_rejections.is_empty();
        if refused && self.answers.len() == self.answers_before_provider {
            self.answers.push(self.without_subject());
        }
        self.provider_rejections.clear();
        self.answers_before_provider = self.answers.len();
    }

    fn rejection(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        self.rejections += 1;
        let inherited = self.payer_rejections.len() + self.provider_rejections.len();
        if self.rejections > REJECTIONS_MAX || inherited > INHERITED_MAX {
            return Err(fields.error(ErrorKind::TooLarge, None, "the file has too many refusals"));
        }
        let unnamed_payer = self.at == At::Payer && self.payer.is_none();
        let loop_id = if unnamed_payer { "2000A" } else { self.loop_id() };
        let code = fields.code(3, fields.text(3), 3)?;
        let follow_up = FollowUp::from(fields.optional(4)?.unwrap_or_default());
        let rejection = Rejection::new(loop_id, fields.index(), fields.text(1) == "Y", code, follow_up);
        match (self.at, &mut self.patient) {
            (At::Payer, _) => self.payer_rejections.push(rejection),
            (At::Provider, _) => self.provider_rejections.push(rejection),
            (At::Subscriber | At::Dependent, Some(patient)) => {
                patient.rejections.push(rejection);
                let raw = fields.segment().text().to_owned();
                match patient.benefits.last_mut() {
                    Some(benefit) => push(&mut benefit.raw, raw),
                    None => push(&mut patient.raw, raw),
                }
            }
            (At::Begin | At::Subscriber | At::Dependent, _) => {
                return Err(fields.error(ErrorKind::Structure, None, "the refusal stands before HL"));
            }
        }
        Ok(())
    }

    fn benefit(&mut self, fields: &Fields<'_>) -> Result<(), Error> {
        let Some(patient) = &mut self.patient else {
            return Err(fields.error(
                ErrorKind::Structure,
                None,
                "a benefit stands outside a patient's loop",
            ));
        };
        self.benefits += 1;
        if self.benefits > BENEFITS_MAX {
            return Err(fields.error(ErrorKind::TooLarge, None, "the file has more than 10000 benefits"));
        }
        patient.benefits.push(benefit_of(fields, self.at.loops().1)?);
        Ok(())
    }
}

fn named(slot: &mut Option<Organization>, fields: &Fields<'_>) -> Result<(), Error> {
    if fields.segment().name() == "NM1" {
        *slot = Some(Organization::of_nm1(fields)?);
    }
    Ok(())
}

fn add_to_patient(patient: &mut Answer, fields: &Fields<'_>) -> Result<(), Error> {
    push(&mut patient.raw, fields.segment().text().to_owned());
    match (fields.segment().name(), &mut patient.subject) {
        ("TRN", _) => patient.traces.push(Trace {
            kind: fields.optional(1)?.unwrap_or_default().to_owned(),
            number: fields.identifier(2)?.to_owned(),
            origin: fields.owned(3)?,
        }),
        ("NM1", Some(subject)) => subject.person = Some(Person::of_nm1(fields)?),
        ("DMG", Some(Subject { person: Some(person), .. })) => {
            person.birth_date = Phi::new(fields.optional(2)?.unwrap_or_default().to_owned());
        }
        ("DTP", _) => patient.dates.push(PlanDate {
            qualifier: fields.identifier(1)?.to_owned(),
            text: fields.identifier(3)?.to_owned(),
        }),
        _ => {}
    }
    Ok(())
}

fn add_to_benefit(benefit: &mut Benefit, fields: &Fields<'_>) -> Result<(), Error> {
    let text = fields.segment().text().to_owned();
    push(&mut benefit.raw, text.clone());
    match fields.segment().name() {
        "MSG" => push(&mut benefit.messages, fields.text(1).trim().to_owned()),
        "III" => benefit.narrowed = true,
        "HSD" => benefit.deliveries.push(Delivery {
            unit: fields.optional(1)?.unwrap_or_default().to_owned(),
            quantity: fields.optional_decimal(2)?,
            period: fields.optional(5)?.map(Period::from),
            periods: fields.optional_decimal(6)?,
        }),
        "LS" | "LE" | "NM1" | "N3" | "N4" | "PER" | "PRV" => push(&mut benefit.related, text),
        _ => {}
    }
    Ok(())
}

fn benefit_of(fields: &Fields<'_>, loop_id: &'static str) -> Result<Benefit, Error> {
    let code = fields.code(1, fields.text(1), 3)?;
    let service_types = fields.segment().repetitions(3).filter(|code| !code.is_empty());
    let service_types: Result<Vec<_>, Error> =
        service_types.map(|text| fields.code(3, text, 3).map(str::to_owned)).collect();
    Ok(Benefit {
        code: code.to_owned(),
        kind: Kind::from(code),
        level: Level::from(fields.optional(2)?.unwrap_or_default()),
        service_types: service_types?,
        insurance_type: fields.owned(4)?,
        plan: fields.owned(5)?,
        period: fields.optional(6)?.map(Period::from),
        amount: fields.optional_amount(7, Currency::USD)?,
        fraction: fields.optional_decimal(8)?,
        quantity_unit: fields.owned(9)?,
        quantity: fields.optional_decimal(10)?,
        authorization: Authorization::from(fields.text(11)),
        network: Network::from(fields.optional(12)?.unwrap_or_default()),
        procedure: fields.owned(13)?,
        diagnoses: fields.owned(14)?,
        deliveries: Vec::new(),
        narrowed: false,
        messages: Phi::new(Vec::new()),
        related: Phi::new(Vec::new()),
        raw: Phi::new(vec![fields.segment().text().to_owned()]),
        loop_id,
        segment: fields.index(),
    })
}

/// `Phi` gives out no mutable reference, so the list is taken out and put back.
fn push(list: &mut Phi<Vec<String>>, text: String) {
    let mut inner = std::mem::replace(list, Phi::new(Vec::new())).into_exposed();
    inner.push(text);
    *list = Phi::new(inner);
}
