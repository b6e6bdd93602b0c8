//! Whole images through a layout, between registries of both kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    fixture::{Content, LAYER, everything, layout},
    server::{Act, Server, answer},
};
use crate::{
    Client, Descriptor, Digest, Error, Layout, Manifest, Progress, RawManifest,
    copy::{CopyOptions, Place, PullReport, TransferPlan, plan_copy, plan_push, pull, push},
    media_type,
};

async fn referrer_digests(client: &Client, repository: &str, subject: &Digest) -> Vec<Digest> {
    let mut found: Vec<_> = client
        .referrers(repository, subject)
        .await
        .unwrap()
        .into_iter()
        .map(|found| found.digest)
        .collect();
    found.sort();
    found
}

/// Everything of the content is in the repository, byte for byte, and listed where it belongs.
pub(super) async fn check_complete(content: &Content, client: &Client, repository: &str) {
    for manifest in &content.manifests {
        assert_eq!(
            client.manifest(repository, &manifest.digest.to_string()).await.unwrap(),
            *manifest
        );
        let mut expected: Vec<_> = content
            .manifests
            .iter()
            .filter(|other| {
                Manifest::parse(other)
                    .unwrap()
                    .subject
                    .is_some_and(|found| found.digest == manifest.digest)
            })
            .map(|other| other.digest.clone())
            .collect();
        expected.sort();
        assert_eq!(referrer_digests(client, repository, &manifest.digest).await, expected);
    }
    for (tag, manifest) in &content.tags {
        assert_eq!(client.manifest(repository, tag).await.unwrap(), *manifest);
    }
    for blob in &content.blobs {
        let descriptor = Descriptor::of("", blob);
        assert_eq!(client.read_blob(repository, &descriptor, 1000).await.unwrap(), *blob);
    }
}

async fn carry(from: &Server, to: &Server) {
    let (content, root) = everything();
    content.upload(&from.client(), "team/app").await;
    let (_dir, layout) = layout();
    fill(from, &content, &root, &layout).await;

    let (source, destination) = (from.client(), to.client());
    let plan = plan_push(&layout, &root.digest, &destination, "mirror/app").await.unwrap();
    let same = plan_copy(
        Place { client: &source, repository: "team/app" },
        &root.digest.to_string(),
        Place { client: &destination, repository: "mirror/app" },
        &CopyOptions::default(),
    )
    .await;
    assert_eq!(same.unwrap(), plan);
    assert_eq!((plan.bytes_missing, plan.blobs_missing), (plan.bytes_total, unique(&content)));
    assert_eq!(to.count("PUT") + to.count("POST"), 0);

    let progress = Progress::new();
    let report = push(&layout, &root.digest, &to.client(), "mirror/app", &progress).await.unwrap();
    assert_eq!(
        (report.blobs_pushed, report.bytes_pushed),
        (plan.blobs_missing, plan.bytes_missing)
    );
    assert_eq!(progress.snapshot(), (plan.bytes_total, plan.bytes_total));
    assert_eq!((report.conflicts.len(), report.foreign.len(), report.referrers_pushed), (0, 0, 3));
    check_complete(&content, &to.client(), "mirror/app").await;
    check_idle(from, to, &layout, &root).await;
}

pub(super) fn unique(content: &Content) -> u64 {
    content.blobs.iter().map(|blob| Digest::sha256(blob)).collect::<BTreeSet<_>>().len() as u64
}

async fn fill(from: &Server, content: &Content, root: &RawManifest, layout: &Layout) {
    from.forget();
    let progress = Progress::new();
    let mut report =
        pull(&from.client(), "team/app", &root.descriptor(), layout, &progress).await.unwrap();
    let mut legacy_tags: Vec<_> = content.tags.iter().map(|(tag, _)| tag.clone()).collect();
    legacy_tags.sort();
    report.legacy_tags.sort();
    let expected = PullReport {
        blobs: unique(content),
        // The empty object of artifacts travels inside its descriptor.
        bytes: progress.snapshot().1 - 2,
        manifests: (content.manifests.len() + content.tags.len()) as u64,
        referrers: 3,
        legacy_tags,
        ..PullReport::default()
    };
    assert_eq!(report, expected);
    assert_eq!(progress.snapshot().0, progress.snapshot().1);
    assert_eq!(from.count("GET") + from.count("HEAD"), from.log().len());
}

