//! Reads an 835 from chunks of bytes, one claim at a time.
//!
//! Called by [`super::Verifier`] and by whoever applies a remittance. Must stay true: a claim is yielded only when it
//! balances, a trailer only when the remittance does, and `is_complete` only when the envelope closed as it said.

use std::collections::VecDeque;
use std::fmt;

use suture_core::money::Money;

use super::model::{Header, Item, Trailer};
use super::{balance, claim, header, provider};
use crate::x12::envelope::{Control, Envelope, Expected, Frame};
use crate::x12::error::{Error, Kind};
use crate::x12::fields::Fields;
use crate::x12::segments::{Segment, Segments};

const EXPECTED: Expected = Expected { group: "HP", set: "835", guide: "005010X221" };

/// A reader of one file: [`feed`](Self::feed), [`next_item`](Self::next_item) until `None`, repeat;
/// [`finish`](Self::finish), and `next_item` until `None` again.
pub struct Reader {
    segments: Segments,
    envelope: Envelope,
    stage: Stage,
    ready: VecDeque<Item>,
    failed: Option<Error>,
}

enum Stage {
    Between,
    Header(Box<header::Draft>),
    Claims(Box<Open>),
}

/// A remittance whose header is complete.
struct Open {
    header: Header,
    lx: String,
    claim: Option<claim::Draft>,
    claims: u64,
    lines: u64,
    paid: Money,
    provider: Money,
    provider_seen: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "remittance reader, {} segments read", self.segments.read())
    }
}

impl Reader {
    /// A reader of one file from its first byte.
    #[must_use]
    pub fn new() -> Self {
        Self {
            segments: Segments::new(),
            envelope: Envelope::new(EXPECTED),
            stage: Stage::Between,
            ready: VecDeque::new(),
            failed: None,
        }
    }

    /// Adds bytes. Pull until `None` before feeding more, so that memory stays at one chunk and one claim.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.segments.feed(bytes);
    }

    /// Says that the file has ended. Pull until `None` afterwards: a file that is cut off is an error of that pull.
    pub const fn finish(&mut self) {
        self.segments.finish();
    }

    /// Whether the file has ended and everything in it was checked. Only now may what was pulled be kept.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_none()
            && self.ready.is_empty()
            && self.envelope.is_closed()
            && self.segments.is_drained()
    }

    /// The next item, or `None` when more bytes are needed or the file has ended.
    ///
    /// # Errors
    /// Any [`Error`] refuses the whole file, and every later pull gives it again.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        self.advance().inspect_err(|error| {
            self.ready.clear();
            self.failed = Some(error.clone());
        })
    }

    fn advance(&mut self) -> Result<Option<Item>, Error> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            let Some(segment) = self.segments.next_segment()? else { break };
            let frame = self.envelope.observe(&segment)?;
            self.stage.take(frame, &segment, self.envelope.control(), &mut self.ready)?;
        }
        if self.segments.has_ended() {
            self.envelope.ended(self.segments.read())?;
        }
        Ok(None)
    }
}

impl Stage {
    fn take(
        &mut self,
        frame: Frame,
        segment: &Segment<'_>,
        control: &Control,
        ready: &mut VecDeque<Item>,
    ) -> Result<(), Error> {
        match frame {
            Frame::Envelope => Ok(()),
            Frame::SetBegins => {
                *self = Self::Header(Box::new(header::Draft::new(control.clone(), segment.index())));
                Ok(())
            }
            Frame::Body => self.body(segment, ready),
            Frame::SetEnds => {
                self.end_header(segment, ready)?;
                let Self::Claims(mut open) = std::mem::replace(self, Self::Between) else { return Ok(()) };
                open.close_claim(ready)?;
                ready.push_back(Item::Trailer(open.trailer()?));
                Ok(())
            }
        }
    }

    fn body(&mut self, segment: &Segment<'_>, ready: &mut VecDeque<Item>) -> Result<(), Error> {
        if matches!(segment.name(), "LX" | "CLP" | "PLB") {
            self.end_header(segment, ready)?;
        }
        match self {
            Self::Header(draft) => draft.take(&Fields::new(segment, "header")),
            Self::Claims(open) => open.take(segment, ready),
            Self::Between => Ok(()),
        }
    }

