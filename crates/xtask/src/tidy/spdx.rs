//! SPDX licence expressions: names joined by `OR`, `AND` and `WITH`, with parentheses. `/` is the old way to say `OR`.
//!
//! Called by `licences`. The grammar is annex D of the SPDX specification, `AND` binding tighter than `OR`.

/// Whether the expression can be met with the licences for which `permits` holds. `permits` gets the licence and,
/// after `WITH`, the exception.
///
/// # Errors
/// What is wrong with the expression.
pub(crate) fn satisfied(
    expression: &str,
    permits: &dyn Fn(&str, Option<&str>) -> bool,
) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let mut parser = Parser { words: spaced.split_whitespace().collect(), at: 0, permits };
    let result = parser.any()?;
    match parser.words.get(parser.at) {
        None => Ok(result),
        Some(word) => Err(format!("`{word}` was not expected")),
    }
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
    permits: &'a dyn Fn(&str, Option<&str>) -> bool,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<bool, String> {
        let mut result = self.all()?;
        while self.take("OR") {
            result |= self.all()?;
        }
        Ok(result)
    }

    fn all(&mut self) -> Result<bool, String> {
        let mut result = self.one()?;
        while self.take("AND") {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool, String> {
        if self.take("(") {
            let result = self.any()?;
            return if self.take(")") { Ok(result) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        let licence = self.name()?;
        let exception = if self.take("WITH") { Some(self.name()?) } else { None };
        Ok((self.permits)(licence, exception))
    }

    fn name(&mut self) -> Result<&'a str, String> {
        let word = self.words.get(self.at).copied();
        self.at += 1;
        match word {
            Some(word) if !["OR", "AND", "WITH", "(", ")"].contains(&word) => Ok(word),
            Some(word) => Err(format!("`{word}` stands where a licence should")),
            None => Err("a licence is missing at the end".to_owned()),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let next = self.words.get(self.at) == Some(&word);
        self.at += usize::from(next);
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mit_only(expression: &str) -> Result<bool, String> {
        satisfied(expression, &|licence, exception| {
            licence == "MIT" && exception.is_none_or(|name| name == "Ours")
        })
    }

    #[test]
    fn one_side_of_or_is_enough_and_both_of_and_are_needed() {
        for (expression, wanted) in [
            ("MIT", true),
            ("GPL-2.0-only", false),
            ("GPL-2.0-only OR MIT", true),
            ("MIT/GPL-2.0-only", true),
            ("MIT AND GPL-2.0-only", false),
            ("MIT OR GPL-2.0-only AND GPL-2.0-only", true),
            ("(MIT OR GPL-2.0-only) AND GPL-2.0-only", false),
            ("MIT WITH Ours", true),
            ("MIT WITH Theirs", false),
        ] {
            assert_eq!(mit_only(expression), Ok(wanted), "{expression}");
        }
    }

    #[test]
    fn broken_expressions_are_errors() {
        for expression in ["", "MIT OR", "(MIT", "MIT)", "MIT Apache-2.0", "AND MIT", "MIT WITH"] {
            assert!(mit_only(expression).is_err(), "{expression}");
        }
    }
}
