//! Rewrites a parsed expression so that every generated value costs fuel and every built value is weighed.
//!
//! jaq has no limit of its own. Several outputs come from `,`, `.[]`, `..` and `range` only, and without recursion the
//! number of evaluations is at most the number of those outputs times the length of the program. So it is enough to
//! charge generators, the functions that call an argument per element, and to weigh what can grow: `+`, `*`, `[…]`,
//! `{…}`, interpolated text and assignments. The names of the charging functions start with `!`, which no author can write.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Part, Path};

pub(crate) const TICK: &str = "!tick";
pub(crate) const WEIGH: &str = "!weigh";
pub(crate) const PLUS: &str = "!plus";
pub(crate) const TIMES: &str = "!times";
pub(crate) const RANGE: &str = "!range";
const OPERAND: &str = "$!operand";

/// Natives that run their argument once per element of their input.
const PER_ELEMENT: [&str; 4] = ["sort_by", "group_by", "min_by_or_empty", "max_by_or_empty"];

/// The same expression, paying its way.
pub(crate) fn charge(term: Term<&str>) -> Term<&str> {
    match term {
        Term::Id | Term::Num(_) | Term::Break(_) | Term::Var(_) => term,
        Term::Recurse => then(Term::Recurse, TICK),
        Term::Str(format, parts) => charge_text(format, parts),
        Term::Arr(_) | Term::Obj(_) => then(charge_literal(term), WEIGH),
        Term::Neg(inner) => Term::Neg(boxed(*inner)),
        Term::Label(name, inner) => Term::Label(name, boxed(*inner)),
        Term::BinOp(left, operator, right) => charge_operator(*left, operator, *right),
        Term::Fold(name, source, pattern, arguments) => {
            let arguments = arguments.into_iter().map(charge).collect();
            Term::Fold(name, boxed(*source), charge_pattern(pattern), arguments)
        }
        Term::TryCatch(inner, catch) => Term::TryCatch(boxed(*inner), catch.map(|catch| boxed(*catch))),
        Term::IfThenElse(branches, otherwise) => {
            let branches = branches.into_iter().map(|(condition, then)| (charge(condition), charge(then)));
            Term::IfThenElse(branches.collect(), otherwise.map(|otherwise| boxed(*otherwise)))
        }
        Term::Def(definitions, inner) => {
            Term::Def(definitions.into_iter().map(charge_definition).collect(), boxed(*inner))
        }
        Term::Call(name, arguments) => charge_call(name, arguments),
        Term::Path(inner, path) => charge_path(*inner, path),
    }
}

/// The same definition, paying its way.
pub(crate) fn charge_definition(definition: Def<&str>) -> Def<&str> {
    Def { name: definition.name, args: definition.args, body: charge(definition.body) }
}

fn boxed(term: Term<&str>) -> Box<Term<&str>> {
    Box::new(charge(term))
}

fn then<'s>(term: Term<&'s str>, function: &'static str) -> Term<&'s str> {
    let function = Term::Call(function, Vec::new());
    Term::BinOp(Box::new(term), BinaryOp::Pipe(None), Box::new(function))
}

fn charge_text<'s>(format: Option<&'s str>, parts: Vec<StrPart<&'s str, Term<&'s str>>>) -> Term<&'s str> {
    let grows = parts.iter().any(|part| matches!(part, StrPart::Term(_)));
    let parts = parts.into_iter().map(|part| match part {
        StrPart::Term(inner) => StrPart::Term(charge(inner)),
        other => other,
    });
    let text = Term::Str(format, parts.collect());
    if grows { then(text, WEIGH) } else { text }
}

/// Literals directly inside a literal are weighed together with it.
fn charge_literal(term: Term<&str>) -> Term<&str> {
    match term {
        Term::Arr(inner) => Term::Arr(inner.map(|inner| Box::new(charge_literal(*inner)))),
        Term::Obj(entries) => {
            let entries = entries
                .into_iter()
                .map(|(key, value)| (charge(key), value.map(|value| charge_literal(value))));
            Term::Obj(entries.collect())
        }
        other => charge(other),
    }
}

fn charge_operator<'s>(
    left: Term<&'s str>,
    operator: BinaryOp<&'s str>,
    right: Term<&'s str>,
) -> Term<&'s str> {
    match operator {
        BinaryOp::Pipe(pattern) => {
            Term::BinOp(boxed(left), BinaryOp::Pipe(pattern.map(charge_pattern)), boxed(right))
        }
        BinaryOp::Comma => {
            let (left, right) = (then(charge(left), TICK), then(charge(right), TICK));
            Term::BinOp(Box::new(left), BinaryOp::Comma, Box::new(right))
        }
        BinaryOp::Math(Math::Add) => Term::Call(PLUS, vec![charge(left), charge(right)]),
        BinaryOp::Math(Math::Mul) => Term::Call(TIMES, vec![charge(left), charge(right)]),
        BinaryOp::UpdateMath(math) => {
            // `l += r` is `r as $x | l |= . + $x` (jq manual, "Arithmetic update-assignment").
            let operand = Box::new(Term::Var(OPERAND));
            let updated = charge(Term::BinOp(Box::new(Term::Id), BinaryOp::Math(math), operand));
            let update = Term::BinOp(boxed(left), BinaryOp::Update, Box::new(updated));
            let bind = BinaryOp::Pipe(Some(Pattern::Var(OPERAND)));
            then(Term::BinOp(boxed(right), bind, Box::new(update)), WEIGH)
        }
        BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateAlt => {
            then(Term::BinOp(boxed(left), operator, boxed(right)), WEIGH)
        }
        BinaryOp::Alt | BinaryOp::Or | BinaryOp::And | BinaryOp::Math(_) | BinaryOp::Cmp(_) => {
            Term::BinOp(boxed(left), operator, boxed(right))
        }
    }
}

fn charge_pattern(pattern: Pattern<&str>) -> Pattern<&str> {
    match pattern {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(inner) => Pattern::Arr(inner.into_iter().map(charge_pattern).collect()),
        Pattern::Obj(entries) => Pattern::Obj(
            entries.into_iter().map(|(key, inner)| (charge(key), charge_pattern(inner))).collect(),
        ),
    }
}

fn charge_call<'s>(name: &'s str, arguments: Vec<Term<&'s str>>) -> Term<&'s str> {
    let per_element = PER_ELEMENT.contains(&name);
    let name = if name == "range" && arguments.len() == 3 { RANGE } else { name };
    let arguments = arguments.into_iter().map(|argument| {
        let argument = charge(argument);
        if per_element {
            let tick = Box::new(Term::Call(TICK, Vec::new()));
            return Term::BinOp(tick, BinaryOp::Pipe(None), Box::new(argument));
        }
        argument
    });
    Term::Call(name, arguments.collect())
}

fn charge_path<'s>(inner: Term<&'s str>, path: Path<Term<&'s str>>) -> Term<&'s str> {
    let generates = path.0.iter().any(|(part, _)| matches!(part, Part::Range(None, None)));
    let parts = path.0.into_iter().map(|(part, optional)| {
        let part = match part {
            Part::Index(index) => Part::Index(charge(index)),
            Part::Range(from, to) => Part::Range(from.map(charge), to.map(charge)),
        };
        (part, optional)
    });
    let term = Term::Path(boxed(inner), Path(parts.collect()));
    if generates { then(term, TICK) } else { term }
}
