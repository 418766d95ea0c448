//! One jq expression of a flow: checked, compiled once, run many times by any thread.
//!
//! `read` compiles, `run` runs. The input `.` is the event; `$name` is the result of the earlier step `name`.

use std::cell::Cell;
use std::collections::BTreeSet;

use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{Arena, File, Lexer, Loader, Parser};
use jaq_core::{Compiler, Ctx, Filter, Vars};
use jaq_json::Val;
use suture_core::redact::Phi;

use super::direct::Direct;
use super::environment::{Environment, FlowTypes, Setting, Tables};
use super::fuel::charge;
use super::functions::{MARKER, OUT_OF_FUEL};
use super::library;
use super::limits::{BRACKETS_MAX, FUEL, NESTING_MAX, TEXT_MAX, TOKENS_MAX, weigh};
use super::terms::{count_tokens, literal, nesting, visit};
use super::value::{Held, text_of};

/// A compiled expression.
pub(crate) struct Program {
    /// The short way, for simple expressions.
    direct: Option<Direct>,
    filter: Filter<FlowTypes>,
    /// Indices of the steps whose results the expression reads, in the order of the compiled variables.
    uses: Vec<usize>,
}

/// What names an expression may use.
pub(crate) struct Scope<'a> {
    /// Names of the steps before this one; a step's index is its place here.
    pub(crate) earlier: &'a [String],
    /// Names of all steps, to explain a use of a later one.
    pub(crate) all: &'a [String],
    /// The tables and sets of the flow.
    pub(crate) tables: &'a Tables,
}

/// A problem inside an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Bytes from the start of the expression.
    pub(crate) offset: usize,
    pub(crate) what: String,
    pub(crate) fix: String,
}

/// Why an expression gave no result for an event.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// A table has no such key.
    UnknownKey { table: String, key: String },
    /// A value is outside a set.
    NotInSet { set: String, value: String },
    /// Anything else; the text holds no value of the event, the detail may.
    Failed { text: &'static str, detail: Option<Phi<String>> },
}

const MAIN: &str = "flow_main";
const DETAIL_MAX: usize = 400;

impl Program {
    /// Checks and compiles an expression.
    pub(crate) fn compile(text: &str, scope: &Scope<'_>) -> Result<Self, Vec<Fault>> {
        let term = parse(text)?;
        let faults = check(text, &term, scope);
        if !faults.is_empty() {
            return Err(faults);
        }
        let direct = Direct::of(&term, scope);
        let uses = used_steps(&term, scope);
        let names: Vec<String> =
            uses.iter().filter_map(|index| scope.earlier.get(*index)).map(|n| format!("${n}")).collect();
        let mut definitions: Vec<Def<&str>> = library::definitions_for(&term);
        definitions.push(Def { name: MAIN, args: Vec::new(), body: charge(term) });
        let arena = Arena::default();
        let modules = Loader::new(definitions)
            .load(&arena, File { code: MAIN, path: () })
            .map_err(|_| vec![internal(text)])?;
        let filter = Compiler::default()
            .with_funs(library::natives())
            .with_global_vars(names.iter().map(String::as_str))
            .compile(modules)
            .map_err(|errors| undefined(text, scope, errors.into_iter().flat_map(|(_, errors)| errors)))?;
        Ok(Self { direct, filter, uses })
    }

    /// The one result of the expression for an event, given the results of the earlier steps.
    pub(crate) fn run(&self, event: &Val, values: &[Held], setting: Setting<'_>) -> Result<Val, Trouble> {
        let output = match self.direct.as_ref().and_then(|direct| direct.run(event, values, setting.tables)) {
            Some(output) => output,
            None => self.run_jaq(event, values, setting, &Cell::new(FUEL))?,
        };
        weigh(&output).ok_or(failed("the result is larger than 256 kB or deeper than 100 levels"))?;
        Ok(output)
    }

    /// Like [`run`](Self::run), always by jaq, so that every step of it is paid; gives also the fuel that it took.
    pub(crate) fn run_metered(
        &self,
        event: &Val,
        values: &[Held],
        setting: Setting<'_>,
    ) -> (Result<Val, Trouble>, u32) {
        let fuel = Cell::new(FUEL);
        let output = self.run_jaq(event, values, setting, &fuel);
        let output = output.and_then(|output| match weigh(&output) {
            Some(_) => Ok(output),
            None => Err(failed("the result is larger than 256 kB or deeper than 100 levels")),
        });
        (output, FUEL - fuel.get())
    }

