//! `arc inspect`: platforms, layers, sizes and annotations of an image, read without its layers.

use std::collections::BTreeMap;
use std::io::Write as _;

use arc_oci::{Client, Descriptor, Kind, Manifest, Platform, RawManifest, Reference};
use arc_steps::Exit;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use crate::cli::{Inspect, Output};
use crate::registry_access::{connect, failed, nothing_at, parse_reference};
use crate::report::Failure;

/// Largest image configuration that is read, in bytes; real ones have some tens of kilobytes.
const MAX_CONFIG: u64 = 4 << 20;
/// How many children of an index are read at the same time.
const TOGETHER: usize = 8;
/// The annotation by which builders say that a manifest is about another one.
const REFERENCE_DIGEST: &str = "vnd.docker.reference.digest";

/// What is at a reference.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspection {
    reference: String,
    digest: String,
    media_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// Bytes of all blobs, each counted once.
    size: u64,
    annotations: BTreeMap<String, String>,
    manifests: Vec<Image>,
}

/// One image: the reference's own, or a child of its index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    /// Such as `linux/amd64`; empty where nothing says.
    platform: String,
    digest: String,
    media_type: String,
    /// What an attestation of a builder is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// When it was made, as its configuration says.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    size: u64,
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Blob>,
    layers: Vec<Blob>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    digest: String,
    media_type: String,
    size: u64,
}

/// Runs the command.
pub(crate) async fn run(args: &Inspect) -> Result<Exit, Failure> {
    let (remote, reference) = parse_reference(&args.reference)?;
    let client = connect(&args.registry, remote, &reference.repository)?;
    let raw = client.manifest(&reference.repository, &reference.tag_or_digest()).await;
    let raw =
        raw.map_err(
            |error| {
                if error.is_not_found() { nothing_at(&reference) } else { failed(error) }
            },
        )?;
    if args.raw {
        std::io::stdout().write_all(&raw.bytes).map_err(|error| Failure::failed(&error))?;
        return Ok(Exit::Done);
    }
    let inspection = inspect(&client, &reference, &raw).await?;
    match args.output {
        Output::Json => print_json(&inspection)?,
        Output::Text => print_text(&inspection),
    }
    Ok(Exit::Done)
}

async fn inspect(
    client: &Client,
    reference: &Reference,
    raw: &RawManifest,
) -> Result<Inspection, Failure> {
    let manifest = Manifest::parse(raw).map_err(|error| Failure::input(&error))?;
    let repository = &reference.repository;
    let manifests = if manifest.kind == Kind::Index {
        futures::stream::iter(&manifest.children)
            .map(|child| async move {
                let raw = client.manifest(repository, &child.digest.to_string()).await;
                let raw = raw.map_err(failed)?;
                image(client, repository, &raw, Some(child)).await
            })
            .buffered(TOGETHER)
            .try_collect()
            .await?
    } else {
        vec![image(client, repository, raw, None).await?]
    };
    let blobs: BTreeMap<&str, u64> = manifests
        .iter()
        .flat_map(|image: &Image| image.config.iter().chain(&image.layers))
        .map(|blob| (blob.digest.as_str(), blob.size))
        .collect();
    Ok(Inspection {
        reference: reference.to_string(),
        digest: raw.digest.to_string(),
        media_type: raw.media_type.clone(),
        artifact_type: manifest.artifact_type,
        subject: manifest.subject.map(|subject| subject.digest.to_string()),
        size: blobs.values().sum(),
        annotations: manifest.annotations,
        manifests,
    })
}

async fn image(
    client: &Client,
    repository: &str,
    raw: &RawManifest,
    child: Option<&Descriptor>,
) -> Result<Image, Failure> {
    let manifest = Manifest::parse(raw).map_err(|error| Failure::input(&error))?;
    let described = child.and_then(|child| child.platform.as_ref()).map(Platform::to_string);
    let own = configuration(client, repository, &manifest).await?;
    let about = child.and_then(|child| child.annotations.get(REFERENCE_DIGEST).cloned());
    Ok(Image {
        platform: described.unwrap_or_else(|| own.platform()),
        digest: raw.digest.to_string(),
        media_type: raw.media_type.clone(),
        about,
        created: own.created,
        size: manifest.blobs().map(|blob| blob.size).sum(),
        config: manifest.config.as_ref().map(blob),
        layers: manifest.layers.iter().map(blob).collect(),
        annotations: manifest.annotations,
    })
}

/// What an image configuration says of interest here.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Configuration {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    created: Option<String>,
}

impl Configuration {
    fn platform(&self) -> String {
        let parts = [&self.os, &self.architecture, &self.variant];
        parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

async fn configuration(
    client: &Client,
    repository: &str,
    manifest: &Manifest,
) -> Result<Configuration, Failure> {
    let is_image = |config: &&Descriptor| {
        config.media_type == arc_oci::media_type::OCI_CONFIG
            || config.media_type == "application/vnd.docker.container.image.v1+json"
    };
    let Some(config) = manifest.config.as_ref().filter(is_image) else {
        return Ok(Configuration::default());
    };
    let bytes = client.read_blob(repository, config, MAX_CONFIG).await.map_err(failed)?;
    // Not ours to judge: what cannot be read says nothing.
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn blob(descriptor: &Descriptor) -> Blob {
    Blob {
        digest: descriptor.digest.to_string(),
        media_type: descriptor.media_type.clone(),
        size: descriptor.size,
    }
}

#[expect(clippy::print_stdout, reason = "the outcome")]
fn print_json(inspection: &Inspection) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(inspection).map_err(|error| Failure::failed(&error))?;
    println!("{text}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the outcome")]
fn print_text(inspection: &Inspection) {
    println!("{}", inspection.reference);
    println!("  digest       {}", inspection.digest);
    println!("  media type   {}", inspection.media_type);
    if let Some(kind) = &inspection.artifact_type {
        println!("  artifact     {kind}");
    }
    if let Some(subject) = &inspection.subject {
        println!("  subject      {subject}");
    }
    println!("  size         {}", arc_steps::bytes(inspection.size));
    for (name, value) in &inspection.annotations {
        println!("  annotation   {name}={value}");
    }
    for image in &inspection.manifests {
        let what = match (&image.about, image.platform.as_str()) {
            (Some(about), _) => format!("attestation of {about}"),
            (None, "") => "no platform".to_owned(),
            (None, platform) => platform.to_owned(),
        };
        let created = image.created.as_ref().map(|time| format!(", made {time}"));
        println!("\n  {what}{}", created.unwrap_or_default());
        println!("    digest     {}", image.digest);
        println!("    size       {}", arc_steps::bytes(image.size));
        for layer in &image.layers {
            println!("    layer      {}  {}", layer.digest, arc_steps::bytes(layer.size));
        }
    }
}
