//! The linter against whole files.

mod cases;
mod harness;
mod never_panics;
mod own;
mod sarif;
mod suppressions;
mod table;
