//! What is new in each signature: nonce, timestamp (RFC 5849 §3.3), and what goes with one request.

use super::Nonce;
use super::nonce::NonceText;

/// The protocol parameters of one attempt (RFC 5849 §3.3). No two attempts may share timestamp and nonce.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// `oauth_timestamp`, in seconds since 1970-01-01T00:00:00Z.
    pub timestamp: u64,
    /// `oauth_nonce`, not encoded.
    pub nonce: Nonce<'a>,
    /// Names and values, not encoded, of protocol parameters beside the signer's own: `oauth_body_hash`,
    /// `oauth_callback`, `oauth_verifier`.
    pub extra: &'a [(&'a str, &'a str)],
}

impl<'a> Stamp<'a> {
    /// The texts, for which the digits of the timestamp need memory.
    ///
    /// Best made once, early, and not moved: a processor waits before it reads in one go what was just written in
    /// several.
    #[inline]
    pub(super) fn texts(self, digits: &'a mut itoa::Buffer) -> StampTexts<'a> {
        StampTexts {
            timestamp: digits.format(self.timestamp).as_bytes(),
            nonce: self.nonce.text(),
            extra: self.extra,
        }
    }
}

/// A stamp, all of it text that is not encoded.
pub(super) struct StampTexts<'a> {
    pub(super) timestamp: &'a [u8],
    pub(super) nonce: NonceText<'a>,
    pub(super) extra: &'a [(&'a str, &'a str)],
}
