//! How what serves is told to end.

use tokio_util::sync::CancellationToken;

/// The two ways to end: in order, and at once.
#[derive(Clone, Debug, Default)]
pub struct End {
    /// Accept nothing more, and finish what is under way.
    pub drain: CancellationToken,
    /// Leave what is still under way. Exchanges that are cut off leave their records.
    pub cut: CancellationToken,
}

impl End {
    /// An end that comes with this one, or before.
    pub(super) fn child(&self) -> Self {
        Self {
            drain: self.drain.child_token(),
            cut: self.cut.child_token(),
        }
    }
}
