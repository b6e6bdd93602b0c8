//! Tokens, passwords, and where they must not go.

use super::server::{Act, Seen, Server, answer};
use crate::{Descriptor, Error, PushOptions, RawManifest, media_type};

const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// Plays a registry whose tokens come from `/token` of the same server; `Basic dTpw` is user `u`, password `p`.
fn with_tokens(lifetime: u64) -> impl Fn(&Seen) -> Act + Send + Sync {
    move |seen: &Seen| {
        let host = seen.header("host").unwrap();
        if seen.path == "/token" {
            if seen.header("authorization").is_some_and(|header| header != "Basic dTpw") {
                return answer(401, &[], "");
            }
            let body = format!(r#"{{"token":"t{}","expires_in":{lifetime}}}"#, seen.before);
            return answer(200, &[], body);
        }
        if seen.header("authorization").is_some_and(|header| header.starts_with("Bearer t")) {
            return Act::Pass;
        }
        let challenge = format!(
            r#"Bearer realm="http://{host}/token",service="svc",scope="repository:x:pull""#
        );
        answer(401, &[("www-authenticate", &challenge)], "")
    }
}

fn token_requests(server: &Server) -> Vec<Seen> {
    server.log().into_iter().filter(|seen| seen.path == "/token").collect()
}

#[tokio::test]
async fn a_token_is_asked_for_once_with_service_scope_and_password() {
    let server = Server::scripted(with_tokens(300)).await;
    let client = server.client_as("u", "p");
    let index = RawManifest::new(media_type::OCI_INDEX, INDEX);
    client.push_manifest("team/app", "1", &index).await.unwrap();
    // Whoever may push may also read.
    client.manifest("team/app", "1").await.unwrap();
    client.tags("team/app").await.unwrap();
    let [token] = &token_requests(&server)[..] else { panic!("{:?}", server.requests()) };
    assert_eq!(token.header("authorization"), Some("Basic dTpw"));
    assert_eq!(
        token.query,
        "scope=repository%3Ateam%2Fapp%3Apull%2Cpush&scope=repository%3Ax%3Apull&service=svc"
    );
    // The first request learns what is wanted; no request is a probe.
    assert_eq!(
        server.requests(),
        [
            "PUT /v2/team/app/manifests/1",
            "GET /token",
            "PUT /v2/team/app/manifests/1",
            "GET /v2/team/app/manifests/1",
            "GET /v2/team/app/tags/list",
        ]
    );
}

#[tokio::test]
async fn many_requests_at_once_ask_for_one_token() {
    let server = Server::scripted(with_tokens(300)).await;
    let client = server.client();
    let resolves = (0..20).map(|number| {
        let client = client.clone();
        async move { client.resolve("a", &format!("{number}")).await }
    });
    for result in futures::future::join_all(resolves).await {
        assert_eq!(result.unwrap(), None);
    }
    assert_eq!(token_requests(&server).len(), 1);
}

#[tokio::test]
async fn an_expired_token_is_replaced_before_it_is_used() {
    let server = Server::scripted(with_tokens(0)).await;
    let client = server.client();
    for _ in 0..3 {
        client.resolve("a", "1").await.unwrap();
    }
    assert_eq!(token_requests(&server).len(), 3);
    let used: Vec<_> = server
        .log()
        .iter()
        .filter_map(|seen| seen.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(used, ["Bearer t0", "Bearer t1", "Bearer t2"]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let play = with_tokens(300);
    let server = Server::scripted(move |seen| match seen.header("authorization") {
        // Revoked, although it has not expired.
        Some("Bearer t0") if seen.path.ends_with("/2") => {
            let challenge =
                format!(r#"Bearer realm="http://{}/token""#, seen.header("host").unwrap());
            answer(401, &[("www-authenticate", &challenge)], "")
        }
        _ => play(seen),
    })
    .await;
    let client = server.client();
    client.resolve("a", "1").await.unwrap();
    client.resolve("a", "2").await.unwrap();
    assert_eq!(token_requests(&server).len(), 2);
}

#[tokio::test]
async fn an_upload_whose_token_expires_is_sent_with_another() {
    let play = with_tokens(300);
    let server = Server::scripted(move |seen| match seen.header("authorization") {
        Some("Bearer t0") if seen.method == "PUT" => {
            let challenge =
                format!(r#"Bearer realm="http://{}/token""#, seen.header("host").unwrap());
            answer(401, &[("www-authenticate", &challenge)], "")
        }
        _ => play(seen),
    })
    .await;
    let client = server.client();
    let blob = Descriptor::of("", b"content");
    client.push_blob("a", &blob, b"content".to_vec()).await.unwrap();
    assert_eq!(client.read_blob("a", &blob, 100).await.unwrap(), "content");
}

#[tokio::test]
async fn a_mount_asks_to_read_the_other_repository() {
    let server = Server::scripted(with_tokens(300)).await;
    let client = server.client();
    let blob = Descriptor::of("", b"content");
    client.push_blob("from", &blob, b"content".to_vec()).await.unwrap();
    server.forget();
    let options = PushOptions { mount_from: Some("from".to_owned()), ..PushOptions::default() };
    assert_eq!(client.push_blob_with("to", &blob, b"content".to_vec(), &options).await.unwrap(), 0);
    let [token] = &token_requests(&server)[..] else { panic!("{:?}", server.requests()) };
    assert!(
        token
            .query
            .starts_with("scope=repository%3Ato%3Apull%2Cpush&scope=repository%3Afrom%3Apull"),
        "{}",
        token.query
    );
}

#[tokio::test]
async fn a_wrong_password_is_an_error_that_says_so() {
    let server = Server::scripted(with_tokens(300)).await;
    let error = server.client_as("u", "hunter2").resolve("a", "1").await.unwrap_err();
    assert!(error.is_unauthorized() && !error.is_retryable(), "{error:?}");
    let (url, host) = (&server.url, server.url.trim_start_matches("http://"));
    assert_eq!(
        error.to_string(),
        format!(
            "failed to log in to \"{url}/token\" to resolve \"1\" of \"{host}/a\": the token service answered status 401"
        )
    );
    assert!(!format!("{error:?}").contains("hunter2"));
}

fn with_password(seen: &Seen) -> Act {
    match seen.header("authorization") {
        Some("Basic dTpw") => Act::Pass,
        _ => answer(401, &[("www-authenticate", "Basic realm=\"registry\"")], ""),
    }
}

#[tokio::test]
async fn a_password_is_sent_when_it_is_asked_for() {
    let server = Server::scripted(with_password).await;
    let client = server.client_as("u", "p");
    client.resolve("a", "1").await.unwrap();
    client.resolve("a", "2").await.unwrap();
    let sent: Vec<_> =
        server.log().iter().map(|seen| seen.header("authorization").is_some()).collect();
    assert_eq!(sent, [false, true, true]);
    for client in [server.client(), server.client_as("u", "wrong")] {
        let error = client.resolve("a", "1").await.unwrap_err();
        assert!(error.is_unauthorized() && !error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect_to_another_host() {
    let storage = Server::scripted(|seen| match seen.path.as_str() {
        "/store" => answer(307, &[("location", "/again?signature=x%2Fy")], ""),
        _ => answer(200, &[], "content"),
    })
    .await;
    let target = format!("{}/store", storage.url);
    let server = Server::scripted(move |seen| match with_password(seen) {
        Act::Pass if seen.is("GET", "/blobs/") => answer(307, &[("location", &target)], ""),
        other => other,
    })
    .await;
    let client = server.client_as("u", "p");
    let blob = Descriptor::of("", b"content");
    assert_eq!(client.read_blob("a", &blob, 100).await.unwrap(), "content");
    // What a storage sends is verified like anything else.
    assert!(client.read_blob("a", &Descriptor::of("", b"CONTENT"), 100).await.is_err());
    let seen: Vec<_> = storage
        .log()
        .iter()
        .map(|seen| (seen.path.clone(), seen.query.clone(), seen.header("authorization").is_some()))
        .collect();
    let expected = [("/store", ""), ("/again", "signature=x%2Fy")]
        .map(|(path, query)| (path.to_owned(), query.to_owned(), false));
    assert_eq!(seen, [expected.clone(), expected].concat());
}

#[tokio::test]
async fn credentials_do_not_come_back_through_another_host() {
    let storage = Server::scripted(|seen| {
        answer(307, &[("location", seen.query.trim_start_matches("back="))], "")
    })
    .await;
    let away = storage.url.clone();
    let server = Server::scripted(move |seen| match with_password(seen) {
        Act::Pass if seen.is("GET", "/blobs/") => {
            let host = seen.header("host").unwrap();
            answer(
                307,
                &[("location", &format!("{away}/x?back=http://{host}/v2/trap/blobs/secret"))],
                "",
            )
        }
        other => other,
    })
    .await;
    let error = server
        .client_as("u", "p")
        .read_blob("a", &Descriptor::of("", b"content"), 100)
        .await
        .unwrap_err();
    let trapped: Vec<_> =
        server.log().into_iter().filter(|seen| seen.path.contains("/trap/")).collect();
    assert!(
        trapped.first().is_some_and(|seen| seen.header("authorization").is_none()),
        "{error:?} {trapped:?}"
    );
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let server = Server::scripted(|seen| answer(307, &[("location", &seen.path)], "")).await;
    let error = server.client().read_blob("a", &Descriptor::of("", b"x"), 100).await.unwrap_err();
    assert!(matches!(error, Error::ReadAnswer { .. }), "{error:?}");
    assert_eq!(server.log().len(), 6);
}

#[tokio::test]
async fn many_requests_at_once_are_refused_once() {
    let server = Server::scripted(with_tokens(300)).await;
    let client = server.client_as("u", "p");
    let asked = (0..10).map(|_| client.resolve("a", "1"));
    futures::future::try_join_all(asked).await.unwrap();
    let log = server.log();
    let refused = log
        .iter()
        .filter(|seen| seen.path.starts_with("/v2/") && seen.header("authorization").is_none());
    assert_eq!((refused.count(), token_requests(&server).len()), (1, 1));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_and_never_sent_to_the_registry() {
    let server = Server::scripted(with_tokens(300)).await;
    let client = server.client_with(|options| {
        options.credentials = Some(crate::Credentials::identity("refresh me"));
    });
    assert_eq!(client.resolve("team/app", "1").await.unwrap(), None);
    let [token] = &token_requests(&server)[..] else { panic!("{:?}", server.requests()) };
    assert_eq!((token.method.as_str(), token.query.as_str()), ("POST", ""));
    assert_eq!(token.header("authorization"), None);
    let used =
        server.log().into_iter().filter_map(|seen| seen.header("authorization").map(str::to_owned));
    assert_eq!(used.collect::<Vec<_>>(), ["Bearer t0"]);

    let url = "https://auth.example/token?scope=a%3Apull&scope=b&service=svc".parse().unwrap();
    let request = client.token_request(&url).build().unwrap();
    assert_eq!(request.url().as_str(), "https://auth.example/token");
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
    assert_eq!(
        std::str::from_utf8(body).unwrap(),
        "grant_type=refresh_token&client_id=arc&service=svc&scope=a%3Apull+b&refresh_token=refresh+me"
    );
}