    fn end_header(&mut self, segment: &Segment<'_>, ready: &mut VecDeque<Item>) -> Result<(), Error> {
        match std::mem::replace(self, Self::Between) {
            Self::Header(draft) => {
                let header = draft.finish(&Fields::new(segment, "header"))?;
                ready.push_back(Item::Header(Box::new(header.clone())));
                *self = Self::Claims(Box::new(Open::new(header)));
            }
            other @ (Self::Claims(_) | Self::Between) => *self = other,
        }
        Ok(())
    }
}

impl Open {
    fn new(header: Header) -> Self {
        let zero = Money::zero(header.total.currency);
        let lx = String::new();
        Self {
            header,
            lx,
            claim: None,
            claims: 0,
            lines: 0,
            paid: zero,
            provider: zero,
            provider_seen: false,
        }
    }

    fn take(&mut self, segment: &Segment<'_>, ready: &mut VecDeque<Item>) -> Result<(), Error> {
        let currency = self.header.total.currency;
        match segment.name() {
            "PLB" => {
                self.close_claim(ready)?;
                self.provider_seen = true;
                self.provider_adjustments(&Fields::new(segment, "summary"), ready)
            }
            _ if self.provider_seen => {
                let what = "the segment stands after the provider adjustments";
                Err(Fields::new(segment, "summary").error(Kind::Structure, None, what))
            }
            "LX" => {
                self.close_claim(ready)?;
                Fields::new(segment, "2000").identifier(1)?.clone_into(&mut self.lx);
                Ok(())
            }
            "CLP" => {
                self.close_claim(ready)?;
                self.claims += 1;
                let fields = Fields::new(segment, "2100").of_claim(self.claims);
                self.claim = Some(claim::Draft::begin(&fields, self.claims, &self.lx, currency)?);
                Ok(())
            }
            name => match &mut self.claim {
                Some(draft) => {
                    let loop_id = if name == "SVC" { "2110" } else { draft.loop_id() };
                    draft.take(&Fields::new(segment, loop_id).of_claim(draft.position()))
                }
                None if matches!(name, "TS2" | "TS3") => Ok(()),
                None => {
                    let what = "the segment belongs to a claim, and none has begun";
                    Err(Fields::new(segment, "2000").error(Kind::Structure, None, what))
                }
            },
        }
    }

    fn close_claim(&mut self, ready: &mut VecDeque<Item>) -> Result<(), Error> {
        let Some(draft) = self.claim.take() else { return Ok(()) };
        let claim = draft.finish()?;
        self.lines += u64::try_from(claim.lines.len()).unwrap_or(u64::MAX);
        self.paid = self.paid.plus(claim.paid).map_err(|_| {
            let place = crate::x12::error::Place {
                loop_id: "2100",
                claim: Some(claim.position),
                segment: claim.segment,
                name: "CLP".to_owned(),
                element: Some(4),
            };
            balance::too_large(&place)
        })?;
        ready.push_back(Item::Claim(Box::new(claim)));
        Ok(())
    }

    fn provider_adjustments(&mut self, fields: &Fields<'_>, ready: &mut VecDeque<Item>) -> Result<(), Error> {
        for adjustment in provider::read(fields, self.header.total.currency)? {
            let sum = self.provider.plus(adjustment.amount);
            self.provider = sum.map_err(|_| balance::too_large(&fields.place(None)))?;
            ready.push_back(Item::Provider(adjustment));
        }
        Ok(())
    }

    fn trailer(self) -> Result<Trailer, Error> {
        let (total, control) = (self.header.total, self.header.control);
        balance::check_total(total, self.paid, self.provider, self.header.segment, &control.set)?;
        Ok(Trailer {
            control,
            claims: self.claims,
            lines: self.lines,
            paid: self.paid,
            provider_adjustments: self.provider,
            total,
        })
    }
}
