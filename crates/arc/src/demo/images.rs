//! The demo's images: small, for two platforms, with the package databases of real distribution releases.

use std::io::Write as _;

use arc_oci::{Descriptor, Layout, Platform, RawManifest, media_type};
use flate2::{Compression, GzBuilder};
use serde_json::json;

use crate::report::Failure;

const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// The platforms of each image.
const ARCHITECTURES: [&str; 2] = ["amd64", "arm64"];
/// Bytes of incompressible content per platform, so that there is something to move.
const PAYLOAD: usize = 256 * 1024;

/// One image of the demo.
pub(super) struct Image {
    pub(super) repository: &'static str,
    pub(super) tags: &'static [&'static str],
    os_release: &'static str,
    database: (&'static str, &'static str),
}

macro_rules! image {
    ($repository:literal, $tags:expr, $folder:literal, $file:literal at $path:literal) => {
        Image {
            repository: $repository,
            tags: $tags,
            os_release: include_str!(concat!(
                "../../../../examples/quickstart/images/",
                $folder,
                "/os-release"
            )),
            database: (
                $path,
                include_str!(concat!(
                    "../../../../examples/quickstart/images/",
                    $folder,
                    "/",
                    $file
                )),
            ),
        }
    };
}

/// All images, with their tags below the endpoint `upstream`.
pub(super) const IMAGES: [Image; 5] = [
    image!("library/alpine", &["3.18.4"], "alpine-3.18.4", "installed" at "lib/apk/db/installed"),
    image!("library/alpine", &["3.18.6", "3.18"], "alpine-3.18.6", "installed" at "lib/apk/db/installed"),
    image!("library/alpine", &["3.19.1", "latest"], "alpine-3.19.1", "installed" at "lib/apk/db/installed"),
    image!("library/debian", &["11.4"], "debian-11.4", "status" at "var/lib/dpkg/status"),
    image!("library/debian", &["12.5"], "debian-12.5", "status" at "var/lib/dpkg/status"),
];

/// Writes an image into a layout and returns its index.
pub(super) fn build(image: &Image, layout: &Layout) -> Result<RawManifest, Failure> {
    let mut children = Vec::new();
    for architecture in ARCHITECTURES {
        let base = layer(&[
            ("etc/os-release", image.os_release.as_bytes()),
            (
                image.database.0,
                image.database.1.replace("x86_64", apk_architecture(architecture)).as_bytes(),
            ),
        ])?;
        let payload = layer(&[(
            "usr/share/payload",
            &noise(&format!("{}{architecture}", image.os_release)),
        )])?;
        let mut child = platform(layout, architecture, &[base, payload])?;
        child.platform = Some(Platform {
            architecture: architecture.to_owned(),
            os: "linux".to_owned(),
            ..Platform::default()
        });
        children.push(child);
    }
    let index =
        json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": children});
    put(layout, media_type::OCI_INDEX, &index)
}

fn platform(
    layout: &Layout,
    architecture: &str,
    layers: &[Vec<u8>],
) -> Result<Descriptor, Failure> {
    let mut descriptors = Vec::new();
    let mut diff_ids = Vec::new();
    for tar in layers {
        let compressed = gzip(tar)?;
        store(layout, &compressed)?;
        descriptors.push(Descriptor::of(LAYER, &compressed));
        diff_ids.push(arc_oci::Digest::sha256(tar));
    }
    let config = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let config = config.to_string();
    store(layout, config.as_bytes())?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": Descriptor::of(media_type::OCI_CONFIG, config.as_bytes()),
        "layers": descriptors,
    });
    Ok(put(layout, media_type::OCI_MANIFEST, &manifest)?.descriptor())
}

fn put(
    layout: &Layout,
    media_type: &str,
    manifest: &serde_json::Value,
) -> Result<RawManifest, Failure> {
    let raw = RawManifest::new(media_type, manifest.to_string().into_bytes());
    layout.put_manifest(&raw).map_err(|error| Failure::failed(&error))?;
    Ok(raw)
}

fn store(layout: &Layout, bytes: &[u8]) -> Result<(), Failure> {
    layout.put_blob(bytes).map(drop).map_err(|error| Failure::failed(&error))
}

/// A tar archive without times or owners, so that the demo's digests are the same everywhere.
fn layer(files: &[(&str, &[u8])]) -> Result<Vec<u8>, Failure> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, path, *content)
            .map_err(|error| Failure::failed(&error))?;
    }
    archive.into_inner().map_err(|error| Failure::failed(&error))
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::fast());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|error| Failure::failed(&error))
}

/// Content that does not compress and is the same on each run: a chain of digests.
fn noise(seed: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD);
    let mut link = arc_oci::Digest::sha256(seed.as_bytes());
    while bytes.len() < PAYLOAD {
        let pairs = link.hex().as_bytes().chunks_exact(2);
        bytes.extend(pairs.map(|pair| (nibble(pair[0]) << 4) | nibble(pair[1])));
        link = arc_oci::Digest::sha256(link.hex().as_bytes());
    }
    bytes
}

fn nibble(digit: u8) -> u8 {
    if digit.is_ascii_digit() { digit - b'0' } else { digit - b'a' + 10 }
}

/// The package manager's name of an architecture.
fn apk_architecture(architecture: &str) -> &'static str {
    if architecture == "arm64" { "aarch64" } else { "x86_64" }
}
