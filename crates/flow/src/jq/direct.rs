//! A short way for the expressions that most steps are: paths, comparisons, alternatives, objects.
//!
//! jaq allocates a string for every field access, which is most of the cost of a small mapping. What is understood here
//! gives exactly jaq's result or nothing; for nothing, [`Program`](super::Program) asks jaq, which also words every error. A
//! test compares both ways.

use jaq_core::ValT;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops::Cmp;
use jaq_core::path::{Opt, Part};
use jaq_json::{Map, Num, Val, ValR};

use super::functions;
use super::program::Scope;
use super::terms::literal;
use super::value::Held;

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
}

impl Direct {
    /// Understands a parsed expression, if it is of the simple kind.
    pub(crate) fn of(term: &Term<&str>, scope: &Scope<'_>) -> Option<Self> {
        let boxed = |term: &Term<&str>| Self::of(term, scope).map(Box::new);
        Some(match term {
            Term::Num(digits) => Self::Constant(Val::Num(Num::Int(digits.parse().ok()?))),
            Term::Str(..) => Self::Constant(Val::utf8_str(literal(term)?.to_owned())),
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
            Term::Call(name, arguments) => match (*name, arguments.as_slice()) {
                ("null", []) => Self::Constant(Val::Null),
                ("true", []) => Self::Constant(Val::Bool(true)),
                ("false", []) => Self::Constant(Val::Bool(false)),
                ("timestamp_millis", [moment]) => Self::One(functions::timestamp_millis, boxed(moment)?),
                ("money_compare", [left, right]) => {
                    Self::Two(functions::money_compare, boxed(left)?, boxed(right)?)
                }
                ("money_decimal", [minor, code]) => {
                    Self::Two(functions::money_decimal, boxed(minor)?, boxed(code)?)
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The result, or nothing when jaq must decide.
    pub(crate) fn run(&self, event: &Val, values: &[Held]) -> Option<Val> {
        Some(match self {
            Self::Constant(value) => value.clone(),
            Self::Path(..) => self.find(event, values)?.clone(),
            Self::Object(entries) => {
                let mut map = Map::with_capacity_and_hasher(entries.len(), Default::default());
                for (key, value) in entries {
                    map.insert(key.clone(), value.run(event, values)?);
                }
                Val::obj(map)
            }
            Self::Compare(left, comparison, right) => {
                Val::Bool(comparison.run(&left.run(event, values)?, &right.run(event, values)?))
            }
            Self::And(left, right) => Val::Bool(left.truth(event, values)? && right.truth(event, values)?),
            Self::Or(left, right) => Val::Bool(left.truth(event, values)? || right.truth(event, values)?),
            Self::Alternative(left, right) => {
                let left = left.run(event, values)?;
                if left.as_bool() { left } else { right.run(event, values)? }
            }
            Self::If(branches, otherwise) => {
                for (condition, then) in branches {
                    if condition.truth(event, values)? {
                        return then.run(event, values);
                    }
                }
                otherwise.run(event, values)?
            }
            Self::One(function, argument) => function(argument.run(event, values)?).ok()?,
            Self::Two(function, left, right) => {
                function(&left.run(event, values)?, &right.run(event, values)?).ok()?
            }
        })
    }

    fn truth(&self, event: &Val, values: &[Held]) -> Option<bool> {
        Some(self.run(event, values)?.as_bool())
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