    fn run_jaq(
        &self,
        event: &Val,
        values: &[Held],
        setting: Setting<'_>,
        fuel: &Cell<u32>,
    ) -> Result<Val, Trouble> {
        let Setting { tables, over } = setting;
        let environment = Environment { lut: &self.filter.lut, tables, fuel, over };
        let variable = |index: &usize| values.get(*index).map_or(Val::Null, |held| held.0.clone());
        let context = Ctx::<FlowTypes>::new(environment, Vars::new(self.uses.iter().map(variable)));
        let mut outputs = self.filter.id.run((context, event.clone()));
        let output =
            outputs.next().ok_or(failed("the expression gave no result; it must give exactly one"))?;
        let output = output.map_err(trouble)?;
        match outputs.next() {
            None => Ok(output),
            Some(Ok(_)) => Err(failed("the expression gave more than one result; it must give exactly one")),
            Some(Err(error)) => Err(trouble(error)),
        }
    }
}

impl Program {
    /// The result of an expression that must give true or false. jq's truthiness is not used: a null that counts as
    /// "no" would send money down the wrong branch in silence.
    pub(crate) fn test(&self, event: &Val, values: &[Held], setting: Setting<'_>) -> Result<bool, Trouble> {
        match self.run(event, values, setting)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(failed("the condition gave neither true nor false")),
        }
    }

    /// Indices of the steps whose results the expression reads.
    pub(crate) fn uses(&self) -> &[usize] {
        &self.uses
    }
}

fn failed(text: &'static str) -> Trouble {
    Trouble::Failed { text, detail: None }
}

fn trouble(exception: jaq_core::Exn<'_, Val>) -> Trouble {
    let error = match exception.get_err() {
        Ok(error) => error,
        Err(other) => {
            return match other.get_halt() {
                Ok(OUT_OF_FUEL) => {
                    failed("the expression did more work, or took more time, than one expression may")
                }
                Ok(_) => failed("the expression built a value larger than 256 kB or deeper than 100 levels"),
                Err(_) => failed("the expression left its loop by a label that does not exist"),
            };
        }
    };
    let value = error.into_val();
    if let Val::Obj(fields) = &value {
        let field = |name: &'static str| {
            fields.get(&Val::utf8_str(name)).and_then(text_of).unwrap_or_default().to_owned()
        };
        match field(MARKER).as_str() {
            "unknown_key" => return Trouble::UnknownKey { table: field("table"), key: field("key") },
            "not_in_set" => return Trouble::NotInSet { set: field("set"), value: field("value") },
            _ => {}
        }
    }
    let detail = text_of(&value).map_or_else(|| value.to_string(), str::to_owned);
    let detail = detail.chars().take(DETAIL_MAX).collect();
    Trouble::Failed { text: "the expression failed on this event", detail: Some(Phi::new(detail)) }
}

