//! The README's first command.

use arc_tests::arc::Arc;

#[tokio::test]
async fn the_demo_ends_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test")).current_dir(folder.path());
    let finished = arc.run(&["demo"]).await.expect_code(0);
    for part in [
        "CVE-2022-37434",
        "1:1.2.11.dfsg-2+deb11u2",
        "AlreadyDelivered",
        "arc-under-test verify http://",
        "cosign verify --key",
    ] {
        assert!(finished.stdout.contains(part), "{part:?} is missing in\n{}", finished.stdout);
    }
    // A second time on the same folder, and never on one that holds something else.
    arc.run(&["demo"]).await.expect_code(0);
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("precious"), "data").unwrap();
    arc.run(&["demo", "--dir", "foreign"]).await.expect_code(2);
    assert!(foreign.join("precious").exists());
}
