//! HTTP/1 messages (RFC 9112), read strictly: what can be read in two ways is not read at all.

/// A field line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name, as sent.
    pub name: Vec<u8>,
    /// The value, without the blanks around it.
    pub value: Vec<u8>,
    /// The whole line, without its CRLF.
    pub line: Vec<u8>,
}

/// What stands behind a start line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The field lines.
    pub fields: Vec<Field>,
    /// The content, without its framing.
    pub content: Vec<u8>,
    /// The field lines of the trailer section.
    pub trailers: Vec<Field>,
    /// Whether a chunk had an extension.
    pub has_extensions: bool,
    /// Why the content is not whole, if it is not.
    pub broken: Option<Stop>,
}

/// Why reading could not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// There are no more bytes.
    End,
    /// There is something that a strict reader does not take.
    Fault(&'static str),
}

/// How content is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none.
    None,
    /// So many bytes.
    Length(usize),
    /// Chunks.
    Chunked,
    /// All that comes.
    UntilClose,
}

impl Field {
    /// Whether it has this name, whatever the case.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

impl Message {
    /// The values of the lines with this name.
    pub fn all(&self, name: &str) -> Vec<&[u8]> {
        let lines = self.fields.iter().filter(|field| field.is(name));
        lines.map(|field| &field.value[..]).collect()
    }

    /// The members of the lists with this name (RFC 9110 §5.6.1), in lower case.
    pub fn members(&self, name: &str) -> Vec<Vec<u8>> {
        let values = self.all(name).join(&b',');
        let members = values.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        let members = members.filter(|member| !member.is_empty());
        members.map(<[u8]>::to_ascii_lowercase).collect()
    }

    /// How the fields frame the content; `None` if they don't.
    ///
    /// # Errors
    /// They say it in more than one way, or in one that is not understood.
    pub fn framing(&self) -> Result<Option<Framing>, Stop> {
        match (
            &self.all("transfer-encoding")[..],
            &self.all("content-length")[..],
        ) {
            ([], []) => Ok(None),
            ([coding], []) if coding.eq_ignore_ascii_case(b"chunked") => Ok(Some(Framing::Chunked)),
            ([], [length]) => match number(length, 10) {
                Some(length) => Ok(Some(Framing::Length(length))),
                None => Err(Stop::Fault("the length is no number")),
            },
            _ => Err(Stop::Fault("the framing is ambiguous")),
        }
    }
}

/// Reads from the front of bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// What has not been read yet.
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads a line and its CRLF, and returns it without.
    ///
    /// # Errors
    /// It has no end yet, or a control character in it.
    pub fn line(&mut self) -> Result<&'a [u8], Stop> {
        let end = self.rest.iter().position(|&byte| byte == b'\n');
        let (line, rest) = self.rest.split_at(end.ok_or(Stop::End)? + 1);
        let line = line
            .strip_suffix(b"\r\n")
            .ok_or(Stop::Fault("a line ends in a bare LF"))?;
        if line
            .iter()
            .any(|&byte| matches!(byte, 0..=8 | 10..=31 | 127))
        {
            return Err(Stop::Fault("a control character"));
        }
        self.rest = rest;
        Ok(line)
    }

    /// Reads field lines and the empty line behind them.
    ///
    /// # Errors
    /// One is malformed.
    pub fn fields(&mut self) -> Result<Vec<Field>, Stop> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let colon = line.iter().position(|&byte| byte == b':');
            let colon = colon.ok_or(Stop::Fault("a field line without a colon"))?;
            // A folded line (RFC 9112 §5.2) begins with a blank, which can't stand in a token either.
            if !is_token(&line[..colon]) {
                return Err(Stop::Fault("a field name that is no token"));
            }
            fields.push(Field {
                name: line[..colon].to_vec(),
                value: line[colon + 1..].trim_ascii().to_vec(),
                line: line.to_vec(),
            });
        }
    }

    /// Reads content and trailer section; if there is an end to them in these bytes, `message` is whole then.
    pub fn content(&mut self, framing: Framing, message: &mut Message) {
        let read = match framing {
            Framing::None => Ok(()),
            Framing::Length(length) => self.bytes(length, &mut message.content),
            Framing::Chunked => self.chunks(message),
            Framing::UntilClose => {
                message.content.extend_from_slice(self.rest);
                self.rest = &[];
                Ok(())
            }
        };
        message.broken = read.err();
    }

    fn chunks(&mut self, message: &mut Message) -> Result<(), Stop> {
        loop {
            let line = self.line()?;
            let size_end = line.iter().position(|&byte| byte == b';');
            message.has_extensions |= size_end.is_some();
            // Blanks may stand in front of an extension only (RFC 9112 §7.1.1).
            let size = size_end.map_or(line, |end| line[..end].trim_ascii_end());
            let size = number(size, 16).ok_or(Stop::Fault("a chunk size that is no number"))?;
            if size == 0 {
                message.trailers = self.fields()?;
                return Ok(());
            }
            self.bytes(size, &mut message.content)?;
            match self.rest {
                [b'\r', b'\n', rest @ ..] => self.rest = rest,
                [] | [b'\r'] => return Err(Stop::End),
                _ => return Err(Stop::Fault("a chunk that does not end in CRLF")),
            }
        }
    }

    /// Reads so many bytes, or as many as there are.
    fn bytes(&mut self, count: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
        let there = count.min(self.rest.len());
        let (bytes, rest) = self.rest.split_at(there);
        out.extend_from_slice(bytes);
        self.rest = rest;
        if there < count {
            return Err(Stop::End);
        }
        Ok(())
    }
}

