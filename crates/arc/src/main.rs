//! The binary `arc`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    arc::main()
}
