//! A field section (RFC 9110 §5), kept as the bytes that arrived.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::memchr;
use smallvec::SmallVec;

use super::class::{is_token, is_value_byte};

/// The most field lines a section may have.
pub const MAX_FIELDS: usize = 100;

/// The lines of a field section, in the order and the spelling in which they arrived.
///
/// Lines can be taken out, never changed: what is forwarded is what was received.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    raw: Bytes,
    lines: SmallVec<[Line; 24]>,
}

/// Offsets into the raw section.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: u32,
    colon: u32,
    /// The value without the white space around it.
    value: (u32, u32),
    end: u32,
}

/// One field line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, in the case in which it arrived.
    pub name: &'a [u8],
    /// The value, without the white space around it.
    pub value: &'a [u8],
    /// The whole line, without its CRLF.
    pub line: &'a [u8],
}

impl Field<'_> {
    /// Whether the name is `name`, whatever its case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// What is wrong with a field section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldFault {
    /// A line folded onto the next one (RFC 9112 §5.2).
    #[error("a header line is folded (obs-fold), which is obsolete and ambiguous")]
    Folded,
    /// A line without a colon.
    #[error("a header line has no colon")]
    NoColon,
    /// An empty name, or white space or another character that can't stand in one (RFC 9110 §5.1).
    #[error("a header name is empty or has a character that can't stand in one")]
    Name,
    /// CR, LF, NUL or another control character in a value (RFC 9110 §5.5).
    #[error("a header value has a control character")]
    Value,
    /// More lines than there may be.
    #[error("there are more than {0} header lines")]
    TooMany(usize),
}

impl Fields {
    /// Reads a section whose lines each end in CRLF; the empty line that ends the section is not part of it.
    ///
    /// # Errors
    /// The first fault found, in the order of the lines.
    pub fn parse(raw: Bytes) -> Result<Self, FieldFault> {
        Self::parse_up_to(MAX_FIELDS, raw)
    }

    /// The same, with up to `most` lines.
    ///
    /// # Errors
    /// The first fault found, in the order of the lines.
    pub(crate) fn parse_up_to(most: usize, raw: Bytes) -> Result<Self, FieldFault> {
        let mut lines = SmallVec::new();
        let mut start = 0;
        while start < raw.len() {
            let line_end = memchr(b'\n', &raw[start..]).map_or(raw.len(), |at| start + at);
            let end = if line_end > start && raw[line_end - 1] == b'\r' {
                line_end - 1
            } else {
                line_end
            };
            if lines.len() == most {
                return Err(FieldFault::TooMany(most));
            }
            let colon = start + check_line(&raw[start..end])?;
            let (value_start, value_end) = trim(&raw, colon + 1, end);
            lines.push(Line {
                start: offset(start),
                colon: offset(colon),
                value: (offset(value_start), offset(value_end)),
                end: offset(end),
            });
            start = line_end + 1;
        }
        Ok(Self { raw, lines })
    }

    /// The lines, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Field<'_>> {
        self.lines.iter().map(|line| self.field(*line))
    }

    /// The values of each line with this name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.iter()
            .filter(move |field| field.is(name))
            .map(|field| field.value)
    }

    /// The value of the first line with this name.
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Whether a line has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.iter().any(|field| field.is(name))
    }

    /// The comma-separated members of each line with this name, trimmed, without empty ones (RFC 9110 §5.6.1).
    pub fn members<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|member| !member.is_empty())
    }

    /// Keeps the lines for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&Field<'_>) -> bool) {
        let raw = &self.raw;
        self.lines.retain(|line| keep(&field(raw, *line)));
    }

    /// Appends each line with its CRLF.
    pub fn write_to(&self, out: &mut BytesMut) {
        for field in self.iter() {
            out.put_slice(field.line);
            out.put_slice(b"\r\n");
        }
    }

    /// Bytes that [`Fields::write_to`] appends, at most.
    pub fn encoded_len(&self) -> usize {
        self.raw.len() + 2
    }

    fn field(&self, line: Line) -> Field<'_> {
        field(&self.raw, line)
    }
}

