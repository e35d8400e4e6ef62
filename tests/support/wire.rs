//! HTTP/1 messages as a peer sees them: read by the plainest means, apart from the code under test.

use std::fmt;

/// A head: the first line and the field lines, as they came.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// All of it, with the empty line.
    pub(crate) raw: Vec<u8>,
}

impl Head {
    /// The head at the beginning of `bytes`, if it is whole.
    pub(crate) fn split_from(bytes: &[u8]) -> Option<Self> {
        let end = find(bytes, b"\r\n\r\n")?;
        let raw = bytes[..end + 4].to_vec();
        Some(Self { raw })
    }

    /// The request line or the status line.
    pub(crate) fn first_line(&self) -> &[u8] {
        self.lines()[0]
    }

    /// The field lines, without their CRLF.
    pub(crate) fn field_lines(&self) -> Vec<&[u8]> {
        self.lines()[1..].to_vec()
    }

    /// The values of each line with this name, trimmed.
    pub(crate) fn all(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.field_lines().into_iter();
        let pairs = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        });
        pairs
            .filter(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
            .collect()
    }

    /// The value of the only line with this name.
    #[track_caller]
    pub(crate) fn only(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [value] => std::str::from_utf8(value).unwrap(),
            _ => panic!("not one {name}: {self:?}"),
        }
    }

    /// Whether there is a line with this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// Whether `Connection` lists this option.
    pub(crate) fn connection_says(&self, option: &str) -> bool {
        let values = self.all("connection").join(&b","[..]);
        let mut members = values.split(|byte| *byte == b',');
        members.any(|member| member.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
    }

    /// The value of `Content-Length`.
    pub(crate) fn content_length(&self) -> Option<usize> {
        self.has("content-length")
            .then(|| self.only("content-length").parse().unwrap())
    }

    /// Whether the content is in the chunked coding.
    pub(crate) fn is_chunked(&self) -> bool {
        self.has("transfer-encoding") && self.only("transfer-encoding") == "chunked"
    }

    fn lines(&self) -> Vec<&[u8]> {
        let text = &self.raw[..self.raw.len() - 4];
        let mut lines = Vec::new();
        let mut rest = text;
        while let Some(end) = find(rest, b"\r\n") {
            lines.push(&rest[..end]);
            rest = &rest[end + 2..];
        }
        lines.push(rest);
        lines
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw.escape_ascii())
    }
}

/// A chunked message, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunked {
    /// The content.
    pub(crate) content: Vec<u8>,
    /// The trailer section, with the CRLF of each line.
    pub(crate) trailers: Vec<u8>,
    /// The bytes that the coding takes.
    pub(crate) length: usize,
}

impl Chunked {
    /// Reads a chunked message as [`undersign`] must write it: no extension, no superfluous zero. `None` while it is
    /// not whole.
    #[track_caller]
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut content = Vec::new();
        let mut at = 0;
        loop {
            let line_end = at + find(&bytes[at..], b"\r\n")?;
            let digits = std::str::from_utf8(&bytes[at..line_end]).unwrap();
            let size = usize::from_str_radix(digits, 16)
                .unwrap_or_else(|_| panic!("a chunk size {digits:?}"));
            at = line_end + 2;
            if size == 0 {
                break;
            }
            content.extend_from_slice(bytes.get(at..at + size)?);
            at += size;
            assert_eq!(bytes.get(at..at + 2)?, b"\r\n");
            at += 2;
        }
        // The empty line, behind a trailer section or at once.
        let section = &bytes[at..];
        let end = if section.starts_with(b"\r\n") {
            0
        } else {
            find(section, b"\r\n\r\n")? + 2
        };
        Some(Self {
            content,
            trailers: section[..end].to_vec(),
            length: at + end + 2,
        })
    }
}

/// Where `needle` begins in `bytes`.
pub(crate) fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
}
