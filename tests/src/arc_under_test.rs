//! The binary `arc`, built beside the tests so that they always run the current code.

use std::process::ExitCode;

fn main() -> ExitCode {
    arc::main()
}
