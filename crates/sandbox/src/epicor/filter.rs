//! Conditions on rows: the `$filter` of OData and the `whereClause` of methods, which mean the same here.
//!
//! `name eq 'text' and (number gt 5 or flag eq true)`; methods write `=`, `<>`, `<` and so on. What must stay true: a
//! name that the table does not have, or a value of another kind, is refused and never taken as false.

use super::cell::{self, Cell};
use super::refusal::Refusal;
use super::row::Row;
use super::schema::{Kind, Table};
use super::store;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    StartsWith,
    Contains,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    Compare(String, Test, Cell),
    Both(Box<Filter>, Box<Filter>),
    Either(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
}

impl Filter {
    /// Reads a condition; `name_of` turns a name as it is written into the name of a column.
    pub(super) fn parse(
        text: &str,
        table: &Table,
        name_of: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Refusal> {
        let tokens = lex(text)?;
        let mut parser = Parser { tokens: &tokens, table, name_of };
        let filter = parser.either()?;
        match parser.tokens.first() {
            // 4GL clauses end with an order, which is the key's order anyway.
            None => Ok(filter),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") => Ok(filter),
            Some(token) => Err(syntax(&format!("{token:?}"))),
        }
    }

    /// Whether the row fulfils the condition.
    pub(super) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Both(one, other) => one.holds(row) && other.holds(row),
            Self::Either(one, other) => one.holds(row) || other.holds(row),
            Self::Not(inner) => !inner.holds(row),
            Self::Compare(name, test, value) => match row.cell(name) {
                Some(cell) => test.holds(cell, value),
                // A user-defined column that was never set.
                None => test.holds(&Cell::from(""), value),
            },
        }
    }

    /// The comparisons that must all hold.
    pub(super) fn required(&self) -> Vec<(&str, Test, &Cell)> {
        match self {
            Self::Both(one, other) => {
                let mut all = one.required();
                all.extend(other.required());
                all
            }
            Self::Compare(name, test, value) => vec![(name, *test, value)],
            Self::Either(..) | Self::Not(_) => Vec::new(),
        }
    }
}

impl Test {
    fn named(word: &str) -> Option<Self> {
        match word {
            "eq" | "=" => Some(Self::Equal),
            "ne" | "<>" => Some(Self::NotEqual),
            "gt" | ">" => Some(Self::Greater),
            "ge" | ">=" => Some(Self::GreaterOrEqual),
            "lt" | "<" => Some(Self::Less),
            "le" | "<=" => Some(Self::LessOrEqual),
            _ => None,
        }
    }

    fn holds(self, cell: &Cell, value: &Cell) -> bool {
        match self {
            Self::Equal => cell == value,
            Self::NotEqual => cell != value,
            Self::Greater => cell > value,
            Self::GreaterOrEqual => cell >= value,
            Self::Less => cell < value,
            Self::LessOrEqual => cell <= value,
            Self::StartsWith | Self::Contains => match (cell, value) {
                (Cell::Text(text), Cell::Text(part)) if self == Self::StartsWith => text.starts_with(part),
                (Cell::Text(text), Cell::Text(part)) => text.contains(part),
                _ => false,
            },
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Quoted(String),
    Open,
    Close,
    Comma,
}

fn syntax(at: &str) -> Refusal {
    Refusal::odata(format!("Syntax error in the filter at {at}."))
}

fn lex(text: &str) -> Result<Vec<Token>, Refusal> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            '(' => one(&mut tokens, Token::Open),
            ')' => one(&mut tokens, Token::Close),
            ',' => one(&mut tokens, Token::Comma),
            '\'' | '"' => {
                let (quoted, taken) = quoted(rest, first).ok_or_else(|| syntax("an open quote"))?;
                tokens.push(Token::Quoted(quoted));
                taken
            }
            '<' | '>' | '=' => {
                let end = rest.find(|letter| !matches!(letter, '<' | '>' | '=')).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..end).unwrap_or_default().to_owned()));
                end
            }
            _ => {
                let ends = |letter: char| {
                    letter.is_whitespace() || matches!(letter, '(' | ')' | ',' | '<' | '>' | '=')
                };
                let end = rest.find(ends).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..end).unwrap_or_default().to_owned()));
                end
            }
        };
        rest = rest.get(taken..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

fn one(tokens: &mut Vec<Token>, token: Token) -> usize {
    tokens.push(token);
    1
}

/// A text in quotes, where two quotes mean one, and how many bytes it takes.
pub(super) fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if letter != quote {
            value.push(letter);
        } else if letters.peek().is_some_and(|(_, next)| *next == quote) {
            letters.next();
            value.push(quote);
        } else {
            return Some((value, at + quote.len_utf8()));
        }
    }
    None
}

