//! Integration tests: the whole job, on real bytes, against honest, lying and real registries.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code"
)]

mod architecture;
mod audit;
mod author;
mod contract;
mod controller;
mod copying;
mod delivery;
mod demo;
mod docs;
mod evidence;
mod interop;
mod killed;
mod kubectl;
mod lies;
mod login;
mod memory;
mod orders;
mod probe;
mod real;
mod refusals;
mod release;
mod site;
