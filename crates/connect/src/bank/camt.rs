//! ISO 20022 camt.053, by local names, so that every version is read. One statement at a time is held in memory, and of it
//! one entry as a tree.
//!
//! Source: ISO 20022 message definition camt.053 (BankToCustomerStatement): `Stmt` with `Bal`, `TxsSummry`, `Ntry`.

use quick_xml::Reader;
use quick_xml::events::Event;

use suture_core::money::Money;

use super::camt_entry::{Element, Parts};
use super::error::{Error, Kind, Place};
use super::statement::Statement;

/// Deeper than any statement.
const DEPTH_MAX: usize = 40;

pub(super) fn read(content: &str) -> Result<Vec<Statement>, Error> {
    let mut reader = Reader::from_str(content);
    reader.config_mut().expand_empty_elements = true;
    let mut walk = Walk { reader, content, line: 1, counted: 0 };
    let mut statements = Vec::new();
    let (mut depth, mut of): (usize, Option<(usize, Parts)>) = (0, None);
    let mut is_camt = false;
    loop {
        match walk.next()? {
            Step::Begins(element) if of.is_none() => {
                is_camt |= element.name == "BkToCstmrStmt";
                depth += 1;
                if element.name == "Stmt" && is_camt {
                    of = Some((depth, Parts::new(walk.line)));
                }
            }
            Step::Begins(element) => {
                let whole = walk.rest_of(element, 0)?;
                if let Some((_, parts)) = &mut of {
                    parts.take(&whole)?;
                }
            }
            Step::Ends => {
                if let Some((_, parts)) = of.take_if(|(at, _)| *at == depth) {
                    statements.push(parts.finish()?);
                }
                depth = depth.saturating_sub(1);
            }
            Step::Text(_) => {}
            Step::Over if depth > 0 => {
                return Err(Error::new(Kind::Truncated, "The file ends inside an element", walk.here()));
            }
            Step::Over if !is_camt => {
                return Err(Error::new(Kind::WrongFormat, "The file is no camt.053", Place::default()));
            }
            Step::Over => return Ok(statements),
        }
    }
}

/// What comes next in the file.
enum Step {
    Begins(Element),
    Ends,
    Text(String),
    Over,
}

struct Walk<'a> {
    reader: Reader<&'a [u8]>,
    content: &'a str,
    line: u64,
    counted: usize,
}

impl Walk<'_> {
    const fn here(&self) -> Place {
        Place::at(self.line, "XML", "")
    }

    /// Brings the line number up to where the reader is.
    fn count_lines(&mut self) {
        let reached = usize::try_from(self.reader.buffer_position()).unwrap_or(self.counted);
        let passed = self.content.as_bytes().get(self.counted..reached).unwrap_or_default();
        let breaks = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u64::try_from(breaks).unwrap_or(0));
        self.counted = reached;
    }

    fn next(&mut self) -> Result<Step, Error> {
        loop {
            self.count_lines();
            let here = self.here();
            let broken = || Error::new(Kind::WrongFormat, "The file is not well-formed XML", here.clone());
            let step = match self.reader.read_event().map_err(|_| broken())? {
                Event::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    Step::Begins(Element::new(name, currency_of(&start), self.line))
                }
                // Written out by the reader, so that every beginning has an end.
                Event::Empty(_) => continue,
                Event::End(_) => Step::Ends,
                Event::Text(text) => Step::Text((*text).to_owned()),
                Event::CData(text) => Step::Text((*text).to_owned()),
                Event::GeneralRef(reference) => Step::Text(referred(&reference).ok_or_else(broken)?),
                Event::DocType(_) => return Err(broken()),
                Event::Eof => Step::Over,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
            };
            return Ok(step);
        }
    }

    /// The rest of an element that began, as a tree.
    fn rest_of(&mut self, mut element: Element, depth: usize) -> Result<Element, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::new(Kind::TooLarge, "Elements are nested too deeply", self.here()));
        }
        loop {
            match self.next()? {
                Step::Begins(child) => {
                    let child = self.rest_of(child, depth + 1)?;
                    element.children.push(child);
                }
                Step::Ends => return Ok(element),
                Step::Text(text) => element.text.push_str(&text),
                Step::Over => {
                    return Err(Error::new(Kind::Truncated, "The file ends inside an element", self.here()));
                }
            }
        }
    }
}

fn currency_of(start: &quick_xml::events::BytesStart<'_>) -> Option<String> {
    let attribute = start.try_get_attribute("Ccy").ok().flatten()?;
    Some(attribute.value.into_owned())
}

/// What a reference such as `&amp;` or `&#228;` stands for. Others would need a document type, which is refused.
fn referred(name: &str) -> Option<String> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let sign = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => match name.strip_prefix("#x") {
            Some(digits) => number(digits, 16),
            None => name.strip_prefix('#').and_then(|digits| number(digits, 10)),
        },
    };
    sign.map(String::from)
}

/// Whether a sum that the file states is the one of its lines.
pub(super) fn check_sum(stated: Option<Money>, found: Money, at: &Place) -> Result<(), Error> {
    match stated {
        Some(stated) if stated != found => {
            let what = format!("The file states {stated}, its lines give {found}");
            Err(Error::new(Kind::Unbalanced, what, at.clone()))
        }
        _ => Ok(()),
    }
}
