//! Tests over files and over generated input; the rules' own tables stand beside the code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod attempts;
mod golden;
mod properties;
mod recordings;
mod reruns;
mod streams;
mod world;
