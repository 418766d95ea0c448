//! The envelope of an interchange: ISA, GS, ST … SE, GE, IEA, with their control numbers and counts.
//!
//! Called by the readers of one kind of file, for every segment. Must stay true: a file whose envelope does not close
//! exactly as it says is never reported as complete, and nothing but the expected kind of file gets through.

use serde::{Deserialize, Serialize};

use crate::x12::error::{Error, Kind};
use crate::x12::fields::Fields;
use crate::x12::segments::Segment;

/// The most transaction sets in one interchange.
pub const SETS_MAX: u64 = 1_000;

/// The kind of file that a reader takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// GS01, for example `HP`.
    pub group: &'static str,
    /// ST01, for example `835`.
    pub set: &'static str,
    /// How GS08 begins, for example `005010X221`; addenda (`A1`) are accepted.
    pub guide: &'static str,
}

/// The control numbers of one transaction set, and whether it is real.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// ISA13.
    pub interchange: String,
    /// GS06.
    pub group: String,
    /// ST02.
    pub set: String,
    /// ISA06, the sender's id, trimmed.
    pub sender: String,
    /// ISA08, the receiver's id, trimmed.
    pub receiver: String,
    /// ISA15: true for `T`, a file to test with; no money moves.
    pub test: bool,
}

/// What a segment is to the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// ISA, GS, GE, IEA or TA1: nothing for a reader of a transaction set.
    Envelope,
    /// ST: a transaction set begins.
    SetBegins,
    /// A segment of the transaction set.
    Body,
    /// SE: the transaction set ended and its counts hold.
    SetEnds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Outside,
    Interchange,
    Group,
    Set,
    Closed,
}

/// Checks the envelope, segment by segment.
#[derive(Debug)]
pub struct Envelope {
    expected: Expected,
    level: Level,
    control: Control,
    set_begins: u64,
    sets_in_group: u64,
    sets: u64,
    groups: u64,
}

impl Envelope {
    /// Waits for an `ISA`.
    #[must_use]
    pub fn new(expected: Expected) -> Self {
        let control = Control::default();
        Self { expected, level: Level::Outside, control, set_begins: 0, sets_in_group: 0, sets: 0, groups: 0 }
    }

    /// The control numbers that hold now.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// Whether `IEA` was seen and everything was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.level == Level::Closed
    }

    /// Looks at the next segment.
    ///
    /// # Errors
    /// When the segment cannot stand here, or a control number, count or name of the kind of file is wrong.
    pub fn observe(&mut self, segment: &Segment<'_>) -> Result<Frame, Error> {
        let fields = Fields::new(segment, "envelope");
        let frame = match (self.level, segment.name()) {
            (Level::Outside, "ISA") => self.interchange_begins(&fields)?,
            (Level::Interchange, "TA1") => Frame::Envelope,
            (Level::Interchange, "GS") => self.group_begins(&fields)?,
            (Level::Interchange, "IEA") => self.interchange_ends(&fields)?,
            (Level::Group, "ST") => self.set_begins(&fields)?,
            (Level::Group, "GE") => self.group_ends(&fields)?,
            (Level::Set, "SE") => self.set_ends(&fields)?,
            (Level::Set, name) if !matches!(name, "ISA" | "GS" | "ST" | "GE" | "IEA") => Frame::Body,
            (Level::Closed, _) => {
                let what = "something follows the end of the interchange; one file holds one interchange";
                return Err(fields.error(Kind::Structure, None, what));
            }
            (Level::Outside | Level::Interchange | Level::Group | Level::Set, _) => {
                return Err(fields.error(Kind::Structure, None, "the envelope is open at another place"));
            }
        };
        Ok(frame)
    }

    /// The error of a file that ended before its envelope did.
    ///
    /// # Errors
    /// [`Kind::Truncated`] unless the envelope is closed.
    pub fn ended(&self, segments_read: u64) -> Result<(), Error> {
        let missing = match self.level {
            Level::Closed => return Ok(()),
            Level::Outside => "ISA",
            Level::Interchange => "IEA",
            Level::Group => "GE",
            Level::Set => "SE",
        };
        let place =
            crate::x12::error::Place { loop_id: "envelope", segment: segments_read, ..Default::default() };
        Err(Error::new(Kind::Truncated, format!("the file ends without {missing}"), place))
    }

    fn interchange_begins(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        self.control.sender = fields.text(6).trim().to_owned();
        self.control.receiver = fields.text(8).trim().to_owned();
        self.control.interchange = fields.text(13).trim().to_owned();
        self.control.test = match fields.text(15) {
            "T" => true,
            "P" => false,
            _ => return Err(fields.error(Kind::BadValue, Some(15), "the usage is neither T nor P")),
        };
        self.level = Level::Interchange;
        Ok(Frame::Envelope)
    }

    fn group_begins(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        fields.must_be_kind(1, self.expected.group, fields.text(1) == self.expected.group)?;
        fields.must_be_kind(8, self.expected.guide, is_guide(fields.text(8), self.expected.guide))?;
        fields.identifier(6)?.clone_into(&mut self.control.group);
        self.groups += 1;
        self.sets_in_group = 0;
        self.level = Level::Group;
        Ok(Frame::Envelope)
    }

    fn set_begins(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        fields.must_be_kind(1, self.expected.set, fields.text(1) == self.expected.set)?;
        let guide = fields.text(3);
        fields.must_be_kind(
            3,
            self.expected.guide,
            guide.is_empty() || is_guide(guide, self.expected.guide),
        )?;
        fields.identifier(2)?.clone_into(&mut self.control.set);
        self.sets += 1;
        self.sets_in_group += 1;
        if self.sets > SETS_MAX {
            return Err(fields.error(Kind::TooLarge, None, "the file has more than 1000 transaction sets"));
        }
        self.set_begins = fields.index();
        self.level = Level::Set;
        Ok(Frame::SetBegins)
    }

    fn set_ends(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        fields.must_count(1, fields.index() - self.set_begins + 1, "segments from ST to SE")?;
        fields.must_repeat(2, &self.control.set, "ST02")?;
        self.level = Level::Group;
        Ok(Frame::SetEnds)
    }

    fn group_ends(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        fields.must_count(1, self.sets_in_group, "transaction sets of the group")?;
        fields.must_repeat(2, &self.control.group, "GS06")?;
        if self.sets_in_group == 0 {
            return Err(fields.error(Kind::Structure, None, "the group holds no transaction set"));
        }
        self.level = Level::Interchange;
        Ok(Frame::Envelope)
    }

    fn interchange_ends(&mut self, fields: &Fields<'_>) -> Result<Frame, Error> {
        fields.must_count(1, self.groups, "groups of the interchange")?;
        fields.must_repeat(2, &self.control.interchange, "ISA13")?;
        if self.groups == 0 {
            return Err(fields.error(Kind::Structure, None, "the interchange holds no group"));
        }
        self.level = Level::Closed;
        Ok(Frame::Envelope)
    }
}

fn is_guide(text: &str, guide: &str) -> bool {
    text.strip_prefix(guide).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('A').is_some_and(|number| number.parse::<u8>().is_ok())
    })
}
