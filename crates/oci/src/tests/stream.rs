//! Whole images from registry to registry, and the requests that it takes.

use serde_json::json;

use super::{
    fixture::{Content, LAYER, everything},
    server::{Act, Server, answer},
    transfer::{check_complete, unique},
};
use crate::{
    Client, Descriptor, Error, Platform, Progress, RawManifest,
    copy::{BlobMap, CopyOptions, CopyReport, Place, Referrers, Selection, TagConflict, stream},
    media_type,
};

pub(super) fn tagged(tag: &str) -> CopyOptions {
    CopyOptions { tag: Some(tag.to_owned()), ..CopyOptions::default() }
}

pub(super) async fn copy(
    from: (&Client, &str),
    root: &str,
    to: (&Client, &str),
    options: &CopyOptions,
) -> Result<CopyReport, Error> {
    let place = |(client, repository)| Place { client, repository };
    let progress = Progress::new();
    let report = stream(place(from), root, place(to), options, &progress).await?;
    let (done, total) = progress.snapshot();
    assert_eq!(done, total);
    Ok(report)
}

/// An image with everything, tagged at a source.
async fn source(server: &Server) -> (Content, RawManifest) {
    let (content, root) = everything();
    let client = server.client();
    content.upload(&client, "team/app").await;
    client.push_manifest("team/app", "1.0", &root).await.unwrap();
    server.forget();
    (content, root)
}

async fn carry(from: &Server, to: &Server) {
    let (content, root) = source(from).await;
    let (source, destination) = (from.client(), to.client());
    let options = tagged("v1");
    let report =
        copy((&source, "team/app"), "1.0", (&destination, "mirror/app"), &options).await.unwrap();
    let mut legacy_tags: Vec<_> = content.tags.iter().map(|(tag, _)| tag.clone()).collect();
    legacy_tags.sort();
    let own_tags = 1;
    let expected = CopyReport {
        is_unchanged: false,
        blobs_sent: unique(&content),
        manifests_written: (content.manifests.len() + content.tags.len() + own_tags) as u64,
        referrers: 3,
        legacy_tags,
        bytes_sent: report.bytes_sent,
        ..unchanged(&root)
    };
    assert_eq!(report, CopyReport { manifests_present: 0, ..expected });
    check_complete(&content, &to.client(), "mirror/app").await;
    assert_eq!(to.client().manifest("mirror/app", "v1").await.unwrap(), root);
    // The source is only read, and no blob twice.
    assert_eq!(from.count("GET") + from.count("HEAD"), from.log().len());
    let mut blobs: Vec<_> = from.requests();
    blobs.retain(|request| request.contains("/blobs/"));
    let all = blobs.len();
    blobs.sort();
    blobs.dedup();
    assert_eq!(blobs.len(), all);

    // Nothing to do takes one request per side.
    from.forget();
    to.forget();
    let again = copy((&source, "team/app"), "1.0", (&destination, "mirror/app"), &options).await;
    assert_eq!(again.unwrap(), unchanged(&root));
    assert_eq!(from.requests(), ["HEAD /v2/team/app/manifests/1.0"]);
    assert_eq!(to.requests(), ["HEAD /v2/mirror/app/manifests/v1"]);

    // Whoever wants to know better compares everything and writes nothing.
    let options = CopyOptions { recheck: true, ..tagged("v1") };
    to.forget();
    let again = copy((&source, "team/app"), "1.0", (&destination, "mirror/app"), &options).await;
    let again = again.unwrap();
    assert_eq!((again.referrers, again.manifests_written, again.blobs_sent), (3, 0, 0));
    assert_eq!((to.count("PUT"), to.count("POST")), (0, 0));
}

fn unchanged(root: &RawManifest) -> CopyReport {
    CopyReport {
        source: root.digest.clone(),
        destination: root.digest.clone(),
        is_unchanged: true,
        blobs_sent: 0,
        bytes_sent: 0,
        blobs_mounted: 0,
        blobs_present: 0,
        manifests_written: 0,
        manifests_present: 1,
        referrers: 0,
        legacy_tags: Vec::new(),
        conflicts: Vec::new(),
        foreign: Vec::new(),
        selection: None,
    }
}

#[tokio::test]
async fn an_image_with_everything_streams_byte_for_byte() {
    carry(&Server::honest().await, &Server::honest().await).await;
}

