//! What is wrong with a word of the command line, and where in it.

use std::fmt;

/// Bytes that are shown before and after the place of a fault.
const CONTEXT: usize = 30;

/// A word of the command line that makes no sense, with the place where it goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFault {
    /// The word's name, such as `URL` or `--header`.
    word: &'static str,
    /// The offset of the first wrong byte.
    at: usize,
    /// What is wrong, and what to do.
    problem: String,
    /// The text around that place, and how far into it the place is.
    excerpt: Option<(String, usize)>,
}

impl UsageFault {
    /// A fault in a text that may be shown, unless there is a sign of a password or a signature in it.
    pub(super) fn shown(
        word: &'static str,
        text: &[u8],
        at: usize,
        problem: impl Into<String>,
    ) -> Self {
        let may_hold_secret = text.contains(&b'@')
            || text
                .windows(6)
                .any(|word| word.eq_ignore_ascii_case(b"oauth_"));
        if may_hold_secret {
            return Self::hidden(word, at, problem);
        }
        let start = at.saturating_sub(CONTEXT);
        let end = text.len().min(at + CONTEXT);
        let before = printable(&text[start..at]);
        let column = before.chars().count();
        let excerpt = before + &printable(&text[at..end]);
        Self {
            excerpt: Some((excerpt, column)),
            ..Self::hidden(word, at, problem)
        }
    }

    /// A fault in a text that may hold a secret.
    pub(super) fn hidden(word: &'static str, at: usize, problem: impl Into<String>) -> Self {
        Self {
            word,
            at,
            problem: problem.into(),
            excerpt: None,
        }
    }
}

impl std::error::Error for UsageFault {}

impl fmt::Display for UsageFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A problem may name what somebody else has written, such as a parameter.
        let problem = printable(self.problem.as_bytes());
        write!(f, "{}, byte {}: {problem}", self.word, self.at)?;
        if let Some((excerpt, column)) = &self.excerpt {
            write!(f, "\n  {excerpt}\n  {:column$}^", "")?;
        }
        Ok(())
    }
}

/// Text for a terminal: whatever would act on it, or turn the text around, is escaped.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || turns_text_around(character) {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        text.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    text
}

/// The explicit directional formatting characters of Unicode (UAX #9 §2), and the separators of lines.
fn turns_text_around(character: char) -> bool {
    matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hold_a_secret_is_not_shown() {
        for text in ["ftp://u:S3NTINEL@h/", "/x?OAuth_signature=S3NTINEL b"] {
            let fault = UsageFault::shown("URL", text.as_bytes(), 0, "wrong").to_string();
            assert_eq!(fault, "URL, byte 0: wrong");
        }
    }

    #[test]
    fn the_caret_stands_below_the_byte() {
        let check = |text: &[u8], at: usize, expected: &str| {
            let fault = UsageFault::shown("URL", text, at, "wrong").to_string();
            assert_eq!(fault, format!("URL, byte {at}: wrong\n{expected}"));
        };
        check(b"a b", 1, "  a b\n   ^");
        check("\u{e9}\n\u{7f}".as_bytes(), 2, "  \u{e9}\\n\\u{7f}\n   ^");
        check(b"\xff#", 1, "  \\xff#\n      ^");
        check(b"", 0, "  \n  ^");
        let long = [b'x'; 100];
        let line = "x".repeat(2 * CONTEXT);
        check(&long, 50, &format!("  {line}\n  {:CONTEXT$}^", ""));
    }

    #[test]
    fn what_is_hidden_is_not_shown() {
        let fault = UsageFault::hidden("URL", 3, "wrong");
        assert_eq!(fault.to_string(), "URL, byte 3: wrong");
    }

    #[test]
    fn a_problem_can_do_nothing_to_a_terminal() {
        let fault = UsageFault::hidden("URL", 3, "`\u{1b}[2J\n\u{202e}` is wrong");
        let expected = "URL, byte 3: `\\u{1b}[2J\\n\\u{202e}` is wrong";
        assert_eq!(fault.to_string(), expected);
    }
}
