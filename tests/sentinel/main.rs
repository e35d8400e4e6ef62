//! Secrets are planted wherever they can be, and nothing that the program emits may show them: not as they are, not
//! encoded, not in part.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy allows it in functions marked as tests alone"
)]

mod commands;
mod daemon;
mod plaintext;
mod sentinels;
#[path = "../support/mod.rs"]
mod support;
