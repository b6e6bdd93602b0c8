//! Registries that break, lie or are poorer than the specification.

use std::time::Duration;

use bytes::Bytes;

use super::{
    fixture::{Content, layout},
    server::{Act, Server, answer, broken},
};
use crate::{Algorithm, Client, Descriptor, Digest, Error, Progress, RawManifest, media_type};

const BLOB: &[u8] = b"hello wide world of blobs";

fn blob() -> Descriptor {
    Descriptor::of("application/octet-stream", BLOB)
}

/// Serves the blob under a script for its reads, and returns what a fetch into a layout gives.
async fn fetch(
    script: impl Fn(&super::server::Seen) -> Act + Send + Sync + 'static,
) -> (Result<u64, Error>, Vec<Option<String>>, bool) {
    let server = Server::scripted(
        move |seen| if seen.is("GET", "/blobs/") { script(seen) } else { Act::Pass },
    )
    .await;
    let client = server.client();
    client.push_blob("a", &blob(), Bytes::from_static(BLOB)).await.unwrap();
    let (_dir, layout) = layout();
    let progress = Progress::new();
    let result = client.fetch_blob("a", &blob(), &layout, &progress).await;
    let is_there = layout.has_blob(&blob().digest, blob().size);
    if is_there {
        assert_eq!(layout.read_blob(&blob().digest, 1000).unwrap(), BLOB);
    }
    assert_eq!(progress.snapshot().0, if is_there { blob().size } else { 0 });
    let reads = server.log().into_iter().filter(|seen| seen.is("GET", "/blobs/"));
    let ranges = reads.map(|seen| seen.header("range").map(str::to_owned)).collect();
    (result, ranges, is_there)
}

fn range(start: usize) -> String {
    format!("bytes={start}-")
}

#[tokio::test]
async fn a_truncated_blob_is_continued_by_range() {
    let (result, ranges, _) = fetch(|seen| match seen.before {
        0 => broken(200, &[], &BLOB[..10], BLOB.len()),
        _ => Act::Pass,
    })
    .await;
    assert_eq!((result.unwrap(), ranges), (blob().size, vec![None, Some(range(10))]));
}

#[tokio::test]
async fn a_registry_without_ranges_is_read_from_the_start_again() {
    let (result, ranges, _) = fetch(|seen| match seen.before {
        0 => broken(200, &[], &BLOB[..10], BLOB.len()),
        1 => answer(200, &[], BLOB),
        _ => Act::Pass,
    })
    .await;
    assert_eq!((result.unwrap(), ranges), (blob().size, vec![None, Some(range(10))]));
}

#[tokio::test]
async fn a_wrong_range_is_not_mixed_in() {
    for (status, header) in [(206, "bytes 3-24/25"), (206, "nonsense"), (416, "bytes */25")] {
        let (result, ranges, _) = fetch(move |seen| match seen.before {
            0 => broken(200, &[], &BLOB[..10], BLOB.len()),
            1 => answer(status, &[("content-range", header)], &BLOB[3..]),
            _ => Act::Pass,
        })
        .await;
        assert_eq!(
            (result.unwrap(), ranges),
            (blob().size, vec![None, Some(range(10)), None]),
            "{status} {header}"
        );
    }
}

#[tokio::test]
async fn a_blob_that_always_breaks_is_an_error_that_may_pass() {
    let (result, ranges, is_there) = fetch(|_| broken(200, &[], b"", BLOB.len())).await;
    let error = result.unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert_eq!((ranges.len(), is_there), (4, false));
}

