//! The `undersign` program; all that it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    undersign::app::main(std::env::args_os())
}
