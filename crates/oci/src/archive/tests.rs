//! Archives to layouts and back, and those that are not what they say.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::{Progress, RawManifest, copy, media_type};

fn tar_of(path: &Path, files: &[(&str, &[u8])]) {
    let mut tar = tar::Builder::new(fs::File::create(path).unwrap());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.finish().unwrap();
}

fn image(layout: &Layout, text: &str) -> RawManifest {
    let blob = |kind: &str, bytes: &[u8]| {
        layout.put_blob(bytes).unwrap();
        Descriptor::of(kind, bytes)
    };
    let config = blob(media_type::OCI_CONFIG, b"{}");
    let layer = blob("application/vnd.oci.image.layer.v1.tar", text.as_bytes());
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
    let raw = RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string());
    layout.put_manifest(&raw).unwrap();
    layout.set_ref("1.0", &raw.descriptor()).unwrap();
    raw
}

#[tokio::test]
async fn a_layout_goes_through_an_archive_and_another_layout_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let layout = Layout::create(dir.path().join("a")).unwrap();
    let raw = image(&layout, "hello");
    let archive = dir.path().join("a.tar");
    layout.pack(&archive).unwrap();
    // The same content, the same bytes; and what is there is kept.
    layout.pack(&dir.path().join("b.tar")).unwrap();
    assert_eq!(fs::read(&archive).unwrap(), fs::read(dir.path().join("b.tar")).unwrap());
    assert!(layout.pack(&archive).is_err());
    let back = Layout::unpack(&archive, &dir.path().join("back")).unwrap();
    assert_eq!(back.refs().unwrap()["1.0"].digest, raw.digest);
    let third = Layout::create(dir.path().join("third")).unwrap();
    let options = copy::CopyOptions { tag: Some("2.0".to_owned()), ..Default::default() };
    let progress = Progress::new();
    let copied =
        copy::between_layouts(&back, &raw.digest, &third, &options, &progress).await.unwrap();
    assert_eq!((copied.blobs_sent, copied.manifests_written), (2, 1));
    assert_eq!(third.refs().unwrap()["2.0"].digest, raw.digest);
    assert_eq!(third.read_blob(&Digest::sha256(b"hello"), 10).unwrap().as_ref(), b"hello");
    let again = copy::between_layouts(&back, &raw.digest, &third, &options, &progress).await;
    assert!(again.unwrap().is_unchanged);
    // A blob that was changed in the source does not get its name in the target.
    fs::write(back.blob_path(&Digest::sha256(b"hello")), b"olleh").unwrap();
    let fourth = Layout::create(dir.path().join("fourth")).unwrap();
    let error = copy::between_layouts(&back, &raw.digest, &fourth, &options, &progress).await;
    assert!(matches!(error, Err(Error::VerifyContent { .. })));
    assert!(!fourth.has_blob(&Digest::sha256(b"hello"), 5));
    assert!(fourth.refs().unwrap().is_empty());
}

#[test]
fn archives_that_lie_are_refused_and_names_stay_inside() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("x.tar");
    let wrong = format!("blobs/sha256/{}", Digest::sha256(b"right").hex());
    tar_of(&archive, &[("index.json", b"{}"), (&wrong, b"wrong")]);
    let error = Layout::unpack(&archive, &dir.path().join("1")).unwrap_err();
    assert!(matches!(error, Error::VerifyContent { .. }), "{error}");
    tar_of(&archive, &[("oci-layout", b"{}")]);
    let error = Layout::unpack(&archive, &dir.path().join("2")).unwrap_err().to_string();
    assert!(error.contains("no index.json"), "{error}");
    let out = ["../escaped", "blobs/sha256/../../../escaped", "/escaped"];
    let files: Vec<_> = out.iter().map(|name| (*name, &b"x"[..])).collect();
    tar_of(&archive, &[&files[..], &[("./index.json", b"{\"manifests\":[]}")]].concat());
    Layout::unpack(&archive, &dir.path().join("deep/3")).unwrap();
    assert!(!dir.path().join("escaped").exists() && !dir.path().join("deep/escaped").exists());
    fs::write(&archive, b"no tar at all").unwrap();
    assert!(Layout::unpack(&archive, &dir.path().join("4")).is_err());
}

#[test]
fn a_docker_archive_gets_a_manifest_over_its_own_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("d.tar");
    let list =
        json!([{"Config": "c.json", "RepoTags": ["app:1"], "Layers": ["l/layer.tar", "z.tar.gz"]}]);
    let list = list.to_string();
    let gzip = [0x1f, 0x8b, 1, 2];
    let files: [(&str, &[u8]); 4] = [
        ("l/layer.tar", b"layer"),
        ("c.json", b"{}"),
        ("z.tar.gz", &gzip),
        ("manifest.json", list.as_bytes()),
    ];
    tar_of(&archive, &files);
    let (layout, images) = Layout::unpack_docker(&archive, &dir.path().join("out")).unwrap();
    assert_eq!(images[0].names, ["app:1"]);
    let raw = layout.manifest(&images[0].manifest.digest).unwrap();
    let manifest = crate::Manifest::parse(&raw).unwrap();
    assert_eq!(manifest.media_type, media_type::DOCKER_MANIFEST);
    let kinds: Vec<_> = manifest.layers.iter().map(|layer| layer.media_type.as_str()).collect();
    let docker = "application/vnd.docker.image.rootfs.diff.tar";
    assert_eq!(kinds, [docker.to_owned(), format!("{docker}.gzip")]);
    assert_eq!(manifest.layers[0].digest, Digest::sha256(b"layer"));
    assert_eq!(layout.read_blob(&Digest::sha256(&gzip), 10).unwrap().as_ref(), gzip);

    tar_of(&archive, &files[1..]);
    let error = Layout::unpack_docker(&archive, &dir.path().join("less")).unwrap_err().to_string();
    assert!(error.contains("\"l/layer.tar\" but lacks it"), "{error}");
}
