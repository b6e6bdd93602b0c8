//! Manifests under `.sig` and `.att` tags: appending keeps every layer, and twice is once.
#![no_main]

use arc_evidence::legacy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(before) = legacy::layers(data) else { return };
    let Ok(once) = legacy::append_signature(Some(data), b"payload", b"signature") else { return };
    let after = legacy::layers(&once.manifest).expect("what was appended to is readable");
    assert!(after.starts_with(&before) && after.len() <= before.len() + 1);
    let twice = legacy::append_signature(Some(&once.manifest), b"payload", b"signature");
    assert_eq!(twice.expect("it fits once more").manifest, once.manifest);
});
