//! The fake API server against recorded conversations of a real one, and against kube's own client and controller.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code: whatever goes wrong here ends the test"
)]

mod apply;
mod arc;
mod controller;
mod deletion;
mod faults;
mod http;
mod many;
mod player;
mod real;
mod replay;
mod schemas;
mod selectors;
mod watches;
mod widgets;
