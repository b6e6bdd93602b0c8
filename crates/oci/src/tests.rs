//! The client and the copier against registries in this process: honest ones, and some that lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod faults;
mod fixture;
mod login;
mod places;
mod server;
mod stream;
mod stream_faults;
mod tls;
mod transfer;
