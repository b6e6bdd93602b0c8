//! The chart, the plain manifests and the image are held to the code and to what they promise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code"
)]

mod admission;
mod copies;
mod documents;
mod helm;
mod kustomize;
mod objects;
mod permissions;
mod real;
mod schema;
mod values;