#[tokio::test]
async fn an_image_with_everything_streams_to_a_registry_without_referrers_api() {
    carry(&Server::honest().await, &Server::old().await).await;
}

#[tokio::test]
async fn an_image_with_everything_streams_from_a_registry_without_referrers_api() {
    carry(&Server::old().await, &Server::honest().await).await;
}

#[tokio::test]
async fn referrers_can_be_left_behind() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let (content, root) = source(&from).await;
    let options = CopyOptions { referrers: Referrers::None, ..tagged("v1") };
    let report = copy((&from.client(), "team/app"), "1.0", (&to.client(), "a"), &options).await;
    let report = report.unwrap();
    assert_eq!((report.referrers, report.legacy_tags.len(), report.manifests_written), (0, 0, 6));
    assert_eq!(to.client().referrers("a", &root.digest).await.unwrap(), []);
    let tag = &content.tags[0].0;
    assert_eq!(to.client().resolve("a", tag).await.unwrap(), None);
}

#[tokio::test]
async fn a_digest_is_copied_without_a_tag() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let (_, root) = source(&from).await;
    let digest = root.digest.to_string();
    let (source, destination, options) = (from.client(), to.client(), CopyOptions::default());
    let first = copy((&source, "team/app"), &digest, (&destination, "a"), &options).await.unwrap();
    assert_eq!((first.destination, first.is_unchanged), (root.digest, false));
    // Cosign's tags are there, the image has none.
    assert_eq!(to.client().tags("a").await.unwrap().len(), 2);
    let again = copy((&source, "team/app"), &digest, (&destination, "a"), &options).await.unwrap();
    assert!(again.is_unchanged);
}

#[tokio::test]
async fn a_small_image_takes_the_fewest_requests() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let image = content.image(b"layer");
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &image).await.unwrap();
    from.forget();
    let options = CopyOptions { referrers: Referrers::None, ..tagged("1") };
    copy((&from.client(), "a"), "1", (&to.client(), "b"), &options).await.unwrap();
    // A manifest and two blobs.
    assert_eq!(from.count("GET"), 3);
    assert_eq!(from.log().len(), 3);
    // The question whether it is there, one POST for each blob, the tag.
    assert_eq!((to.count("HEAD"), to.count("POST"), to.count("PUT")), (1, 2, 1));
    assert_eq!(to.log().len(), 4);
}

/// An image of five layers that are too large to be sent without asking.
async fn large_image(from: &Server) -> RawManifest {
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"large\":1}");
    let layers: Vec<_> = (0..5).map(|n| content.blob(LAYER, &vec![n; 100_000])).collect();
    let image = content.manifest(
        media_type::OCI_MANIFEST,
        &json!({"schemaVersion": 2, "config": config, "layers": layers}),
    );
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &image).await.unwrap();
    from.forget();
    image
}

#[tokio::test]
async fn large_layers_are_not_sent_twice_whatever_the_registry_can_do() {
    let poor = arc_registry::Options { mount: false, ..arc_registry::Options::default() };
    for (options, requests) in [
        // HEAD of the tag, the config, one trial of a mount, HEAD, POST and PUT of each layer, the tag.
        (arc_registry::Options::default(), 1 + 1 + 1 + 5 * 3 + 1),
        // The trial opens an upload that is closed again.
        (poor, 1 + 1 + 2 + 5 * 3 + 1),
    ] {
        let (from, to) = (Server::honest().await, Server::start(options, |_| Act::Pass).await);
        large_image(&from).await;
        let options = CopyOptions { referrers: Referrers::None, ..tagged("1") };
        let (source, destination) = (from.client(), to.client());
        copy((&source, "a"), "1", (&destination, "b"), &options).await.unwrap();
        assert_eq!(to.log().len(), requests, "{:#?}", to.requests());

        // Another process, another tag, an image that shares all of them: nothing is sent again.
        from.forget();
        to.forget();
        let options = CopyOptions { referrers: Referrers::None, ..tagged("2") };
        let report = copy((&source, "a"), "1", (&destination, "b"), &options).await.unwrap();
        assert!(report.bytes_sent <= 11, "{report:?}");
        assert_eq!(from.requests().iter().filter(|one| one.contains("/blobs/")).count(), 1);
    }
}

