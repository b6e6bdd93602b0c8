//! The operator over the API server in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: whatever goes wrong here ends the test"
)]

mod first;
