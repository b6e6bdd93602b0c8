//! What real registries do wrong, on the way from one to another.

use std::{sync::atomic::AtomicUsize, sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::json;

use super::{
    fixture::{Content, LAYER},
    server::{Act, Seen, Server, answer, broken},
    stream::{copy, tagged},
};
use crate::{
    Client, Digest, Error, RawManifest,
    copy::{BlobMap, CopyOptions, CopyReport, Referrers},
    media_type,
};

/// Small enough to be carried by the POST.
const SMALL: &[u8] = b"a layer of a few bytes";
/// Large enough to stream, in several chunks.
static LARGE: [u8; 300_000] = [7; 300_000];

/// A source with an image of one large and one small layer.
async fn source(server: &Server) -> RawManifest {
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"faults\":1}");
    let layers = [content.blob(LAYER, SMALL), content.blob(LAYER, &LARGE)];
    let image = content.manifest(
        media_type::OCI_MANIFEST,
        &json!({"schemaVersion": 2, "config": config, "layers": layers}),
    );
    content.upload(&server.client(), "a").await;
    server.client().push_manifest("a", "1", &image).await.unwrap();
    server.forget();
    image
}

struct Attempt {
    result: Result<CopyReport, Error>,
    from: Server,
    to: Server,
    image: RawManifest,
}

impl Attempt {
    /// Copies between two registries with scripts; patience is short.
    async fn new(
        reads: impl Fn(&Seen) -> Act + Send + Sync + 'static,
        writes: impl Fn(&Seen) -> Act + Send + Sync + 'static,
    ) -> Self {
        let from = Server::scripted(move |seen| match seen.method.as_str() {
            "GET" | "HEAD" => reads(seen),
            _ => Act::Pass,
        })
        .await;
        let to = Server::scripted(writes).await;
        let image = source(&from).await;
        let impatient = |server: &Server| {
            server.client_with(|options| options.idle_timeout = Duration::from_millis(300))
        };
        let (source, destination) = (impatient(&from), impatient(&to));
        let options = CopyOptions { referrers: Referrers::None, ..tagged("1") };
        let result = copy((&source, "a"), "1", (&destination, "b"), &options).await;
        Self { result, from, to, image }
    }

    /// The image is there, whole.
    async fn check_arrived(self, name: &str) {
        self.result.unwrap_or_else(|error| panic!("{name}: {error}"));
        check_whole(&self.to.client(), &self.image).await;
    }

    /// Nothing is visible, and what is there under a digest has it.
    async fn check_failed(self, name: &str, is_expected: impl Fn(&Error) -> bool) {
        let error = self.result.expect_err(name);
        assert!(is_expected(&error), "{name}: {error:?}");
        assert_invisible(&self.to, &self.image).await;
    }
}

async fn check_whole(client: &Client, image: &RawManifest) {
    assert_eq!(client.manifest("b", "1").await.unwrap(), *image);
    for layer in [SMALL, &LARGE] {
        let layer = crate::Descriptor::of(LAYER, layer);
        client.read_blob("b", &layer, 1_000_000).await.unwrap();
    }
}

async fn assert_invisible(to: &Server, image: &RawManifest) {
    let written = to.requests();
    assert!(!written.iter().any(|one| one.starts_with("PUT /v2/b/manifests/")), "{written:#?}");
    assert_eq!(to.client().tags("b").await.unwrap_or_default(), Vec::<String>::new());
    assert_eq!(to.client().resolve("b", &image.digest.to_string()).await.unwrap(), None);
}

fn is_layer(seen: &Seen, layer: &[u8]) -> bool {
    seen.is("GET", &format!("/blobs/{}", Digest::sha256(layer)))
}

fn pass(_: &Seen) -> Act {
    Act::Pass
}

/// The large layer once with a byte changed, of the same length.
fn tampered() -> Bytes {
    let mut bytes = LARGE.to_vec();
    bytes[299_999] ^= 1;
    bytes.into()
}