/// Whether it is a token (RFC 9110 §5.6.2).
pub fn is_token(text: &[u8]) -> bool {
    let is_mark = |byte| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || is_mark(byte))
}

/// A number of at most 64 bits, made of digits only.
fn number(text: &[u8], radix: u32) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    // The library's own reader takes a sign as well.
    let is_digits = text.chars().all(|character| character.is_digit(radix));
    is_digits.then(|| usize::from_str_radix(text, radix).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(framing: Framing, bytes: &[u8]) -> (Message, &[u8]) {
        let (mut reader, mut message) = (Reader { rest: bytes }, Message::default());
        reader.content(framing, &mut message);
        (message, reader.rest)
    }

    #[test]
    fn content_is_read_to_its_end_and_no_further() {
        let check = |framing, bytes: &[u8], content: &[u8], rest: &[u8]| {
            let (message, left) = read(framing, bytes);
            assert_eq!(
                (message.broken, &message.content[..], left),
                (None, content, rest)
            );
        };
        check(Framing::None, b"GET", b"", b"GET");
        check(Framing::Length(3), b"abcGET", b"abc", b"GET");
        check(
            Framing::Chunked,
            b"3\r\nabc\r\n01 ;x=\"y\"\r\nd\r\n0\r\nT: 1\r\n\r\nGET",
            b"abcd",
            b"GET",
        );
        check(Framing::UntilClose, b"abc", b"abc", b"");
    }

    #[test]
    fn broken_chunks_are_not_read() {
        for bytes in [
            "0x3\r\nabc",
            "+3\r\nabc",
            "\r\n",
            "3 \r\nabc",
            " 3\r\nabc",
            "3\nabc",
            "3\r\nabcd\r\n",
            "3\r\nabc\n",
            "10000000000000000\r\n",
            ";x\r\n",
            "0\r\nA\r\n\r\n",
            "0\r\n A: 1\r\n\r\n",
            "3;\r\r\n",
        ] {
            let (message, _) = read(Framing::Chunked, bytes.as_bytes());
            assert!(matches!(message.broken, Some(Stop::Fault(_))), "{bytes:?}");
        }
        for bytes in ["", "3", "3\r\nab", "3\r\nabc\r", "0\r\n", "0\r\nA: 1\r\n"] {
            let (message, _) = read(Framing::Chunked, bytes.as_bytes());
            assert_eq!(message.broken, Some(Stop::End), "{bytes:?}");
        }
    }

    #[test]
    fn ambiguous_fields_are_not_read() {
        for section in [
            "A : 1",
            " A: 1",
            "A: 1\r\n b",
            ": 1",
            "A",
            "A: a\rb",
            "A: \0",
            "A: \u{7f}",
            "A: 1\nB: 2",
        ] {
            let section = format!("{section}\r\n\r\n");
            let fields = Reader {
                rest: section.as_bytes(),
            }
            .fields();
            assert!(matches!(fields, Err(Stop::Fault(_))), "{section:?}");
        }
    }

    #[test]
    fn framing_is_said_once() {
        let check = |section: &str, expected| {
            let fields = Reader {
                rest: format!("{section}\r\n").as_bytes(),
            }
            .fields()
            .unwrap();
            let message = Message {
                fields,
                ..Message::default()
            };
            assert_eq!(message.framing().ok(), expected, "{section:?}");
        };
        check("", Some(None));
        check("content-LENGTH: 07\r\n", Some(Some(Framing::Length(7))));
        check(
            "Transfer-Encoding: Chunked\r\n",
            Some(Some(Framing::Chunked)),
        );
        for section in [
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: \u{b}chunked\r\n",
        ] {
            if let Ok(fields) = (Reader {
                rest: format!("{section}\r\n").as_bytes(),
            })
            .fields()
            {
                let message = Message {
                    fields,
                    ..Message::default()
                };
                assert!(message.framing().is_err(), "{section:?}");
            }
        }
    }
}
