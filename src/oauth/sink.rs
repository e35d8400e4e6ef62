//! Where encoded text goes: the same code fills a buffer or feeds a MAC.

use std::ops::Range;

/// What takes encoded text, piece by piece.
pub(super) trait Sink {
    /// Takes the next piece as it is.
    fn write(&mut self, piece: &[u8]);

    /// Takes a piece, and has parts of it overwritten.
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8]));
}

impl Sink for Vec<u8> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }

    #[inline]
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8])) {
        let start = self.len();
        self.extend_from_slice(piece);
        patch(&mut self[start..]);
    }
}

/// Gathers pieces for a function that had better be called for a thousand bytes at a time than for each few.
///
/// It does so behind text that lies ready in the same memory, to be copied from there.
#[must_use = "what is left has to be passed on in the end"]
pub(super) struct Gather<'a> {
    memory: &'a mut Vec<u8>,
    /// How much of the memory is the text that lies ready.
    ready: usize,
    pass_on: PassOn<'a>,
}

/// What takes the pieces of a base string.
pub(super) type PassOn<'a> = &'a mut dyn FnMut(&[u8]);

impl<'a> Gather<'a> {
    /// Gathers as much at a time as fits behind the text that lies ready in this memory, which does not grow.
    pub(super) fn behind(memory: &'a mut Vec<u8>, pass_on: PassOn<'a>) -> Self {
        let ready = memory.len();
        Self {
            memory,
            ready,
            pass_on,
        }
    }

    /// Takes the next piece from the text that lies ready.
    #[inline]
    pub(super) fn write_ready(&mut self, piece: Range<usize>) {
        if self.has_room_for(piece.len()) {
            self.memory.extend_from_within(piece);
        } else {
            self.flush();
            (self.pass_on)(&self.memory[piece]);
        }
    }

    /// Whether a piece can be gathered with what there is already.
    #[inline]
    fn has_room_for(&self, length: usize) -> bool {
        length <= self.memory.capacity() - self.memory.len()
    }

    /// Passes on what has been gathered.
    fn flush(&mut self) {
        (self.pass_on)(&self.memory[self.ready..]);
        self.memory.truncate(self.ready);
    }

    /// Passes on what is left.
    pub(super) fn finish(mut self) {
        self.flush();
    }
}

impl Sink for Gather<'_> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        if self.has_room_for(piece.len()) {
            self.memory.extend_from_slice(piece);
        } else {
            self.flush();
            (self.pass_on)(piece);
        }
    }

    #[inline]
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8])) {
        if !self.has_room_for(piece.len()) {
            self.flush();
        }
        if self.has_room_for(piece.len()) {
            self.memory.write_patched(piece, patch);
        } else {
            let mut piece = piece.to_vec();
            patch(&mut piece);
            self.write(&piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_length_arrive_in_order() {
        for length in 0..2_100 {
            let mut out = Vec::new();
            let mut pass_on = |piece: &[u8]| out.extend_from_slice(piece);
            let mut memory = Vec::with_capacity(1_000);
            memory.write(b"not passed on; ready");
            let mut gather = Gather::behind(&mut memory, &mut pass_on);
            gather.write(b"a b");
            gather.write_ready(15..20);
            gather.write(&vec![b'x'; length]);
            gather.write_ready(15..20);
            gather.write(b"y");
            gather.finish();
            let expected = format!("a bready{}readyy", "x".repeat(length));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            assert_eq!(memory, b"not passed on; ready");
            assert_eq!(memory.capacity(), 1_000);
        }
    }
}
