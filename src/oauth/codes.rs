//! What bytes become when they are percent-encoded, put one behind the other.

use super::sink::Sink;

/// Puts codes one behind the other, and passes on what it has gathered.
pub(super) struct Codes<'a, S> {
    sink: &'a mut S,
    gathered: &'a mut [u8; ROOM],
    length: usize,
    passed_on: usize,
}

/// How much is gathered on the stack before a sink gets it.
pub(super) const ROOM: usize = 128;

/// How many codes are put at once at most.
pub(super) const BLOCK: usize = 4;

impl<'a, S: Sink> Codes<'a, S> {
    /// The room, whatever is in it, is not a part of this, so that the length can be kept in a register.
    #[inline]
    pub(super) fn new(sink: &'a mut S, room: &'a mut [u8; ROOM]) -> Self {
        Self {
            sink,
            gathered: room,
            length: 0,
            passed_on: 0,
        }
    }

    /// The length of the text so far.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.passed_on + self.length
    }

    /// Puts at most a block. A block is faster than its codes one by one.
    #[inline]
    pub(super) fn put<const N: usize>(&mut self, codes: [Code; N]) {
        const { assert!(N <= BLOCK) };
        self.make_room();
        // There is room for a block, N is at most that, and a length of three bits at most seven: the compiler sees that
        // each copy ends within the block, and spares the checks.
        let block = &mut self.gathered[self.length..][..BLOCK * Code::SIZE];
        let mut length = 0;
        for code in codes {
            // Copying a fixed number of bytes, of which some will be overwritten next, spares a branch.
            block[length..][..Code::SIZE].copy_from_slice(&code.0.to_le_bytes());
            length += code.length();
        }
        self.length += length;
    }

    /// Passes on what is left; returns the length of the text.
    #[inline]
    pub(super) fn finish(self) -> usize {
        self.sink.write(&self.gathered[..self.length]);
        self.position()
    }

    /// Makes room for a block.
    #[inline]
    fn make_room(&mut self) {
        if self.length > ROOM - BLOCK * Code::SIZE {
            self.sink.write(&self.gathered[..self.length]);
            self.passed_on += self.length;
            self.length = 0;
        }
    }
}

/// What each byte becomes.
pub(super) struct Encoding([Code; 256]);

/// As a parameter is encoded, and so as it stands in a header (RFC 5849 §3.6).
pub(super) static ONCE: Encoding = Encoding::escaping_with(b"%");

/// As a parameter stands in a base string, of which it is a part that is encoded once more (RFC 5849 §3.4.1.1): in
/// an escape, the percent sign is itself escaped.
pub(super) static TWICE: Encoding = Encoding::escaping_with(b"%25");

/// What a byte becomes: at most five bytes of text (`%25` and two digits) from the lowest up, and in the highest three
/// bits, how many; the bit below these marks [`NONE`](Self::NONE). It is moved in one go.
#[derive(Clone, Copy)]
pub(super) struct Code(u64);

impl Code {
    const SIZE: usize = 8;
    const LENGTH_SHIFT: u32 = 61;
    /// No text: what becomes of the byte depends on where it stands.
    pub(super) const NONE: Self = Self(1 << 60);

    const fn new(text: &[u8]) -> Self {
        let mut bytes = [0; Self::SIZE];
        bytes.split_at_mut(text.len()).0.copy_from_slice(text);
        Self(u64::from_le_bytes(bytes) | (text.len() as u64) << Self::LENGTH_SHIFT)
    }

    #[inline]
    const fn length(self) -> usize {
        (self.0 >> Self::LENGTH_SHIFT) as usize
    }

    #[inline]
    pub(super) const fn is_none(self) -> bool {
        self.0 & Self::NONE.0 != 0
    }
}

impl Encoding {
    #[inline]
    pub(super) const fn code(&self, byte: u8) -> Code {
        self.0[byte as usize]
    }

    pub(super) const fn with(mut self, byte: u8, code: Code) -> Self {
        self.0[byte as usize] = code;
        self
    }

    pub(super) const fn escaping_with(percent: &[u8]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let mut codes = [Code::NONE; 256];
        // A `for` loop is not yet possible in a constant function.
        let mut byte = 0;
        while byte < codes.len() {
            codes[byte] = if is_unreserved(byte as u8) {
                Code::new(&[byte as u8])
            } else {
                let mut escape = [0; 5];
                let (escape, _) = escape.split_at_mut(percent.len() + 2);
                let (start, digits) = escape.split_at_mut(percent.len());
                start.copy_from_slice(percent);
                digits[0] = DIGITS[byte >> 4];
                digits[1] = DIGITS[byte & 15];
                Code::new(escape)
            };
            byte += 1;
        }
        Self(codes)
    }
}

/// Whether a byte stays as it is (RFC 3986 §2.3).
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
