//! What is verified or audited: a manifest in a registry, or in an image layout on disk, and what is known about it there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arc_evidence::Evidence;
use arc_oci::{Client, Descriptor, Digest, Kind, Layout, Manifest, RawManifest, Reference};
use arc_steps::Exit;

use crate::cli::RegistryAccess;
use crate::registry_access::{connect, failed, parse_reference};
use crate::report::Failure;

/// What a layout's reference begins with; `oci://` is a registry.
const LAYOUT: &str = "oci:";
/// How many manifests below one index are looked at; the largest real indexes have some dozens.
const MAX_PLATFORMS: usize = 256;
/// Suffixes of cosign's tags, which name evidence and never an image.
const EVIDENCE_TAGS: [&str; 3] = [".sig", ".att", ".sbom"];

/// One manifest and the place it was found in.
pub(crate) struct Subject {
    /// As it was named, in full.
    pub(crate) name: String,
    /// The manifest; its digest is that of its bytes.
    pub(crate) root: RawManifest,
    pub(crate) place: Place,
}

/// Where evidence is looked for.
pub(crate) enum Place {
    Registry { client: Client, reference: Reference },
    Layout(Layout),
}

/// A manifest of an index.
pub(crate) struct Platform {
    /// Such as `linux/amd64`; the digest where the index does not say.
    pub(crate) name: String,
    pub(crate) digest: Digest,
}

impl Subject {
    /// Finds what a reference stands for.
    ///
    /// A registry's word for what a tag is counts for nothing: the manifest is read and its digest computed.
    pub(crate) async fn find(text: &str, access: &RegistryAccess) -> Result<Self, Failure> {
        match text.strip_prefix(LAYOUT).filter(|rest| !rest.starts_with("//")) {
            Some(rest) => in_layout(text, rest),
            None => in_registry(text, access).await,
        }
    }

    /// Reads a manifest of the same place.
    pub(crate) async fn manifest(&self, digest: &Digest) -> Result<RawManifest, Failure> {
        match &self.place {
            Place::Registry { client, reference } => {
                client.manifest(&reference.repository, &digest.to_string()).await.map_err(failed)
            }
            Place::Layout(layout) => layout.manifest(digest).map_err(failed),
        }
    }

    /// Reads the manifest under one of cosign's tags, if there is one.
    pub(crate) async fn tagged(&self, tag: &str) -> Result<Option<RawManifest>, Failure> {
        let digest = match &self.place {
            Place::Registry { client, reference } => {
                client.resolve(&reference.repository, tag).await.map_err(failed)?
            }
            Place::Layout(layout) => layout.refs().map_err(failed)?.remove(tag),
        };
        match digest {
            Some(found) => Ok(Some(self.manifest(&found.digest).await?)),
            None => Ok(None),
        }
    }

    /// Collects everything that claims to be evidence for a manifest.
    pub(crate) async fn evidence(&self, digest: &Digest) -> Result<Evidence, Failure> {
        Ok(match &self.place {
            Place::Registry { client, reference } => {
                arc_steps::evidence(client, &reference.repository, digest).await?
            }
            Place::Layout(layout) => arc_steps::evidence_in_layout(layout, digest)?,
        })
    }

    /// Returns whether the manifest is an index.
    pub(crate) fn is_index(&self) -> bool {
        arc_oci::media_type::is_index(&self.root.media_type)
    }

    /// Returns the image manifests of an index, also of indexes within it; none for an image.
    pub(crate) async fn platforms(&self) -> Result<Vec<Platform>, Failure> {
        let mut platforms = Vec::new();
        let mut seen = BTreeSet::from([self.root.digest.clone()]);
        let mut open = children(&self.root)?;
        while let Some(child) = open.pop() {
            if !seen.insert(child.digest.clone()) {
                continue;
            }
            if seen.len() > MAX_PLATFORMS {
                let message =
                    format!("{} lists more than {MAX_PLATFORMS} manifests", self.root.digest);
                return Err(Failure::new(Exit::WrongInput, message)
                    .hint("verify the platform you use by its digest"));
            }
            if arc_oci::media_type::is_index(&child.media_type) {
                open.extend(children(&self.manifest(&child.digest).await?)?);
            } else {
                platforms.push(platform(child));
            }
        }
        platforms.sort_by(|one, other| (&one.name, &one.digest).cmp(&(&other.name, &other.digest)));
        Ok(platforms)
    }
}

