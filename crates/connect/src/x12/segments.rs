//! Segments out of bytes that arrive in any chunks. The first segment, `ISA`, says which bytes separate what.
//!
//! Called by the readers of one kind of file. Must stay true: no delimiter is assumed, memory is bounded by one segment
//! and the bytes that were fed but not pulled, and the way the bytes are cut into chunks changes nothing.

use std::fmt;

use crate::x12::error::{Error, Kind, Place};

/// The most bytes in one segment.
pub const SEGMENT_BYTES_MAX: usize = 64 * 1024;
/// The most elements in one segment. The longest of the guides in use have 24.
pub const ELEMENTS_MAX: usize = 100;

/// The bytes of the `ISA` segment with its terminator; it is the only segment of fixed width.
const ISA_BYTES: usize = 106;
/// Where the element separators of `ISA` stand, which proves that the width is right.
const ISA_SEPARATORS: [usize; 16] = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];

/// The four delimiters that the `ISA` segment declares; all ASCII, all different, none a letter, digit or space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delimiters {
    /// Between elements, usually `*`.
    pub element: u8,
    /// Between repetitions of one element (ISA11), usually `^`.
    pub repetition: u8,
    /// Between components of one element (ISA16), usually `:`.
    pub component: u8,
    /// After each segment, usually `~`; may be a newline.
    pub terminator: u8,
}

/// One segment, borrowed from the reader until the next is asked for. Does not print its elements.
#[derive(Clone, Copy)]
pub struct Segment<'a> {
    index: u64,
    text: &'a str,
    ends: &'a [usize],
    delimiters: Delimiters,
}

impl<'a> Segment<'a> {
    /// Its number in the file; `ISA` is 1.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Its name: 2 or 3 upper-case letters and digits.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.element(0)
    }

    /// The text of element `number`, counted from 1; empty when it is not there. Not trimmed.
    #[must_use]
    pub fn element(&self, number: usize) -> &'a str {
        let Some(end) = self.ends.get(number) else { return "" };
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| end + 1);
        &self.text[start..*end]
    }

    /// How many elements there are after the name.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    /// The components of a composite element, or of one repetition of it.
    pub fn components(&self, text: &'a str) -> impl Iterator<Item = &'a str> + use<'a> {
        text.split(char::from(self.delimiters.component))
    }

    /// The repetitions of element `number`.
    pub fn repetitions(&self, number: usize) -> impl Iterator<Item = &'a str> + use<'a> {
        self.element(number).split(char::from(self.delimiters.repetition))
    }

    /// The whole segment as it stands in the file, without the terminator. Often personal data.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Where this segment is, for an error.
    #[must_use]
    pub fn place(&self, loop_id: &'static str) -> Place {
        Place { loop_id, claim: None, segment: self.index, name: self.name().to_owned(), element: None }
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} {}", self.index, self.name())
    }
}

/// Cuts bytes into segments: [`feed`](Self::feed) some, [`next_segment`](Self::next_segment) until `None`, repeat, and
/// [`finish`](Self::finish) when the file has ended.
#[derive(Default)]
pub struct Segments {
    buffer: Vec<u8>,
    start: usize,
    searched: usize,
    delimiters: Option<Delimiters>,
    index: u64,
    ended: bool,
    ends: Vec<usize>,
    decoded: String,
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segments, {} read", self.index)
    }
}

impl Segments {
    /// A reader of one file from its first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes. Pull until `None` before feeding more, and memory stays at one chunk and one segment.
    /// Bytes after [`finish`](Self::finish) are not looked at.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.ended {
            return;
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Says that there are no more bytes: what is left without a terminator is now an error.
    pub const fn finish(&mut self) {
        self.ended = true;
    }

    /// Whether [`finish`](Self::finish) was called.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Whether the file has ended and every byte of it was read.
    #[must_use]
    pub const fn is_drained(&self) -> bool {
        self.ended && self.start == self.buffer.len()
    }

    /// How many segments were read.
    #[must_use]
    pub const fn read(&self) -> u64 {
        self.index
    }

    /// The delimiters, once the `ISA` segment has been seen.
    #[must_use]
    pub const fn delimiters(&self) -> Option<Delimiters> {
        self.delimiters
    }

