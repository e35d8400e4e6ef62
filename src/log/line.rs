//! One record as one line, in JSON or in text.
//!
//! Whatever a value holds, the line stays one line and a terminal shows it as it is: a client chooses
//! paths, queries and header values, and must not be able to forge a record or move a cursor with them.

use std::fmt::{self, Write};

use time::OffsetDateTime;
use tracing::{
    Level,
    field::{Field, Visit},
};

use crate::config::LogFormat;

/// The name under which tracing passes an event's message.
const MESSAGE: &str = "message";

/// An ordinary exchange in JSON takes about this many bytes.
const USUAL_LENGTH: usize = 768;

/// A record under construction. Its fields come from a `tracing` event, through [`Visit`], or from
/// [`Line::field`].
pub(super) struct Line {
    format: LogFormat,
    text: String,
}

impl Line {
    /// Begins a record with its time and level.
    pub(super) fn new(format: LogFormat, now: OffsetDateTime, level: Level) -> Self {
        let mut line = Self::untimed(format);
        match format {
            LogFormat::Text => {
                push_timestamp(&mut line.text, now);
                line.text.push(' ');
                line.text.push_str(level.as_str());
            }
            LogFormat::Json => {
                line.text.push_str("{\"timestamp\":\"");
                push_timestamp(&mut line.text, now);
                line.text.push_str("\",\"level\":\"");
                line.text.push_str(level.as_str());
                line.text.push('"');
            }
        }
        line
    }

    /// Begins a line of text that bears neither time nor level.
    pub(super) fn untimed(format: LogFormat) -> Self {
        Self {
            format,
            text: String::with_capacity(USUAL_LENGTH),
        }
    }

    /// Adds the message.
    pub(super) fn message(mut self, message: &str) -> Self {
        self.push_message(format_args!("{message}"));
        self
    }

    /// Adds a string.
    pub(super) fn field(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.push_string(name, format_args!("{value}"));
        self
    }

    /// Adds a number.
    pub(super) fn number(mut self, name: &str, value: u64) -> Self {
        self.push_literal(name, value);
        self
    }

    /// The whole line, with the line feed that ends it and is the only one in it.
    pub(super) fn finish(mut self) -> String {
        if self.format == LogFormat::Json {
            self.text.push('}');
        }
        self.text.push('\n');
        self.text
    }

    fn push_message(&mut self, message: fmt::Arguments<'_>) {
        match self.format {
            LogFormat::Json => self.push_string(MESSAGE, message),
            LogFormat::Text => {
                if !self.text.is_empty() {
                    self.text.push(' ');
                }
                write_with(&mut self.text, message, push_visible);
            }
        }
    }

    fn push_string(&mut self, name: &str, value: fmt::Arguments<'_>) {
        self.push_name(name);
        match self.format {
            LogFormat::Json => {
                self.text.push('"');
                write_with(&mut self.text, value, push_json);
                self.text.push('"');
            }
            LogFormat::Text => push_text_value(&mut self.text, value),
        }
    }

    /// Adds a string that needs no formatting, as most are.
    fn push_str(&mut self, name: &str, value: &str) {
        match self.format {
            LogFormat::Json => {
                self.push_name(name);
                self.text.push('"');
                push_json(&mut self.text, value);
                self.text.push('"');
            }
            LogFormat::Text => self.push_string(name, format_args!("{value}")),
        }
    }

    /// Adds a value that both formats write as it is: a number, `true`, `false` or `null`.
    fn push_literal(&mut self, name: &str, value: impl fmt::Display) {
        self.push_name(name);
        write_with(&mut self.text, format_args!("{value}"), String::push_str);
    }

    /// Adds a name as it is: it stands in somebody's code, and has nothing in it to escape.
    fn push_name(&mut self, name: &str) {
        match self.format {
            LogFormat::Text => {
                self.text.push(' ');
                self.text.push_str(name);
                self.text.push('=');
            }
            LogFormat::Json => {
                self.text.push_str(",\"");
                self.text.push_str(name);
                self.text.push_str("\":");
            }
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MESSAGE {
            self.push_message(format_args!("{value:?}"));
        } else {
            self.push_string(field.name(), format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == MESSAGE {
            self.push_message(format_args!("{value}"));
        } else {
            self.push_str(field.name(), value);
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push_name(field.name());
        self.text.push_str(itoa::Buffer::new().format(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push_name(field.name());
        self.text.push_str(itoa::Buffer::new().format(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push_literal(field.name(), value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push_literal(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push_literal(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.push_literal(field.name(), value);
        } else {
            // JSON has no infinity and no NaN.
            self.push_literal(field.name(), "null");
        }
    }
}

/// RFC 3339 in UTC, to the microsecond.
fn push_timestamp(out: &mut String, now: OffsetDateTime) {
    let now = now.to_offset(time::UtcOffset::UTC);
    let (hour, minute, second, microsecond) = now.to_hms_micro();
    push_digits(out, 4, now.year().unsigned_abs());
    for (separator, number) in [
        ('-', u8::from(now.month())),
        ('-', now.day()),
        ('T', hour),
        (':', minute),
        (':', second),
    ] {
        out.push(separator);
        push_digits(out, 2, number.into());
    }
    out.push('.');
    push_digits(out, 6, microsecond);
    out.push('Z');
}

/// So many decimal digits, from the left.
fn push_digits(out: &mut String, count: u32, number: u32) {
    for place in (0..count).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// A bare word if every character is visible ASCII that means nothing to the format, else a quoted string.
fn push_text_value(out: &mut String, value: fmt::Arguments<'_>) {
    let start = out.len();
    write_with(out, value, String::push_str);
    let is_bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'=' | b'\\');
    let written = &out.as_bytes()[start..];
    if written.is_empty() || !written.iter().all(is_bare) {
        let value = out.split_off(start);
        // The escapes of a Rust string are those we want: controls, and what has no glyph of its own,
        // such as the marks that turn the direction of writing.
        write_with(out, format_args!("{value:?}"), String::push_str);
    }
}

/// Text without quotes around it, for messages.
fn push_visible(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' | '\'' => out.push(c),
            _ => out.extend(c.escape_debug()),
        }
    }
}

/// The inside of a JSON string (RFC 8259 §7). DEL and the C1 controls need no escape there, but a terminal
/// that shows the line may act on them.
fn push_json(out: &mut String, mut rest: &str) {
    // Most texts are plain; 0xC2 is how the C1 controls begin in UTF-8. Without a branch, many bytes are looked at in one go.
    let is_plain = |byte: u8| byte >= b' ' && !matches!(byte, b'"' | b'\\' | 0x7f | 0xc2);
    if rest
        .bytes()
        .fold(true, |plain, byte| plain & is_plain(byte))
    {
        out.push_str(rest);
        return;
    }
    while let Some(at) = rest.find(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
        let (plain, tail) = rest.split_at(at);
        out.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => write_with(
                out,
                format_args!("\\u{:04x}", u32::from(c)),
                String::push_str,
            ),
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
}

/// Formats straight into `out`, each piece through `push`.
fn write_with(out: &mut String, value: fmt::Arguments<'_>, push: fn(&mut String, &str)) {
    struct Through<'a>(&'a mut String, fn(&mut String, &str));

    impl Write for Through<'_> {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            self.1(self.0, piece);
            Ok(())
        }
    }

    // Pushing cannot fail; a value that refuses to be formatted is left as far as it came.
    let _ = Through(out, push).write_fmt(value);
}

#[cfg(test)]
mod tests;
