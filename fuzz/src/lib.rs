//! What the fuzz targets check: `undersign::oauth` against a second implementation of RFC 5849 §3.4, which shares no
//! code with it and takes no short cut.
//!
//! - [`oracle`] is that implementation; [`digest`] is the HMAC and the base64 under it.
//! - [`header`] is a second reader and writer of `Authorization` headers (§3.5.1).
//! - [`input`] turns a fuzzer's bytes into something to sign.
//! - [`message`], [`request`] and [`response`] are a second, strict reader of HTTP/1.
//! - [`sign`], [`authorization`] and [`listener`] are the checks, a module for each target.
//! - [`seeds`] is where a run starts.
//!
//! A check panics if something is wrong, which is how a fuzzer learns of it.

#![forbid(unsafe_code)]

pub mod authorization;
pub mod digest;
pub mod header;
pub mod input;
pub mod listener;
pub mod message;
pub mod oracle;
pub mod request;
pub mod response;
pub mod seeds;
pub mod sign;
