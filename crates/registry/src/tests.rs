//! Conversations with the router, without a socket.

mod blobs;
mod conversation;
mod lists;
mod manifests;
mod names;
mod referrers;
mod storage;
mod uploads;
