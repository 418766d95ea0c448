//! Forms as providers of texts read and write them (`application/x-www-form-urlencoded`, WHATWG URL §5).

/// Fields of a form at most.
const FIELDS_MAX: usize = 200;

/// Writes fields in the order given.
#[must_use]
pub fn write(fields: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (name, value) in fields {
        if !text.is_empty() {
            text.push('&');
        }
        encode(&mut text, name);
        text.push('=');
        encode(&mut text, value);
    }
    text
}

/// Reads fields; `None` when it is no form, or one too large to be honest.
#[must_use]
pub fn read(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let parts: Vec<&str> = text.split('&').filter(|part| !part.is_empty()).collect();
    if parts.len() > FIELDS_MAX {
        return None;
    }
    let field = |part: &&str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Some((decode(name)?, decode(value)?))
    };
    parts.iter().map(field).collect()
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let fields = [("To", "+15551234567"), ("Body", "Tue 24 Nov & 10:00 = ü"), ("Empty", "")];
        let text = write(&fields);
        assert_eq!(text, "To=%2B15551234567&Body=Tue+24+Nov+%26+10%3A00+%3D+%C3%BC&Empty=");
        let read: Vec<_> = read(text.as_bytes()).unwrap();
        assert_eq!(read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect::<Vec<_>>(), fields);
    }

    #[test]
    fn what_is_no_form_is_none() {
        for wrong in ["a=%", "a=%2", "a=%zz", "a=%FF", &"a=1&".repeat(201)] {
            assert_eq!(read(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(read(b""), Some(Vec::new()));
        assert_eq!(read(b"a&b=1"), Some(vec![("a".into(), String::new()), ("b".into(), "1".into())]));
    }
}
