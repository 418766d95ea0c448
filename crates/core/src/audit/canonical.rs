//! The bytes that are hashed. We define them; no serialiser's output is ever hashed.
//!
//! A JSON value becomes: a tag byte, then its content. `n` null, `t`/`f` booleans, `i` and eight big-endian bytes for an
//! integer that fits `i64`, `d` and length-prefixed decimal text for any other number, `s` and length-prefixed UTF-8,
//! `a`/`o` and a count, then the items; object members are ordered by the bytes of their keys. Lengths and counts are
//! four big-endian bytes. White space, member order and escapes of the stored text therefore do not matter.

use serde_json::Value;

/// Appends length-prefixed bytes.
pub fn bytes(out: &mut Vec<u8>, content: &[u8]) {
    count(out, content.len());
    out.extend_from_slice(content);
}

/// Appends an optional text: `n`, or `s` and the length-prefixed text.
pub fn optional(out: &mut Vec<u8>, content: Option<&str>) {
    match content {
        None => out.push(b'n'),
        Some(text) => tagged(out, b's', text.as_bytes()),
    }
}

/// Appends a JSON value.
pub fn value(out: &mut Vec<u8>, json: &Value) {
    match json {
        Value::Null => out.push(b'n'),
        Value::Bool(true) => out.push(b't'),
        Value::Bool(false) => out.push(b'f'),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => {
                out.push(b'i');
                out.extend_from_slice(&integer.to_be_bytes());
            }
            None => tagged(out, b'd', number.to_string().as_bytes()),
        },
        Value::String(text) => tagged(out, b's', text.as_bytes()),
        Value::Array(items) => {
            out.push(b'a');
            count(out, items.len());
            for item in items {
                value(out, item);
            }
        }
        Value::Object(members) => {
            out.push(b'o');
            count(out, members.len());
            let mut ordered: Vec<_> = members.iter().collect();
            ordered.sort_unstable_by(|left, right| left.0.as_bytes().cmp(right.0.as_bytes()));
            for (key, member) in ordered {
                bytes(out, key.as_bytes());
                value(out, member);
            }
        }
    }
}

fn tagged(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag);
    bytes(out, content);
}

/// Lengths are bounded far below 4 GiB by every intake; saturation keeps this total.
fn count(out: &mut Vec<u8>, length: usize) {
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        value(&mut out, &serde_json::from_str(text).unwrap());
        out
    }

    #[test]
    fn white_space_and_member_order_do_not_matter() {
        assert_eq!(
            of(r#"{"b":[1,true,null],"a":"x\u0041"}"#),
            of(r#" { "a" : "xA", "b" : [ 1 , true , null ] } "#)
        );
    }

    #[test]
    fn different_values_have_different_bytes() {
        let texts =
            [r#"["ab",""]"#, r#"["a","b"]"#, r#""1""#, "1", "1.5", "[]", "{}", "null", r#"{"a":{}}"#, "-1"];
        for (i, left) in texts.iter().enumerate() {
            for right in &texts[i + 1..] {
                assert_ne!(of(left), of(right), "{left} {right}");
            }
        }
    }
}
