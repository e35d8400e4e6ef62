//! Undersign.
pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod env;
pub mod log;
pub mod metrics;
pub mod oauth;
mod proxy;
pub mod server;
pub mod upstream;
pub mod wire;
