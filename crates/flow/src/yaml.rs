//! YAML text as a tree whose every key and value knows its place.
//!
//! Called by `read` only. The tree is untyped on purpose: reading it by hand lets a check report all problems of a
//! document with their places, where a typed reader would stop at the first. Aliases are expanded within the parser's budget.

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::{Options, Spanned};

use crate::problem::{Place, Problems};

/// Longest flow document, in bytes.
const DOCUMENT_MAX: usize = 512 * 1024;

/// A value and its place.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) tree: Tree,
}

/// A YAML value.
#[derive(Clone)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number with a fraction, kept only to refuse it with its place.
    Fraction,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map and its place.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// Parses a document; the one syntax problem is added to `problems`.
pub(crate) fn parse(text: &str, problems: &mut Problems) -> Option<Node> {
    if text.len() > DOCUMENT_MAX {
        problems.add(Place::START, "the document is longer than 512 kB", "split it into several flows");
        return None;
    }
    let mut options = Options::default();
    // YAML 1.1 reads `no` as false and 010 as 8; both surprise people who write codes.
    options.strict_booleans = true;
    options.leading_zero_numbers_as_strings = true;
    match serde_saphyr::from_str_with_options::<Spanned<Tree>>(text, options) {
        Ok(spanned) => Some(node(spanned)),
        Err(error) => {
            let place = error.location().map_or(Place::START, place);
            let what = error.without_snippet().to_string();
            let what = what.lines().next().unwrap_or_default().to_owned();
            problems.add(
                place,
                format!("this is not a YAML document: {what}"),
                "correct the document at this place; put jq that holds `: ` or starts with a sign in quotes",
            );
            None
        }
    }
}

fn place(location: serde_saphyr::Location) -> Place {
    let number = |wide: u64| u32::try_from(wide).unwrap_or(u32::MAX).max(1);
    Place { line: number(location.line()), column: number(location.column()) }
}

fn node(spanned: Spanned<Tree>) -> Node {
    Node { place: place(spanned.referenced), tree: spanned.value }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Tree, E> {
        i64::try_from(value).map(Tree::Integer).map_err(|_| E::custom("the integer does not fit 64 bits"))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Tree, E> {
        i64::try_from(value).map(Tree::Integer).map_err(|_| E::custom("the integer does not fit 64 bits"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
        Ok(Tree::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = sequence.next_element::<Spanned<Tree>>()? {
            list.push(node(item));
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<Tree>>()? {
            let text = match &key.value {
                Tree::Text(text) => text.clone(),
                Tree::Integer(number) => number.to_string(),
                _ => return Err(A::Error::custom("a key must be text")),
            };
            let key = Key { text, place: place(key.referenced) };
            entries.push((key, node(map.next_value::<Spanned<Tree>>()?)));
        }
        Ok(Tree::Map(entries))
    }
}

impl Tree {
    /// What kind of value this is, for texts.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Fraction => "a number with a fraction",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    /// The value as JSON. Fractions are refused: they would be floats, which amounts must never be.
    pub(crate) fn to_json(&self, problems: &mut Problems) -> Value {
        match &self.tree {
            Tree::Null => Value::Null,
            Tree::Bool(value) => Value::Bool(*value),
            Tree::Integer(number) => Value::from(*number),
            Tree::Text(text) => Value::String(text.clone()),
            Tree::Fraction => {
                problems.add(
                    self.place,
                    "a number with a fraction is not exact",
                    "write it in quotes, as decimal text",
                );
                Value::Null
            }
            Tree::List(items) => Value::Array(items.iter().map(|item| item.to_json(problems)).collect()),
            Tree::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.text.clone(), node.to_json(problems)));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// The place in `source` of the byte `offset` of this text node.
    pub(crate) fn place_of(&self, source: &str, text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let number = |count: usize| u32::try_from(count).unwrap_or(0);
        let lines_before = number(before.matches('\n').count());
        let in_line = number(before.rsplit('\n').next().unwrap_or_default().chars().count());
        let Place { line, column } = self.place;
        let above = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
        let first = source.lines().nth(above).unwrap_or_default();
        let quote = first.chars().nth(usize::try_from(column.saturating_sub(1)).unwrap_or(0));
        // The parser places a block at its first line, which the indicator `|` at the end of the line above announces.
        let announced = above.checked_sub(1).and_then(|index| source.lines().nth(index)).unwrap_or_default();
        let literal = announced.trim_end().trim_end_matches(['-', '+']).ends_with('|');
        match quote {
            Some('"' | '\'') if lines_before == 0 && !literal => Place { line, column: column + 1 + in_line },
            _ if literal || lines_before == 0 => {
                Place { line: line + lines_before, column: column + in_line }
            }
            // Folded and multi-line plain texts lose their line breaks; the start is the honest place.
            _ => self.place,
        }
    }
}
