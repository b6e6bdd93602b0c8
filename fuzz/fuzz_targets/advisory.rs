//! OSV advisories, read as the database of one file that a user points to.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

/// In memory where there is such a place: one file per process, written again for each input.
static PATH: LazyLock<std::path::PathBuf> = LazyLock::new(|| {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    folder.join(format!("arc-fuzz-advisory-{}.json", std::process::id()))
});

fuzz_target!(|data: &[u8]| {
    std::fs::write(&*PATH, data).expect("the folder for temporary files is writable");
    if let Ok(database) = arc_scan::Database::load(&*PATH) {
        assert!(database.count() > 0);
    }
});
