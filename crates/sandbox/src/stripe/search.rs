//! The search language, as far as payments need it: `field:"value"` and `metadata["key"]:"value"` joined by `AND`
//! (FACTS §j). Real search lags behind by up to a minute; this one does not, so nobody may rely on the lag either way.

use super::refusal::Refusal;
use super::schema::Params;
use super::table::{Row, Table};
use serde_json::{Value, json};

/// One condition: a field, a key for metadata, and the wanted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    field: String,
    key: Option<String>,
    wanted: String,
}

/// The index entry of a metadata pair.
pub(crate) fn tag_of(key: &str, value: &str) -> String {
    format!("{key}\u{0}{value}")
}

/// Reads a query.
///
/// # Errors
/// 400 for anything but equality joined by `AND`.
pub(crate) fn parse(query: &str) -> Result<Vec<Term>, Box<Refusal>> {
    query.split(" AND ").map(|part| term(part.trim()).ok_or_else(|| unreadable(part))).collect()
}

fn unreadable(part: &str) -> Box<Refusal> {
    Refusal::invalid(format!(
        "We were unable to parse your search query near `{part}`. Try using the format `metadata[\"key\"]:\"value\"`."
    ))
    .param("query")
}

fn term(part: &str) -> Option<Term> {
    let quoted = |text: &str| {
        let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        text.strip_prefix(quote)?.strip_suffix(quote).map(str::to_owned)
    };
    if let Some(rest) = part.strip_prefix("metadata[") {
        let (key, wanted) = rest.split_once("]:")?;
        return Some(Term { field: "metadata".to_owned(), key: Some(quoted(key)?), wanted: quoted(wanted)? });
    }
    let (field, wanted) = part.split_once(':')?;
    Some(Term { field: field.to_owned(), key: None, wanted: quoted(wanted)? })
}

/// The rows of one page of results, newest first, and the token of the next page.
///
/// # Errors
/// 400 for a bad `limit` or `page`.
pub(crate) fn run<T: Row>(
    table: &Table<T>,
    terms: &[Term],
    params: &Params,
    render: impl Fn(&T) -> Value,
) -> Result<(Vec<Value>, Option<String>), Box<Refusal>> {
    let limit = super::listing::page(params)?.limit;
    let skipped = match params.text("page").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(skipped)) => skipped,
        Some(Err(_)) => return Err(Refusal::invalid("Invalid page token.").param("page")),
    };
    let indexed = terms.iter().find_map(|term| match (term.field.as_str(), &term.key) {
        ("metadata", Some(key)) => Some(("metadata", tag_of(key, &term.wanted))),
        ("email", None) => Some(("email", term.wanted.clone())),
        ("customer", None) => Some(("customer", term.wanted.clone())),
        _ => None,
    });
    let kept = |row: &std::sync::Arc<T>| {
        let shown = render(row);
        terms.iter().all(|term| fits(&shown, term)).then_some(shown)
    };
    let mut found: Vec<Value> = match indexed {
        Some((name, tag)) => {
            table.tagged(name, &tag).rev().filter_map(kept).skip(skipped).take(limit + 1).collect()
        }
        None => table.iter().rev().filter_map(kept).skip(skipped).take(limit + 1).collect(),
    };
    let next = (found.len() > limit).then(|| (skipped + limit).to_string());
    found.truncate(limit);
    Ok((found, next))
}

fn fits(shown: &Value, term: &Term) -> bool {
    let field = &shown[term.field.as_str()];
    let value = match &term.key {
        Some(key) => &field[key.as_str()],
        None => field,
    };
    match value {
        Value::String(text) => *text == term.wanted,
        Value::Number(number) => number.to_string() == term.wanted,
        _ => false,
    }
}

/// The body of a search answer.
pub(crate) fn result(url: &str, found: (Vec<Value>, Option<String>)) -> Value {
    let (rows, next) = found;
    json!({ "object": "search_result", "url": url, "has_more": next.is_some(), "next_page": next, "data": rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_and_fields_are_read() {
        let terms = parse(r#"metadata["link"]:"abc" AND status:"succeeded""#).unwrap();
        assert_eq!(terms[0].key.as_deref(), Some("link"));
        assert_eq!(terms[1].wanted, "succeeded");
        assert!(parse("amount>100").is_err());
    }
}
