//! Walks over parsed expressions.

use jaq_core::load::lex::{StrPart, Tok, Token};
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

/// Calls `see` on the term and on every term inside it.
pub(crate) fn visit<'t, 's>(term: &'t Term<&'s str>, see: &mut dyn FnMut(&'t Term<&'s str>)) {
    see(term);
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Var(_) => {}
        Term::Str(_, parts) => {
            for part in parts {
                if let StrPart::Term(inner) = part {
                    visit(inner, see);
                }
            }
        }
        Term::Arr(inner) => inner.iter().for_each(|inner| visit(inner, see)),
        Term::Obj(entries) => {
            for (key, value) in entries {
                visit(key, see);
                value.iter().for_each(|value| visit(value, see));
            }
        }
        Term::Neg(inner) | Term::Label(_, inner) => visit(inner, see),
        Term::BinOp(left, operator, right) => {
            visit(left, see);
            if let BinaryOp::Pipe(Some(pattern)) = operator {
                visit_pattern(pattern, see);
            }
            visit(right, see);
        }
        Term::Fold(_, source, pattern, arguments) => {
            visit(source, see);
            visit_pattern(pattern, see);
            arguments.iter().for_each(|argument| visit(argument, see));
        }
        Term::TryCatch(inner, catch) => {
            visit(inner, see);
            catch.iter().for_each(|catch| visit(catch, see));
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                visit(condition, see);
                visit(then, see);
            }
            otherwise.iter().for_each(|otherwise| visit(otherwise, see));
        }
        Term::Def(definitions, inner) => {
            definitions.iter().for_each(|definition| visit(&definition.body, see));
            visit(inner, see);
        }
        Term::Call(_, arguments) => arguments.iter().for_each(|argument| visit(argument, see)),
        Term::Path(inner, path) => {
            visit(inner, see);
            for (part, _) in &path.0 {
                match part {
                    Part::Index(index) => visit(index, see),
                    Part::Range(from, to) => from.iter().chain(to).for_each(|bound| visit(bound, see)),
                }
            }
        }
    }
}

fn visit_pattern<'t, 's>(pattern: &'t Pattern<&'s str>, see: &mut dyn FnMut(&'t Term<&'s str>)) {
    match pattern {
        Pattern::Var(_) => {}
        Pattern::Arr(inner) => inner.iter().for_each(|inner| visit_pattern(inner, see)),
        Pattern::Obj(entries) => {
            for (key, inner) in entries {
                visit(key, see);
                visit_pattern(inner, see);
            }
        }
    }
}

/// The text of a term that is one string without interpolation.
pub(crate) fn literal<'s>(term: &Term<&'s str>) -> Option<&'s str> {
    match term {
        Term::Str(None, parts) => match parts.as_slice() {
            [StrPart::Str(text)] => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// How many tokens there are, inside brackets and interpolations too.
pub(crate) fn count_tokens(tokens: &[Token<&str>]) -> usize {
    tokens.iter().map(count_token).sum()
}

fn count_token(token: &Token<&str>) -> usize {
    match &token.1 {
        Tok::Block(inner) => 1 + count_tokens(inner),
        Tok::Str(parts) => {
            let inside = |part: &StrPart<&str, Token<&str>>| match part {
                StrPart::Term(inner) => count_token(inner),
                _ => 0,
            };
            1 + parts.iter().map(inside).sum::<usize>()
        }
        _ => 1,
    }
}

/// Words and signs that nest what they join in the parsed term.
#[rustfmt::skip]
const NESTING: &[&str] = &[
    "|", ",", "+", "-", "*", "/", "%", "=", "|=", "+=", "-=", "*=", "/=", "%=", "//=", "<", ">", "<=", ">=", "==", "!=", "//", "?",
    "or", "and", "as", "try", "catch", "if", "elif", "else", "reduce", "foreach", "label", "def",
];

/// An upper bound of how deep the parsed term nests: operators in a row nest as brackets do.
pub(crate) fn nesting(tokens: &[Token<&str>], in_object: bool) -> usize {
    let (mut joined, mut inside, mut deepest) = (0, 0, 0);
    for Token(text, kind) in tokens {
        match kind {
            Tok::Block(inner) => inside = inside.max(1 + nesting(inner, text.starts_with('{'))),
            Tok::Str(parts) => {
                for part in parts {
                    if let StrPart::Term(Token(_, Tok::Block(inner))) = part {
                        inside = inside.max(1 + nesting(inner, false));
                    }
                }
            }
            // Entries of an object lie side by side.
            _ if in_object && *text == "," => {
                deepest = deepest.max(joined + inside);
                (joined, inside) = (0, 0);
            }
            _ if NESTING.contains(text) => joined += 1,
            _ => {}
        }
    }
    deepest.max(joined + inside)
}