#[tokio::test]
async fn wrong_content_of_the_source_never_arrives() {
    type Body = fn() -> Bytes;
    let bodies: [(&str, &[u8], Body); 4] = [
        ("large, one byte wrong at the end", &LARGE, tampered),
        ("large, too long", &LARGE, || Bytes::from(vec![7; 300_001])),
        ("small, wrong", SMALL, || Bytes::from_static(b"A layer of a few bytes")),
        ("small, nothing", SMALL, Bytes::new),
    ];
    for (name, layer, body) in bodies {
        let reads = move |seen: &Seen| {
            if is_layer(seen, layer) { answer(200, &[], body()) } else { Act::Pass }
        };
        let attempt = Attempt::new(reads, pass).await;
        let digest = Digest::sha256(layer);
        assert!(!attempt.to.client().blob_exists("b", &digest).await.unwrap(), "{name}");
        let wrong = Digest::sha256(&body());
        assert!(!attempt.to.client().blob_exists("b", &wrong).await.unwrap(), "{name}");
        attempt.check_failed(name, |error| matches!(error, Error::VerifyContent { .. })).await;
    }
}

#[tokio::test]
async fn a_source_that_breaks_is_continued_while_the_upload_runs() {
    let reads = |seen: &Seen| match seen.before {
        0 if is_layer(seen, &LARGE) => broken(200, &[], &LARGE[..100_000], LARGE.len()),
        _ => Act::Pass,
    };
    let attempt = Attempt::new(reads, pass).await;
    let log = attempt.from.log();
    let ranges: Vec<_> =
        log.iter().filter(|seen| is_layer(seen, &LARGE)).map(|seen| seen.header("range")).collect();
    let [None, Some(range)] = ranges[..] else { panic!("{ranges:?}") };
    let start: usize =
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    assert!((1..=100_000).contains(&start), "{range}");
    // The destination saw one upload.
    assert_eq!(attempt.to.log().iter().filter(|seen| seen.is("PUT", "/uploads/")).count(), 1);
    attempt.check_arrived("broken once").await;
}

#[tokio::test]
async fn a_source_that_stalls_is_asked_again() {
    let stalled = || {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(&LARGE[..1000])]);
        axum::body::Body::from_stream(first.chain(futures::stream::pending()))
    };
    let reads = move |seen: &Seen| match seen.before {
        0 if is_layer(seen, &LARGE) => answer(200, &[("content-length", "300000")], stalled()),
        _ => Act::Pass,
    };
    Attempt::new(reads, pass).await.check_arrived("stalled once").await;
}

#[tokio::test]
async fn refusals_that_pass_are_waited_out_on_both_sides() {
    for (name, status, headers) in [
        ("429 that says when", 429, vec![("retry-after", "0")]),
        ("429", 429, vec![]),
        ("500", 500, vec![]),
        ("503 that says when", 503, vec![("retry-after", "0")]),
    ] {
        // Every manifest and blob once; uploads have a path of their own each time, so one of each method.
        let methods = std::sync::Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
        let once = move |seen: &Seen| {
            let is_first = if seen.path.contains("/uploads/") {
                methods.lock().unwrap().insert(seen.method.clone())
            } else {
                seen.before == 0
            };
            if is_first { answer(status, &headers, "") } else { Act::Pass }
        };
        Attempt::new(once.clone(), pass).await.check_arrived(name).await;
        Attempt::new(pass, once).await.check_arrived(name).await;
    }
}

#[tokio::test]
async fn refusals_that_stay_leave_nothing_visible() {
    for path in ["/blobs/", "/manifests/"] {
        let reads =
            move |seen: &Seen| if seen.is("GET", path) { answer(500, &[], "") } else { Act::Pass };
        Attempt::new(reads, pass).await.check_failed(path, Error::is_retryable).await;
    }
    for method in ["POST", "PUT"] {
        let writes = move |seen: &Seen| {
            if seen.is(method, "/blobs/uploads/") { answer(500, &[], "") } else { Act::Pass }
        };
        Attempt::new(pass, writes).await.check_failed(method, Error::is_retryable).await;
    }
}

