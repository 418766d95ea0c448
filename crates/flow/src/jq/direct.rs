//! A short way for the expressions that most steps are: paths, comparisons, alternatives, objects.
//!
//! jaq allocates a string for every field access, which is most of the cost of a small mapping. What is understood here
//! gives exactly jaq's result or nothing; for nothing, [`Program`](super::Program) asks jaq, which also words every error. A
//! test compares both ways.

use jaq_core::ValT;
use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part};
use jaq_json::{Map, Num, Val, ValR};

use super::environment::Tables;
use super::functions;
use super::limits::BYTES_MAX;
use super::program::Scope;
use super::terms::literal;
use super::value::{Held, key_text};

/// An expression with exactly one result.
pub(crate) enum Direct {
    Constant(Val),
    /// Fields of the event, or of the result of a step.
    Path(Option<usize>, Vec<Val>),
    Object(Vec<(Val, Direct)>),
    Compare(Box<Direct>, Cmp, Box<Direct>),
    And(Box<Direct>, Box<Direct>),
    Or(Box<Direct>, Box<Direct>),
    Alternative(Box<Direct>, Box<Direct>),
    If(Vec<(Direct, Direct)>, Box<Direct>),
    /// A function of one value.
    One(fn(Val) -> ValR, Box<Direct>),
    /// A function of two values.
    Two(fn(&Val, &Val) -> ValR, Box<Direct>, Box<Direct>),
    /// A function of three values.
    Three(fn(&Val, &Val, &Val) -> ValR, Box<[Direct; 3]>),
    /// A function of the flow's tables, a name and a value.
    Named(fn(&Tables, &Val, &Val) -> ValR, Box<Direct>, Box<Direct>),
    List(Vec<Direct>),
    /// Text with values in it.
    Text(Vec<Direct>),
}

impl Direct {
    /// Understands a parsed expression, if it is of the simple kind.
    pub(crate) fn of(term: &Term<&str>, scope: &Scope<'_>) -> Option<Self> {
        let boxed = |term: &Term<&str>| Self::of(term, scope).map(Box::new);
        Some(match term {
            Term::Num(digits) => Self::Constant(Val::Num(Num::Int(digits.parse().ok()?))),
            Term::Str(None, parts) => match literal(term) {
                Some(text) => Self::Constant(Val::utf8_str(text.to_owned())),
                None => Self::Text(parts.iter().map(|part| text_part(part, scope)).collect::<Option<_>>()?),
            },
            Term::Arr(None) => Self::List(Vec::new()),
            Term::Arr(Some(inner)) => {
                let mut items = Vec::new();
                list_items(inner, scope, &mut items)?;
                Self::List(items)
            }
            Term::Id | Term::Var(_) | Term::Path(..) => path(term, scope)?,
            Term::Obj(entries) => {
                let entry = |(key, value): &(Term<&str>, Option<Term<&str>>)| {
                    Some((Val::utf8_str(literal(key)?.to_owned()), Self::of(value.as_ref()?, scope)?))
                };
                Self::Object(entries.iter().map(entry).collect::<Option<_>>()?)
            }
            Term::IfThenElse(branches, Some(otherwise)) => {
                let branch = |(condition, then): &(Term<&str>, Term<&str>)| {
                    Some((Self::of(condition, scope)?, Self::of(then, scope)?))
                };
                Self::If(branches.iter().map(branch).collect::<Option<_>>()?, boxed(otherwise)?)
            }
            Term::BinOp(left, BinaryOp::Pipe(None), right) => match right.as_ref() {
                Term::Call("drop_nulls", none) if none.is_empty() => {
                    Self::One(functions::drop_nulls, boxed(left)?)
                }
                _ => return None,
            },
            Term::BinOp(left, operator, right) => {
                let (left, right) = (boxed(left)?, boxed(right)?);
                match operator {
                    BinaryOp::Cmp(comparison) => Self::Compare(left, *comparison, right),
                    BinaryOp::And => Self::And(left, right),
                    BinaryOp::Or => Self::Or(left, right),
                    BinaryOp::Alt => Self::Alternative(left, right),
                    _ => return None,
                }
            }
            Term::Call(name, arguments) => call(name, arguments, scope)?,
            _ => return None,
        })
    }
}

/// A call of a function that has a short way.
fn call(name: &str, arguments: &[Term<&str>], scope: &Scope<'_>) -> Option<Direct> {
    let boxed = |term: &Term<&str>| Direct::of(term, scope).map(Box::new);
    Some(match (name, arguments) {
        ("null", []) => Direct::Constant(Val::Null),
        ("true", []) => Direct::Constant(Val::Bool(true)),
        ("false", []) => Direct::Constant(Val::Bool(false)),
        ("timestamp_millis", [moment]) => Direct::One(functions::timestamp_millis, boxed(moment)?),
        ("rfc3339", [moment]) => Direct::One(functions::rfc3339, boxed(moment)?),
        ("money_compare", [left, right]) => {
            Direct::Two(functions::money_compare, boxed(left)?, boxed(right)?)
        }
        ("money_decimal", [minor, code]) => {
            Direct::Two(functions::money_decimal, boxed(minor)?, boxed(code)?)
        }
        ("date_format", [moment, zone, format]) => {
            let of = |term| Direct::of(term, scope);
            Direct::Three(functions::date_format, Box::new([of(moment)?, of(zone)?, of(format)?]))
        }
        ("table", [name, key]) => Direct::Named(functions::row, boxed(name)?, boxed(key)?),
        ("value_in_set", [set, value]) => Direct::Named(functions::value_in_set, boxed(set)?, boxed(value)?),
        ("coding", [set, value]) => Direct::Named(functions::coding, boxed(set)?, boxed(value)?),
        _ => return None,
    })
}

