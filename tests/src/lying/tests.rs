//! Every lie is told once, so that a test that relies on one can trust it.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Method, StatusCode};

use super::*;
use crate::images::{Content, Layer, sha256};

const REPOSITORY: &str = "team/a";

/// Starts a registry that holds one image, and returns it with the address of a layer.
async fn registry(setup: Setup) -> (LyingRegistry, Content, String) {
    let registry = LyingRegistry::start(setup).await;
    let content = Content::image("linux/amd64", [Layer::Random { mebibytes: 1, seed: 1 }]);
    content.push(registry.backdoor(), REPOSITORY, "v1").await;
    let manifest: serde_json::Value = serde_json::from_slice(&content.root_bytes()).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    let blob = format!("/v2/{REPOSITORY}/blobs/{layer}");
    (registry, content, blob)
}

fn with(faults: impl IntoIterator<Item = Fault>) -> Setup {
    Setup { faults: faults.into_iter().collect(), ..Setup::default() }
}

#[tokio::test]
async fn honest_registry_records_and_serves() {
    let (registry, content, blob) = registry(Setup::default()).await;
    let client = registry.client();
    assert_eq!(client.digest(REPOSITORY, "v1").await.as_deref(), Some(content.digest()));
    client.get(&format!("{blob}?x=y")).await;
    client.send(Method::DELETE, &blob, &[], Bytes::new()).await;
    let lines: Vec<_> = registry.requests().iter().map(Recorded::to_string).collect();
    let expected = [
        "HEAD /v2/team/a/manifests/v1 200".to_owned(),
        format!("GET {blob} 200"),
        format!("DELETE {blob} 202"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(registry.requests()[1].query, "x=y");
    assert_eq!(registry.writes(), expected[2..]);
    registry.forget_requests();
    assert_eq!(registry.requests(), []);
}

#[tokio::test]
async fn faults_follow_their_schedule() {
    let status = |fault: Fault| async {
        let (registry, _, _) = registry(with([fault])).await;
        let mut statuses = Vec::new();
        for _ in 0..4 {
            statuses.push(registry.client().get("/v2/").await.status.as_u16());
        }
        statuses
    };
    let fault = || Fault::on("GET", "/v2/", Behaviour::Status(500));
    assert_eq!(status(fault()).await, [500, 500, 500, 500]);
    assert_eq!(status(fault().nth(2)).await, [200, 500, 200, 200]);
    assert_eq!(status(fault().times(2)).await, [500, 500, 200, 200]);
    assert_eq!(status(fault().from_nth(3)).await, [200, 200, 500, 500]);
    assert_eq!(status(Fault::on("*", "", Behaviour::Status(429))).await, [429, 429, 429, 429]);
    assert_eq!(status(Fault::on("PUT", "", Behaviour::Status(500))).await, [200, 200, 200, 200]);
    assert_eq!(
        status(Fault::on("*", "/elsewhere", Behaviour::Status(500))).await,
        [200, 200, 200, 200]
    );
}

#[tokio::test]
async fn too_many_requests_says_when_to_come_back() {
    let (registry, ..) = registry(with([Fault::on("*", "", Behaviour::TooManyRequests(7))])).await;
    let answer = registry.client().get("/v2/").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "7"));
}

#[tokio::test]
async fn closed_connection_has_no_effect_and_lost_answer_has() {
    for (behaviour, is_gone) in [(Behaviour::Close, false), (Behaviour::LoseAnswer, true)] {
        let (registry, _, blob) = registry(with([Fault::on("DELETE", "", behaviour)])).await;
        let answer = registry.client().try_send(Method::DELETE, &blob, &[], Bytes::new()).await;
        assert!(answer.is_err());
        let status = registry.backdoor().head(&blob).await.status;
        assert_eq!(status == StatusCode::NOT_FOUND, is_gone);
        assert_eq!(registry.requests()[0].status, None);
    }
}

