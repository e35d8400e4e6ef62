//! Sizes in bytes, as `64KiB`, `1MiB`, `10kB` or a plain number.

/// A text that is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no size: write a number of bytes, or a number with a unit, such as \"64KiB\", \"1MiB\" or \"10kB\""
)]
pub(super) struct SizeError;

const UNITS: &[(&str, usize)] = &[
    ("", 1),
    ("B", 1),
    ("kB", 1000),
    ("MB", 1000 * 1000),
    ("GB", 1000 * 1000 * 1000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a size; letters count in either case.
pub(super) fn parse_size(text: &str) -> Result<usize, SizeError> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()))
        .ok_or(SizeError)?;
    let number: usize = number.parse().map_err(|_| SizeError)?;
    number.checked_mul(*factor).ok_or(SizeError)
}

/// Writes a size with the largest binary unit that leaves a whole number.
pub(super) fn format_size(bytes: usize) -> String {
    UNITS
        .iter()
        .rev()
        .find(|(name, factor)| name.ends_with("iB") && bytes != 0 && bytes.is_multiple_of(*factor))
        .map_or_else(
            || bytes.to_string(),
            |(name, factor)| format!("{}{name}", bytes / factor),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_documented() {
        let cases = [
            ("0", Some(0)),
            ("512", Some(512)),
            ("512B", Some(512)),
            ("10kB", Some(10_000)),
            ("64KiB", Some(65_536)),
            ("64 kib", Some(65_536)),
            ("1MiB", Some(1_048_576)),
            ("2GB", Some(2_000_000_000)),
            ("", None),
            ("KiB", None),
            ("-1", None),
            ("1.5MiB", None),
            ("1 M", None),
            ("99999999999999999999", None),
            ("99999999999999999GiB", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        for (bytes, text) in [
            (0, "0"),
            (1000, "1000"),
            (65_536, "64KiB"),
            (3 << 20, "3MiB"),
        ] {
            assert_eq!(format_size(bytes), text);
            assert_eq!(parse_size(text), Ok(bytes));
        }
    }
}
