//! Undersign.
pub mod config;
pub mod oauth;