/// Once more in both directions: nothing is fetched again and nothing is written.
async fn check_idle(from: &Server, to: &Server, layout: &Layout, root: &RawManifest) {
    to.forget();
    let again =
        push(layout, &root.digest, &to.client(), "mirror/app", &Progress::new()).await.unwrap();
    assert_eq!((again.blobs_pushed, again.manifests_pushed, again.bytes_pushed), (0, 0, 0));
    assert_eq!(to.count("PUT") + to.count("POST"), 0);
    let plan = plan_push(layout, &root.digest, &to.client(), "mirror/app").await.unwrap();
    let nothing =
        TransferPlan { bytes_missing: 0, blobs_missing: 0, manifests_missing: 0, ..plan.clone() };
    assert_eq!(plan, nothing);
    from.forget();
    let again = pull(&from.client(), "team/app", &root.descriptor(), layout, &Progress::new())
        .await
        .unwrap();
    assert_eq!((again.blobs, again.bytes), (0, 0));
    assert_eq!(from.requests().iter().filter(|request| request.contains("/blobs/")).count(), 0);
}

#[tokio::test]
async fn an_image_with_everything_travels_byte_for_byte() {
    carry(&Server::honest().await, &Server::honest().await).await;
}

#[tokio::test]
async fn an_image_with_everything_travels_to_a_registry_without_referrers_api() {
    carry(&Server::honest().await, &Server::old().await).await;
}

#[tokio::test]
async fn an_image_with_everything_travels_from_a_registry_without_referrers_api() {
    carry(&Server::old().await, &Server::honest().await).await;
}

#[tokio::test]
async fn lists_of_several_pages_are_read_to_their_end() {
    let options = arc_registry::Options { page_size: 2, ..arc_registry::Options::default() };
    let server = Server::start(options, |_| Act::Pass).await;
    let client = server.client();
    let mut content = Content::default();
    let image = content.image(b"layer");
    for number in 0..5 {
        content.referrer(&image, &format!("application/vnd.test.{number}"));
    }
    content.upload(&client, "a").await;
    for tag in ["1", "2", "3", "4", "5"] {
        client.push_manifest("a", tag, &image).await.unwrap();
    }
    assert_eq!(client.tags("a").await.unwrap(), ["1", "2", "3", "4", "5"]);
    assert_eq!(client.referrers("a", &image.digest).await.unwrap().len(), 5);
    // A list that is cut must not make anything stay behind.
    let (_dir, layout) = layout();
    let report = pull(&client, "a", &image.descriptor(), &layout, &Progress::new()).await.unwrap();
    assert_eq!(report.referrers, 5);
}

