//! Fills the demo's registry: the upstream images, and the sample advisories as an OCI artifact.

use std::io::{Cursor, Write as _};
use std::path::Path;

use arc_oci::{
    Client, ClientOptions, Descriptor, Layout, Progress, RawManifest, Remote, copy, media_type,
};
use serde_json::json;

use super::images::{IMAGES, build};
use crate::report::Failure;
use crate::run::Row;

/// Repository and tag of the advisories, as `examples/quickstart/artifact-type.yaml` names them.
const ADVISORIES: (&str, &str) = ("security/advisories", "sample");

macro_rules! advisories {
    ($($name:literal),* $(,)?) => {
        [$((concat!($name, ".json"), include_str!(concat!("../../../../examples/quickstart/advisories/", $name, ".json")))),*]
    };
}

/// Real advisories, in OSV format.
const SAMPLE: [(&str, &str); 11] = advisories![
    "ALPINE-CVE-2023-44487",
    "ALPINE-CVE-2023-5363",
    "ALPINE-CVE-2023-5678",
    "ALPINE-CVE-2023-6129",
    "ALPINE-CVE-2024-0727",
    "DEBIAN-CVE-2018-25032",
    "DEBIAN-CVE-2022-2509",
    "DEBIAN-CVE-2022-37434",
    "DEBIAN-CVE-2023-4911",
    "DEBIAN-CVE-2024-0553",
    "DEBIAN-CVE-2024-2961",
];

/// Pushes everything; returns the references that now exist.
pub(super) async fn seed(address: &str, scratch: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: arc_oci::Error| Failure::failed(&error);
    let remote =
        Remote::parse(&format!("http://{address}")).map_err(|error| Failure::failed(&error))?;
    let client = Client::new(ClientOptions::new(remote)).map_err(failed)?;
    let layout = Layout::create(scratch).map_err(failed)?;
    let mut references = Vec::new();
    for image in &IMAGES {
        let index = build(image, &layout)?;
        let repository = format!("upstream/{}", image.repository);
        copy::push(&layout, &index.digest, &client, &repository, &Progress::new())
            .await
            .map_err(failed)?;
        for tag in image.tags {
            client.push_manifest(&repository, tag, &index).await.map_err(failed)?;
        }
        references.push(format!("{address}/{repository}:{}", image.tags.join(", :")));
    }
    push_advisories(&client).await?;
    references.push(format!(
        "{address}/{}:{} ({} advisories)",
        ADVISORIES.0,
        ADVISORIES.1,
        SAMPLE.len()
    ));
    Ok(references)
}

/// Asks the registry whether the row's destination tag exists.
pub(super) async fn is_there(address: &str, row: &Row) -> Result<bool, Failure> {
    let failed = |error: arc_oci::Error| Failure::failed(&error);
    let place = row.result.as_ref().and_then(|result| result.destination.as_ref());
    let place = place.map(|place| place.reference.parse::<arc_oci::Reference>());
    let Some(Ok(reference)) = place else {
        return Err(Failure::new(
            arc_steps::Exit::Failed,
            "the refused artifact has no destination",
        ));
    };
    let remote =
        Remote::parse(&format!("http://{address}")).map_err(|error| Failure::failed(&error))?;
    let client = Client::new(ClientOptions::new(remote)).map_err(failed)?;
    let found =
        client.resolve(&reference.repository, &reference.tag_or_digest()).await.map_err(failed)?;
    Ok(found.is_some())
}

async fn push_advisories(client: &Client) -> Result<(), Failure> {
    let failed = |error: arc_oci::Error| Failure::failed(&error);
    let zip = zip()?;
    let layer = Descriptor::of("application/zip", &zip);
    let config = Descriptor::of(media_type::OCI_EMPTY, b"{}");
    client.push_blob(ADVISORIES.0, &layer, zip).await.map_err(failed)?;
    client.push_blob(ADVISORIES.0, &config, b"{}".to_vec()).await.map_err(failed)?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "artifactType": "application/vnd.opendefense.arc.advisories.v1",
        "config": config,
        "layers": [layer],
    });
    let raw = RawManifest::new(media_type::OCI_MANIFEST, manifest.to_string().into_bytes());
    client.push_manifest(ADVISORIES.0, ADVISORIES.1, &raw).await.map(drop).map_err(failed)
}

/// The advisories as one zip, as OSV publishes them.
fn zip() -> Result<Vec<u8>, Failure> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    // A fixed time, so that the artifact's digest is the same on each run.
    let options =
        zip::write::SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    for (name, text) in SAMPLE {
        archive.start_file(name, options).map_err(|error| Failure::failed(&error))?;
        archive.write_all(text.as_bytes()).map_err(|error| Failure::failed(&error))?;
    }
    archive.finish().map(Cursor::into_inner).map_err(|error| Failure::failed(&error))
}
