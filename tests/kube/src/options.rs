//! How a server starts out.

use jiff::Timestamp;

/// When dependents of deleted owners go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GarbageCollection {
    /// Right after the request that made them garbage.
    #[default]
    Immediate,
    /// When the test calls [`collect_garbage`](crate::ApiServer::collect_garbage).
    Manual,
}

/// How a server starts out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// When dependents of deleted owners go.
    pub garbage_collection: GarbageCollection,
    /// What its clock shows at the start; the machine's time when `None`. From there it goes as tokio's time does.
    pub starts_at: Option<Timestamp>,
}
