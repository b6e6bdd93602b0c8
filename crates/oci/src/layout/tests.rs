use super::*;
use crate::{Hasher, descriptor::media_type};

fn layout() -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let layout = Layout::create(dir.path().join("layout")).expect("a layout can be made");
    (dir, layout)
}

fn manifest(subject: Option<&RawManifest>, name: &str) -> RawManifest {
    let mut json = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": name,
        "config": Descriptor::of(media_type::OCI_EMPTY, b"{}"),
        "layers": [],
        "annotations": {"name": name},
    });
    if let Some(subject) = subject {
        json["subject"] = serde_json::json!(subject.descriptor());
    }
    RawManifest::new(media_type::OCI_MANIFEST, json.to_string())
}

#[test]
fn a_new_layout_is_one_that_others_can_read() {
    let (dir, layout) = layout();
    let read = |name: &str| fs::read_to_string(dir.path().join("layout").join(name)).unwrap();
    assert_eq!(read("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#);
    assert_eq!(
        read("index.json"),
        r#"{"manifests":[],"mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2}"#
    );
    assert_eq!(layout.refs().unwrap(), BTreeMap::new());
    assert!(Layout::open(layout.dir()).is_ok());
}

#[test]
fn a_folder_that_is_no_layout_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Layout::open(dir.path()), Err(Error::ReadLayout { .. })));
    fs::write(dir.path().join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
    let error = Layout::open(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with(r#"its version is Some("2.0.0"); expected "1.0.0""#), "{error}");
}

#[test]
fn names_move_and_unnamed_entries_stay() {
    let (_dir, layout) = layout();
    let (one, two) = (manifest(None, "one"), manifest(None, "two"));
    layout.put_manifest(&one).unwrap();
    layout.put_manifest(&two).unwrap();
    layout.add_unnamed(&two.descriptor()).unwrap();
    layout.set_ref("3.18", &one.descriptor()).unwrap();
    layout.set_ref("3.18", &two.descriptor()).unwrap();
    layout.set_ref("latest", &one.descriptor()).unwrap();
    let expected = [("3.18", two.descriptor()), ("latest", one.descriptor())];
    assert_eq!(
        layout.refs().unwrap(),
        expected.map(|(name, found)| (name.to_owned(), found)).into()
    );
    // Once more is no change.
    layout.add_unnamed(&two.descriptor()).unwrap();
    assert_eq!(layout.entries().unwrap().len(), 3);
}

#[test]
fn manifests_come_back_as_the_same_bytes() {
    let (_dir, layout) = layout();
    let spaced =
        RawManifest::new(media_type::OCI_INDEX, "{ \"schemaVersion\": 2,\n \"manifests\": [ ] }");
    layout.put_manifest(&spaced).unwrap();
    assert_eq!(layout.manifest(&spaced.digest).unwrap(), spaced);
}

#[test]
fn a_manifest_with_a_wrong_digest_is_not_stored() {
    let (_dir, layout) = layout();
    let mut wrong = manifest(None, "one");
    wrong.digest = Digest::sha256(b"something else");
    assert!(matches!(layout.put_manifest(&wrong), Err(Error::VerifyContent { .. })));
    assert!(matches!(layout.manifest(&wrong.digest), Err(Error::FindContent { .. })));
}

#[test]
fn a_tampered_file_is_not_read_and_is_replaced_by_the_right_one() {
    let (_dir, layout) = layout();
    let one = manifest(None, "one");
    layout.put_manifest(&one).unwrap();
    let mut bytes = one.bytes.to_vec();
    bytes.reverse();
    fs::write(layout.blob_path(&one.digest), &bytes).unwrap();
    assert!(matches!(layout.manifest(&one.digest), Err(Error::VerifyContent { .. })));
    layout.put_manifest(&one).unwrap();
    assert_eq!(layout.manifest(&one.digest).unwrap(), one);
}

#[test]
fn referrers_are_found_by_their_subject() {
    let (_dir, layout) = layout();
    let image = manifest(None, "image");
    let (sbom, signature) = (manifest(Some(&image), "sbom"), manifest(Some(&image), "signature"));
    for raw in [&image, &sbom, &signature] {
        layout.put_manifest(raw).unwrap();
        layout.add_unnamed(&raw.descriptor()).unwrap();
    }
    let mut expected =
        vec![sbom.referrer_descriptor().unwrap(), signature.referrer_descriptor().unwrap()];
    expected.sort_by(|one, other| one.digest.cmp(&other.digest));
    assert_eq!(layout.referrers(&image.digest).unwrap(), expected);
    assert_eq!(
        expected.iter().filter(|found| found.artifact_type.as_deref() == Some("sbom")).count(),
        1
    );
    assert_eq!(layout.referrers(&sbom.digest).unwrap(), []);
}

#[test]
fn content_inside_a_descriptor_is_taken_only_when_it_is_right() {
    let (_dir, layout) = layout();
    let mut empty = Descriptor::of(media_type::OCI_EMPTY, b"{}");
    empty.data = Some("e30x".to_owned());
    assert!(!layout.put_inline(&empty).unwrap());
    empty.data = Some("e30=".to_owned());
    assert!(layout.put_inline(&empty).unwrap());
    assert!(layout.has_blob(&empty.digest, 2));
}

fn finish(hasher: Hasher, bytes: &[u8]) -> Digest {
    let mut hasher = hasher;
    hasher.update(bytes);
    hasher.finish()
}

#[test]
fn a_broken_blob_is_continued_where_it_stopped() {
    use std::io::Write as _;
    let (_dir, layout) = layout();
    let blob = Descriptor::of("application/octet-stream", b"hello world");
    let (ingest, _, length) = layout.begin_ingest(&blob).unwrap();
    assert_eq!(length, 0);
    ingest.writer().unwrap().write_all(b"hello ").unwrap();
    drop(ingest);
    assert!(!layout.has_blob(&blob.digest, blob.size));
    let (ingest, hasher, length) = layout.begin_ingest(&blob).unwrap();
    assert_eq!((length, finish(hasher, b"world")), (6, blob.digest.clone()));
    ingest.writer().unwrap().write_all(b"world").unwrap();
    ingest.commit().unwrap();
    assert_eq!(layout.read_blob(&blob.digest, 100).unwrap(), "hello world");
    assert_eq!(
        fs::read_dir(layout.dir().join(INGEST))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().file_name() != "index.lock" })
            .count(),
        0
    );
}

