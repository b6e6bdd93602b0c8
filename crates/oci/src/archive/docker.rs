//! What `docker save` writes: `manifest.json` names a configuration and layers for every image.
//!
//! An archive does not hold the manifest that the image once had in a registry, so one is made: Docker image manifest v2,
//! schema 2, over configuration and layers exactly as they are in the archive. Its digest is always the same for the same
//! archive, and another one than in the registry where the image came from, since layers are not compressed in archives.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read as _},
    path::Path,
};

use serde::Deserialize;
use serde_json::json;

use super::{each_entry, each_file, parse_error, read_error};
use crate::{Descriptor, Error, Layout, RawManifest, descriptor::media_type, digest::Algorithm};

/// Largest `manifest.json`, in bytes.
const MAX_LIST: u64 = 4 << 20;
/// How many layers an image may have; Docker itself stops at 127.
const MAX_LAYERS: usize = 1024;
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const PLAIN_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";
const GZIP_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An image of a Docker archive, after it was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DockerImage {
    /// What the archive calls it, such as `app:1.2`.
    pub names: Vec<String>,
    /// The manifest that was made for it.
    pub manifest: Descriptor,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

impl Layout {
    /// Unpacks a Docker archive into a new layout in `dir`, and returns its images.
    pub fn unpack_docker(archive: &Path, dir: &Path) -> Result<(Self, Vec<DockerImage>), Error> {
        let (listed, links) = read_list(archive)?;
        let wanted: BTreeSet<&str> = listed
            .iter()
            .flat_map(|image| image.layers.iter().chain([&image.config]))
            .map(|name| resolve(name, &links))
            .collect();
        let layout = Self::create(dir)?;
        let mut found: BTreeMap<String, Descriptor> = BTreeMap::new();
        each_file(archive, |name, _, content| {
            if wanted.contains(name) {
                let failed = |source| read_error(archive, source);
                let mut start = Vec::new();
                content.take(2).read_to_end(&mut start).map_err(failed)?;
                let kind = if start == GZIP { GZIP_LAYER } else { PLAIN_LAYER };
                let mut whole = io::Cursor::new(start).chain(content);
                let blob = layout.put_stream(&mut whole, Algorithm::Sha256, &failed)?;
                found.insert(name.to_owned(), Descriptor::new(kind, blob.digest, blob.size));
            }
            Ok(())
        })?;
        let get = |name: &str| {
            found
                .get(resolve(name, &links))
                .ok_or_else(|| parse_error(archive, format!("it names {name:?} but lacks it")))
        };
        let mut images = Vec::new();
        for image in listed {
            let config = get(&image.config)?;
            let config = Descriptor::new(CONFIG, config.digest.clone(), config.size);
            let layers =
                image.layers.iter().map(|name| get(name)).collect::<Result<Vec<_>, _>>()?;
            let manifest = json!({
                "schemaVersion": 2,
                "mediaType": media_type::DOCKER_MANIFEST,
                "config": config,
                "layers": layers,
            });
            let raw = RawManifest::new(media_type::DOCKER_MANIFEST, manifest.to_string());
            layout.put_manifest(&raw)?;
            images.push(DockerImage {
                names: image.repo_tags.unwrap_or_default(),
                manifest: raw.descriptor(),
            });
        }
        Ok((layout, images))
    }
}

/// Reads `manifest.json`, and the links that old versions of Docker write for layers that images share.
fn read_list(archive: &Path) -> Result<(Vec<Listed>, BTreeMap<String, String>), Error> {
    let (mut list, mut links) = (None, BTreeMap::new());
    each_entry(archive, |name, entry| {
        let kind = entry.header().entry_type();
        if name == "manifest.json" && kind.is_file() {
            let mut text = Vec::new();
            let failed = |source| read_error(archive, source);
            entry.take(MAX_LIST).read_to_end(&mut text).map_err(failed)?;
            list = Some(text);
        } else if (kind.is_symlink() || kind.is_hard_link())
            && let Some(target) = entry.link_name_bytes()
        {
            let target = String::from_utf8_lossy(&target).into_owned();
            let base = if kind.is_symlink() { name } else { "" };
            links.insert(name.to_owned(), beside(base, &target));
        }
        Ok(())
    })?;
    let text = list.ok_or_else(|| parse_error(archive, "it has no manifest.json"))?;
    let list: Vec<Listed> = serde_json::from_slice(&text)
        .map_err(|error| parse_error(archive, format!("manifest.json: {error}")))?;
    if let Some(image) = list.iter().find(|image| image.layers.len() > MAX_LAYERS) {
        let what = format!("the number of layers of {:?}", image.config);
        return Err(Error::LimitContent { what, limit: MAX_LAYERS as u64 });
    }
    Ok((list, links))
}

/// Follows one link; links to links do not occur.
fn resolve<'a>(name: &'a str, links: &'a BTreeMap<String, String>) -> &'a str {
    links.get(name).map_or(name, String::as_str)
}

/// Names the target of a link within the archive; it is compared with names only and never a path on disk.
fn beside(name: &str, target: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
