//! What became of it: the statuses of an artifact workflow and of an order.
//!
//! Argo's own message often shows a follow-up error; [`derive_status`] finds the step that really failed.
//! [`derive_order_status`] sums the artifacts of an order up, one row each.

mod failure;
mod order;
mod result;
mod rows;
mod steps;
mod workflow;

#[cfg(test)]
mod tests;

pub use order::derive_order_status;
pub(crate) use result::text as report_text;
pub use workflow::derive_status;
pub(crate) use workflow::{derive, log_of};

/// Longest message of a status, in characters: a thousand rows of them fit into one object.
const MAX_MESSAGE_CHARS: usize = 480;
