//! Signs anything, and has the oracle judge.

#![no_main]

use libfuzzer_sys::fuzz_target;
use undersign_fuzz::{input::Input, sign};

fuzz_target!(|input: Input<'_>| sign::check(&input));
