//! Makes databases for tests.
#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::Value;

use super::Database;

/// Returns the database of the given records.
pub(crate) fn database(records: &[Value]) -> Database {
    let folder = tempfile::TempDir::new().unwrap();
    for (index, record) in records.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{index}.json")), record.to_string()).unwrap();
    }
    Database::load(folder.path()).unwrap()
}
