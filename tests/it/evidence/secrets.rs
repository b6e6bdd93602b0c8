//! Keys stay in files: not in the environment, not in the arguments, and not in a core dump.

use std::fs;
use std::sync::{Arc, Mutex};

use arc_tests::lying::{LyingRegistry, Next, Setup};
use serde_json::json;

use crate::site::{Side, Site, clean};

/// What `/proc` tells about a process: environment, arguments, limits.
fn told(process: &str) -> Option<String> {
    let read = |file: &str| fs::read(format!("/proc/{process}/{file}")).ok();
    let parts = [read("cmdline")?, read("environ")?, read("limits")?];
    Some(parts.map(|part| String::from_utf8_lossy(&part).into_owned()).join("\n"))
}

/// Everything about processes that run a step for a site.
fn steps_of(site: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let told = processes.filter_map(|entry| told(entry.file_name().to_str()?));
    told.filter(|text| text.contains("step\0") && text.contains(site)).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_running_step_shows_no_secret_and_would_leave_no_core() {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let setup = Setup { auth: arc_tests::lying::Auth::Basic, ..Setup::default() };
    let destination = LyingRegistry::start(setup).await;
    let locked = Side { url: destination.url().to_owned(), account: true, ..Side::default() };
    let site = Site::new(&Side::at(source.url()), &locked);
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (sink, work) = (seen.clone(), site.work().to_str().unwrap().to_owned());
    destination.on_request(move |request| {
        if request.method == "PUT" {
            sink.lock().unwrap().extend(steps_of(&work));
        }
        Next::Serve
    });
    Site::rows(site.run(&[]).await, 0);
    let seen = seen.lock().unwrap();
    assert!(seen.iter().any(|text| text.contains("step\0publish\0")), "nothing was seen");
    let manifest = fs::read_to_string(site.manifests().join("secrets.json")).unwrap();
    let secrets: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let data = &secrets["items"][0]["stringData"];
    let key = data["cosign.key"].as_str().unwrap().lines().nth(1).unwrap();
    for text in seen.iter() {
        assert!(!text.contains(key) && !text.contains("PRIVATE KEY"), "a key shows: {text}");
        assert!(!text.contains(arc_tests::PASSWORD), "a password shows: {text}");
        let core = text.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    }
}
