//! Copies where one end, or both, is an image layout, a layout in a tar file, or an archive of Docker.
//!
//! The spellings are those of skopeo's transports: `oci:DIR[:NAME]`, `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`;
//! everything else is a registry. Archives are unpacked into, or made from, a layout in a temporary folder.

use std::path::{Path, PathBuf};

use arc_oci::copy::{self, BlobMap, CopyOptions, CopyReport, Place};
use arc_oci::{Client, Digest, DockerImage, Layout, Progress, Reference, validate_tag};
use arc_steps::Exit;
use tempfile::TempDir;

use super::{Copied, rules};
use crate::cli::Copy;
use crate::registry_access::{connect, failed, parse_reference};
use crate::report::Failure;
use crate::verify::subject;

/// One end of a copy as it was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End<'a> {
    Registry(&'a str),
    Layout(&'a str),
    Archive(&'a str),
    Docker(&'a str),
}

impl<'a> End<'a> {
    fn parse(text: &'a str) -> Self {
        if let Some(rest) = text.strip_prefix("oci-archive:") {
            Self::Archive(rest)
        } else if let Some(rest) = text.strip_prefix("docker-archive:") {
            Self::Docker(rest)
        } else if let Some(rest) = text.strip_prefix("oci:").filter(|rest| !rest.starts_with("//"))
        {
            Self::Layout(rest)
        } else {
            Self::Registry(text)
        }
    }
}

/// Whether one of two ends is no registry.
pub(crate) fn is_one(ends: [&str; 2]) -> bool {
    ends.iter().any(|text| !matches!(End::parse(text), End::Registry(_)))
}

/// Where the image is read from.
enum Source {
    Registry {
        client: Client,
        reference: Reference,
    },
    /// A layout; an unpacked one is removed with its folder at the end.
    Layout {
        layout: Layout,
        digest: Digest,
        name: Option<String>,
        _folder: Option<TempDir>,
    },
}

/// Copies one image.
pub(crate) async fn copy(args: &Copy, progress: &Progress) -> Result<Copied, Failure> {
    if args.how.dry_run {
        let message =
            "--dry-run looks at registries only; one end of this copy is a file or folder";
        return Err(Failure::new(Exit::WrongInput, message));
    }
    let rules = rules(args)?;
    let source = open(args)?;
    let mut options = CopyOptions {
        tag: None,
        referrers: rules.referrers,
        platforms: rules.platforms,
        recheck: rules.recheck,
        blobs: BlobMap::with_memory(args.how.memory()),
    };
    let report = match End::parse(&args.destination) {
        End::Docker(_) => {
            let message = "docker-archive is read, not written";
            return Err(Failure::new(Exit::WrongInput, message).hint("write oci-archive:FILE"));
        }
        End::Registry(text) => {
            let (remote, to) = parse_reference(text)?;
            if to.digest.is_some() {
                let message = format!("{to} names a digest that the copy may not have");
                return Err(Failure::new(Exit::WrongInput, message).hint("leave the digest out"));
            }
            options.tag = Some(to.tag.clone().map_or_else(|| source.tag(), Ok)?);
            let client = connect(&args.how.destination(), remote, &to.repository)?;
            let place = Place { client: &client, repository: &to.repository };
            match &source {
                Source::Layout { layout, digest, .. } => {
                    copy::from_layout(layout, digest, place, &options, progress).await
                }
                // Both ends are registries: that is another way.
                Source::Registry { client, reference } => {
                    let from = Place { client, repository: &reference.repository };
                    let name = reference.tag_or_digest();
                    copy::stream(from, &name, place, &options, progress).await
                }
            }
            .map_err(failed)?
        }
        End::Layout(rest) => {
            let (dir, name) = split_new(rest, |path| path.join("oci-layout").is_file());
            options.tag = name.or_else(|| source.tag().ok());
            let layout = Layout::create(&dir).map_err(failed)?;
            source.copy_to(&layout, &options, progress).await?
        }
        End::Archive(rest) => to_archive(&source, rest, options, progress).await?,
    };
    Ok(Copied::new(&args.source, &args.destination, report))
}

async fn to_archive(
    source: &Source,
    rest: &str,
    mut options: CopyOptions,
    progress: &Progress,
) -> Result<CopyReport, Failure> {
    let (file, name) = split_new(rest, Path::is_file);
    if file.exists() {
        let message = format!("{} exists already", file.display());
        return Err(Failure::new(Exit::WrongInput, message).hint("name a new file"));
    }
    options.tag = name.or_else(|| source.tag().ok());
    let folder = temporary()?;
    let layout = Layout::create(folder.path()).map_err(failed)?;
    let report = source.copy_to(&layout, &options, progress).await?;
    blocking(move || layout.pack(&file)).await?;
    Ok(report)
}

impl Source {
    async fn copy_to(
        &self,
        target: &Layout,
        options: &CopyOptions,
        progress: &Progress,
    ) -> Result<CopyReport, Failure> {
        match self {
            Self::Registry { client, reference } => {
                let place = Place { client, repository: &reference.repository };
                let name = reference.tag_or_digest();
                copy::to_layout(place, &name, target, options, progress).await
            }
            Self::Layout { layout, digest, .. } => {
                copy::between_layouts(layout, digest, target, options, progress).await
            }
        }
        .map_err(failed)
    }

    /// The tag that the image has at the source.
    fn tag(&self) -> Result<String, Failure> {
        let tag = match self {
            Self::Registry { reference, .. } => {
                let named = || reference.digest.is_none().then(|| reference.tag_or_digest());
                reference.tag.clone().or_else(named)
            }
            // A name may be a whole reference.
            Self::Layout { name, .. } => {
                name.as_ref().and_then(|name| name.rsplit(':').next()).map(str::to_owned)
            }
        };
        tag.filter(|tag| validate_tag(tag).is_ok()).ok_or_else(|| {
            Failure::new(Exit::WrongInput, "the source has no tag that the destination could get")
                .hint("end the destination with :TAG")
        })
    }
}

fn open(args: &Copy) -> Result<Source, Failure> {
    match End::parse(&args.source) {
        End::Registry(text) => {
            let (remote, reference) = parse_reference(text)?;
            let client = connect(&args.how.source(), remote, &reference.repository)?;
            Ok(Source::Registry { client, reference })
        }
        End::Layout(rest) => {
            let (layout, digest, name) = subject::locate(rest)?;
            Ok(Source::Layout { layout, digest, name, _folder: None })
        }
        End::Archive(rest) => {
            let (file, wanted) = split(rest);
            let folder = temporary()?;
            let layout = Layout::unpack(&file, folder.path()).map_err(failed)?;
            let (digest, name) = subject::within(&layout, &file, wanted.as_deref())?;
            Ok(Source::Layout { layout, digest, name, _folder: Some(folder) })
        }
        End::Docker(rest) => {
            let (file, wanted) = split(rest);
            let folder = temporary()?;
            let (layout, images) = Layout::unpack_docker(&file, folder.path()).map_err(failed)?;
            let image = choose(&images, &file, wanted.as_deref())?;
            let name = wanted.or_else(|| image.names.first().cloned());
            let digest = image.manifest.digest.clone();
            Ok(Source::Layout { layout, digest, name, _folder: Some(folder) })
        }
    }
}

/// Finds an image by the name it was saved under; the only one needs no name.
fn choose<'a>(
    images: &'a [DockerImage],
    file: &Path,
    wanted: Option<&str>,
) -> Result<&'a DockerImage, Failure> {
    let found = match wanted {
        Some(wanted) => images.iter().find(|image| image.names.iter().any(|name| name == wanted)),
        None => images.first().filter(|_| images.len() == 1),
    };
    found.ok_or_else(|| {
        let names: Vec<_> =
            images.iter().flat_map(|image| &image.names).map(String::as_str).collect();
        let what =
            wanted.map_or_else(|| "exactly one image".to_owned(), |name| format!("{name:?}"));
        Failure::new(Exit::WrongInput, format!("{} does not hold {what}", file.display()))
            .hint(format!("write docker-archive:FILE:NAME; it has {}", names.join(", ")))
    })
}

/// Splits `FILE`, `FILE:NAME` and `FILE@DIGEST` of a file that exists; a name keeps its colons.
fn split(rest: &str) -> (PathBuf, Option<String>) {
    let marks = rest.char_indices().filter(|(_, letter)| matches!(letter, ':' | '@'));
    for (at, _) in std::iter::once((rest.len(), ' ')).chain(marks) {
        let (file, name) = rest.split_at(at);
        if Path::new(file).is_file() {
            let name = name.get(1..).filter(|name| !name.is_empty());
            return (file.into(), name.map(str::to_owned));
        }
    }
    (rest.into(), None)
}

/// Splits `PATH` and `PATH:NAME` of what may not exist yet: a name is what could be a tag.
fn split_new(rest: &str, exists: fn(&Path) -> bool) -> (PathBuf, Option<String>) {
    if exists(Path::new(rest)) {
        return (rest.into(), None);
    }
    match rest.rsplit_once(':').filter(|(_, name)| validate_tag(name).is_ok()) {
        Some((path, name)) => (path.into(), Some(name.to_owned())),
        None => (rest.into(), None),
    }
}

fn temporary() -> Result<TempDir, Failure> {
    tempfile::tempdir().map_err(|error| Failure::failed(&error))
}

async fn blocking(
    work: impl FnOnce() -> Result<(), arc_oci::Error> + Send + 'static,
) -> Result<(), Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::failed(&error))?.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_apart_as_skopeo_does() {
        for (text, expected) in [
            ("oci:dir:1.0", End::Layout("dir:1.0")),
            ("oci-archive:a.tar", End::Archive("a.tar")),
            ("docker-archive:/x/a.tar:app:1", End::Docker("/x/a.tar:app:1")),
            ("oci://r.example/a:1", End::Registry("oci://r.example/a:1")),
            ("r.example/oci:1", End::Registry("r.example/oci:1")),
        ] {
            assert_eq!(End::parse(text), expected);
        }
        assert!(!is_one(["r.example/a:1", "http://127.0.0.1:1/a"]));
    }

    #[test]
    fn names_come_after_the_path() {
        let new = |text| split_new(text, |_| false);
        assert_eq!(new("dir"), ("dir".into(), None));
        assert_eq!(new("/a/b:1.0"), ("/a/b".into(), Some("1.0".to_owned())));
        assert_eq!(new("/a:b/c"), ("/a:b/c".into(), None));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a:b.tar");
        std::fs::write(&file, "").unwrap();
        let text = file.to_str().unwrap();
        assert_eq!(split(text), (file.clone(), None));
        assert_eq!(split(&format!("{text}:app:1")), (file.clone(), Some("app:1".to_owned())));
        assert_eq!(split(&format!("{text}@sha256:x")), (file, Some("sha256:x".to_owned())));
    }
}
