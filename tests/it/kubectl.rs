//! ARC as a plugin: what is called `kubectl-arc` on the search path answers to `kubectl arc`.

use std::os::unix::fs::symlink;

use arc_tests::arc::Arc;

#[tokio::test]
async fn arc_is_a_plugin_of_kubectl() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("kubectl-arc");
    symlink(env!("CARGO_BIN_EXE_arc-under-test"), &plugin).unwrap();
    let help = Arc::new(&plugin).run(&["order", "list", "--help"]).await.expect_code(0);
    assert!(help.stdout.contains("arc order list"), "{}", help.stdout);
    let version = Arc::new(&plugin).run(&["--version"]).await.expect_code(0).stdout;

    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths)
        .map(|folder| folder.join("kubectl"))
        .find(|program| program.is_file());
    let Some(kubectl) = found else {
        eprintln!("skipped: there is no kubectl on the search path");
        return;
    };
    let kubectl = Arc::new(kubectl).env("PATH", folder.path());
    let told = kubectl.run(&["arc", "--version"]).await.expect_code(0).stdout;
    assert_eq!(told, version);
}