fn field(raw: &[u8], line: Line) -> Field<'_> {
    let start = line.start as usize;
    Field {
        name: &raw[start..line.colon as usize],
        value: &raw[line.value.0 as usize..line.value.1 as usize],
        line: &raw[start..line.end as usize],
    }
}

/// A head is limited to far less than 4 GiB, so that an offset fits.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Returns the offset of the colon.
fn check_line(line: &[u8]) -> Result<usize, FieldFault> {
    if matches!(line.first(), Some(b' ' | b'\t')) {
        return Err(FieldFault::Folded);
    }
    let colon = memchr(b':', line).ok_or(FieldFault::NoColon)?;
    if colon == 0 || !line[..colon].iter().copied().all(is_token) {
        return Err(FieldFault::Name);
    }
    if line[colon + 1..].iter().copied().all(is_value_byte) {
        Ok(colon)
    } else {
        Err(FieldFault::Value)
    }
}

/// Takes the white space off both ends of a range. It is space and tab only (RFC 9110 §5.6.3).
fn trim(raw: &[u8], mut start: usize, mut end: usize) -> (usize, usize) {
    let is_blank = |at: usize| matches!(raw[at], b' ' | b'\t');
    while start < end && is_blank(start) {
        start += 1;
    }
    while start < end && is_blank(end - 1) {
        end -= 1;
    }
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(section: &'static str) -> Result<Fields, FieldFault> {
        Fields::parse(Bytes::from_static(section.as_bytes()))
    }

    #[test]
    fn lines_keep_their_order_case_spacing_and_duplicates() {
        let section = "X-a: 1\r\nx-B:2  \r\nX-A:\t3\r\nEmpty:\r\nobs: caf\u{e9}\r\n";
        let fields = parse(section).unwrap();
        let mut out = BytesMut::new();
        fields.write_to(&mut out);
        assert_eq!(out, section.as_bytes());
        assert_eq!(fields.all("x-A").collect::<Vec<_>>(), [b"1", b"3"]);
        assert_eq!(fields.first("x-b"), Some(&b"2"[..]));
        assert_eq!(fields.first("empty"), Some(&b""[..]));
    }

    #[test]
    fn lists_are_read_across_lines() {
        let fields = parse("Connection: a, ,b\r\nX: y\r\nconnection:c ,\r\n").unwrap();
        let members: Vec<_> = fields.members("Connection").collect();
        assert_eq!(members, [b"a", b"b", b"c"]);
    }

    #[test]
    fn a_line_taken_out_leaves_the_others_as_they_were() {
        let mut fields = parse("A: 1\r\nB: 2\r\na: 3\r\nC: 4\r\n").unwrap();
        fields.retain(|field| !field.is("B"));
        let mut out = BytesMut::new();
        fields.write_to(&mut out);
        assert_eq!(out, &b"A: 1\r\na: 3\r\nC: 4\r\n"[..]);
    }

    #[test]
    fn malformed_lines_are_refused() {
        let table = [
            ("A : 1\r\n", FieldFault::Name),
            (": 1\r\n", FieldFault::Name),
            ("A(: 1\r\n", FieldFault::Name),
            ("\u{e9}: 1\r\n", FieldFault::Name),
            ("A 1\r\n", FieldFault::NoColon),
            ("A: 1\r\n folded\r\n", FieldFault::Folded),
            ("\tA: 1\r\n", FieldFault::Folded),
            ("A: a\rb\r\n", FieldFault::Value),
            ("A: a\0b\r\n", FieldFault::Value),
            ("A: \u{1b}[31m\r\n", FieldFault::Value),
            ("A: \u{7f}\r\n", FieldFault::Value),
        ];
        for (section, fault) in table {
            assert_eq!(parse(section).unwrap_err(), fault, "{section:?}");
        }
        let many = "A: 1\r\n".repeat(MAX_FIELDS + 1);
        assert_eq!(
            Fields::parse(Bytes::from(many)).unwrap_err(),
            FieldFault::TooMany(MAX_FIELDS)
        );
    }
}
