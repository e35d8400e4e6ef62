//! Sends anything to a proxy's listener, and judges all that comes out of the proxy on either side.

#![no_main]

use libfuzzer_sys::fuzz_target;
use undersign_fuzz::listener;

fuzz_target!(|input: &[u8]| listener::check(input));