#[tokio::test]
async fn wrong_content_is_never_stored() {
    let wrong = b"HELLO wide world of blobs";
    let answers: [(&str, &'static [u8]); 4] = [
        ("other bytes", wrong),
        ("too short", &BLOB[..5]),
        ("too long", b"hello wide world of blobs and more"),
        ("nothing", b""),
    ];
    for (name, body) in answers {
        let (result, _, is_there) = fetch(move |_| answer(200, &[], body)).await;
        assert!(matches!(result.unwrap_err(), Error::VerifyContent { .. }), "{name}");
        assert!(!is_there, "{name}");
    }
    // Without a length nobody knows before the end.
    let endless =
        || futures::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 4096])));
    let (result, _, is_there) =
        fetch(move |_| answer(200, &[], axum::body::Body::from_stream(endless()))).await;
    assert!(matches!(result.unwrap_err(), Error::VerifyContent { .. }));
    assert!(!is_there);
}

#[tokio::test]
async fn errors_that_pass_are_waited_out() {
    for script in [
        |_: usize| answer(500, &[], ""),
        |_: usize| answer(503, &[("retry-after", "0")], ""),
        |_: usize| answer(429, &[("retry-after", "0")], "{}"),
        |_: usize| broken(500, &[], b"", 10),
    ] {
        let (result, ranges, _) =
            fetch(move |seen| if seen.before < 2 { script(seen.before) } else { Act::Pass }).await;
        assert_eq!((result.unwrap(), ranges.len()), (blob().size, 3));
    }
}

#[tokio::test]
async fn a_registry_that_asks_for_more_patience_than_we_have_is_reported_at_once() {
    let (result, ranges, _) = fetch(|_| answer(429, &[("retry-after", "86400")], "")).await;
    let Err(Error::RejectRequest { rejection, .. }) = result else { panic!("{result:?}") };
    assert_eq!((rejection.status, rejection.retry_after), (429, Some(Duration::from_secs(86400))));
    assert_eq!(ranges.len(), 1);
}

