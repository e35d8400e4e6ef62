//! Where a message's content ends (RFC 9112 §6), followed byte by byte without touching the bytes.

use memchr::memchr;

use super::class::is_value_byte;

/// How the content of a message is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is no content.
    None,
    /// So many bytes are still to come (`Content-Length`).
    Length(u64),
    /// The chunked coding (RFC 9112 §7.1).
    Chunked(Chunked),
    /// Up to the end of the connection; in responses only.
    UntilClose,
}

/// What a stretch of content bytes led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// All of the stretch belongs to the content, and more is to come.
    More,
    /// The content ended after so many bytes of the stretch.
    End(usize),
    /// The line of the last chunk ended after so many bytes of the stretch; the trailer section follows.
    Trailers(usize),
}

impl Framing {
    /// A message in the chunked coding, at its start.
    pub(crate) const CHUNKED: Self = Self::Chunked(Chunked {
        state: ChunkState::Size(0),
        left: 0,
        extensions: 0,
    });

    /// Whether nothing more belongs to the message.
    pub(crate) fn is_done(self) -> bool {
        matches!(self, Self::None | Self::Length(0))
    }

    /// Follows a stretch of content.
    ///
    /// # Errors
    /// The chunked coding is broken.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Result<Reached, ChunkFault> {
        match self {
            Self::None => Ok(Reached::End(0)),
            Self::UntilClose => Ok(Reached::More),
            Self::Length(left) => {
                let have = bytes.len() as u64;
                if have < *left {
                    *left -= have;
                    return Ok(Reached::More);
                }
                // What is left is at most the stretch's length, which fits.
                let end = usize::try_from(*left).unwrap_or(bytes.len());
                *left = 0;
                Ok(Reached::End(end))
            }
            Self::Chunked(chunked) => chunked.advance(bytes),
        }
    }
}

/// What is wrong with a chunked message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkFault {
    /// A chunk size that is empty, not hexadecimal, longer than 16 digits, or 2^48 and more.
    #[error("a chunk size is not a hexadecimal number of at most 16 digits and below 2^48")]
    Size,
    /// A chunk extension with a control character, or extensions of more than 16 KiB in all.
    #[error("a chunk extension is malformed or too long")]
    Extension,
    /// A chunk line or chunk data that does not end in CRLF.
    #[error("a chunk does not end in CRLF")]
    Terminator,
}

/// The place within a chunked message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunked {
    state: ChunkState,
    /// The size read so far, then the data bytes still to come.
    left: u64,
    /// Bytes of chunk extensions so far.
    extensions: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChunkState {
    /// In a size, after so many digits.
    Size(u8),
    /// Blanks after a size, which only an extension may follow.
    Blank,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
}

/// No chunk is that long: whoever sends such a size tries to have it overflow.
const MAX_CHUNK_BYTES: u64 = (1 << 48) - 1;

/// Extensions carry nothing that is kept, so that many of them are an attack.
const MAX_EXTENSION_BYTES: u32 = 16 * 1024;

impl Chunked {
    fn advance(&mut self, bytes: &[u8]) -> Result<Reached, ChunkFault> {
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.state {
                ChunkState::Data => {
                    let have = (bytes.len() - at) as u64;
                    if have < self.left {
                        self.left -= have;
                        return Ok(Reached::More);
                    }
                    at += usize::try_from(self.left).unwrap_or(bytes.len() - at);
                    self.left = 0;
                    self.state = ChunkState::DataCr;
                    continue;
                }
                ChunkState::Size(digits) => self.size(digits, byte)?,
                ChunkState::Blank => match byte {
                    b' ' | b'\t' => self.count_extension(1)?,
                    b';' => self.state = ChunkState::Extension,
                    _ => return Err(ChunkFault::Size),
                },
                ChunkState::Extension => {
                    let rest = &bytes[at..];
                    let length = memchr(b'\r', rest).unwrap_or(rest.len());
                    if !rest[..length].iter().copied().all(is_value_byte) {
                        return Err(ChunkFault::Extension);
                    }
                    self.count_extension(length)?;
                    at += length;
                    if length == rest.len() {
                        return Ok(Reached::More);
                    }
                    self.state = ChunkState::SizeLf;
                }
                ChunkState::SizeLf => {
                    expect(byte, b'\n')?;
                    if self.left == 0 {
                        return Ok(Reached::Trailers(at + 1));
                    }
                    self.state = ChunkState::Data;
                }
                ChunkState::DataCr => {
                    expect(byte, b'\r')?;
                    self.state = ChunkState::DataLf;
                }
                ChunkState::DataLf => {
                    expect(byte, b'\n')?;
                    self.state = ChunkState::Size(0);
                }
            }
            at += 1;
        }
        Ok(Reached::More)
    }

    fn size(&mut self, digits: u8, byte: u8) -> Result<(), ChunkFault> {
        if let Some(digit) = char::from(byte).to_digit(16) {
            if digits == 16 {
                return Err(ChunkFault::Size);
            }
            self.left = self.left << 4 | u64::from(digit);
            if self.left > MAX_CHUNK_BYTES {
                return Err(ChunkFault::Size);
            }
            self.state = ChunkState::Size(digits + 1);
            return Ok(());
        }
        if digits == 0 {
            return Err(ChunkFault::Size);
        }
        self.state = match byte {
            b'\r' => ChunkState::SizeLf,
            b';' => ChunkState::Extension,
            b' ' | b'\t' => ChunkState::Blank,
            _ => return Err(ChunkFault::Size),
        };
        Ok(())
    }

    fn count_extension(&mut self, bytes: usize) -> Result<(), ChunkFault> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.extensions = self.extensions.saturating_add(bytes);
        if self.extensions > MAX_EXTENSION_BYTES {
            return Err(ChunkFault::Extension);
        }
        Ok(())
    }
}

