//! The operator over the API server in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: whatever goes wrong here ends the test"
)]

mod costs;
mod endpoints;
mod failures;
mod first;
mod harness;
mod held;
mod kills;
mod lives;
mod malformed;
mod real;
mod recordings;
mod replicas;
mod reruns;
mod rights;
mod scale;
mod schedules;
mod shared;
mod tenants;