#[tokio::test]
async fn upload_breaks_after_some_bytes() {
    let (registry, ..) = registry(with([Fault::on("PATCH", "", Behaviour::CloseAfter(5))])).await;
    let client = registry.client();
    let start = client.send(Method::POST, "/v2/team/a/blobs/uploads/", &[], Bytes::new()).await;
    let location = start.header("location").to_owned();
    assert!(client.try_send(Method::PATCH, &location, &[], "0123456789").await.is_err());
    assert_eq!(client.get(&location).await.header("range"), "0-4");
}

#[tokio::test]
async fn bodies_are_wrong_in_the_way_asked_for() {
    let (registry, content, blob) = registry(Setup::default()).await;
    let client = registry.client();
    let whole = client.get(&blob).await;

    registry.set_faults(vec![Fault::on("GET", "/blobs/", Behaviour::FlipBit)]);
    let flipped = client.get(&blob).await;
    assert_eq!(flipped.header("docker-content-digest"), whole.header("docker-content-digest"));
    let n_differences =
        flipped.body.iter().zip(&whole.body).filter(|(left, right)| left != right).count();
    assert_eq!((flipped.body.len(), n_differences), (whole.body.len(), 1));

    registry.set_faults(vec![Fault::on("GET", "/blobs/", Behaviour::Truncate)]);
    assert!(client.try_get(&blob).await.is_err());

    registry.set_faults(vec![Fault::on("GET", "/blobs/", Behaviour::Longer)]);
    assert_eq!(client.get(&blob).await.body.len(), whole.body.len() + 4);

    registry.set_faults(vec![Fault::on("GET", "/manifests/", Behaviour::OtherManifest)]);
    let other = client.get("/v2/team/a/manifests/v1").await;
    assert_eq!(other.header("docker-content-digest"), content.digest());
    assert_ne!(sha256(&other.body), content.digest());

    registry.set_faults(vec![Fault::on("*", "/manifests/", Behaviour::WrongDigestHeader)]);
    let wrong = client.get("/v2/team/a/manifests/v1").await;
    assert_ne!(wrong.header("docker-content-digest"), content.digest());
    assert_eq!(sha256(&wrong.body), content.digest());
}

#[tokio::test]
async fn headers_can_be_missing_or_changed() {
    let faults = [
        Fault::on("POST", "/uploads/", Behaviour::WithoutHeader("location")),
        Fault::on("GET", "/v2/", Behaviour::Header("content-type", "text/html".into())),
    ];
    let (registry, ..) = registry(with(faults)).await;
    let answer =
        registry.client().send(Method::POST, "/v2/a/blobs/uploads/", &[], Bytes::new()).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::ACCEPTED, ""));
    assert_eq!(registry.client().get("/v2/").await.header("content-type"), "text/html");
}

#[tokio::test]
async fn slow_body_arrives_late_and_whole() {
    let pause = std::time::Duration::from_millis(20);
    let (registry, _, blob) =
        registry(with([Fault::on("GET", "/blobs/", Behaviour::Slow(pause))])).await;
    let started = std::time::Instant::now();
    let answer = registry.client().get(&blob).await;
    // One mebibyte comes in pieces of at most 256 KiB.
    assert!(started.elapsed() >= pause * 4);
    assert!(blob.ends_with(&sha256(&answer.body)));
}

#[tokio::test]
async fn redirect_leads_to_another_host_that_sees_what_leaks() {
    let (registry, _, blob) = registry(Setup { auth: Auth::Basic, ..Setup::default() }).await;
    let storage = registry.storage_host().await;
    registry.set_faults(vec![Fault::on(
        "GET",
        "/blobs/",
        Behaviour::Redirect(storage.url().to_owned()),
    )]);
    let answer = registry.client().get(&blob).await;
    assert!(blob.ends_with(&sha256(&answer.body)));
    assert!(registry.requests()[0].authorization.is_some());
    assert_eq!(storage.requests().len(), 1);
    // reqwest itself keeps the account from other hosts.
    assert_eq!(storage.requests()[0].authorization, None);
}

