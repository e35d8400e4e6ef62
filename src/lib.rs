//! Undersign is a local reverse proxy: it takes unsigned HTTP requests, adds an OAuth 1.0a `Authorization` field
//! (RFC 5849) from credentials that it holds, and forwards them otherwise unchanged.
//!
//! This is the library behind the program `undersign`; it is made for the program, and for its tests and benchmarks.
//!
//! # A guided tour
//!
//! From the outside to the inside; each module uses only those after it.
//!
//! - [`app`] is what the program does: its subcommands and its exit codes. [`cli`] alone reads the command line.
//! - [`inspect`] signs one request that is described on the command line, or judges its signature.
//! - [`doctor`] takes the steps to each platform one by one, and says what is wrong.
//! - [`demo`] is a platform to try things with.
//! - [`server`] binds sockets, accepts connections and drains them, and goes over to other proxies meanwhile.
//! - `proxy` is the path of one exchange: admit, prepare, sign, send, relay, record.
//! - [`admin`] answers health checks and shows [`metrics`]; [`log`] writes records without holding up whoever logs.
//! - [`upstream`] keeps connections to a platform; its `tls` alone names rustls.
//! - [`config`] turns files, variables and flags into a [`config::Config`] that can't be wrong, or into all the faults
//!   found at once. [`mod@env`] alone reads the environment.
//! - [`systemd`] takes the sockets that systemd passes, and tells it how the daemon is doing.
//! - [`wire`] stands between hyper and the bytes: it reads heads strictly and writes them unchanged.
//! - `stamp` reads the clock and makes nonces, which [`oauth`] is given.
//! - [`oauth`] signs. It knows no socket, no clock, no randomness and no configuration.
//!
//! `ARCHITECTURE.md` tells why it is built like this.

pub mod admin;
pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod env;
pub mod inspect;
pub mod log;
pub mod metrics;
pub mod oauth;
mod proxy;
pub mod server;
mod stamp;
pub mod systemd;
pub mod upstream;
pub mod wire;
