//! Behaviour of the evidence formats: known answers, key files, legacy images, verification of tampered evidence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod fake_log;
mod fixture;
mod kat;
mod key_files;
mod legacy_images;
mod policies;
mod predicates;
mod properties;
mod public_logs;
mod scan_gate;
mod strict_readers;
mod tampering;
mod transparency;
