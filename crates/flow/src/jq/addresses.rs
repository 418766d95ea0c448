//! A postal address as one line of text and as the five fields that an ERP keeps, and back without losing a character.
//!
//! The line is `Address1, Address2, City, State Zip`; without a second line of the street it has one part less. The fields
//! are those of a customer in Epicor. What the line cannot say by itself is refused, never guessed: a street, city or state
//! with `, ` in it, which would come back as another field.

use jaq_json::{Error, Map, Val, ValR};

use super::value::text_of;

/// The fields, in the order of the line.
const FIELDS: [&str; 5] = ["Address1", "Address2", "City", "State", "Zip"];

/// What separates the parts of the line.
const SEPARATOR: &str = ", ";

/// The line of five fields; a missing, null or empty `Address2` is left out.
pub(crate) fn concat(fields: &Val) -> ValR {
    let Val::Obj(fields) = fields else {
        return Err(Error::str(
            "concat_address needs an object with Address1, Address2, City, State and Zip",
        ));
    };
    let field = |name: &'static str| match fields.get(&Val::utf8_str(name)) {
        None | Some(Val::Null) => Ok(""),
        Some(value) => text_of(value).ok_or_else(|| Error::str(format!("{name} is not text"))),
    };
    let [street, second, city, state, zip] = FIELDS.map(field);
    let (street, second, city, state, zip) = (street?, second?, city?, state?, zip?);
    let last = format!("{state} {zip}");
    let mut parts = vec![street, city, &last];
    if !second.is_empty() {
        parts.insert(1, second);
    }
    let line = parts.join(SEPARATOR);
    // The line is right when it says the same fields again.
    let again = parsed(&line).is_some_and(|found| found == [street, second, city, state, zip]);
    if again { Ok(Val::from(line)) } else { Err(Error::str(CANNOT_JOIN)) }
}

const CANNOT_JOIN: &str = "the address cannot be one line: a field but Address2 is empty, holds \", \", or the state or zip has a space where the line needs one";

/// The five fields of a line; `Address2` is empty when the line has three parts.
pub(crate) fn split(line: &Val) -> ValR {
    let found = text_of(line).and_then(parsed).ok_or_else(|| {
        Error::str(
            "the address is not \"street, city, state zip\" or \"street, second line, city, state zip\"",
        )
    })?;
    let mut fields = Map::default();
    for (name, text) in FIELDS.iter().zip(found) {
        fields.insert(Val::utf8_str(*name), Val::from(text.to_owned()));
    }
    Ok(Val::obj(fields))
}

fn parsed(line: &str) -> Option<[&str; 5]> {
    let parts: Vec<&str> = line.split(SEPARATOR).collect();
    let (street, second, city, last) = match parts.as_slice() {
        [street, city, last] => (*street, "", *city, *last),
        [street, second, city, last] if !second.is_empty() => (*street, *second, *city, *last),
        _ => return None,
    };
    let (state, zip) = last.split_once(' ')?;
    let all_there = [street, city, state, zip].iter().all(|part| !part.is_empty());
    all_there.then_some([street, second, city, state, zip])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};
    use serde_json::json;

    use super::*;
    use crate::jq::{to_jq, to_json};

    #[test]
    fn a_sample_address_becomes_five_fields_and_the_same_line_again() {
        let line = Val::from("1600 Main Street, Suite 4, Springfield, IL 62701-1234".to_owned());
        let fields = split(&line).expect("an address");
        let wanted = json!({
            "Address1": "1600 Main Street", "Address2": "Suite 4", "City": "Springfield", "State": "IL", "Zip": "62701-1234",
        });
        assert_eq!(to_json(&fields), Ok(wanted));
        assert_eq!(concat(&fields).expect("a line"), line);
    }

    #[test]
    fn what_would_come_back_as_something_else_is_refused() {
        for fields in [
            json!({"Address1": "1 Main, Rear", "City": "X", "State": "IL", "Zip": "1"}),
            json!({"Address1": "1 Main", "City": "", "State": "IL", "Zip": "1"}),
            json!({"Address1": "1 Main", "City": "X", "State": "New York", "Zip": "1"}),
            json!({"Address1": "1 Main", "City": 7, "State": "IL", "Zip": "1"}),
        ] {
            assert!(concat(&to_jq(&fields)).is_err(), "{fields}");
        }
        for line in ["", "Springfield", "a, b, c, d, e 1", "a, b, IL", "a, , b, IL 1"] {
            assert!(split(&Val::from(line.to_owned())).is_err(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_split_is_joined_unchanged(line in "[A-Za-z0-9 ,.ä-]{0,40}", second in "[a-z]{0,3}") {
            for line in [line.clone(), format!("{line} st, {second}, City{line}, ST 9{line}")] {
                let line = Val::from(line);
                if let Ok(fields) = split(&line) {
                    prop_assert_eq!(concat(&fields).expect("what was split can be joined"), line);
                }
            }
        }

        #[test]
        fn what_is_joined_is_split_unchanged(fields in proptest::array::uniform5("[a-zA-Z0-9 ,]{0,8}")) {
            let [a, b, c, d, e] = fields;
            let fields = to_jq(&json!({"Address1": a, "Address2": b, "City": c, "State": d, "Zip": e}));
            if let Ok(line) = concat(&fields) {
                prop_assert_eq!(split(&line).expect("what was joined can be split"), fields);
            }
        }
    }
}