struct Parser<'a> {
    tokens: &'a [Token],
    table: &'a Table,
    name_of: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Parser<'a> {
    fn next(&mut self) -> Result<&'a Token, Refusal> {
        let (first, rest) = self.tokens.split_first().ok_or_else(|| syntax("the end"))?;
        self.tokens = rest;
        Ok(first)
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let fits =
            matches!(self.tokens.first(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(wanted));
        if fits {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        fits
    }

    fn take(&mut self, wanted: &Token) -> Result<(), Refusal> {
        let token = self.next()?;
        if token == wanted { Ok(()) } else { Err(syntax(&format!("{token:?}"))) }
    }

    fn either(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.both()?;
        while self.take_word("or") {
            left = Filter::Either(Box::new(left), Box::new(self.both()?));
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.single()?;
        while self.take_word("and") {
            left = Filter::Both(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Filter, Refusal> {
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.single()?)));
        }
        match self.next()? {
            Token::Open => {
                let inner = self.either()?;
                self.take(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(word) if word == "startswith" || word == "contains" => {
                let test = if word == "contains" { Test::Contains } else { Test::StartsWith };
                self.take(&Token::Open)?;
                let Token::Word(name) = self.next()? else { return Err(syntax("a name")) };
                self.take(&Token::Comma)?;
                let filter = self.compare(name, test)?;
                self.take(&Token::Close)?;
                Ok(filter)
            }
            Token::Word(name) => {
                let Token::Word(word) = self.next()? else { return Err(syntax(name)) };
                let test = Test::named(word).ok_or_else(|| syntax(word))?;
                self.compare(name, test)
            }
            token @ (Token::Quoted(_) | Token::Close | Token::Comma) => Err(syntax(&format!("{token:?}"))),
        }
    }

    fn compare(&mut self, name: &str, test: Test) -> Result<Filter, Refusal> {
        let column = (self.name_of)(name).ok_or_else(|| unknown_name(self.table, name))?;
        let kind = kind_of(self.table, &column).ok_or_else(|| unknown_name(self.table, name))?;
        let token = self.next()?;
        let value = literal(kind, token).ok_or_else(|| {
            Refusal::odata(format!("The value {token:?} does not fit the type of '{name}'."))
                .at(self.table.name, name)
        })?;
        Ok(Filter::Compare(column, test, value))
    }
}

/// A name that the table does not have; names are case-sensitive.
pub(super) fn unknown_name(table: &Table, name: &str) -> Refusal {
    Refusal::odata(format!(
        "Could not find a property named '{name}' on type 'Erp.Tablesets.{}'.",
        table.name
    ))
    .at(table.name, name)
}

/// The kind of a column; user-defined columns are texts.
pub(super) fn kind_of(table: &Table, name: &str) -> Option<Kind> {
    match table.column(name) {
        Some(column) => Some(column.kind),
        None => store::is_user(name).then_some(Kind::Text(1_000)),
    }
}

fn literal(kind: Kind, token: &Token) -> Option<Cell> {
    let (text, is_quoted) = match token {
        Token::Word(word) => (word.as_str(), false),
        Token::Quoted(text) => (text.as_str(), true),
        Token::Open | Token::Close | Token::Comma => return None,
    };
    if !is_quoted && text == "null" {
        return Some(Cell::empty(kind));
    }
    match kind {
        Kind::Text(_) => is_quoted.then(|| text.into()),
        Kind::Guid => Some(text.to_ascii_lowercase().into()),
        Kind::Moment => cell::moment(text).map(Cell::Moment),
        Kind::Whole if !is_quoted => text.parse().ok().map(Cell::Whole),
        Kind::Money | Kind::Number if !is_quoted => cell::decimal(text).map(Cell::Decimal),
        Kind::Flag if !is_quoted => text.to_ascii_lowercase().parse().ok().map(Cell::Flag),
        Kind::Whole | Kind::Money | Kind::Number | Kind::Flag => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::epicor::schema::Id;

    fn filter(text: &str) -> Result<Filter, Refusal> {
        Filter::parse(text, Id::OrderHed.table(), &|name| Some(name.to_owned()))
    }

    fn order(number: i64, reference: &str) -> Row {
        let mut row = Row::new(Id::OrderHed.table(), "EPIC06");
        row.set("OrderNum", number);
        row.set("PONum", reference);
        row.set("OrderDate", Cell::Moment("2026-03-01T00:00:00".into()));
        row
    }

    #[test]
    fn conditions_combine_with_and_before_or() {
        let wanted = filter("OrderNum eq 1 or OrderNum ge 5 and PONum eq 'O''Neil'").unwrap();
        assert!(wanted.holds(&order(1, "x")));
        assert!(wanted.holds(&order(9, "O'Neil")));
        assert!(!wanted.holds(&order(9, "x")));
        assert!(filter("not (OrderNum gt 3)").unwrap().holds(&order(3, "")));
    }

    #[test]
    fn methods_write_the_same_with_signs() {
        let wanted = filter("PONum='A 1' and OrderDate>='2026-03-01' BY OrderNum").unwrap();
        assert!(wanted.holds(&order(1, "A 1")));
        assert!(!filter("OrderNum<>1").unwrap().holds(&order(1, "")));
        assert!(filter("startswith(PONum,'A')").unwrap().holds(&order(1, "A 1")));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in [
            "ordernum eq 1",
            "OrderNum eq '1'",
            "PONum eq 5",
            "OrderNum eq",
            "OrderNum like 1",
            "PONum eq 'x",
        ] {
            assert_eq!(filter(text).unwrap_err().status, 400, "{text}");
        }
    }
}
