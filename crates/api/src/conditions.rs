//! The types of conditions in the status of ARC's objects.
//!
//! All are positive: `True` is the good end. The reasons are in [`crate::reasons`].

/// On orders, artifact workflows and endpoints. `True`: nothing is left to wish for. `False`: the reason says what is wrong.
/// `Unknown`: work is under way. Absent before the first look.
pub const READY: &str = "Ready";
/// On orders. `True`: every artifact could be planned. `False`: at least one refers to something missing or unfit. Absent before the first look.
pub const ACCEPTED: &str = "Accepted";
/// On orders. `True`: every artifact came to an end, good or bad. `False`: some wait or run.
/// Absent before the first look.
pub const COMPLETE: &str = "Complete";
/// On endpoints. `True`: the address can be read and the Secret has what is needed. Absent before the first look.
pub const VALIDATED: &str = "Validated";
/// On endpoints. `True`: at least one order names it as source or destination. Absent before the first look.
pub const IN_USE: &str = "InUse";
/// On endpoints. `True`: the last probe got an answer. Absent while nobody probed.
pub const REACHABLE: &str = "Reachable";
/// On endpoints. `True`: the last probe could sign in. Absent while nobody probed.
pub const AUTHENTICATED: &str = "Authenticated";