#[tokio::test]
async fn what_many_images_share_moves_once_and_is_mounted() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"shared\":1}");
    let shared: Vec<_> = (0..4).map(|n| content.blob(LAYER, &vec![n; 100_000])).collect();
    let mut images = Vec::new();
    for n in 0..6_u8 {
        let mut layers = shared.clone();
        layers.push(content.blob(LAYER, &[n; 50]));
        images.push(content.manifest(
            media_type::OCI_MANIFEST,
            &json!({"schemaVersion": 2, "config": config, "layers": layers}),
        ));
    }
    content.upload(&from.client(), "a").await;
    for (n, image) in images.iter().enumerate() {
        from.client().push_manifest("a", &n.to_string(), image).await.unwrap();
    }
    from.forget();
    let (source, destination, blobs) = (from.client(), to.client(), BlobMap::new());
    let copies =
        (0..images.len()).map(|n| {
            let (tag, repository) = (n.to_string(), format!("mirror/{n}"));
            let options =
                CopyOptions { blobs: blobs.clone(), referrers: Referrers::None, ..tagged(&tag) };
            let (source, destination) = (source.clone(), destination.clone());
            async move {
                copy((&source, "a"), &tag, (&destination, &repository), &options).await.unwrap()
            }
        });
    let reports = futures::future::join_all(copies).await;
    let sum = |value: fn(&CopyReport) -> u64| reports.iter().map(value).sum::<u64>();
    assert_eq!((sum(|one| one.blobs_sent), sum(|one| one.blobs_mounted)), (5 + 6, 5 * 5));
    // Nothing is read twice.
    assert_eq!(from.requests().iter().filter(|one| one.contains("/blobs/")).count(), 5 + 6);
    for (n, image) in images.iter().enumerate() {
        let found = destination.manifest(&format!("mirror/{n}"), &n.to_string()).await.unwrap();
        assert_eq!(found, *image);
        let repository = format!("mirror/{n}");
        for layer in &shared {
            assert!(destination.blob_exists(&repository, &layer.digest).await.unwrap());
        }
    }
}

#[tokio::test]
async fn chosen_platforms_get_an_index_of_their_own() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let (amd64, arm64) = (content.image(b"amd64"), content.image(b"arm64"));
    let mut entries = json!([amd64.descriptor(), arm64.descriptor()]);
    entries[0]["platform"] = json!({"os": "linux", "architecture": "amd64"});
    entries[1]["platform"] = json!({"os": "linux", "architecture": "arm64"});
    let root =
        content.manifest(media_type::OCI_INDEX, &json!({"schemaVersion": 2, "manifests": entries}));
    content.upload(&from.client(), "a").await;
    from.client().push_manifest("a", "1", &root).await.unwrap();
    let platform = Platform {
        os: "linux".to_owned(),
        architecture: "amd64".to_owned(),
        ..Platform::default()
    };
    let options = CopyOptions { platforms: vec![platform.clone()], ..tagged("1") };
    let (source, destination) = (from.client(), to.client());
    let report = copy((&source, "a"), "1", (&destination, "b"), &options).await.unwrap();
    assert_eq!(report.selection, Some(Selection { chosen: vec![platform], left_out: 1 }));
    assert_eq!((&report.source, report.source == report.destination), (&root.digest, false));
    let index = destination.manifest("b", "1").await.unwrap();
    assert_eq!(index.digest, report.destination);
    let resolve = async |raw: &RawManifest| {
        destination.resolve("b", &raw.digest.to_string()).await.unwrap().is_some()
    };
    assert_eq!((resolve(&amd64).await, resolve(&arm64).await), (true, false));
    from.forget();
    to.forget();
    let again = copy((&source, "a"), "1", (&destination, "b"), &options).await.unwrap();
    assert!(again.is_unchanged);
    assert_eq!((from.log().len(), to.log().len()), (1, 1));
}

#[tokio::test]
async fn a_tag_that_moves_brings_only_what_is_new() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut content = Content::default();
    let (old, same) = (content.image(b"old"), content.image(b"the same"));
    let before = content.index(media_type::OCI_INDEX, &[&old, &same]);
    let new = content.image(b"brand new");
    let after = content.index(media_type::OCI_INDEX, &[&new, &same]);
    content.upload(&from.client(), "a").await;
    let (source, destination) = (from.client(), to.client());
    for (root, written, present) in [(&before, 3, 0), (&after, 2, 1)] {
        source.push_manifest("a", "1", root).await.unwrap();
        let report = copy((&source, "a"), "1", (&destination, "b"), &tagged("1")).await.unwrap();
        assert_eq!((report.manifests_written, report.manifests_present), (written, present));
    }
    assert_eq!(destination.manifest("b", "1").await.unwrap(), after);
}

