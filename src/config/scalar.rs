//! Single values, as TOML's own types or, from a variable or flag, as text.

use std::{ops::RangeInclusive, time::Duration};

use ::config::ValueKind;

use super::size::{format_size, parse_size};

/// From a millisecond to a day: less cannot be met, and more is most likely a wrong unit.
const DURATIONS: RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(24 * 60 * 60);

/// A text that is no switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be true or false")]
pub(super) struct SwitchError;

/// Reads a switch, as a variable holds it.
pub(super) fn parse_switch(text: &str) -> Result<bool, SwitchError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(SwitchError),
    }
}

/// A switch.
pub(super) fn switch(kind: &ValueKind) -> Result<bool, SwitchError> {
    match kind {
        ValueKind::Boolean(value) => Ok(*value),
        ValueKind::String(text) => parse_switch(text),
        _ => Err(SwitchError),
    }
}

/// A text. A number is none, for its digits may have been written otherwise: `00123`, `1e3`.
pub(super) fn text(kind: &ValueKind) -> Result<&str, &'static str> {
    match kind {
        ValueKind::String(text) => Ok(text),
        _ => Err("must be a text in quotes"),
    }
}

/// A duration, such as `1m 30s`.
pub(super) fn duration(kind: &ValueKind) -> Result<Duration, &'static str> {
    text(kind)
        .ok()
        .and_then(|text| humantime::parse_duration(text).ok())
        .ok_or(
            "is no duration: write a number with a unit, such as \"500ms\", \"5s\" or \"1m 30s\"",
        )
        .and_then(|duration| {
            if DURATIONS.contains(&duration) {
                Ok(duration)
            } else {
                Err("must be between 1ms and 1day")
            }
        })
}

/// A size in bytes.
pub(super) fn size(kind: &ValueKind, range: &RangeInclusive<usize>) -> Result<usize, String> {
    let text = number_or_text(kind, "must be a size, such as \"64KiB\"")?;
    let size = parse_size(&text).map_err(|error| error.to_string())?;
    if range.contains(&size) {
        return Ok(size);
    }
    let (least, most) = (format_size(*range.start()), format_size(*range.end()));
    Err(format!("must be between {least} and {most}"))
}

/// A number.
pub(super) fn count(kind: &ValueKind, range: &RangeInclusive<usize>) -> Result<usize, String> {
    number_or_text(kind, "")
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("must be a number from {} to {}", range.start(), range.end()))
}

/// The text of a number, or a text.
pub(super) fn number_or_text(
    kind: &ValueKind,
    problem: &'static str,
) -> Result<String, &'static str> {
    match kind {
        ValueKind::String(text) => Ok(text.clone()),
        ValueKind::I64(number) => Ok(number.to_string()),
        _ => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_documented() {
        for (text, expected) in [
            ("5s", Some(5_000)),
            ("1m 30s", Some(90_000)),
            ("500ms", Some(500)),
            ("24h", Some(86_400_000)),
            ("5", None),
            ("0s", None),
            ("999us", None),
            ("25h", None),
            ("", None),
        ] {
            let read = duration(&ValueKind::from(text)).ok();
            assert_eq!(read, expected.map(Duration::from_millis), "{text}");
        }
    }
}
