//! `arc registry` for one account: who does not log in neither reads nor writes.

use std::time::Duration;

use arc_tests::arc::{Arc, Process};
use arc_tests::images::{Content, Layer};
use arc_tests::lying::LyingRegistry;

/// Starts the registry and returns it with its address.
async fn serve(arc: &Arc) -> (Process, String) {
    let args = "registry --dir data --listen 127.0.0.1:0 --user robot --password-file password";
    let registry = arc.spawn(&args.split(' ').collect::<Vec<_>>());
    let ready = async {
        loop {
            assert!(registry.is_running(), "{}", registry.stderr());
            let told = registry.stdout();
            if let Some((_, url)) =
                told.trim_end().split_once(" on ").filter(|_| told.ends_with('\n'))
            {
                break url.to_owned();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let url = tokio::time::timeout(Duration::from_secs(60), ready).await.unwrap();
    (registry, url)
}

#[tokio::test]
async fn a_registry_with_an_account_lets_nobody_else_in() {
    let source = LyingRegistry::honest().await;
    let content = Content::image("linux/amd64", [Layer::files(&[("text", "secret")])]);
    content.push(source.backdoor(), "app", "1").await;
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    let write = |path: &str, text: &str| {
        let path = arc.home().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("password", "hunter 2\n");
    let (_registry, url) = serve(&arc).await;
    let host = url.strip_prefix("http://").unwrap();
    // Basic of `robot:hunter 2`, and of the same name with another password.
    write("good/config.json", &login(host, "cm9ib3Q6aHVudGVyIDI="));
    write("bad/config.json", &login(host, "cm9ib3Q6aHVudGVyIDM="));

    let (from, to) = (format!("{}/app:1", source.url()), format!("{url}/app:1"));
    let home = arc.home();
    let as_user = |folder: &str| {
        let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        arc.env("DOCKER_CONFIG", home.join(folder))
    };
    for folder in ["nobody", "bad"] {
        let refused = as_user(folder).run(&["copy", &from, &to]).await.expect_code(2);
        assert!(refused.stderr.contains("401"), "{}", refused.stderr);
    }
    as_user("good").run(&["copy", &from, &to]).await.expect_code(0);
    let told = as_user("good").run(&["digest", &to]).await.expect_code(0).stdout;
    assert_eq!(told.trim(), content.digest());
    as_user("nobody").run(&["digest", &to]).await.expect_code(2);
}

/// What `docker login` leaves behind.
fn login(host: &str, auth: &str) -> String {
    serde_json::json!({"auths": {host: {"auth": auth}}}).to_string()
}

#[tokio::test]
async fn an_account_has_a_name_and_a_password() {
    let arc = Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
    std::fs::write(arc.home().join("empty"), "\n").unwrap();
    for (account, expected) in [
        ("--user robot", "--password-file"),
        ("--password-file empty", "--user"),
        ("--user robot --password-file empty", "empty holds no password"),
        ("--user robot --password-file missing", "failed to read missing"),
    ] {
        let args = format!("registry --dir data --listen 127.0.0.1:0 {account}");
        let refused = arc.run(&args.split(' ').collect::<Vec<_>>()).await.expect_code(2);
        assert!(refused.stderr.contains(expected), "{account}: {}", refused.stderr);
    }
}
