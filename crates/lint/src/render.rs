//! Findings as text for people, as JSON, and as SARIF for code hosts.

mod json;
mod markdown;
mod sarif;
mod text;

pub use json::json;
pub use markdown::markdown;
pub use sarif::sarif;
pub use text::{summary, text};
