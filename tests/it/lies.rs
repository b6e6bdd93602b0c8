//! A registry that lies: at every step the delivery either still arrives whole, or nothing is tagged.

use std::time::Duration;

use arc_tests::lying::{Auth, Behaviour, Fault, LyingRegistry, Setup};
use serde_json::json;

use crate::site::{Side, Site, clean};

/// What a lie must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The client sees through it or tries again.
    Delivered,
    /// It ends with this exit code and without a tag.
    Ends(i32),
}

async fn tell(at_source: bool, fault: Fault, fate: Fate) {
    tell_all(at_source, vec![fault], fate).await;
}

async fn tell_all(at_source: bool, faults: Vec<Fault>, fate: Fate) {
    let source = LyingRegistry::honest().await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let destination = LyingRegistry::honest().await;
    let told = format!("{} {faults:?}", if at_source { "source" } else { "destination" });
    let liar = if at_source { &source } else { &destination };
    liar.set_faults(faults);
    let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    let finished = site.run(&[]).await;
    let tagged = destination.backdoor().digest("app", "1.0").await;
    let (code, expected) = match fate {
        Fate::Delivered => (0, Some(clean().digest().to_owned())),
        Fate::Ends(code) => (code, None),
    };
    assert_eq!(
        (finished.code, tagged),
        (Some(code), expected),
        "{told}\n{}\n{}",
        finished.stdout,
        finished.stderr
    );
}

#[tokio::test]
async fn a_source_that_lies_about_content_is_not_believed() {
    let root = clean().digest().to_owned();
    let lies = [
        Fault::on("GET", format!("manifests/{root}"), Behaviour::OtherManifest),
        Fault::on("GET", "blobs/", Behaviour::FlipBit),
        Fault::on("GET", "blobs/", Behaviour::Truncate),
        Fault::on("GET", "blobs/", Behaviour::Longer),
    ];
    for lie in lies {
        // Whether a retry may help is the client's judgement; that nothing is tagged is ours.
        let source = LyingRegistry::honest().await;
        clean().push(source.backdoor(), "app", "1.0").await;
        let destination = LyingRegistry::honest().await;
        let told = format!("{lie:?}");
        source.set_faults(vec![lie]);
        let site = Site::new(&Side::at(source.url()), &Side::at(destination.url()));
        site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
        let finished = site.run(&[]).await;
        assert!(
            matches!(finished.code, Some(1 | 2)),
            "{told}\n{}\n{}",
            finished.stdout,
            finished.stderr
        );
        assert_eq!(destination.writes(), Vec::<String>::new(), "{told}");
    }
}

#[tokio::test]
async fn a_source_that_stumbles_is_asked_again() {
    tell(true, Fault::on("GET", "blobs/", Behaviour::Truncate).times(1), Fate::Delivered).await;
    tell(true, Fault::on("GET", "", Behaviour::Status(500)).times(2), Fate::Delivered).await;
    tell(
        true,
        Fault::on("GET", "manifests/", Behaviour::TooManyRequests(1)).times(1),
        Fate::Delivered,
    )
    .await;
    tell(true, Fault::on("GET", "blobs/", Behaviour::Close).times(1), Fate::Delivered).await;
    tell(
        true,
        Fault::on("GET", "blobs/", Behaviour::Slow(Duration::from_millis(20))),
        Fate::Delivered,
    )
    .await;
}

#[tokio::test]
async fn a_destination_that_stumbles_is_asked_again() {
    tell(
        false,
        Fault::on("POST", "blobs/uploads", Behaviour::Status(503)).times(2),
        Fate::Delivered,
    )
    .await;
    tell(false, Fault::on("PUT", "", Behaviour::LoseAnswer).times(1), Fate::Delivered).await;
    tell(
        false,
        Fault::on("PUT", "blobs/uploads", Behaviour::CloseAfter(10)).times(1),
        Fate::Delivered,
    )
    .await;
    tell(false, Fault::on("PUT", "manifests/", Behaviour::Close).nth(3), Fate::Delivered).await;
}

#[tokio::test]
async fn a_destination_that_fails_for_good_has_no_tag() {
    tell(false, Fault::on("POST", "blobs/uploads", Behaviour::Status(500)), Fate::Ends(1)).await;
    tell(false, Fault::on("PUT", "manifests/1.0", Behaviour::Status(403)), Fate::Ends(2)).await;
    // It takes the evidence and does not show it: the tag must not appear.
    let hidden =
        [("GET", "/referrers/"), ("GET", "manifests/sha256-"), ("HEAD", "manifests/sha256-")];
    let faults = hidden.map(|(method, part)| Fault::on(method, part, Behaviour::Status(404)));
    tell_all(false, faults.to_vec(), Fate::Ends(1)).await;
}

#[tokio::test]
async fn a_redirect_to_storage_works_and_takes_no_credentials_along() {
    let source = LyingRegistry::start(Setup { auth: Auth::Basic, ..Setup::default() }).await;
    clean().push(source.backdoor(), "app", "1.0").await;
    let storage = source.storage_host().await;
    source.set_faults(vec![Fault::on(
        "GET",
        "blobs/",
        Behaviour::Redirect(storage.url().to_owned()),
    )]);
    let destination = LyingRegistry::honest().await;
    let locked = Side { url: source.url().to_owned(), account: true, ..Side::default() };
    let site = Site::new(&locked, &Side::at(destination.url()));
    site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
    Site::rows(site.run(&[]).await, 0);
    let asked = storage.requests();
    assert!(!asked.is_empty());
    assert!(asked.iter().all(|request| request.authorization.is_none()), "{asked:#?}");
}

#[tokio::test]
async fn logins_by_password_and_by_token_work_and_wrong_ones_are_named() {
    for auth in [Auth::Basic, Auth::bearer()] {
        let source = LyingRegistry::start(Setup { auth: auth.clone(), ..Setup::default() }).await;
        clean().push(source.backdoor(), "app", "1.0").await;
        let destination = LyingRegistry::start(Setup { auth, ..Setup::default() }).await;
        let locked = |registry: &LyingRegistry, account| Side {
            url: registry.url().to_owned(),
            account,
            ..Side::default()
        };
        let stranger = Site::new(&locked(&source, false), &locked(&destination, true));
        stranger.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
        let finished = stranger.run(&[]).await.expect_code(2);
        assert!(finished.stdout.contains("401"), "{}", finished.stdout);
        let site = Site::new(&locked(&source, true), &locked(&destination, true));
        site.order(&[("app", json!({"repository": "app", "tag": "1.0"}))]);
        Site::rows(site.run(&[]).await, 0);
    }
}
