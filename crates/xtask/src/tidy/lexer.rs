//! A small lexer for Rust: words, signs, literals and comments with their lines.
//!
//! Every check that looks at Rust works on these tokens, so that a word in a string or in a comment is never mistaken
//! for code. It must understand every literal form well enough never to lose its place: nested block comments, raw
//! strings with any number of `#`, byte and C strings, characters against lifetimes, raw identifiers.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or a keyword.
    Word,
    /// A number.
    Number,
    /// A string of any form; the token's text is what stands between the quotes, escapes untouched.
    Text,
    /// A character or byte literal.
    Character,
    /// A lifetime or label, without its tick.
    Lifetime,
    /// One punctuation character.
    Sign,
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) text: String,
    /// The line it begins on, counted from 1.
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }
}

/// One comment, with its slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) text: String,
    /// The line it begins on, counted from 1.
    pub(crate) line: usize,
}

/// A file, cut up.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) comments: Vec<Comment>,
}

/// Cuts `source` up. Total: malformed text ends in some tokens, never in a panic.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut cursor = Cursor { chars: source.chars().collect(), at: 0, line: 1, lexed: Lexed::default() };
    cursor.skip_shebang();
    while let Some(next) = cursor.peek(0) {
        cursor.token(next);
    }
    cursor.lexed
}

/// Whether `tokens` begin with the tokens of `pattern`.
pub(crate) fn begins_with(tokens: &[Token], pattern: &[Token]) -> bool {
    tokens.len() >= pattern.len()
        && tokens
            .iter()
            .zip(pattern)
            .all(|(token, wanted)| token.kind == wanted.kind && token.text == wanted.text)
}

/// The index of the bracket that closes the one at `open`; the last index when it is never closed.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.kind != Kind::Sign {
            continue;
        }
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

struct Cursor {
    chars: Vec<char>,
    at: usize,
    line: usize,
    lexed: Lexed,
}

impl Cursor {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn slice(&self, from: usize, to: usize) -> String {
        let to = to.min(self.chars.len());
        self.chars[from.min(to)..to].iter().collect()
    }

    fn skip_shebang(&mut self) {
        if self.peek(0) == Some('#') && self.peek(1) == Some('!') && self.peek(2) == Some('/') {
            while self.peek(0).is_some_and(|next| next != '\n') {
                self.advance(1);
            }
        }
    }

    fn token(&mut self, next: char) {
        match next {
            _ if next.is_whitespace() => self.advance(1),
            '/' if self.peek(1) == Some('/') => self.line_comment(),
            '/' if self.peek(1) == Some('*') => self.block_comment(),
            '"' => self.text(1),
            '\'' => self.tick(),
            _ if next.is_ascii_digit() => self.number(),
            _ if next.is_alphabetic() || next == '_' => self.word_or_prefix(),
            _ => self.push(Kind::Sign, next.to_string(), 1),
        }
    }

    fn push(&mut self, kind: Kind, text: String, width: usize) {
        self.lexed.tokens.push(Token { kind, text, line: self.line });
        self.advance(width);
    }

    fn line_comment(&mut self) {
        let from = self.at;
        let line = self.line;
        while self.peek(0).is_some_and(|next| next != '\n') {
            self.advance(1);
        }
        self.lexed.comments.push(Comment { text: self.slice(from, self.at), line });
    }

