//! Finds the images in what was fetched: one per platform, without the attestations that builders put beside them.

use arc_oci::{Descriptor, Kind, Layout, Manifest};

use crate::error::Error;

/// Deepest nesting of indexes; real ones have one level, some build tools two.
const MAX_DEPTH: usize = 8;
/// `BuildKit` marks the manifests that hold attestations with this annotation.
const BUILDKIT_REFERENCE: &str = "vnd.docker.reference.type";

/// One platform's image.
pub(super) struct Platform {
    pub(super) descriptor: Descriptor,
    pub(super) manifest: Manifest,
}

impl Platform {
    /// Names the platform for people.
    pub(super) fn name(&self) -> String {
        match &self.descriptor.platform {
            Some(platform) => format!("{platform} ({})", self.descriptor.digest),
            None => self.descriptor.digest.to_string(),
        }
    }
}

/// Returns every platform's image below `root`.
///
/// # Errors
/// [`Error::Input`] where something is not an image: this pipeline cannot judge it.
pub(super) fn platforms(layout: &Layout, root: &Descriptor) -> Result<Vec<Platform>, Error> {
    let mut found = Vec::new();
    collect(layout, root, 0, &mut found)?;
    if found.is_empty() {
        return Err(not_an_image(root, "it lists no platform"));
    }
    Ok(found)
}

fn collect(
    layout: &Layout,
    descriptor: &Descriptor,
    depth: usize,
    found: &mut Vec<Platform>,
) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(not_an_image(descriptor, "its indexes are nested too deeply"));
    }
    let raw = layout.manifest(&descriptor.digest)?;
    let manifest =
        Manifest::parse(&raw).map_err(|error| not_an_image(descriptor, &error.to_string()))?;
    if manifest.kind == Kind::Index {
        for child in manifest.children.iter().filter(|child| !is_attestation(child)) {
            collect(layout, child, depth + 1, found)?;
        }
        return Ok(());
    }
    let config = manifest.config.as_ref().map_or("", |config| config.media_type.as_str());
    if !matches!(
        config,
        "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
    ) {
        return Err(not_an_image(descriptor, &format!("its config is of type {config:?}")));
    }
    // The same image may stand in an index twice, for two variants.
    if found.iter().all(|known| known.descriptor.digest != descriptor.digest) {
        found.push(Platform {
            descriptor: Descriptor { platform: descriptor.platform.clone(), ..raw.descriptor() },
            manifest,
        });
    }
    Ok(())
}

/// `BuildKit`'s attestations stand in the index under the platform unknown/unknown; they are carried, not scanned.
///
/// Both marks are asked for: an image that only claims one of them is scanned.
pub(crate) fn is_attestation(child: &Descriptor) -> bool {
    let is_unknown =
        child.platform.as_ref().is_some_and(|p| p.os == "unknown" && p.architecture == "unknown");
    let is_marked = child
        .annotations
        .get(BUILDKIT_REFERENCE)
        .is_some_and(|kind| kind == "attestation-manifest");
    is_unknown && is_marked
}

fn not_an_image(descriptor: &Descriptor, why: &str) -> Error {
    let message =
        format!("{} is not a container image that can be scanned: {why}", descriptor.digest);
    Error::input(
        "SPEC_REPOSITORY",
        message,
        "order it with an artifact type whose pipeline knows such artifacts",
    )
}