/// The items of a list literal, each with exactly one value.
fn list_items(term: &Term<&str>, scope: &Scope<'_>, items: &mut Vec<Direct>) -> Option<()> {
    match term {
        Term::BinOp(left, BinaryOp::Comma, right) => {
            list_items(left, scope, items)?;
            list_items(right, scope, items)
        }
        item => {
            items.push(Direct::of(item, scope)?);
            Some(())
        }
    }
}

fn text_part(part: &StrPart<&str, Term<&str>>, scope: &Scope<'_>) -> Option<Direct> {
    Some(match part {
        StrPart::Str(text) => Direct::Constant(Val::utf8_str((*text).to_owned())),
        StrPart::Term(term) => Direct::of(term, scope)?,
        StrPart::Char(character) => Direct::Constant(Val::utf8_str(character.to_string())),
    })
}

/// Text from parts that are text or whole numbers; jaq words all else.
fn text(parts: &[Direct], event: &Val, values: &[Held], tables: &Tables) -> Option<Val> {
    let mut text = String::new();
    for part in parts {
        text.push_str(&key_text(&part.run(event, values, tables)?)?);
        if text.len() > BYTES_MAX {
            return None;
        }
    }
    Some(Val::from(text))
}

impl Direct {
    /// The result, or nothing when jaq must decide.
    pub(crate) fn run(&self, event: &Val, values: &[Held], tables: &Tables) -> Option<Val> {
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Path(..) => self.find(event, values)?.clone(),
            Self::Object(entries) => {
                let mut map = Map::with_capacity_and_hasher(entries.len(), Default::default());
                for (key, value) in entries {
                    map.insert(key.clone(), value.run(event, values, tables)?);
                }
                Val::obj(map)
            }
            Self::Compare(left, comparison, right) => Val::Bool(
                comparison.run(&left.run(event, values, tables)?, &right.run(event, values, tables)?),
            ),
            Self::And(left, right) => {
                Val::Bool(left.truth(event, values, tables)? && right.truth(event, values, tables)?)
            }
            Self::Or(left, right) => {
                Val::Bool(left.truth(event, values, tables)? || right.truth(event, values, tables)?)
            }
            Self::Alternative(left, right) => {
                let left = left.run(event, values, tables)?;
                if left.as_bool() { left } else { right.run(event, values, tables)? }
            }
            Self::If(branches, otherwise) => {
                for (condition, then) in branches {
                    if condition.truth(event, values, tables)? {
                        return then.run(event, values, tables);
                    }
                }
                otherwise.run(event, values, tables)?
            }
            Self::One(function, argument) => function(argument.run(event, values, tables)?).ok()?,
            Self::Three(function, arguments) => {
                let [first, second, third] = arguments.as_ref();
                let first = first.run(event, values, tables)?;
                function(&first, &second.run(event, values, tables)?, &third.run(event, values, tables)?)
                    .ok()?
            }
            Self::Named(function, name, value) => {
                let name = name.run(event, values, tables)?;
                function(tables, &name, &value.run(event, values, tables)?).ok()?
            }
            Self::List(items) => {
                items.iter().map(|item| item.run(event, values, tables)).collect::<Option<Val>>()?
            }
            Self::Text(parts) => text(parts, event, values, tables)?,
            Self::Two(function, left, right) => {
                function(&left.run(event, values, tables)?, &right.run(event, values, tables)?).ok()?
            }
        })
    }

    fn truth(&self, event: &Val, values: &[Held], tables: &Tables) -> Option<bool> {
        Some(self.run(event, values, tables)?.as_bool())
    }

    fn find<'v>(&self, event: &'v Val, values: &'v [Held]) -> Option<&'v Val> {
        let Self::Path(root, keys) = self else { return None };
        let mut value = match root {
            None => event,
            Some(index) => &values.get(*index)?.0,
        };
        for key in keys {
            value = match value {
                Val::Null => &Val::Null,
                Val::Obj(fields) => fields.get(key).unwrap_or(&Val::Null),
                _ => return None,
            };
        }
        Some(value)
    }
}

fn path(term: &Term<&str>, scope: &Scope<'_>) -> Option<Direct> {
    match term {
        Term::Id => Some(Direct::Path(None, Vec::new())),
        Term::Var(name) => {
            let index =
                scope.earlier.iter().position(|step| Some(step.as_str()) == name.strip_prefix('$'))?;
            Some(Direct::Path(Some(index), Vec::new()))
        }
        Term::Path(inner, parts) => {
            let Direct::Path(root, mut keys) = path(inner, scope)? else { return None };
            for part in &parts.0 {
                let (Part::Index(key), Opt::Essential) = part else { return None };
                keys.push(Val::utf8_str(literal(key)?.to_owned()));
            }
            Some(Direct::Path(root, keys))
        }
        _ => None,
    }
}