    fn block_comment(&mut self) {
        let (from, line) = (self.at, self.line);
        let mut depth = 0_usize;
        while self.at < self.chars.len() {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => {
                    depth += 1;
                    self.advance(2);
                }
                (Some('*'), Some('/')) => {
                    depth -= 1;
                    self.advance(2);
                    if depth == 0 {
                        break;
                    }
                }
                _ => self.advance(1),
            }
        }
        self.lexed.comments.push(Comment { text: self.slice(from, self.at), line });
    }

    /// A string with escapes; `opening` is the width of its prefix and quote.
    fn text(&mut self, opening: usize) {
        let start = self.at + opening;
        let mut end = start;
        while let Some(&next) = self.chars.get(end) {
            match next {
                '\\' => end += 2,
                '"' => break,
                _ => end += 1,
            }
        }
        self.push(Kind::Text, self.slice(start, end), end + 1 - self.at);
    }

    /// A raw string; `prefix` is the width before its `#`s.
    fn raw_text(&mut self, prefix: usize, hashes: usize) {
        let start = self.at + prefix + hashes + 1;
        let mut end = start;
        while end < self.chars.len() && !self.ends_raw(end, hashes) {
            end += 1;
        }
        self.push(Kind::Text, self.slice(start, end), end + 1 + hashes - self.at);
    }

    fn ends_raw(&self, at: usize, hashes: usize) -> bool {
        self.chars[at] == '"' && (1..=hashes).all(|ahead| self.chars.get(at + ahead) == Some(&'#'))
    }

    /// `'a'`, `'\n'`, or the lifetime `'a`: a character closes after exactly one, possibly escaped, character.
    fn tick(&mut self) {
        if self.peek(1) == Some('\\') {
            let mut end = self.at + 3;
            while self.chars.get(end).is_some_and(|next| *next != '\'') {
                end += 1;
            }
            self.push(Kind::Character, self.slice(self.at + 1, end), end + 1 - self.at);
        } else if self.peek(2) == Some('\'') {
            self.push(Kind::Character, self.slice(self.at + 1, self.at + 2), 3);
        } else {
            let end = self.word_end(self.at + 1);
            self.push(Kind::Lifetime, self.slice(self.at + 1, end), end - self.at);
        }
    }

    fn word_end(&self, from: usize) -> usize {
        let mut end = from;
        while self.chars.get(end).is_some_and(|next| next.is_alphanumeric() || *next == '_') {
            end += 1;
        }
        end
    }

    /// `1.5` is one number; the dots of `0..9` and `1.max(2)` are signs.
    fn number(&mut self) {
        let mut end = self.word_end(self.at);
        if self.chars.get(end) == Some(&'.') && self.chars.get(end + 1).is_some_and(char::is_ascii_digit) {
            end = self.word_end(end + 1);
        }
        self.push(Kind::Number, self.slice(self.at, end), end - self.at);
    }

    /// A word, unless it is the prefix of a literal (`r"`, `b'`, `cr#"` …) or of a raw identifier (`r#type`).
    fn word_or_prefix(&mut self) {
        let end = self.word_end(self.at);
        let word = self.slice(self.at, end);
        let width = end - self.at;
        let hashes = self.chars[end..].iter().take_while(|next| **next == '#').count();
        let quote = self.chars.get(end + hashes) == Some(&'"');
        match word.as_str() {
            "r" | "br" | "cr" if quote => self.raw_text(width, hashes),
            "b" | "c" if quote && hashes == 0 => self.text(width + 1),
            "b" if self.chars.get(end) == Some(&'\'') => {
                self.advance(1);
                self.tick();
            }
            "r" if hashes == 1 => {
                let raw_end = self.word_end(end + 1);
                self.push(Kind::Word, self.slice(end + 1, raw_end), raw_end - self.at);
            }
            _ => self.push(Kind::Word, word, width),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        lex(source)
            .tokens
            .into_iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn words_in_strings_and_comments_are_not_code() {
        let source = concat!(
            "let a = \"tokio \\\" tokio\"; // tokio\n",
            "/* tokio /* tokio */ tokio */ let b = r#\"tokio \" tokio\"#;\n",
            "let c = b\"tokio\"; let d = br##\"tokio \"# tokio\"##; let e = c\"tokio\";",
        );
        assert_eq!(words(source), ["let", "a", "let", "b", "let", "c", "let", "d", "let", "e"]);
    }

    #[test]
    fn a_quote_in_a_character_does_not_open_a_string() {
        assert_eq!(words(r#"let a = ['"', '\'', '\\', '\u{22}', b'"', b'\'']; end"#), ["let", "a", "end"]);
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        let lexed = lex("fn get<'a>(x: &'a str) -> &'static str { 'outer: loop { break 'outer; } }");
        let lifetimes: Vec<_> = lexed.tokens.iter().filter(|token| token.kind == Kind::Lifetime).collect();
        assert_eq!(lifetimes.len(), 5);
        assert!(lexed.tokens.iter().all(|token| token.kind != Kind::Character));
    }

    #[test]
    fn raw_identifiers_and_ranges_are_read_as_what_they_are() {
        assert_eq!(words("let r#type = r; 0..max"), ["let", "type", "r", "max"]);
        let numbers: Vec<_> =
            lex("0..9 1.5 1.max(2)").tokens.into_iter().filter(|token| token.kind == Kind::Number).collect();
        assert_eq!(
            numbers.iter().map(|token| token.text.as_str()).collect::<Vec<_>>(),
            ["0", "9", "1.5", "1", "2"]
        );
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let lexed = lex("let a = \"1\n2\n3\";\n/* x\ny */\nend");
        assert_eq!(lexed.tokens.last().map(|token| token.line), Some(6));
        assert_eq!(lexed.comments[0].line, 4);
    }

    #[test]
    fn unfinished_text_ends_without_a_panic() {
        for source in ["\"abc", "r#\"abc\"", "/* abc", "'", "'\\", "b'", "\"\\", "r#", "#!/bin"] {
            lex(source);
        }
    }

    #[test]
    fn brackets_close_over_braces_in_strings() {
        let tokens = lex("{ \"}\" '}' { } } after").tokens;
        assert_eq!(tokens[closing(&tokens, 0) + 1].text, "after");
    }
}
