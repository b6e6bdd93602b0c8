//! Interoperability, by the real programs and the commands of their own manuals.
//!
//! Every check runs against both kinds of registry: one with the referrers API (ours) and one without it
//! (docker-registry 2.8, where referrers live under a fallback tag). Where cosign accepts what ARC refuses, the
//! expectation says so: that knowledge is part of the contract.

mod copies;
mod cosign;
mod logged;
mod ours;
mod registry;
mod tampered;
mod theirs;
mod upstream;
