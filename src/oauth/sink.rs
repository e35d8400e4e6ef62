//! Where encoded text goes: the same code fills a buffer or feeds a MAC.

use smallvec::{Array, SmallVec};

/// What takes encoded text, piece by piece.
pub(super) trait Sink {
    /// Takes the next piece as it is.
    fn write(&mut self, piece: &[u8]);
}

/// A sink that a [`Template`](super::template::Template) can be written to.
pub(super) trait PatchingSink: Sink {
    /// Takes a piece, and has parts of it overwritten.
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8]));
}

impl Sink for Vec<u8> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

impl PatchingSink for Vec<u8> {
    #[inline]
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8])) {
        let start = self.len();
        self.extend_from_slice(piece);
        patch(&mut self[start..]);
    }
}

impl<A: Array<Item = u8>> Sink for SmallVec<A> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        self.extend_from_slice(piece);
    }
}

/// Gathers pieces for a function that had better be called for a thousand bytes at a time than for each few.
pub(super) struct Gather<'a> {
    gathered: &'a mut Vec<u8>,
    pass_on: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Gather<'a> {
    /// Gathers as much at a time as this vector, which is overwritten, can hold without growing.
    pub(super) fn new(gathered: &'a mut Vec<u8>, pass_on: &'a mut dyn FnMut(&[u8])) -> Self {
        gathered.clear();
        Self { gathered, pass_on }
    }

    /// Whether a piece can be gathered with what there is already.
    #[inline]
    fn has_room_for(&self, piece: &[u8]) -> bool {
        piece.len() <= self.gathered.capacity() - self.gathered.len()
    }

    /// Passes on what is left.
    pub(super) fn finish(self) {
        (self.pass_on)(self.gathered);
    }
}

impl Sink for Gather<'_> {
    #[inline]
    fn write(&mut self, piece: &[u8]) {
        if self.has_room_for(piece) {
            self.gathered.extend_from_slice(piece);
        } else {
            (self.pass_on)(self.gathered);
            self.gathered.clear();
            (self.pass_on)(piece);
        }
    }
}

impl PatchingSink for Gather<'_> {
    #[inline]
    fn write_patched(&mut self, piece: &[u8], patch: impl FnOnce(&mut [u8])) {
        if self.has_room_for(piece) {
            self.gathered.write_patched(piece, patch);
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
            let mut room = Vec::with_capacity(1_000);
            let mut gather = Gather::new(&mut room, &mut pass_on);
            gather.write(b"a b");
            gather.write(&vec![b'x'; length]);
            gather.write(b"y");
            gather.finish();
            assert_eq!(out, format!("a b{}y", "x".repeat(length)).into_bytes());
        }
    }
}