#[tokio::test]
async fn an_error_that_stays_names_registry_repository_and_reason() {
    let server = Server::scripted(|_| {
        answer(500, &[], r#"{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}"#)
    })
    .await;
    let error = server.client().manifest("team/app", "1.2").await.unwrap_err();
    let host = server.url.trim_start_matches("http://");
    assert_eq!(
        error.to_string(),
        format!(
            "failed to read manifest \"1.2\" of \"{host}/team/app\": the registry answered status 500 UNKNOWN \"disk on fire\""
        )
    );
    assert!(error.is_retryable() && !error.is_not_found() && !error.is_unauthorized());
    assert_eq!(server.log().len(), 4);
}

#[tokio::test]
async fn what_a_broken_fetch_left_behind_is_continued_and_thrown_away_when_it_is_wrong() {
    for (left, expected) in
        [(&BLOB[..7], vec![Some(range(7))]), (b"HELLO w".as_slice(), vec![Some(range(7)), None])]
    {
        let server = Server::honest().await;
        let client = server.client();
        client.push_blob("a", &blob(), Bytes::from_static(BLOB)).await.unwrap();
        server.forget();
        let (_dir, layout) = layout();
        let name = format!(".ingest/sha256-{}.partial", blob().digest.hex());
        std::fs::write(layout.dir().join(name), left).unwrap();
        client.fetch_blob("a", &blob(), &layout, &Progress::new()).await.unwrap();
        assert_eq!(layout.read_blob(&blob().digest, 1000).unwrap(), BLOB);
        let ranges: Vec<_> =
            server.log().iter().map(|seen| seen.header("range").map(str::to_owned)).collect();
        assert_eq!(ranges, expected);
    }
}

async fn pushed(client: &Client) -> Result<(), Error> {
    client.push_blob("a", &blob(), Bytes::from_static(BLOB)).await?;
    assert_eq!(client.read_blob("a", &blob(), 1000).await?, BLOB);
    Ok(())
}

#[tokio::test]
async fn uploads_follow_every_spelling_of_a_location() {
    let absolute = |headers: &mut axum::http::HeaderMap| {
        let location = headers["location"].to_str().unwrap().to_owned();
        if location.starts_with('/') {
            // The host of the request is not known here; a path relative to the server's root is what must work too.
            headers.insert("location", format!("{location}?state=a%2Fb&x=1").parse().unwrap());
        }
    };
    let server =
        Server::scripted(
            move |seen| if seen.method == "POST" { Act::Change(absolute) } else { Act::Pass },
        )
        .await;
    pushed(&server.client()).await.unwrap();
    let put = server.log().into_iter().find(|seen| seen.method == "PUT").unwrap();
    let digest = blob().digest.to_string().replace(':', "%3A");
    assert!(put.query.ends_with(&format!("digest={digest}")), "{}", put.query);
    // Two requests per blob, and no probing.
    assert_eq!(
        (server.count("POST"), server.count("PUT"), server.count("PATCH"), server.count("HEAD")),
        (1, 1, 0, 0)
    );
}

#[tokio::test]
async fn an_upload_without_a_location_is_an_error_and_a_manifest_without_one_is_fine() {
    let no_location = |headers: &mut axum::http::HeaderMap| {
        headers.remove("location");
        headers.remove("docker-content-digest");
    };
    let server = Server::scripted(move |seen| {
        if seen.is("POST", "/lost/") || seen.is("PUT", "/manifests/") {
            Act::Change(no_location)
        } else {
            Act::Pass
        }
    })
    .await;
    let client = server.client();
    let error = client.push_blob("lost", &blob(), Bytes::from_static(BLOB)).await.unwrap_err();
    assert!(error.to_string().ends_with("it opens an upload without a Location"), "{error}");
    let mut content = Content::default();
    let image = content.image(BLOB);
    content.upload(&client, "a").await;
    assert!(!client.push_manifest("a", "latest", &image).await.unwrap());
}

#[tokio::test]
async fn an_upload_that_breaks_starts_again() {
    let failures = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::scripted(move |seen| {
        let is_upload = seen.is("PUT", "/blobs/uploads/");
        match failures.fetch_add(usize::from(is_upload), std::sync::atomic::Ordering::Relaxed) {
            0 if is_upload => answer(500, &[], ""),
            1 if is_upload => answer(404, &[], r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#),
            _ => Act::Pass,
        }
    })
    .await;
    pushed(&server.client()).await.unwrap();
    assert_eq!((server.count("POST"), server.count("PUT")), (3, 3));
}

#[tokio::test]
async fn a_destination_that_stored_something_else_is_found_out() {
    let other = |headers: &mut axum::http::HeaderMap| {
        headers
            .insert("docker-content-digest", Digest::sha256(b"other").to_string().parse().unwrap());
    };
    let server =
        Server::scripted(
            move |seen| if seen.method == "PUT" { Act::Change(other) } else { Act::Pass },
        )
        .await;
    let client = server.client();
    let error = client.push_blob("a", &blob(), Bytes::from_static(BLOB)).await.unwrap_err();
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
    let index = RawManifest::new(media_type::OCI_INDEX, r#"{"schemaVersion":2,"manifests":[]}"#);
    let error = client.push_manifest("a", "latest", &index).await.unwrap_err();
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
}

#[tokio::test]
async fn empty_blobs_and_sha512_travel() {
    let server = Server::honest().await;
    let client = server.client();
    let empty = Descriptor::of("application/octet-stream", b"");
    client.push_blob("a", &empty, Bytes::new()).await.unwrap();
    assert_eq!(client.read_blob("a", &empty, 0).await.unwrap(), "");
    let long = Descriptor::new(
        "application/octet-stream",
        Digest::of(Algorithm::Sha512, BLOB),
        BLOB.len() as u64,
    );
    client.push_blob("a", &long, Bytes::from_static(BLOB)).await.unwrap();
    assert_eq!(client.read_blob("a", &long, 1000).await.unwrap(), BLOB);
    let wrong = client.push_blob("a", &empty, Bytes::from_static(BLOB)).await.unwrap_err();
    assert!(matches!(wrong, Error::VerifyContent { .. }), "{wrong}");
}

#[tokio::test]
async fn a_manifest_that_is_not_what_was_asked_for_is_refused() {
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let raw = RawManifest::new(media_type::OCI_INDEX, index);
    let named = raw.digest.to_string();
    let large = " ".repeat((4 << 20) + 1);
    let server = Server::scripted(move |seen| match seen.path.rsplit('/').next().unwrap() {
        "lying" => {
            answer(200, &[("docker-content-digest", &Digest::sha256(b"x").to_string())], index)
        }
        "silent" => answer(200, &[("content-type", "text/plain")], index),
        "large" => answer(200, &[], large.clone()),
        "schema1" => answer(200, &[], r#"{"schemaVersion":1,"fsLayers":[]}"#),
        "page" => answer(200, &[], "<html>log in</html>"),
        digest if digest == named => answer(200, &[], "{}"),
        _ => answer(404, &[], ""),
    })
    .await;
    let client = server.client();
    // No header at all: the bytes tell.
    assert_eq!(client.manifest("a", "silent").await.unwrap(), raw);
    assert_eq!(client.resolve("a", "silent").await.unwrap(), Some(raw.descriptor()));
    assert!(client.manifest("a", "absent").await.unwrap_err().is_not_found());
    assert_eq!(client.resolve("a", "absent").await.unwrap(), None);
    for (name, problem) in [
        ("lying", "is not the content that was asked for"),
        (raw.digest.to_string().as_str(), "is not the content that was asked for"),
        ("large", "the answer is larger than 4194304 bytes"),
        ("schema1", "Docker schema 1"),
        ("page", "cannot be read"),
    ] {
        let error = client.manifest("a", name).await.unwrap_err().to_string();
        assert!(error.contains(problem), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_registry_that_answers_head_poorly_is_asked_again_with_get() {
    for status in [405, 200] {
        let server = Server::scripted(move |seen| {
            if seen.method == "HEAD" { answer(status, &[], "") } else { Act::Pass }
        })
        .await;
        let client = server.client();
        let mut content = Content::default();
        let image = content.image(BLOB);
        content.upload(&client, "a").await;
        client.push_manifest("a", "1", &image).await.unwrap();
        assert_eq!(client.resolve("a", "1").await.unwrap(), Some(image.descriptor()));
    }
}

#[tokio::test]
async fn pages_in_circles_and_pages_of_strangers_end_in_an_error() {
    for (link, problem) in [
        ("</v2/a/tags/list?n=1000>; rel=\"next\"", "the next page is the same page again"),
        ("<http://127.0.0.2/v2/a/tags/list>; rel=\"next\"", "the next page is on another host"),
    ] {
        let server =
            Server::scripted(move |_| answer(200, &[("link", link)], r#"{"tags":["1"]}"#)).await;
        let error = server.client().tags("a").await.unwrap_err().to_string();
        assert!(error.ends_with(problem), "{error}");
    }
}

#[tokio::test]
async fn a_referrers_api_that_is_none_is_not_believed() {
    for (status, body) in [(200, "<html>"), (200, "{\"hello\":1}"), (403, ""), (400, ""), (501, "")]
    {
        let options =
            arc_registry::Options { referrers_api: false, ..arc_registry::Options::default() };
        let server = Server::start(options, move |seen| {
            if seen.path.contains("/referrers/") { answer(status, &[], body) } else { Act::Pass }
        })
        .await;
        let mut content = Content::default();
        let image = content.image(BLOB);
        let referrer = content.referrer(&image, "application/vnd.test.sbom");
        content.upload(&server.client(), "a").await;
        let found = server.client().referrers("a", &image.digest).await.unwrap();
        assert_eq!(found, [referrer.referrer_descriptor().unwrap()], "{status} {body}");
    }
    // One that fails is not one that is absent: a signature must not get lost that way.
    let server = Server::scripted(|seen| {
        if seen.path.contains("/referrers/") { answer(503, &[], "") } else { Act::Pass }
    })
    .await;
    assert!(server.client().referrers("a", &blob().digest).await.unwrap_err().is_retryable());
}

#[tokio::test]
async fn a_registry_that_answers_the_api_without_keeping_a_list_gets_a_fallback_tag() {
    let options =
        arc_registry::Options { referrers_api: false, ..arc_registry::Options::default() };
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    let server = Server::start(options, move |seen| {
        if seen.path.contains("/referrers/") { answer(200, &[], empty) } else { Act::Pass }
    })
    .await;
    let mut content = Content::default();
    let image = content.image(BLOB);
    let referrer = content.referrer(&image, "application/vnd.test.sbom");
    content.upload(&server.client(), "a").await;
    let found = server.client().referrers("a", &image.digest).await.unwrap();
    assert_eq!(found, [referrer.referrer_descriptor().unwrap()]);
}

#[tokio::test]
async fn mounts_work_and_fall_back() {
    for (mount, requests) in [(true, (1, 0)), (false, (1, 1))] {
        let options = arc_registry::Options { mount, ..arc_registry::Options::default() };
        let server = Server::start(options, |_| Act::Pass).await;
        let client = server.client();
        client.push_blob("from", &blob(), Bytes::from_static(BLOB)).await.unwrap();
        assert_eq!(client.mount("to", &blob(), "from").await.unwrap(), mount);
        server.forget();
        let options =
            crate::PushOptions { mount_from: Some("from".to_owned()), progress: Progress::new() };
        let sent = client
            .push_blob_with("other", &blob(), Bytes::from_static(BLOB), &options)
            .await
            .unwrap();
        assert_eq!(sent, if mount { 0 } else { blob().size });
        assert_eq!(options.progress.snapshot().0, blob().size);
        // A session that the registry opened instead of mounting is used, not thrown away.
        assert_eq!((server.count("POST"), server.count("PUT")), requests);
        assert_eq!(client.read_blob("other", &blob(), 100).await.unwrap(), BLOB);
    }
}

/// Reads the blob in parts of five bytes after the first answer of five, and returns how many requests that took.
async fn read_spread(
    script: impl Fn(&super::server::Seen) -> Act + Send + Sync + 'static,
) -> (Bytes, usize) {
    let server = Server::scripted(move |seen| {
        let start = futures::stream::iter([Ok::<_, std::io::Error>(&BLOB[..5])]);
        let slow = futures::StreamExt::chain(start, futures::stream::pending());
        match seen.header("range") {
            _ if !seen.is("GET", "/blobs/") => Act::Pass,
            None => answer(
                200,
                &[("accept-ranges", "bytes"), ("content-length", "25")],
                axum::body::Body::from_stream(slow),
            ),
            Some(_) => script(seen),
        }
    })
    .await;
    let client = server.client();
    client.push_blob("a", &blob(), Bytes::from_static(BLOB)).await.unwrap();
    server.forget();
    let memory = std::sync::Arc::new(tokio::sync::Semaphore::new(1));
    let spread = crate::fetch::Spread { after: 5, rest: 5, part: 5, slow: u64::MAX, memory };
    let mut reader = client.open_blob("a", &blob()).spread(spread);
    let mut all = Vec::new();
    while let Some(bytes) = reader.chunk().await.unwrap() {
        all.extend_from_slice(&bytes);
    }
    (all.into(), server.log().len())
}

#[tokio::test]
async fn a_slow_blob_is_read_over_several_connections_in_order() {
    // The whole, and four parts of five bytes.
    assert_eq!(read_spread(|_| Act::Pass).await, (Bytes::from_static(BLOB), 5));
}

#[tokio::test]
async fn a_registry_that_does_not_keep_to_parts_is_read_on_one_connection() {
    for status in [200, 206, 404, 416] {
        let (bytes, _) = read_spread(move |seen| {
            let is_part = seen.header("range").is_some_and(|range| !range.ends_with('-'));
            let body = if status < 300 { BLOB } else { b"" };
            if is_part {
                answer(status, &[("content-range", "bytes 0-24/25")], body)
            } else {
                Act::Pass
            }
        })
        .await;
        assert_eq!(bytes, BLOB, "{status}");
    }
}