/// Parses an expression after refusing what would exhaust the parser's stack.
pub(super) fn parse(text: &str) -> Result<Term<&str>, Vec<Fault>> {
    if text.trim().is_empty() {
        return Err(vec![fault(
            0,
            "the expression is empty",
            "write a jq expression, for example .amount.minor",
        )]);
    }
    if text.len() > TEXT_MAX {
        let what = format!("the expression is longer than {TEXT_MAX} bytes");
        return Err(vec![fault(0, what, "split it into several map steps")]);
    }
    let mut depth = 0_usize;
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > BRACKETS_MAX {
            let what = format!("brackets are nested deeper than {BRACKETS_MAX} levels");
            return Err(vec![fault(offset, what, "split the expression into several map steps")]);
        }
    }
    let tokens = Lexer::new(text).lex().map_err(|errors| {
        let one = |(expected, found): (jaq_core::load::lex::Expect<&str>, &str)| {
            let what = format!("this is not jq: expected {}", expected.as_str());
            fault(offset_of(text, found), what, "correct the expression at this place")
        };
        errors.into_iter().map(one).collect::<Vec<_>>()
    })?;
    if count_tokens(&tokens) > TOKENS_MAX {
        let what = format!("the expression has more than {TOKENS_MAX} words and signs");
        return Err(vec![fault(0, what, "split it into several map steps")]);
    }
    if nesting(&tokens, false) > NESTING_MAX {
        let what =
            format!("more than {NESTING_MAX} operators, keywords and brackets are nested in one another");
        return Err(vec![fault(0, what, "split the expression into several map steps")]);
    }
    Parser::new(&tokens).parse(|parser| parser.term()).map_err(|errors| {
        let one = |(expected, found): (
            jaq_core::load::parse::Expect<&str>,
            Option<&jaq_core::load::lex::Token<&str>>,
        )| {
            let (offset, seen) = match found {
                Some(token) => {
                    (offset_of(text, token.0), format!("{:?}", token.0.chars().take(20).collect::<String>()))
                }
                None => (text.trim_end().len(), "the end".to_owned()),
            };
            let what = format!("this is not jq: expected {} but found {seen}", expected.as_str());
            fault(offset, what, "correct the expression at this place")
        };
        errors.into_iter().map(one).collect()
    })
}

fn check(text: &str, term: &Term<&str>, scope: &Scope<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut calls = Vec::new();
    visit(term, &mut |inner| match inner {
        Term::Def(definitions, _) => {
            let offset = definitions.first().map_or(0, |definition| offset_of(text, definition.name));
            let fix = "write the expression out, or use a map step and refer to it as $step";
            faults.push(fault(offset, "definitions are not available in a flow", fix));
        }
        Term::Call(name, arguments) => calls.push((*name, arguments.as_slice())),
        Term::Str(Some(format), _) => calls.push((*format, &[][..])),
        _ => {}
    });
    for (name, arguments) in calls {
        if library::is_allowed(name, arguments.len()) {
            faults.extend(check_table_name(text, name, arguments, scope.tables));
        } else {
            let what =
                format!("the function {name} with {} arguments is not available in a flow", arguments.len());
            faults.push(fault(offset_of(text, name), what, library::refusal(name)));
        }
    }
    faults
}

/// Tables and sets are named literally, so that a check can see whether they exist.
fn check_table_name(text: &str, function: &str, arguments: &[Term<&str>], tables: &Tables) -> Option<Fault> {
    let (kind, known): (_, Vec<&String>) = match function {
        "table" => ("table", tables.tables.keys().collect()),
        "value_in_set" | "require_in_set" | "coding" => ("set", tables.sets.keys().collect()),
        _ => return None,
    };
    let Some(name) = arguments.first().and_then(literal) else {
        let what = format!("the first argument of {function} is not the name of a {kind}");
        return Some(fault(
            offset_of(text, function),
            what,
            format!("write the name in quotes: {function}(\"…\"; …)"),
        ));
    };
    if known.iter().any(|known| *known == name) {
        return None;
    }
    if kind == "table" && tables.external.contains(name) {
        let what = format!("the table {name:?} is kept outside the flow, which an expression cannot ask");
        let fix = "add a step with `lookup: table` and use its result";
        return Some(fault(offset_of(text, name), what, fix));
    }
    let what = format!("there is no {kind} {name:?}");
    Some(fault(offset_of(text, name), what, format!("add it under `{kind}s:`; there are: {}", listed(known))))
}

/// Names for a text: `a, b` or `none`.
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn used_steps(term: &Term<&str>, scope: &Scope<'_>) -> Vec<usize> {
    let mut used = BTreeSet::new();
    visit(term, &mut |inner| {
        if let Term::Var(name) = inner {
            used.extend(scope.earlier.iter().position(|step| Some(step.as_str()) == name.strip_prefix('$')));
        }
    });
    used.into_iter().collect()
}

