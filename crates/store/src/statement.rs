//! Named statements, parameters and rows that both engines understand.

use std::borrow::Cow;

use crate::Error;

/// One SQL statement with `$1` parameters.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// Its name, for errors.
    pub name: &'static str,
    /// The text for SQLite.
    pub sqlite: &'static str,
    /// The text for PostgreSQL.
    pub postgres: &'static str,
}

impl Statement {
    /// A statement that is the same on both engines.
    #[must_use]
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, sqlite: text, postgres: text }
    }

    /// A statement that must differ. The caller says why in a comment; `tidy` counts them.
    #[must_use]
    pub const fn dialect(name: &'static str, sqlite: &'static str, postgres: &'static str) -> Self {
        Self { name, sqlite, postgres }
    }
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value<'a> {
    /// SQL null.
    Null,
    /// A 64-bit integer.
    Int(i64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
}

/// A question that a work is going to ask.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(crate) statement: Statement,
    pub(crate) values: Vec<Value<'static>>,
}

impl Ask {
    pub(crate) fn is(&self, statement: &Statement, values: &[Value<'_>]) -> bool {
        self.statement.postgres == statement.postgres && self.values == values
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(Cow::Borrowed(value))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(Cow::Owned(value))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One row of a result.
#[derive(Debug, Clone)]
pub struct Row {
    pub(crate) name: &'static str,
    pub(crate) values: Vec<Value<'static>>,
}

impl Row {
    /// A text column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not text.
    pub fn text(&self, column: usize) -> Result<String, Error> {
        self.optional_text(column)?.ok_or_else(|| self.corrupt())
    }

    /// A text column that may be null.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is neither text nor null.
    pub fn optional_text(&self, column: usize) -> Result<Option<String>, Error> {
        match self.values.get(column) {
            Some(Value::Text(text)) => Ok(Some(text.clone().into_owned())),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt()),
        }
    }

    /// An integer column.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not an integer.
    pub fn int(&self, column: usize) -> Result<i64, Error> {
        self.optional_int(column)?.ok_or_else(|| self.corrupt())
    }

    /// An integer column that may be null.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is neither an integer nor null.
    pub fn optional_int(&self, column: usize) -> Result<Option<i64>, Error> {
        match self.values.get(column) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.corrupt()),
        }
    }

    /// A column of bytes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is not bytes.
    pub fn blob(&self, column: usize) -> Result<&[u8], Error> {
        match self.values.get(column) {
            Some(Value::Blob(bytes)) => Ok(bytes),
            _ => Err(self.corrupt()),
        }
    }

    /// The error for content that does not read back.
    #[must_use]
    pub fn corrupt(&self) -> Error {
        Error::Corrupt(self.name.to_owned())
    }
}