#[tokio::test]
async fn a_list_of_the_destination_is_extended_and_never_replaced() {
    let server = Server::old().await;
    let client = server.client();
    let mut theirs = Content::default();
    let image = theirs.image(b"layer");
    let own = theirs.referrer(&image, "application/vnd.test.own");
    theirs.upload(&client, "a").await;

    let mut ours = Content::default();
    ours.image(b"layer");
    let upstream = ours.referrer(&image, "application/vnd.test.upstream");
    let (_dir, layout) = layout();
    ours.store(&layout);
    push(&layout, &image.digest, &client, "a", &Progress::new()).await.unwrap();

    let mut expected =
        vec![own.referrer_descriptor().unwrap(), upstream.referrer_descriptor().unwrap()];
    let list = client.manifest("a", &image.digest.referrers_tag()).await.unwrap();
    let mut found = Manifest::parse(&list).unwrap().children;
    found.sort_by(|one, other| one.digest.cmp(&other.digest));
    expected.sort_by(|one, other| one.digest.cmp(&other.digest));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_fallback_tag_that_is_something_else_is_left_alone() {
    let server = Server::old().await;
    let client = server.client();
    let mut content = Content::default();
    let image = content.image(b"layer");
    let other = content.image(b"other");
    content.upload(&client, "a").await;
    client.push_manifest("a", &image.digest.referrers_tag(), &other).await.unwrap();
    let referrer = content.referrer(&image, "application/vnd.test.sbom");
    for blob in &content.blobs {
        client.push_blob("a", &Descriptor::of("", blob), blob.clone()).await.unwrap();
    }
    let error = client.push_referrer("a", &referrer).await.unwrap_err();
    assert!(matches!(error, Error::MergeReferrers { .. }), "{error}");
    assert_eq!(client.manifest("a", &image.digest.referrers_tag()).await.unwrap(), other);
    assert_eq!(client.referrers("a", &image.digest).await.unwrap(), []);
}

#[tokio::test]
async fn a_registry_that_resolves_the_fallback_tag_to_the_image_has_no_referrers() {
    let server = Server::old().await;
    let client = server.client();
    let mut content = Content::default();
    let image = content.image(b"layer");
    let index = content.index(media_type::OCI_INDEX, &[&image]);
    content.upload(&client, "a").await;
    client.push_manifest("a", &index.digest.referrers_tag(), &index).await.unwrap();
    assert_eq!(client.referrers("a", &index.digest).await.unwrap(), []);
}

#[tokio::test]
async fn a_signature_tag_of_the_destination_is_kept_and_the_conflict_is_told() {
    let server = Server::honest().await;
    let client = server.client();
    let mut theirs = Content::default();
    let image = theirs.image(b"layer");
    let own = theirs.legacy(&image.digest, "sig", &[b"their signature"]);
    theirs.upload(&client, "a").await;

    let mut ours = Content::default();
    ours.image(b"layer");
    let upstream = ours.legacy(&image.digest, "sig", &[b"upstream's signature"]);
    let (_dir, layout) = layout();
    ours.store(&layout);
    let report = push(&layout, &image.digest, &client, "a", &Progress::new()).await.unwrap();

    let tag = image.digest.legacy_tag("sig");
    assert_eq!(client.manifest("a", &tag).await.unwrap(), own);
    let [conflict] = &report.conflicts[..] else { panic!("{report:?}") };
    assert_eq!(
        (&conflict.tag, &conflict.source.digest, &conflict.destination.digest),
        (&tag, &upstream.digest, &own.digest)
    );
    // Both are there to be merged.
    assert_eq!(client.manifest("a", &upstream.digest.to_string()).await.unwrap(), upstream);

    // Once somebody has merged them, there is no conflict any more.
    let mut merged = Content::default();
    merged.legacy(&image.digest, "sig", &[b"their signature", b"upstream's signature"]);
    merged.upload(&client, "a").await;
    let report = push(&layout, &image.digest, &client, "a", &Progress::new()).await.unwrap();
    assert_eq!((report.conflicts, report.manifests_pushed), (Vec::new(), 0));
}

#[tokio::test]
async fn a_layout_that_lacks_a_blob_writes_nothing() {
    let server = Server::honest().await;
    let mut content = Content::default();
    let image = content.image(b"layer");
    let (_dir, layout) = layout();
    content.store(&layout);
    let lost = Digest::sha256(b"layer");
    std::fs::remove_file(layout.blob_path(&lost)).unwrap();
    let error =
        push(&layout, &image.digest, &server.client(), "a", &Progress::new()).await.unwrap_err();
    assert!(matches!(error, Error::FindContent { digest, .. } if digest == lost));
    assert_eq!(server.count("PUT") + server.count("POST"), 0);
}

#[tokio::test]
async fn a_tampered_blob_never_arrives() {
    let server = Server::honest().await;
    let mut content = Content::default();
    let layer = vec![7; 1 << 20];
    let image = content.image(&layer);
    let (_dir, layout) = layout();
    content.store(&layout);
    let digest = Digest::sha256(&layer);
    let mut wrong = layer.clone();
    wrong[1000] = 8;
    std::fs::write(layout.blob_path(&digest), &wrong).unwrap();
    let error =
        push(&layout, &image.digest, &server.client(), "a", &Progress::new()).await.unwrap_err();
    assert!(matches!(error, Error::VerifyContent { .. }), "{error:?}");
    let client = server.client();
    assert!(!client.blob_exists("a", &digest).await.unwrap());
    assert!(!client.blob_exists("a", &Digest::sha256(&wrong)).await.unwrap());
    assert_eq!(client.resolve("a", &image.digest.to_string()).await.unwrap(), None);
}

#[tokio::test]
async fn layers_that_must_be_fetched_elsewhere_stay_behind_unless_they_are_there() {
    // This registry holds one of the two, and takes manifests whose foreign layers it lacks.
    let options =
        arc_registry::Options { check_references: false, ..arc_registry::Options::default() };
    let (from, to) = (
        Server::start(options.clone(), |_| Act::Pass).await,
        Server::start(options, |_| Act::Pass).await,
    );
    let mut content = Content::default();
    let config = content.blob(media_type::OCI_CONFIG, b"{}");
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let held = content.blob(foreign, b"held");
    let mut absent = Descriptor::of(LAYER, b"absent");
    absent.urls = vec!["https://elsewhere.example/layer".to_owned()];
    let image = content.manifest(
        media_type::OCI_MANIFEST,
        &json!({"schemaVersion": 2, "config": config, "layers": [held, absent]}),
    );
    content.upload(&from.client(), "a").await;
    let (_dir, layout) = layout();
    let pulled =
        pull(&from.client(), "a", &image.descriptor(), &layout, &Progress::new()).await.unwrap();
    assert_eq!((pulled.blobs, pulled.foreign), (2, vec![absent.digest.clone()]));
    let pushed = push(&layout, &image.digest, &to.client(), "a", &Progress::new()).await.unwrap();
    assert_eq!((pushed.blobs_pushed, pushed.foreign), (2, vec![absent.digest.clone()]));
    assert!(to.client().blob_exists("a", &held.digest).await.unwrap());
}

#[tokio::test]
async fn a_blob_that_the_destination_lost_is_sent_again() {
    let digest = Digest::sha256(b"layer");
    let path = format!("/blobs/{digest}");
    // It claims to have the layer, once.
    let server = Server::scripted(move |seen| {
        if seen.is("HEAD", &path) && seen.before == 0 { answer(200, &[], "") } else { Act::Pass }
    })
    .await;
    let mut content = Content::default();
    let image = content.image(b"layer");
    let (_dir, layout) = layout();
    content.store(&layout);
    push(&layout, &image.digest, &server.client(), "a", &Progress::new()).await.unwrap();
    check_complete(&content, &server.client(), "a").await;
}

#[tokio::test]
async fn a_listed_referrer_of_something_else_is_left_out() {
    let options = arc_registry::Options {
        referrers_api: false,
        check_references: false,
        ..arc_registry::Options::default()
    };
    let server = Server::start(options, |_| Act::Pass).await;
    let client = server.client();
    let mut content = Content::default();
    let (image, other) = (content.image(b"layer"), content.image(b"other"));
    let stranger = content.referrer(&other, "application/vnd.test.sbom");
    let gone = Descriptor::of(media_type::OCI_MANIFEST, b"never uploaded");
    content.upload(&client, "a").await;
    let list = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [stranger.descriptor(), gone]});
    let list = RawManifest::new(media_type::OCI_INDEX, list.to_string());
    client.push_manifest("a", &image.digest.referrers_tag(), &list).await.unwrap();
    let (_dir, layout) = layout();
    let report = pull(&client, "a", &image.descriptor(), &layout, &Progress::new()).await.unwrap();
    assert_eq!((report.manifests, report.referrers), (1, 0));
}