    /// The next whole segment, or `None` when more bytes are needed or the file has ended cleanly.
    ///
    /// # Errors
    /// [`Kind::Truncated`], [`Kind::MisDelimited`] or [`Kind::TooLarge`]. The reader is of no use afterwards.
    pub fn next_segment(&mut self) -> Result<Option<Segment<'_>>, Error> {
        self.skip_line_ends();
        let Some(delimiters) = self.known_delimiters()? else { return Ok(None) };
        let rest = &self.buffer[self.start..];
        let found = rest[self.searched..].iter().position(|byte| *byte == delimiters.terminator);
        let length = found.map_or(rest.len(), |at| self.searched + at);
        if length > SEGMENT_BYTES_MAX {
            return Err(self.refuse(Kind::TooLarge, "the segment is longer than 64 KiB"));
        }
        if found.is_none() {
            self.searched = length;
            if self.ended && length > 0 {
                return Err(self.refuse(Kind::Truncated, "the file ends in the middle of a segment"));
            }
            return Ok(None);
        }
        let from = self.start;
        self.start += length + 1;
        self.searched = 0;
        self.index += 1;
        self.split(from, length, delimiters).map(Some)
    }

    /// Line ends after a terminator are no content; files are sent with and without them.
    fn skip_line_ends(&mut self) {
        if self.searched == 0 {
            let rest = &self.buffer[self.start..];
            self.start += rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        }
    }

    fn known_delimiters(&mut self) -> Result<Option<Delimiters>, Error> {
        if self.delimiters.is_some() {
            return Ok(self.delimiters);
        }
        let rest = &self.buffer[self.start..];
        let seen = rest.len().min(3);
        if rest[..seen] != b"ISA"[..seen] || (self.ended && seen < 3) {
            return Err(self.refuse(Kind::WrongSet, "the file does not begin with ISA, so it is no X12 file"));
        }
        let Some(isa) = rest.get(..ISA_BYTES) else {
            if self.ended {
                return Err(self.refuse(Kind::Truncated, "the file ends inside its first segment"));
            }
            return Ok(None);
        };
        self.delimiters = declared(isa);
        if self.delimiters.is_none() {
            let what =
                "the first segment does not have the fixed width of ISA, or its delimiters are not usable";
            return Err(self.refuse(Kind::MisDelimited, what));
        }
        Ok(self.delimiters)
    }

    fn split(&mut self, from: usize, length: usize, delimiters: Delimiters) -> Result<Segment<'_>, Error> {
        let place = Place { loop_id: "envelope", segment: self.index, ..Place::default() };
        let bytes = &self.buffer[from..from + length];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            // X12 does not say which encoding names are in; without valid UTF-8 it is Latin-1 in practice.
            Err(_) => {
                self.decoded.clear();
                self.decoded.extend(bytes.iter().copied().map(char::from));
                &self.decoded
            }
        };
        self.ends.clear();
        let separators = text.bytes().enumerate().filter(|(_, byte)| *byte == delimiters.element);
        self.ends.extend(separators.map(|(at, _)| at).take(ELEMENTS_MAX + 1));
        if self.ends.len() > ELEMENTS_MAX {
            return Err(Error::new(Kind::TooLarge, "the segment has more than 100 elements", place));
        }
        self.ends.push(text.len());
        let segment = Segment { index: self.index, text, ends: &self.ends, delimiters };
        if !is_name(segment.name()) {
            let what = "what stands between two terminators does not begin with the name of a segment";
            return Err(Error::new(Kind::MisDelimited, what, place));
        }
        if self.index == 1 && (length != ISA_BYTES - 1 || segment.count() != 16) {
            let what = "a delimiter of the file is used inside its first segment";
            return Err(Error::new(Kind::MisDelimited, what, place));
        }
        Ok(segment)
    }

    fn refuse(&self, kind: Kind, what: &str) -> Error {
        Error::new(kind, what, Place { loop_id: "envelope", segment: self.index + 1, ..Place::default() })
    }
}

