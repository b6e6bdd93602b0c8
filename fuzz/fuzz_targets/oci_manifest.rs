//! Manifests and indexes of images; the first line of the input is the media type.
#![no_main]

use arc_oci::{Manifest, RawManifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (media_type, bytes) = data.split_at(end);
    let Ok(media_type) = std::str::from_utf8(media_type) else { return };
    let raw = RawManifest::new(media_type, bytes.get(1..).unwrap_or_default().to_vec());
    if let Ok(manifest) = Manifest::parse(&raw) {
        let _ = manifest.blobs().count();
        let _ = raw.referrer_descriptor();
    }
});