fn expect(byte: u8, wanted: u8) -> Result<(), ChunkFault> {
    if byte == wanted {
        Ok(())
    } else {
        Err(ChunkFault::Terminator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows `bytes` in stretches of `step` bytes; returns where it ended.
    fn follow(
        mut framing: Framing,
        bytes: &[u8],
        step: usize,
    ) -> Result<Option<usize>, ChunkFault> {
        let mut base = 0;
        for stretch in bytes.chunks(step) {
            match framing.advance(stretch)? {
                Reached::More => base += stretch.len(),
                Reached::End(at) | Reached::Trailers(at) => return Ok(Some(base + at)),
            }
        }
        Ok(None)
    }

    #[test]
    fn the_end_is_found_however_the_bytes_are_cut() {
        let table: [(Framing, &[u8], Option<usize>); 7] = [
            (Framing::Length(5), b"helloGET /", Some(5)),
            (Framing::Length(20), b"hello", None),
            (Framing::UntilClose, b"hello", None),
            (Framing::CHUNKED, b"5\r\nhello\r\n0\r\n\r\nGET", Some(13)),
            (
                Framing::CHUNKED,
                b"00a;x=\"y\" ;z\r\n0123456789\r\n000\r\n",
                Some(31),
            ),
            (Framing::CHUNKED, b"1 ;x\r\na\r\n0\r\n", Some(12)),
            (Framing::CHUNKED, b"0000FFFFFFFFFFFF\r\nhello", None),
        ];
        for (framing, bytes, end) in table {
            for step in 1..=bytes.len() {
                assert_eq!(follow(framing, bytes, step), Ok(end), "{bytes:?} by {step}");
            }
        }
    }

    #[test]
    fn broken_chunks_are_refused_however_the_bytes_are_cut() {
        let table: [(&[u8], ChunkFault); 17] = [
            (b"0x3\r\nabc\r\n", ChunkFault::Size),
            (b"+3\r\nabc\r\n", ChunkFault::Size),
            (b"-3\r\nabc\r\n", ChunkFault::Size),
            (b"\r\nabc\r\n", ChunkFault::Size),
            (b";x\r\nabc\r\n", ChunkFault::Size),
            (b"3 \r\nabc\r\n", ChunkFault::Size),
            (b"10000000000000000\r\n", ChunkFault::Size),
            (b"FFFFFFFFFFFFFFFF\r\n", ChunkFault::Size),
            (b"7fffffffffffffff\r\n", ChunkFault::Size),
            (b"1000000000000\r\n", ChunkFault::Size),
            (b"00000000000000003\r\nabc", ChunkFault::Size),
            (b"3\nabc\r\n", ChunkFault::Size),
            (b"3\rabc\r\n", ChunkFault::Terminator),
            (b"3\r\nabcd\r\n", ChunkFault::Terminator),
            (b"3\r\nabc\n0\r\n", ChunkFault::Terminator),
            (b"3\r\nabc\r0\r\n", ChunkFault::Terminator),
            (b"3;a\nb\r\nabc\r\n", ChunkFault::Extension),
        ];
        for (bytes, fault) in table {
            for step in 1..=bytes.len() {
                assert_eq!(
                    follow(Framing::CHUNKED, bytes, step),
                    Err(fault),
                    "{bytes:?} by {step}"
                );
            }
        }
    }

    #[test]
    fn extensions_without_end_are_refused() {
        let mut bytes = b"1;".to_vec();
        bytes.resize(MAX_EXTENSION_BYTES as usize + 10, b'x');
        assert_eq!(
            follow(Framing::CHUNKED, &bytes, 1000),
            Err(ChunkFault::Extension)
        );
    }
}