fn undefined<'s>(
    text: &str,
    scope: &Scope<'_>,
    errors: impl Iterator<Item = (&'s str, jaq_core::compile::Undefined)>,
) -> Vec<Fault> {
    let explain = |(name, kind): (&str, jaq_core::compile::Undefined)| {
        let later = scope.all.iter().any(|step| Some(step.as_str()) == name.strip_prefix('$'));
        let fix = if later {
            "use the results of earlier steps only; move this step down".to_owned()
        } else {
            format!(
                "`.` is the event; the earlier steps are: {}",
                listed(scope.earlier.iter().map(|step| format!("${step}")))
            )
        };
        let what = if later {
            format!("{name} is the result of a step that comes later")
        } else {
            format!("the {} {name} does not exist", kind.as_str())
        };
        fault(offset_of(text, name), what, fix)
    };
    errors.map(explain).collect()
}

fn internal(text: &str) -> Fault {
    fault(text.len(), "the expression cannot be compiled", "simplify it")
}

fn fault(offset: usize, what: impl Into<String>, fix: impl Into<String>) -> Fault {
    Fault { offset, what: what.into(), fix: fix.into() }
}

/// Where `part`, a slice of `text`, begins; 0 when it is not a slice of it.
pub(super) fn offset_of(text: &str, part: &str) -> usize {
    let (start, place) = (text.as_ptr().addr(), part.as_ptr().addr());
    place.checked_sub(start).filter(|offset| *offset <= text.len()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};
    use serde_json::{Value, json};

    use super::*;
    use crate::jq::{ValueSet, to_jq, to_json};

    const SIMPLE: [&str; 22] = [
        ".a.b",
        "$s.a",
        ".a.b == $s.a",
        ".a < 3 and .b != null",
        ".a or $s.b.c",
        "{x: .a, y: {z: ($s.a // .b)}, x: 1}",
        "{x: .a, y: .b} | drop_nulls",
        "if .a then .b elif $s.a then 1 else \"no\" end",
        "money_compare(.a; $s.a)",
        "money_decimal(.a.minor; .a.currency)",
        "timestamp_millis(.a)",
        ". // null",
        "[]",
        "[.a, {x: [$s.a]}, .b.c]",
        "\"x\\(.a)y\\n\\($s.b) \\(1)\"",
        "rfc3339(.a)",
        "date_format(.a; \"America/Chicago\"; \"%Y-%m-%d %H:%M\")",
        "table(\"t\"; .a)",
        "value_in_set(\"s\"; .a)",
        "coding(\"s\"; .a)",
        "{a: [coding(\"s\"; \"k\")], t: \"\\(table(\"t\"; \"k\"))\"}",
        "[if value_in_set(\"s\"; $s.a) then \"\\($s.a)\" else null end]",
    ];

    fn tables() -> Tables {
        let row = |key: &str, value: Value| (key.to_owned(), to_jq(&value));
        let rows = [row("k", json!({"x": 1})), row("7", json!("seven"))].into_iter().collect();
        let codes = [("k".to_owned(), Some("K".to_owned())), ("7".to_owned(), None)].into_iter().collect();
        let set = ValueSet { system: Some("urn:s".to_owned()), codes };
        Tables {
            tables: std::iter::once(("t".to_owned(), rows)).collect(),
            sets: std::iter::once(("s".to_owned(), set)).collect(),
            ..Tables::default()
        }
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            Just(json!("2026-11-21T09:30:00Z")),
            Just(json!("k")),
            Just(json!(7)),
            Just(json!({"b": {"c": 1}, "a": false})),
            (0..3_i64).prop_map(|minor| json!({"minor": minor, "currency": "USD"})),
        ]
    }

    proptest! {
        #[test]
        fn the_short_way_gives_the_result_of_jaq(a in leaf(), b in leaf(), s in leaf()) {
            let tables = tables();
            let steps = ["s".to_owned()];
            let scope = Scope { earlier: &steps, all: &steps, tables: &tables };
            let (event, values) = (to_jq(&json!({"a": a, "b": b})), [Held(to_jq(&json!({"a": s, "b": b})))]);
            for text in SIMPLE {
                let program = Program::compile(text, &scope).unwrap();
                let direct = program.direct.as_ref().expect("the expression is simple").run(&event, &values, &tables);
                if let Some(direct) = direct {
                    let jaq = program.run_metered(&event, &values, Setting::of(&tables)).0.unwrap();
                    prop_assert_eq!(to_json(&direct), to_json(&jaq), "{}", text);
                }
            }
        }
    }
}