/// The entries of an index; buildkit's attestation manifests are not platforms.
fn children(raw: &RawManifest) -> Result<Vec<Descriptor>, Failure> {
    let manifest = Manifest::parse(raw).map_err(|error| Failure::input(&error))?;
    let is_platform = |child: &Descriptor| {
        arc_oci::media_type::is_manifest(&child.media_type)
            && child.platform.as_ref().is_none_or(|platform| platform.architecture != "unknown")
    };
    let children = if manifest.kind == Kind::Index { manifest.children } else { Vec::new() };
    Ok(children.into_iter().filter(is_platform).collect())
}

fn platform(child: Descriptor) -> Platform {
    let named = child.platform.filter(|platform| !platform.os.is_empty());
    let name = named.map_or_else(|| child.digest.to_string(), |platform| platform.to_string());
    Platform { name, digest: child.digest }
}

async fn in_registry(text: &str, access: &RegistryAccess) -> Result<Subject, Failure> {
    let (remote, reference) = parse_reference(text)?;
    let client = connect(access, remote, &reference.repository)?;
    let name = reference.tag_or_digest();
    let found = client.resolve(&reference.repository, &name).await.map_err(failed)?;
    let Some(found) = found else {
        return Err(Failure::new(Exit::WrongInput, format!("there is nothing at {reference}"))
            .hint("check the tag or digest"));
    };
    let root =
        client.manifest(&reference.repository, &found.digest.to_string()).await.map_err(failed)?;
    let name = reference.to_string();
    Ok(Subject { name, root, place: Place::Registry { client, reference } })
}

fn in_layout(text: &str, rest: &str) -> Result<Subject, Failure> {
    let (layout, digest, _) = locate(rest)?;
    let root = layout.manifest(&digest).map_err(|error| Failure::input(&error))?;
    Ok(Subject { name: text.to_owned(), root, place: Place::Layout(layout) })
}

/// Opens the layout that `FOLDER`, `FOLDER:NAME` or `FOLDER@DIGEST` means, and finds the image in it, with its name.
pub(crate) fn locate(rest: &str) -> Result<(Layout, Digest, Option<String>), Failure> {
    let (folder, wanted) = split(rest);
    let layout = Layout::open(&folder).map_err(|error| {
        Failure::input(&error)
            .hint("write oci:FOLDER, oci:FOLDER:NAME or oci:FOLDER@DIGEST of an image layout")
    })?;
    let wanted = match wanted {
        Wanted::Digest(text) | Wanted::Name(text) => Some(text),
        Wanted::TheOne => None,
    };
    let (digest, name) = within(&layout, &folder, wanted.as_deref())?;
    Ok((layout, digest, name))
}

/// Finds an image of a layout by digest or name, or the only one; returns its name too, when it has one name.
pub(crate) fn within(
    layout: &Layout,
    folder: &Path,
    wanted: Option<&str>,
) -> Result<(Digest, Option<String>), Failure> {
    match wanted {
        Some(text) if text.starts_with("sha256:") || text.starts_with("sha512:") => {
            let digest = text.parse().map_err(|error: arc_oci::DigestError| {
                Failure::input(&error).hint("write the digest as sha256:<64 hexadecimal digits>")
            })?;
            Ok((digest, None))
        }
        Some(name) => Ok((by_name(layout, folder, name)?, Some(name.to_owned()))),
        None => {
            let digest = the_one(layout, folder)?;
            let mut names = images(layout)?.into_keys();
            let first = names.next();
            Ok((digest, first.filter(|_| names.next().is_none())))
        }
    }
}

/// What is meant within a layout.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Digest(String),
    Name(String),
    TheOne,
}

