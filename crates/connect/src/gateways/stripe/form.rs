//! Stripe's form encoding: nested maps as `a[b]=c`, lists always indexed as `a[0]=x` (FACTS §a).
//!
//! Used for bodies and query strings. Fields appear in the order in which they are pushed, so the same call gives the
//! same bytes. Brackets of the structure stay readable, as in Stripe's own SDKs; everything else is percent-encoded.

/// A form under construction.
#[derive(Default)]
pub(super) struct Form(String);

impl Form {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds a field; the path's parts after the first go into brackets.
    #[must_use]
    pub(super) fn text(mut self, path: &[&str], value: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        for (depth, part) in path.iter().enumerate() {
            let (open, close) = if depth == 0 { ("", "") } else { ("[", "]") };
            self.0.push_str(open);
            encode(&mut self.0, part);
            self.0.push_str(close);
        }
        self.0.push('=');
        encode(&mut self.0, value);
        self
    }

    /// Adds a field when there is a value; a missing one is left out, because an empty one would unset it.
    #[must_use]
    pub(super) fn maybe(self, path: &[&str], value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(path, value),
            None => self,
        }
    }

    /// Adds `true` when the flag is set, and nothing otherwise.
    #[must_use]
    pub(super) fn flag(self, path: &[&str], set: bool) -> Self {
        self.maybe(path, set.then_some("true"))
    }

    /// Adds an indexed list.
    #[must_use]
    pub(super) fn list(self, name: &str, values: &[&str]) -> Self {
        values
            .iter()
            .enumerate()
            .fold(self, |form, (index, value)| form.text(&[name, &index.to_string()], value))
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub(super) fn encode(out: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_nest_in_brackets_and_lists_are_indexed() {
        let form = Form::new()
            .text(&["metadata", "suture_link"], "lnk_1")
            .list("expand", &["latest_charge", "customer"])
            .flag(&["confirm"], true)
            .flag(&["off_session"], false);
        assert_eq!(
            form.into_text(),
            "metadata[suture_link]=lnk_1&expand[0]=latest_charge&expand[1]=customer&confirm=true"
        );
    }

    #[test]
    fn nothing_in_a_value_or_key_can_start_another_field() {
        let form = Form::new().text(&["a", "b]&c"], "1&amount=2 +é");
        assert_eq!(form.into_text(), "a[b%5D%26c]=1%26amount%3D2%20%2B%C3%A9");
    }
}