#[test]
fn two_writers_of_one_blob_do_not_meet_in_one_file() {
    use std::io::Write as _;
    let (_dir, layout) = layout();
    let blob = Descriptor::of("application/octet-stream", b"hello world");
    let (first, ..) = layout.begin_ingest(&blob).unwrap();
    let (second, _, length) = layout.begin_ingest(&blob).unwrap();
    assert_eq!(length, 0);
    first.writer().unwrap().write_all(b"hello ").unwrap();
    second.writer().unwrap().write_all(b"hello world").unwrap();
    second.commit().unwrap();
    first.writer().unwrap().write_all(b"world").unwrap();
    first.commit().unwrap();
    assert_eq!(layout.read_blob(&blob.digest, 100).unwrap(), "hello world");
}

#[test]
fn names_set_at_the_same_time_are_all_kept() {
    let (_dir, layout) = layout();
    let one = manifest(None, "one");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (layout, one) = (&layout, &one);
            // Half of them as another process would: with a layout opened anew.
            let layout =
                if number % 2 == 0 { layout.clone() } else { Layout::open(layout.dir()).unwrap() };
            scope.spawn(move || {
                layout.set_ref(&format!("tag-{number}"), &one.descriptor()).unwrap();
            });
        }
    });
    assert_eq!(layout.refs().unwrap().len(), 8);
}