/// Splits `DIR`, `DIR:name` and `DIR@digest`. A folder may have a colon in its name, and a name may be a whole reference.
fn split(rest: &str) -> (PathBuf, Wanted) {
    if is_layout(Path::new(rest)) {
        return (rest.into(), Wanted::TheOne);
    }
    let at = rest.rsplit_once('@').filter(|(_, digest)| digest.contains(':'));
    if let Some((folder, digest)) = at.filter(|(folder, _)| is_layout(Path::new(folder))) {
        return (folder.into(), Wanted::Digest(digest.to_owned()));
    }
    let colons = rest.char_indices().filter(|(_, letter)| *letter == ':').map(|(place, _)| place);
    for colon in colons {
        let (folder, name) = (&rest[..colon], &rest[colon + 1..]);
        if is_layout(Path::new(folder)) {
            return (folder.into(), Wanted::Name(name.to_owned()));
        }
    }
    (rest.into(), Wanted::TheOne)
}

fn is_layout(folder: &Path) -> bool {
    folder.join("oci-layout").is_file()
}

fn by_name(layout: &Layout, folder: &Path, name: &str) -> Result<Digest, Failure> {
    let refs = images(layout)?;
    refs.get(name).map(|found| found.digest.clone()).ok_or_else(|| {
        let message = format!("{} has no image named {name:?}", folder.display());
        Failure::new(Exit::WrongInput, message).hint(known(&refs))
    })
}

/// The only image of a layout, under however many names.
fn the_one(layout: &Layout, folder: &Path) -> Result<Digest, Failure> {
    let refs = images(layout)?;
    let digests: BTreeSet<_> = refs.values().map(|found| &found.digest).collect();
    match (digests.len(), digests.first()) {
        (1, Some(digest)) => Ok((*digest).clone()),
        (count, _) => {
            let message =
                format!("{} has {count} named images; say which one is meant", folder.display());
            Err(Failure::new(Exit::WrongInput, message).hint(known(&refs)))
        }
    }
}

fn images(layout: &Layout) -> Result<BTreeMap<String, Descriptor>, Failure> {
    let mut refs = layout.refs().map_err(failed)?;
    refs.retain(|name, _| {
        let tag = name.rsplit(':').next().unwrap_or_default();
        let is_of_digest = tag.starts_with("sha256-") || tag.starts_with("sha512-");
        !(is_of_digest
            && (EVIDENCE_TAGS.iter().any(|end| tag.ends_with(end)) || !tag.contains('.')))
    });
    Ok(refs)
}

fn known(refs: &BTreeMap<String, Descriptor>) -> String {
    /// More names do not help anybody to choose.
    const SHOWN: usize = 8;
    if refs.is_empty() {
        return "name the image by its digest: oci:FOLDER@sha256:…".to_owned();
    }
    let names: Vec<_> = refs.keys().take(SHOWN).map(|name| format!("{name:?}")).collect();
    let more = if refs.len() > SHOWN { ", …" } else { "" };
    format!("write oci:FOLDER:NAME; it has {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_colons_and_names_that_are_references_are_told_apart() {
        let top = tempfile::tempdir().unwrap();
        for folder in ["plain", "with:colon"] {
            Layout::create(top.path().join(folder)).unwrap();
        }
        let path = |text: &str| top.path().join(text).display().to_string();
        let name = |text: &str| Wanted::Name(text.to_owned());
        for (text, folder, wanted) in [
            ("plain", "plain", Wanted::TheOne),
            ("plain:1.0", "plain", name("1.0")),
            ("plain:r.example:5000/a:1.0", "plain", name("r.example:5000/a:1.0")),
            ("plain@sha256:00", "plain", Wanted::Digest("sha256:00".to_owned())),
            ("with:colon", "with:colon", Wanted::TheOne),
            ("with:colon:1.0", "with:colon", name("1.0")),
            ("absent:1.0", "absent:1.0", Wanted::TheOne),
        ] {
            assert_eq!(split(&path(text)), (PathBuf::from(path(folder)), wanted), "{text:?}");
        }
    }
}
