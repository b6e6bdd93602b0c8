//! Killed at any request: the tag was never early, and the next run ends where an undisturbed one would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_tests::arc::Process;
use arc_tests::lying::{LyingRegistry, Next};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::site::{Side, Site, clean};

/// Runs all steps and kills the one that sends the `fatal`-th request to either registry.
///
/// Returns whether that request was sent at all.
async fn run_until(
    site: &Site,
    source: &LyingRegistry,
    destination: &LyingRegistry,
    fatal: usize,
) -> bool {
    let (_root, environment) = site.pod(source.url(), destination.url(), "app", "1.0");
    let seen = Arc::new(AtomicUsize::new(0));
    for step in ["fetch", "scan", "publish"] {
        let mut arc = arc_tests::arc::Arc::new(env!("CARGO_BIN_EXE_arc-under-test"));
        for (name, value) in &environment {
            arc = arc.env(name, value);
        }
        let process: Arc<OnceCell<Process>> = Arc::new(OnceCell::new());
        for registry in [source, destination] {
            let (seen, process) = (seen.clone(), process.clone());
            registry.on_request(move |_| {
                if seen.fetch_add(1, Ordering::SeqCst) + 1 == fatal
                    && let Some(process) = process.get()
                {
                    process.kill();
                    return Next::Close;
                }
                Next::Serve
            });
        }
        process.set(arc.spawn(&["step", step])).unwrap();
        let finished = process.get().unwrap().clone().wait().await;
        if finished.code != Some(0) {
            assert_eq!(finished.code, None, "not killed but failed: {}", finished.stderr);
            return true;
        }
    }
    false
}

#[tokio::test]
async fn killed_at_any_request_the_tag_is_never_early_and_the_next_run_finishes() {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let mut fatal = 1;
    let mut killed = 0;
    loop {
        let destination = LyingRegistry::honest().await;
        let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
        let was_killed = run_until(&site, &source, &destination, fatal).await;
        let reference = format!("http://{}/app:1.0", destination.host());
        if destination.backdoor().digest("app", "1.0").await.is_some() {
            site.verify(&reference).await.expect_code(0);
        }
        // The same folders, undisturbed.
        assert!(!run_until(&site, &source, &destination, usize::MAX).await);
        assert_eq!(
            destination.backdoor().digest("app", "1.0").await.as_deref(),
            Some(clean().digest()),
            "request {fatal}"
        );
        site.verify(&reference).await.expect_code(0);
        let signatures = format!("/v2/app/manifests/{}.sig", clean().digest().replace(':', "-"));
        let layers = destination.backdoor().get(&signatures).await.json()["layers"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(layers, 1, "signed twice after request {fatal}");
        if !was_killed {
            break;
        }
        killed += 1;
        // A stride that shares no divisor with what a step sends per blob, so that all kinds of request are met.
        fatal += 7;
    }
    assert!(killed > 10, "only {killed} requests were there to be killed at");
}

#[tokio::test]
async fn an_interrupted_run_ends_its_steps_and_the_next_one_resumes() {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    let (manifests, work) = (site.manifests(), site.work());
    let process: Arc<OnceCell<Process>> = Arc::new(OnceCell::new());
    let victim = process.clone();
    destination.on_request(move |request| {
        if request.method == "POST"
            && let Some(process) = victim.get()
        {
            process.kill();
            return Next::Close;
        }
        Next::Serve
    });
    let args = ["run", "-f", manifests.to_str().unwrap(), "--work-dir", work.to_str().unwrap()];
    process.set(site.arc.spawn(&args)).unwrap();
    process.get().unwrap().clone().wait().await;
    assert_eq!(destination.backdoor().digest("app", "1.0").await, None);
    destination.forget_requests();
    Site::rows(site.run(&[]).await, 0);
    assert_eq!(
        destination.backdoor().digest("app", "1.0").await.as_deref(),
        Some(clean().digest())
    );
}