#[tokio::test]
async fn an_upload_without_a_location_ends_the_copy() {
    let lose = |headers: &mut axum::http::HeaderMap| {
        headers.remove("location");
    };
    let writes =
        move |seen: &Seen| if seen.method == "POST" { Act::Change(lose) } else { Act::Pass };
    let is_expected = |error: &Error| error.to_string().ends_with("an upload without a Location");
    Attempt::new(pass, writes).await.check_failed("no location", is_expected).await;
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_blob_is_renewed() {
    let asked = AtomicUsize::new(0);
    let reads = move |seen: &Seen| {
        let host = seen.header("host").unwrap();
        if seen.path == "/token" {
            let number = asked.fetch_add(1, Ordering::Relaxed);
            let body = format!(r#"{{"token":"t{number}","expires_in":300}}"#);
            return answer(200, &[], body);
        }
        let challenge = format!(r#"Bearer realm="http://{host}/token""#);
        let is_second = asked.load(Ordering::Relaxed) > 1;
        match seen.header("authorization") {
            None => answer(401, &[("www-authenticate", &challenge)], ""),
            // The blob breaks off, and what is left of it wants another token.
            Some("Bearer t0") if seen.header("range").is_some() || is_second => {
                answer(401, &[("www-authenticate", &challenge)], "")
            }
            Some("Bearer t0") if is_layer(seen, &LARGE) => {
                broken(200, &[], &LARGE[..100_000], LARGE.len())
            }
            Some(_) => Act::Pass,
        }
    };
    // The image is uploaded without a login: only reads of the source are scripted.
    let attempt = Attempt::new(reads, pass).await;
    let tokens = attempt.from.requests().iter().filter(|one| one.ends_with("/token")).count();
    assert_eq!(tokens, 2);
    attempt.check_arrived("renewed").await;
}

#[tokio::test]
async fn blobs_come_from_another_host_without_our_credentials() {
    let storage = Server::scripted(|seen| {
        if seen.path == "/storage" { answer(200, &[], LARGE.as_slice()) } else { Act::Pass }
    })
    .await;
    let location = format!("{}/storage", storage.url);
    let reads = move |seen: &Seen| {
        assert!(seen.header("authorization").is_none_or(|header| header == "Basic dTpw"));
        if seen.header("authorization").is_none() {
            return answer(401, &[("www-authenticate", "Basic")], "");
        }
        let redirect = answer(307, &[("location", &location)], "");
        if is_layer(seen, &LARGE) { redirect } else { Act::Pass }
    };
    let from = Server::scripted(move |seen| match seen.method.as_str() {
        "GET" | "HEAD" => reads(seen),
        _ => Act::Pass,
    })
    .await;
    let image = source(&from).await;
    let to = Server::honest().await;
    let options = CopyOptions { referrers: Referrers::None, ..tagged("1") };
    copy((&from.client_as("u", "p"), "a"), "1", (&to.client(), "b"), &options).await.unwrap();
    check_whole(&to.client(), &image).await;
    let log = storage.log();
    let [read] = &log[..] else { panic!("{log:?}") };
    assert_eq!(read.header("authorization"), None);
}

#[tokio::test]
async fn a_blob_that_the_destination_loses_is_sent_again_once() {
    for (name, method, layer) in [("small", "POST", SMALL), ("large", "PUT", &LARGE)] {
        let digest = Digest::sha256(layer).to_string().replace(':', "%3A");
        let lies = AtomicUsize::new(0);
        // It says that it stored the layer, and has not.
        let writes = move |seen: &Seen| {
            let is_upload = seen.is(method, "/blobs/uploads/")
                && seen.query.contains(&format!("digest={digest}"))
                && !seen.query.contains("digest-");
            if is_upload && lies.fetch_add(1, Ordering::Relaxed) == 0 {
                return answer(201, &[], "");
            }
            Act::Pass
        };
        let attempt = Attempt::new(pass, writes).await;
        let manifests = |seen: &&Seen| seen.is("PUT", "/manifests/");
        assert_eq!(attempt.to.log().iter().filter(manifests).count(), 2, "{name}");
        attempt.check_arrived(name).await;
    }
}

#[tokio::test]
async fn a_destination_that_loses_everything_is_an_error() {
    let unknown = || answer(404, &[], r#"{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN"}]}"#);
    let writes =
        move |seen: &Seen| if seen.is("PUT", "/manifests/") { unknown() } else { Act::Pass };
    let attempt = Attempt::new(pass, writes).await;
    assert_eq!(attempt.to.log().iter().filter(|seen| seen.is("PUT", "/manifests/")).count(), 2);
    assert!(attempt.result.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_registry_that_knows_neither_mounts_nor_content_in_a_post_is_served_all_the_same() {
    for status in [400, 404, 405, 415] {
        let writes = move |seen: &Seen| {
            let is_more = seen.method == "POST" && !seen.query.is_empty();
            if is_more { answer(status, &[], "") } else { Act::Pass }
        };
        let attempt = Attempt::new(pass, writes).await;
        let mut refused = attempt.to.log();
        refused.retain(|seen| seen.method == "POST" && !seen.query.is_empty());
        // Both small blobs may ask before the first answer; nobody asks after it.
        assert!(refused.len() <= 2, "{status}: {refused:#?}");
        attempt.check_arrived("refused").await;
    }
}

#[tokio::test]
async fn an_index_of_twenty_thousand_children_is_refused_before_anything_is_written() {
    let options =
        arc_registry::Options { check_references: false, ..arc_registry::Options::default() };
    let (from, to) = (Server::start(options, pass).await, Server::honest().await);
    let children: Vec<_> = (0..20_000_u32)
        .map(|n| crate::Descriptor::of(media_type::OCI_MANIFEST, &n.to_be_bytes()))
        .collect();
    let index = RawManifest::new(
        media_type::OCI_INDEX,
        json!({"schemaVersion": 2, "manifests": children}).to_string(),
    );
    from.client().push_manifest("a", "1", &index).await.unwrap();
    let result = copy((&from.client(), "a"), "1", (&to.client(), "b"), &tagged("1")).await;
    let error = result.unwrap_err().to_string();
    assert!(error.ends_with("20000 entries, more than the limit of 16384"), "{error}");
    assert_invisible(&to, &index).await;
}

#[tokio::test]
async fn an_index_of_a_thousand_children_arrives_whole() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"many\":1}");
    let children: Vec<_> = (0..1000_u32)
        .map(|n| {
            let text = json!({"schemaVersion": 2, "config": config, "layers": [], "annotations": {"n": n.to_string()}});
            content.manifest(media_type::OCI_MANIFEST, &text).descriptor()
        })
        .collect();
    let index = content
        .manifest(media_type::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": children}));
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &index).await.unwrap();
    let options = CopyOptions { referrers: Referrers::None, ..tagged("1") };
    let copied = copy((&from.client(), "a"), "1", (&to.client(), "b"), &options).await.unwrap();
    assert_eq!((copied.manifests_written, copied.blobs_sent), (1001, 1));
    assert_eq!(to.client().manifest("b", "1").await.unwrap(), index);
}

#[tokio::test]
async fn a_copy_that_is_stopped_leaves_no_tag_and_holds_nobody_up() {
    let stalled = || {
        let first = futures::stream::iter([Ok::<_, std::io::Error>(&LARGE[..1000])]);
        axum::body::Body::from_stream(first.chain(futures::stream::pending()))
    };
    let from = Server::scripted(move |seen| match seen.before {
        0 if is_layer(seen, &LARGE) => answer(200, &[("content-length", "300000")], stalled()),
        _ => Act::Pass,
    })
    .await;
    let (image, to, blobs) = (source(&from).await, Server::honest().await, BlobMap::new());
    let options =
        || CopyOptions { blobs: blobs.clone(), referrers: Referrers::None, ..tagged("1") };
    let (source, destination) = (from.client(), to.client());
    let first = options();
    let stopped = copy((&source, "a"), "1", (&destination, "b"), &first);
    assert!(tokio::time::timeout(Duration::from_millis(500), stopped).await.is_err());
    assert_invisible(&to, &image).await;
    let report = copy((&source, "a"), "1", (&destination, "b"), &options()).await.unwrap();
    // What had arrived is known.
    assert_eq!((report.blobs_sent, report.blobs_present), (1, 2));
    check_whole(&destination, &image).await;
}

#[tokio::test]
async fn a_destination_that_stalls_is_asked_again_and_given_up() {
    for method in ["POST", "PUT"] {
        let from = Server::honest().await;
        let image = source(&from).await;
        let has_stalled = std::sync::atomic::AtomicBool::new(false);
        let once = Server::scripted(move |seen| {
            let is_it = seen.is(method, "/blobs/");
            if is_it && !has_stalled.swap(true, std::sync::atomic::Ordering::Relaxed) {
                Act::Stall
            } else {
                Act::Pass
            }
        });
        let always =
            Server::scripted(
                move |seen| {
                    if seen.is(method, "/blobs/") { Act::Stall } else { Act::Pass }
                },
            );
        let (once, always) = (once.await, always.await);
        let impatient = |server: &Server| {
            server.client_with(|options| {
                options.idle_timeout = std::time::Duration::from_millis(100);
                options.retries = 1;
                options.retry_delay = std::time::Duration::ZERO;
            })
        };
        let (to, options) = (impatient(&always), tagged("1"));
        let error = copy((&from.client(), "a"), "1", (&to, "b"), &options).await.unwrap_err();
        assert!(matches!(error, Error::AwaitAnswer { .. }) && error.is_retryable(), "{error}");
        assert_invisible(&always, &image).await;
        copy((&from.client(), "a"), "1", (&impatient(&once), "b"), &options).await.unwrap();
        check_whole(&once.client(), &image).await;
    }
}

#[tokio::test]
async fn headers_that_are_missing_or_wrong_change_nothing() {
    fn poorer(headers: &mut axum::http::HeaderMap) {
        headers.remove("docker-content-digest");
        headers.insert("content-type", "text/plain".parse().unwrap());
    }
    let (from, to) = (
        Server::scripted(|_| Act::Change(poorer)).await,
        Server::scripted(|_| Act::Change(poorer)).await,
    );
    let image = source(&from).await;
    copy((&from.client(), "a"), "1", (&to.client(), "b"), &tagged("1")).await.unwrap();
    check_whole(&to.client(), &image).await;
}

#[tokio::test]
async fn a_manifest_that_is_larger_than_allowed_is_not_read_to_its_end() {
    let from = Server::scripted(|seen| {
        if seen.is("GET", "/manifests/1") {
            answer(200, &[], vec![b' '; 5 << 20])
        } else {
            Act::Pass
        }
    });
    let (from, to) = (from.await, Server::honest().await);
    let image = source(&from).await;
    let error = copy((&from.client(), "a"), "1", (&to.client(), "b"), &tagged("1")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("larger than 4194304 bytes"), "{error}");
    assert_invisible(&to, &image).await;
}

#[tokio::test]
async fn a_layer_that_is_listed_twice_moves_once() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"twice\":1}");
    let layer = content.blob(LAYER, b"twice");
    let text = json!({"schemaVersion": 2, "config": config, "layers": [layer, layer, layer]});
    let image = content.manifest(media_type::OCI_MANIFEST, &text);
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &image).await.unwrap();
    let copied = copy((&from.client(), "a"), "1", (&to.client(), "b"), &tagged("1")).await.unwrap();
    assert_eq!((copied.blobs_sent, copied.bytes_sent), (2, config.size + layer.size));
    assert_eq!(to.client().manifest("b", "1").await.unwrap(), image);
}

#[tokio::test]
async fn dates_are_meant_by_the_clock_of_the_registry() {
    // By our clock this is years ago, or years to come; by its own it is now.
    for date in ["Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2099 07:28:00 GMT"] {
        let from = Server::scripted(move |seen| {
            let headers = [("date", date), ("retry-after", date)];
            if seen.before == 0 && seen.is("GET", "/manifests/") {
                answer(429, &headers, "")
            } else {
                Act::Pass
            }
        });
        let (from, to) = (from.await, Server::honest().await);
        let image = source(&from).await;
        copy((&from.client(), "a"), "1", (&to.client(), "b"), &tagged("1")).await.unwrap();
        check_whole(&to.client(), &image).await;
    }
}

#[tokio::test]
async fn referrers_travel_by_their_type() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let (content, root) = super::fixture::everything();
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &root).await.unwrap();
    for (referrers, tags) in
        [("sig", 1), ("none", 0), ("no/such-type", 0), ("all", content.tags.len())]
    {
        let options = CopyOptions {
            referrers: Referrers::parse(referrers),
            recheck: true,
            ..tagged(&format!("to-{}", referrers.replace('/', "-")))
        };
        let from_client = from.client();
        let copied = copy((&from_client, "a"), "1", (&to.client(), "b"), &options).await.unwrap();
        let expected = if referrers == "all" { 3 } else { 0 };
        assert_eq!(
            (copied.referrers, copied.legacy_tags.len().min(tags)),
            (expected, tags),
            "{referrers}"
        );
    }
}
