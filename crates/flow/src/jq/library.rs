//! Which of jq's functions a flow may use, and only those definitions that one expression needs.
//!
//! A function is here because it is pure and bounded. jq's own definitions may use each other freely: they recurse only
//! into the structure of a value, which is bounded. Leaving out what an expression does not use keeps a compiled flow small.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jaq_core::load::parse::{Def, Term};

use super::environment::FlowTypes;
use super::fuel::charge_definition;
use super::terms::visit;

/// Functions that expressions may call, as `name/number of arguments`.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    // constants, conditions, errors
    "empty/0", "error/0", "error/1", "true/0", "false/0", "null/0", "not/0", "select/1", "isempty/1",
    "all/0", "all/1", "all/2", "any/0", "any/1", "any/2", "isboolean/0", "isnumber/0", "isstring/0", "isarray/0", "isobject/0",
    "values/0", "nulls/0", "booleans/0", "numbers/0", "strings/0", "arrays/0", "objects/0", "iterables/0", "scalars/0", "type/0",
    // text
    "tostring/0", "tonumber/0", "toboolean/0", "tojson/0", "fromjson/0", "ascii_downcase/0", "ascii_upcase/0", "trim/0", "ltrim/0",
    "rtrim/0", "startswith/1", "endswith/1", "ltrimstr/1", "rtrimstr/1", "split/1", "split/2", "splits/1", "splits/2", "join/1",
    "test/1", "test/2", "match/1", "match/2", "capture/1", "capture/2", "scan/1", "scan/2", "sub/2", "sub/3", "gsub/2", "gsub/3",
    "explode/0", "implode/0", "utf8bytelength/0",
    // arrays and objects
    "length/0", "keys/0", "keys_unsorted/0", "has/1", "in/1", "contains/1", "inside/1", "index/1", "rindex/1", "indices/1",
    "map/1", "map_values/1", "to_entries/0", "from_entries/0", "with_entries/1", "del/1", "add/0", "add/1", "flatten/0", "flatten/1",
    "first/0", "first/1", "last/0", "last/1", "nth/1", "nth/2", "limit/2", "skip/2", "range/1", "range/2", "range/3", "reverse/0",
    "sort/0", "sort_by/1", "group_by/1", "unique/0", "unique_by/1", "min/0", "max/0", "min_by/1", "max_by/1", "transpose/0",
    // numbers
    "abs/0", "floor/0", "ceil/0", "round/0",
    // text formats
    "@text/0", "@json/0", "@base64/0", "@base64d/0", "@uri/0", "@urid/0", "@html/0", "@sh/0",
    // ours
    "money_decimal/2", "money_minor/2", "money_compare/2", "table/2", "table/3", "value_in_set/2", "require_in_set/2",
    "date_format/3", "rfc3339/1", "timestamp_millis/1", "drop_nulls/0", "coding/2", "concat_address/1", "split_address/1",
];

/// Definitions that are replaced by bounded natives of ours.
const REPLACED: [&str; 2] = ["tonumber/0", "fromjson/0"];

static DEFINITIONS: LazyLock<Vec<Def<&'static str>>> = LazyLock::new(|| {
    let all = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    all.filter(|definition| !REPLACED.contains(&signature(definition.name, definition.args.len()).as_str()))
        .map(charge_definition)
        .collect()
});

fn signature(name: &str, arguments: usize) -> String {
    format!("{name}/{arguments}")
}

/// Whether an expression may call this function.
pub(crate) fn is_allowed(name: &str, arguments: usize) -> bool {
    ALLOWED.contains(&signature(name, arguments).as_str())
}

/// Why a function of jq is not available, or how many arguments it has here; and what to write instead.
pub(crate) fn refusal(name: &str) -> String {
    let elsewhere: Vec<&str> =
        ALLOWED.iter().copied().filter(|known| known.split('/').next() == Some(name)).collect();
    if !elsewhere.is_empty() {
        return format!("the number of arguments is wrong; available: {}", elsewhere.join(", "));
    }
    match name {
        "now" | "localtime" | "gmtime" | "mktime" | "strftime" | "strptime" | "todate" | "fromdate" => {
            "take the moment from the event and use rfc3339(moment) or date_format(moment; zone; format)"
                .to_owned()
        }
        "repeat" | "until" | "while" | "recurse" | "walk" | "combinations" => {
            "use .[], map(…), reduce or limit(n; …), which end".to_owned()
        }
        "input" | "inputs" | "env" | "debug" | "stderr" | "halt" | "halt_error" => {
            "a flow sees its event and the results of its steps only; add a lookup step".to_owned()
        }
        "path" | "paths" | "getpath" | "setpath" | "delpaths" | "pick" => {
            "write the path itself, for example .a.b".to_owned()
        }
        _ => "see docs/flows.md for the functions of flows".to_owned(),
    }
}

/// What a term calls: functions by name and number of arguments, and text formats.
pub(crate) fn calls<'s>(term: &Term<&'s str>) -> Vec<(&'s str, usize)> {
    let mut calls = Vec::new();
    visit(term, &mut |inner| match inner {
        Term::Call(name, arguments) => calls.push((*name, arguments.len())),
        Term::Str(Some(format), _) => calls.push((*format, 0)),
        _ => {}
    });
    calls
}

/// The definitions that a term needs, in the order in which they must be loaded.
pub(crate) fn definitions_for(term: &Term<&str>) -> Vec<Def<&'static str>> {
    let mut needed: BTreeSet<String> =
        calls(term).into_iter().map(|(name, count)| signature(name, count)).collect();
    // A definition uses earlier ones (or itself), so one walk from the last to the first finds everything.
    let mut kept: Vec<Def<&'static str>> = Vec::new();
    for definition in DEFINITIONS.iter().rev() {
        if needed.contains(&signature(definition.name, definition.args.len())) {
            needed.extend(calls(&definition.body).into_iter().map(|(name, count)| signature(name, count)));
            kept.push(definition.clone());
        }
    }
    kept.reverse();
    kept
}

/// All native functions: jaq's pure ones and ours, ours first where both exist.
pub(crate) fn natives() -> Vec<jaq_core::native::Fun<FlowTypes>> {
    let theirs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let impure = ["env", "now", "halt", "fromjson", "range", "debug_empty", "stderr_empty"];
    let mut natives = super::functions::natives();
    natives.extend(theirs.filter(|(name, _, _)| !impure.contains(name)));
    natives
}