#[tokio::test]
async fn hook_sees_every_request_and_may_stop_it() {
    let (registry, ..) = registry(Setup::default()).await;
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    registry.on_request(move |request| {
        counter.fetch_add(1, Ordering::SeqCst);
        if request.number == 2 { Next::Close } else { Next::Serve }
    });
    let client = registry.client();
    let is_served = [
        client.try_get("/v2/").await.is_ok(),
        client.try_get("/v2/").await.is_ok(),
        client.try_get("/v2/").await.is_ok(),
    ];
    assert_eq!((is_served, seen.load(Ordering::SeqCst)), ([true, false, true], 3));
}

#[tokio::test]
async fn basic_auth_wants_the_account() {
    let (registry, ..) = registry(Setup { auth: Auth::Basic, ..Setup::default() }).await;
    let refused = Client::new(registry.url()).get("/v2/").await;
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, "Basic realm=\"arc\"")
    );
    assert_eq!(registry.client().get("/v2/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn bearer_token_opens_only_what_it_was_given_for() {
    let auth = Auth::Bearer { anonymous_pull: true, uses: 2 };
    let (registry, ..) = registry(Setup { auth, ..Setup::default() }).await;
    let stranger = Client::new(registry.url());
    let manifest = "/v2/team/a/manifests/v1";
    let challenge = stranger.get(manifest).await;
    let expected = format!(
        "Bearer realm=\"{}/token\",service=\"arc\",scope=\"repository:team/a:pull\"",
        registry.url()
    );
    assert_eq!(
        (challenge.status, challenge.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, expected.as_str())
    );

    let token = async |client: &Client, actions: &str| {
        let answer =
            client.get(&format!("/token?service=arc&scope=repository:team/a:{actions}")).await;
        format!("Bearer {}", answer.json()["token"].as_str().unwrap())
    };
    let status = async |method: Method, path: &str, token: &str| {
        stranger.send(method, path, &[("authorization", token)], Bytes::new()).await.status.as_u16()
    };
    let anonymous = token(&stranger, "pull,push").await;
    assert_eq!(status(Method::POST, "/v2/team/a/blobs/uploads/", &anonymous).await, 401);
    assert_eq!(status(Method::GET, "/v2/other/manifests/v1", &anonymous).await, 401);
    assert_eq!(status(Method::GET, manifest, &anonymous).await, 200);
    assert_eq!(status(Method::GET, manifest, &anonymous).await, 200);
    assert_eq!(status(Method::GET, manifest, &anonymous).await, 401);
    let known = token(&stranger.clone().with_account(), "pull,push").await;
    assert_eq!(status(Method::POST, "/v2/team/a/blobs/uploads/", &known).await, 202);
}

#[tokio::test]
async fn mount_needs_a_token_for_the_source() {
    let (registry, _, blob) = registry(Setup { auth: Auth::bearer(), ..Setup::default() }).await;
    let digest = blob.rsplit('/').next().unwrap();
    let account = Client::new(registry.url()).with_account();
    for (scopes, status) in [("", 202), ("&scope=repository:team/a:pull", 201)] {
        let token =
            account.get(&format!("/token?scope=repository:team/b:pull,push{scopes}")).await.json();
        let token = format!("Bearer {}", token["token"].as_str().unwrap());
        let mount = format!("/v2/team/b/blobs/uploads/?mount={digest}&from=team/a");
        let stranger = Client::new(registry.url());
        let answer =
            stranger.send(Method::POST, &mount, &[("authorization", &token)], Bytes::new()).await;
        assert_eq!(answer.status, status, "{scopes}");
    }
}

#[tokio::test]
async fn tls_is_trusted_by_its_own_authority_only() {
    let setup = Setup { tls: Some(Certificates::generate()), ..Setup::default() };
    let (registry, ..) = registry(setup).await;
    assert_eq!(registry.client().get("/v2/").await.status, StatusCode::OK);
    let other = Certificates::generate();
    assert!(Client::with_ca(registry.url(), Some(&other.ca_pem)).try_get("/v2/").await.is_err());
}