#[tokio::test]
async fn a_referrer_added_later_comes_with_a_recheck() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let (mut content, root) = source(&from).await;
    let (source, destination) = (from.client(), to.client());
    copy((&source, "team/app"), "1.0", (&destination, "b"), &tagged("1")).await.unwrap();
    let late = content.referrer(&root, "application/vnd.test.late");
    content.upload(&source, "team/app").await;
    let options = CopyOptions { recheck: true, ..tagged("1") };
    let report = copy((&source, "team/app"), "1.0", (&destination, "b"), &options).await.unwrap();
    assert_eq!((report.referrers, report.manifests_written), (4, 1));
    let listed = destination.referrers("b", &root.digest).await.unwrap();
    assert!(listed.iter().any(|one| one.digest == late.digest));
    check_complete(&content, &destination, "b").await;
}

#[tokio::test]
async fn a_signature_of_the_destination_is_kept() {
    let (from, to) = (Server::honest().await, Server::honest().await);
    let mut ours = Content::default();
    let image = ours.image(b"layer");
    let upstream = ours.legacy(&image.digest, "sig", &[b"upstream's signature"]);
    ours.upload(&from.client(), "a").await;
    let mut theirs = Content::default();
    let own = theirs.legacy(&image.digest, "sig", &[b"their signature"]);
    theirs.upload(&to.client(), "b").await;
    let digest = image.digest.to_string();
    let report =
        copy((&from.client(), "a"), &digest, (&to.client(), "b"), &tagged("1")).await.unwrap();
    let conflict = TagConflict {
        tag: image.digest.legacy_tag("sig"),
        source: upstream.descriptor(),
        destination: own.descriptor(),
    };
    assert_eq!((report.conflicts, report.legacy_tags), (vec![conflict], Vec::new()));
    let tag = image.digest.legacy_tag("sig");
    assert_eq!(to.client().manifest("b", &tag).await.unwrap(), own);
}

#[tokio::test]
async fn foreign_layers_that_the_source_lacks_stay_behind() {
    let options =
        arc_registry::Options { check_references: false, ..arc_registry::Options::default() };
    let from = Server::start(options.clone(), |_| Act::Pass).await;
    let to = Server::start(options, |_| Act::Pass).await;
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{\"foreign\":1}");
    let mut absent = Descriptor::of(LAYER, b"absent");
    absent.urls = vec!["https://elsewhere.example/layer".to_owned()];
    let image = content.manifest(
        media_type::OCI_MANIFEST,
        &json!({"schemaVersion": 2, "config": config, "layers": [absent]}),
    );
    content.upload(&from.client(), "a").await;
    let digest = image.digest.to_string();
    let report =
        copy((&from.client(), "a"), &digest, (&to.client(), "b"), &tagged("1")).await.unwrap();
    assert_eq!((report.blobs_sent, report.foreign), (1, vec![absent.digest]));
}

#[tokio::test]
async fn tokens_are_asked_for_with_what_a_mount_needs() {
    let to = Server::scripted(|seen| {
        let host = seen.header("host").unwrap();
        if seen.path == "/token" {
            return answer(200, &[], r#"{"token":"t","expires_in":300}"#);
        }
        if seen.header("authorization").is_some() {
            return Act::Pass;
        }
        answer(401, &[("www-authenticate", &format!(r#"Bearer realm="http://{host}/token""#))], "")
    })
    .await;
    let from = Server::honest().await;
    large_image(&from).await;
    let (source, destination, blobs) = (from.client(), to.client_as("u", "p"), BlobMap::new());
    for repository in ["one", "two"] {
        let options =
            CopyOptions { blobs: blobs.clone(), referrers: Referrers::None, ..tagged("1") };
        copy((&source, "a"), "1", (&destination, repository), &options).await.unwrap();
    }
    let mut tokens: Vec<_> = to.log().into_iter().filter(|seen| seen.path == "/token").collect();
    tokens.sort_by(|one, other| one.query.cmp(&other.query));
    let scopes: Vec<_> = tokens.iter().map(|seen| seen.query.replace("%3A", ":")).collect();
    assert_eq!(
        scopes,
        [
            "scope=repository:one:pull%2Cpush",
            "scope=repository:two:pull%2Cpush",
            "scope=repository:two:pull%2Cpush&scope=repository:one:pull",
        ]
    );
}