#[tokio::test]
async fn images_deeper_or_older_than_real_ones_are_refused() {
    let options =
        arc_registry::Options { check_references: false, ..arc_registry::Options::default() };
    let server = Server::start(options, |_| Act::Pass).await;
    let client = server.client();
    let mut content = Content::default();
    let mut top = content.image(b"layer");
    for _ in 0..9 {
        top = content.index(media_type::OCI_INDEX, &[&top]);
    }
    content.upload(&client, "a").await;
    let (_dir, layout) = layout();
    let error = pull(&client, "a", &top.descriptor(), &layout, &Progress::new()).await.unwrap_err();
    assert!(error.to_string().starts_with("the depth of index sha256:"), "{error}");
    assert_eq!(layout.refs().unwrap(), BTreeMap::new());
}

#[tokio::test]
async fn contradicting_sizes_of_one_blob_are_refused() {
    let options =
        arc_registry::Options { check_references: false, ..arc_registry::Options::default() };
    let server = Server::start(options, |_| Act::Pass).await;
    let mut content = Content::default();
    let layer = content.blob(LAYER, b"layer");
    let mut other = layer.clone();
    other.size += 1;
    let image = content.manifest(
        media_type::OCI_MANIFEST,
        &json!({"schemaVersion": 2, "config": layer, "layers": [other]}),
    );
    content.upload(&server.client(), "a").await;
    let (_dir, layout) = layout();
    let error = pull(&server.client(), "a", &image.descriptor(), &layout, &Progress::new())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
}

#[tokio::test]
async fn two_pulls_of_one_image_at_the_same_time_fetch_each_blob_once() {
    let server = Server::honest().await;
    let (content, root) = everything();
    content.upload(&server.client(), "a").await;
    server.forget();
    let (_dir, layout): (_, Layout) = layout();
    let (client, progress) = (server.client(), Progress::new());
    let root = root.descriptor();
    let (one, other) = tokio::join!(
        pull(&client, "a", &root, &layout, &progress),
        pull(&client, "a", &root, &layout, &progress)
    );
    one.unwrap();
    other.unwrap();
    let mut blobs: Vec<_> = server
        .requests()
        .into_iter()
        .filter(|request| request.starts_with("GET") && request.contains("/blobs/"))
        .collect();
    let all = blobs.len();
    blobs.sort();
    blobs.dedup();
    assert_eq!(blobs.len(), all);
}

#[tokio::test]
async fn a_signature_that_the_registry_hides_from_its_list_travels_too() {
    let server = Server::scripted(|seen| {
        if seen.path.ends_with("/tags/list") {
            answer(200, &[], r#"{"name":"a","tags":null}"#)
        } else {
            Act::Pass
        }
    })
    .await;
    let mut content = Content::default();
    let image = content.image(b"layer");
    content.legacy(&image.digest, "sig", &[b"signature"]);
    content.upload(&server.client(), "a").await;
    let (_dir, layout) = layout();
    let report =
        pull(&server.client(), "a", &image.descriptor(), &layout, &Progress::new()).await.unwrap();
    assert_eq!(report.legacy_tags, [image.digest.legacy_tag("sig")]);
}
