//! Bytes that have been read but not passed on, and the lines in them.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use memchr::memchr;

/// A line that ends in a bare LF (RFC 9112 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BareLf;

/// A buffer that hands out the lines of a head as they become whole, and is searched for their ends only once.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    bytes: BytesMut,
    /// Bytes in which line ends have been looked for.
    scanned: usize,
    /// Where the line begins that is still to be completed.
    line_start: usize,
}

impl LineBuffer {
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All that there is.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The first byte, unless a line has been looked for since it arrived.
    pub(super) fn unseen_first(&self) -> Option<u8> {
        self.bytes.first().copied().filter(|_| self.scanned == 0)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole line without its CRLF, as a range of the buffer.
    pub(super) fn next_line(&mut self) -> Result<Option<Range<usize>>, BareLf> {
        let Some(found) = memchr(b'\n', &self.bytes[self.scanned..]) else {
            self.scanned = self.bytes.len();
            return Ok(None);
        };
        let line_end = self.scanned + found;
        if line_end == 0 || self.bytes[line_end - 1] != b'\r' {
            return Err(BareLf);
        }
        let line = self.line_start..line_end - 1;
        self.scanned = line_end + 1;
        self.line_start = self.scanned;
        Ok(Some(line))
    }

    /// What stands in a range that [`next_line`](Self::next_line) has returned since bytes were last taken out.
    pub(super) fn get(&self, line: Range<usize>) -> &[u8] {
        &self.bytes[line]
    }

    /// Where the lines end that have been handed out, and the next one begins.
    pub(super) fn line_start(&self) -> usize {
        self.line_start
    }

    /// Takes the lines out that have been handed out.
    pub(super) fn take_lines(&mut self) -> BytesMut {
        let lines = self.bytes.split_to(self.line_start);
        self.start_over();
        lines
    }

    /// Takes up to so many bytes out from the start, and has `pass_on` see them.
    pub(super) fn pass_on(&mut self, most: usize, pass_on: impl FnOnce(&[u8])) {
        let length = self.bytes.len().min(most);
        pass_on(&self.bytes[..length]);
        self.bytes.advance(length);
    }

    /// Puts bytes back in front of the others.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let mut whole = BytesMut::from(bytes);
        whole.extend_from_slice(&self.bytes);
        self.bytes = whole;
    }

    /// Looks for lines from the start of what is there.
    pub(super) fn start_over(&mut self) {
        self.scanned = 0;
        self.line_start = 0;
        if self.bytes.is_empty() {
            // An idle connection holds no buffer.
            self.bytes = BytesMut::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_however_the_bytes_are_cut() {
        let text = b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest";
        for step in 1..=text.len() {
            let mut buffer = LineBuffer::default();
            let mut lines = Vec::new();
            for piece in text.chunks(step) {
                buffer.extend(piece);
                while let Some(line) = buffer.next_line().unwrap() {
                    lines.push(buffer.get(line).to_vec());
                }
            }
            assert_eq!(lines, [&b"GET / HTTP/1.1"[..], b"A: b", b""], "{step}");
            assert_eq!(buffer.take_lines(), &text[..text.len() - 4], "{step}");
            assert_eq!(buffer.len(), 4, "{step}");
        }
    }

    #[test]
    fn a_bare_lf_is_refused_wherever_it_stands() {
        for text in ["\n", "a\n", "a\r\n\n", "a\r\nb\n", "\r\r\n\n"] {
            let mut buffer = LineBuffer::default();
            buffer.extend(text.as_bytes());
            let refused = loop {
                match buffer.next_line() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(BareLf) => break true,
                }
            };
            assert!(refused, "{text:?}");
        }
    }

    #[test]
    fn what_is_put_back_stands_before_the_rest() {
        let mut buffer = LineBuffer::default();
        buffer.extend(b"b\r\n");
        buffer.put_back(b"a");
        let line = buffer.next_line().unwrap().unwrap();
        assert_eq!(buffer.get(line), b"ab");
    }
}
