//! The tags of an OFX file. Version 1 is SGML whose leaves need no end, version 2 is XML; one reader takes both, because a
//! leaf is a tag with text behind it.
//!
//! Source: Open Financial Exchange 1.6 (SGML) and 2.2 (XML), section "Structure".

use super::error::{Error, Kind, Place};

/// One tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// `<STMTTRN>`: something begins.
    Begins(&'a str),
    /// `<TRNAMT>-12.00`: a leaf with its value.
    Leaf(&'a str, String),
    /// `</STMTTRN>`.
    Ends(&'a str),
}

/// The tags of a file in order, with their lines.
pub(super) struct Tags<'a> {
    rest: &'a str,
    /// Where the reader is.
    reached: u64,
    /// Where the latest tag began.
    line: u64,
}

impl<'a> Tags<'a> {
    /// From the first `<OFX>`; the headers before it say nothing about money.
    pub(super) fn new(content: &'a str) -> Result<Self, Error> {
        let wrong = || Error::new(Kind::WrongFormat, "The file holds no <OFX>", Place::default());
        let start = content.find("<OFX>").ok_or_else(wrong)?;
        let (before, rest) = content.split_at(start);
        let line = 1 + breaks(before);
        Ok(Self { rest, reached: line, line })
    }

    /// The line of the file where the latest tag began.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// The next tag; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Tag<'a>>, Error> {
        let Some(start) = self.rest.find('<') else { return Ok(None) };
        self.pass(start + 1);
        self.line = self.reached;
        let cut =
            || Error::new(Kind::Truncated, "The file ends inside a tag", Place::at(self.reached, "OFX", ""));
        let end = self.rest.find('>').ok_or_else(cut)?;
        let name = self.rest.get(..end).unwrap_or_default().trim();
        self.pass(end + 1);
        if let Some(name) = name.strip_prefix('/') {
            return Ok(Some(Tag::Ends(name)));
        }
        let value = self.rest.split('<').next().unwrap_or_default();
        let trimmed = value.trim();
        if trimmed.is_empty() {
            return Ok(Some(Tag::Begins(name.trim_end_matches('/'))));
        }
        let (value, length) = (unescaped(trimmed), value.len());
        self.pass(length);
        // The end of a leaf is optional, and says nothing.
        if let Some(after) = self.rest.strip_prefix("</").and_then(|rest| rest.strip_prefix(name))
            && after.starts_with('>')
        {
            self.pass(name.len() + 3);
        }
        Ok(Some(Tag::Leaf(name, value)))
    }

    fn pass(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.reached = self.reached.saturating_add(breaks(passed));
        self.rest = rest;
    }
}

fn breaks(text: &str) -> u64 {
    u64::try_from(text.bytes().filter(|byte| *byte == b'\n').count()).unwrap_or(0)
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
}