fn declared(isa: &[u8]) -> Option<Delimiters> {
    let at = |index: usize| isa.get(index).copied();
    let all = [at(3)?, at(82)?, at(104)?, at(105)?];
    let [element, repetition, component, terminator] = all;
    let usable = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b' ';
    let mut different = all;
    different.sort_unstable();
    let distinct = different.windows(2).all(|pair| pair[0] != pair[1]);
    let in_place = ISA_SEPARATORS.iter().all(|index| at(*index) == Some(element));
    let good = in_place && distinct && all.iter().all(usable);
    good.then_some(Delimiters { element, repetition, component, terminator })
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    matches!(name.len(), 2 | 3)
        && bytes.next().is_some_and(|byte| byte.is_ascii_uppercase())
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISA: &str = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *260115*0930*^*00501*\
                       000000101*0*T*:~";

    fn all(bytes: &[u8]) -> Result<Vec<Vec<String>>, Error> {
        let mut segments = Segments::new();
        segments.feed(bytes);
        segments.finish();
        let mut found = Vec::new();
        while let Some(segment) = segments.next_segment()? {
            found.push((0..=segment.count()).map(|number| segment.element(number).to_owned()).collect());
        }
        Ok(found)
    }

    fn kind(bytes: &[u8]) -> Kind {
        all(bytes).unwrap_err().kind
    }

    #[test]
    fn delimiters_are_those_that_the_file_declares() {
        let text = format!("{ISA}GS*HP*A~").replace('*', "|").replace('~', "\n").replace(':', ">");
        assert_eq!(all(text.as_bytes()).unwrap()[1], ["GS", "HP", "A"]);
        let mut segments = Segments::new();
        segments.feed(text.as_bytes());
        let isa = segments.next_segment().unwrap().unwrap();
        assert_eq!(isa.components("HC>99213").collect::<Vec<_>>(), ["HC", "99213"]);
    }

    #[test]
    fn line_ends_after_a_terminator_are_no_content() {
        let text = format!("\r\n{ISA}\r\nGS*HP~\n\n\nSE*1*2~\r\n");
        assert_eq!(all(text.as_bytes()).unwrap()[1..], [vec!["GS", "HP"], vec!["SE", "1", "2"]]);
    }

    #[test]
    fn an_element_that_is_not_there_is_empty() {
        let text = format!("{ISA}CAS*PR**~");
        let mut segments = Segments::new();
        segments.feed(text.as_bytes());
        segments.next_segment().unwrap().unwrap();
        let segment = segments.next_segment().unwrap().unwrap();
        assert_eq!((segment.element(1), segment.element(2), segment.element(9)), ("PR", "", ""));
        assert_eq!((segment.count(), segment.index()), (3, 2));
    }

    #[test]
    fn what_is_no_x12_is_refused_by_name() {
        assert_eq!(kind(b"%PDF-1.7"), Kind::WrongSet);
        assert_eq!(kind(b""), Kind::WrongSet);
        assert_eq!(kind(&ISA.as_bytes()[..40]), Kind::Truncated);
        assert_eq!(kind(&ISA.replace("ZZ*PAYER ", "ZZ*PAYER").into_bytes()), Kind::Truncated);
        assert_eq!(kind(format!("{} GS*HP~", ISA.replace("PAYER ", "PAYER")).as_bytes()), Kind::MisDelimited);
        assert_eq!(kind(ISA.replace(':', "*").as_bytes()), Kind::MisDelimited);
        assert_eq!(kind(format!("{ISA}GS*HP~~").as_bytes()), Kind::MisDelimited);
        assert_eq!(kind(format!("{ISA}GS*HP").as_bytes()), Kind::Truncated);
    }

    #[test]
    fn a_segment_is_bounded_in_bytes_and_elements() {
        assert_eq!(kind(format!("{ISA}MSG*{}~", "x".repeat(SEGMENT_BYTES_MAX)).as_bytes()), Kind::TooLarge);
        assert_eq!(kind(format!("{ISA}MSG*{}", "x".repeat(SEGMENT_BYTES_MAX)).as_bytes()), Kind::TooLarge);
        assert_eq!(kind(format!("{ISA}MSG{}~", "*".repeat(ELEMENTS_MAX + 1)).as_bytes()), Kind::TooLarge);
        assert!(all(format!("{ISA}MSG{}~", "*".repeat(ELEMENTS_MAX)).as_bytes()).is_ok());
    }

    #[test]
    fn names_in_latin_1_are_read_and_never_printed() {
        let mut bytes = format!("{ISA}NM1*QC*1*").into_bytes();
        bytes.extend_from_slice(b"MU\xd1OZ~");
        assert_eq!(all(&bytes).unwrap()[1][3], "MUÑOZ");
        let mut segments = Segments::new();
        segments.feed(&bytes);
        segments.next_segment().unwrap().unwrap();
        assert_eq!(format!("{:?}", segments.next_segment().unwrap().unwrap()), "segment 2 NM1");
    }
}
