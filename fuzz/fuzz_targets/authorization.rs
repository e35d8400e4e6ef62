//! Reads anything as an `Authorization` header, and has the oracle judge.

#![no_main]

use libfuzzer_sys::fuzz_target;
use undersign_fuzz::authorization;

fuzz_target!(|value: &[u8]| authorization::check(value));
