//! Memory does not grow with the image.

use arc_tests::images::{Content, Layer, alpine};
use arc_tests::lying::LyingRegistry;

use crate::site::{Side, Site};

/// Bytes a step may hold at most, whatever the image; scrypt alone takes 64 MB when the key is opened.
const CEILING: u64 = 128 << 20;
/// Size of the large layer in mebibytes.
const LARGE: u64 = 200;

/// Peak memory of each step for an image with one layer of random bytes.
async fn peaks(mebibytes: u64) -> Vec<u64> {
    let source = LyingRegistry::honest().await;
    let layers = [alpine("3.18.6", &[("musl", "1.2.4-r2")]), Layer::Random { mebibytes, seed: 7 }];
    Content::image("linux/amd64", layers).push(source.backdoor(), "big", "1").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    let (_root, environment) = site.pod(source.url(), destination.url(), "big", "1");
    let mut peaks = Vec::new();
    for step in ["fetch", "scan", "publish"] {
        let mut arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        for (name, value) in &environment {
            arc = arc.env(name, value);
        }
        let finished = arc.run(&["step", step]).await.expect_code(0);
        peaks.push(finished.peak_memory);
    }
    peaks
}

#[tokio::test]
async fn memory_does_not_grow_with_the_image() {
    let large = peaks(LARGE).await;
    eprintln!("peak memory of fetch, scan, publish with {LARGE} MiB: {large:?}");
    // Zero would mean that nothing was measured.
    assert!(large.iter().all(|peak| (1..CEILING).contains(peak)), "{large:?}");
}
