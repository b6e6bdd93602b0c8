//! The step `fetch`: resolve, look at the destination, copy the image and the advisories into the work folder.

use std::path::Path;

use arc_oci::{Client, Descriptor, Layout, Manifest, Progress, copy};
use jiff::Timestamp;

use crate::console::{Console, bytes};
use crate::delivered;
use crate::environment::Request;
use crate::error::Error;
use crate::place::{Place, Side};
use crate::record::{self, Outcome, Place as Destination, Plan, Source, StepRecord, StepResult};
use crate::resolve::{Resolved, resolve};
use crate::source;

/// Largest advisory database from a registry, in bytes: all of OSV for one distribution is a tenth of it.
const MAX_DATABASE: u64 = 1 << 30;

/// Runs the step.
pub(crate) async fn run(
    request: &Request,
    place: &Place,
    console: Console,
) -> Result<StepResult, Error> {
    let started_at = Timestamp::now();
    // What an earlier run in this folder reported is not what this one did.
    record::remove(&place.result())?;
    record::remove(&place.scan())?;
    let source = place.connect(Side::Source, &request.source)?;
    let destination = place.connect(Side::Destination, &request.destination)?;
    let resolved = resolve(request, &source).await?;
    let root = read_root(&source, &resolved).await?;
    let mut plan = make_plan(place, resolved, root, started_at);
    let mut result = begin(request, &plan);
    console.say(&format!("resolved {} to {}", result.source.reference, plan.root.digest));
    let sentence = format!("{} is {}", result.source.reference, plan.root.digest);
    note(&mut result, "resolve", started_at, sentence);
    if let Err(error) = verify_source(request, &source, &mut plan, &mut result, console).await {
        if matches!(error, Error::Refused { .. }) {
            result.outcome = Outcome::Refused;
            note(&mut result, "verify-source", started_at, error.to_string());
            record::write(&place.result(), &result)?;
        }
        return Err(error);
    }

    if delivered::is_delivered(request, place, &destination, &plan).await? {
        plan.outcome = Outcome::AlreadyDelivered;
        let sentence =
            format!("{} is already delivered with valid evidence", result.destination.reference);
        console.say(&sentence);
        result.destination.digest = Some(plan.root.digest.clone());
        note(&mut result, "check-destination", started_at, sentence);
    } else if request.dry_run {
        plan.outcome = Outcome::DryRun;
        preview(&source, &destination, &plan, &mut result, console).await?;
    } else {
        let began = Timestamp::now();
        let sentence = pull(&source, place, &plan, console).await?;
        note(&mut result, "fetch", began, sentence);
        plan.database = fetch_database(request, place, console).await?;
    }
    result.outcome = plan.outcome;
    record::write(&place.plan(), &plan)?;
    Ok(result)
}

/// Checks upstream's evidence, if any is asked for, before anything else is read or looked at.
async fn verify_source(
    request: &Request,
    source: &Client,
    plan: &mut Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    if request.verify_source.is_none() {
        return Ok(());
    }
    let began = Timestamp::now();
    plan.source_evidence = source::verify(request, source, plan).await?;
    let sentence = format!("{} pieces of upstream's evidence hold", plan.source_evidence.len());
    console.say(&sentence);
    note(result, "verify-source", began, sentence);
    Ok(())
}

/// Reads the root by digest, so that nothing later depends on the tag.
async fn read_root(source: &Client, resolved: &Resolved) -> Result<Descriptor, Error> {
    let digest = resolved.root.digest.to_string();
    let raw = source.manifest(&resolved.source_repository, &digest).await?;
    Manifest::parse(&raw).map_err(|error| {
        Error::input(
            "SPEC_TAG",
            format!("{digest} cannot be carried: {error}"),
            "push it again as an OCI image",
        )
    })?;
    Ok(raw.descriptor())
}

/// Makes the plan. A run that is repeated keeps the time of the first, so that its evidence is the same.
fn make_plan(place: &Place, resolved: Resolved, root: Descriptor, now: Timestamp) -> Plan {
    let earlier: Option<Plan> = record::read(&place.plan()).ok();
    let same = earlier.filter(|plan| {
        plan.root.digest == root.digest
            && plan.destination_repository == resolved.destination_repository
            && plan.destination_tag == resolved.destination_tag
    });
    Plan {
        outcome: Outcome::Planned,
        root,
        source_repository: resolved.source_repository,
        source_tag: resolved.tag,
        destination_repository: resolved.destination_repository,
        destination_tag: resolved.destination_tag,
        started_at: same.map_or(now, |plan| plan.started_at),
        database: None,
        source_evidence: Vec::new(),
    }
}

fn begin(request: &Request, plan: &Plan) -> StepResult {
    let mut reference = request.source.remote.reference(&plan.source_repository);
    reference.tag.clone_from(&plan.source_tag);
    if reference.tag.is_none() {
        reference.digest = Some(plan.root.digest.clone());
    }
    StepResult {
        outcome: plan.outcome,
        source: Source {
            reference: reference.to_string(),
            digest: plan.root.digest.clone(),
            tag: plan.source_tag.clone(),
        },
        destination: Destination { reference: plan.destination_reference(request), digest: None },
        scan: None,
        signature: None,
        attestations: Vec::new(),
        blobs_moved: 0,
        bytes_moved: 0,
        bytes_planned: None,
        steps: Vec::new(),
    }
}

async fn pull(
    source: &Client,
    place: &Place,
    plan: &Plan,
    console: Console,
) -> Result<String, Error> {
    let layout = Layout::create(place.image())?;
    let progress = Progress::new();
    let following = console.follow("fetch", progress.clone());
    let report =
        copy::pull(source, &plan.source_repository, &plan.root, &layout, &progress).await?;
    drop(following);
    // A layout without a name in its index is unreadable for other people's scanners.
    layout.set_ref(&plan.destination_tag, &plan.root)?;
    let sentence = format!(
        "{} blobs and {} manifests, {} in all, {} of them referrers",
        report.blobs,
        report.manifests,
        bytes(report.bytes),
        report.referrers
    );
    console.say(&format!("fetched {sentence}"));
    Ok(sentence)
}

/// Says what a delivery would move; reads only.
async fn preview(
    source: &Client,
    destination: &Client,
    plan: &Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let from = copy::Place { client: source, repository: &plan.source_repository };
    let to = copy::Place { client: destination, repository: &plan.destination_repository };
    let root = plan.root.digest.to_string();
    let transfer = copy::plan_copy(from, &root, to, &copy::CopyOptions::default()).await?;
    let sentence = format!(
        "{} of {} would move, in {} blobs",
        bytes(transfer.bytes_missing),
        bytes(transfer.bytes_total),
        transfer.blobs_missing
    );
    console.say(&sentence);
    result.bytes_planned = Some(transfer.bytes_missing);
    note(result, "dry-run", began, sentence);
    Ok(())
}

/// Fetches the advisories if they are an OCI artifact; returns their reference with digest.
async fn fetch_database(
    request: &Request,
    place: &Place,
    console: Console,
) -> Result<Option<String>, Error> {
    if !request.database.contains("://") || request.report.is_some() {
        return Ok(None);
    }
    let hint = "write scanDatabase as oci://registry/repository:tag, or as a path";
    let invalid = |message: String| Error::input("SCAN_DATABASE", message, hint);
    let (scheme, name) = request.database.split_once("://").unwrap_or(("oci", &request.database));
    let reference: arc_oci::Reference =
        name.parse().map_err(|error: arc_oci::NameError| invalid(error.to_string()))?;
    let remote = arc_oci::Remote::parse(&format!("{scheme}://{}", reference.registry))
        .map_err(|error| invalid(error.to_string()))?;
    // The advisories' registry is often one of the two at hand; then its login and certificates are known.
    let mut endpoint = request.source.clone();
    let side = if remote.host == request.destination.remote.host
        && remote.host != request.source.remote.host
    {
        endpoint = request.destination.clone();
        Side::Destination
    } else {
        Side::Source
    };
    // A password given for TLS is never sent without it, even to the same host.
    let is_same = endpoint.remote.host == remote.host && endpoint.remote.scheme == remote.scheme;
    endpoint.has_secret &= is_same;
    endpoint.remote = remote;
    let client = place.connect(side, &endpoint)?;
    let digest = pull_database(&client, &reference, &place.fetched_advisories()).await?;
    console.say(&format!("fetched advisories {reference} ({digest})"));
    let pinned = arc_oci::Reference { digest: Some(digest), ..reference };
    Ok(Some(pinned.to_string()))
}

async fn pull_database(
    client: &Client,
    reference: &arc_oci::Reference,
    folder: &Path,
) -> Result<arc_oci::Digest, Error> {
    let wrong = |message: String| {
        Error::input(
            "SCAN_DATABASE",
            message,
            "push a zip of OSV advisories, for example with `oras push`",
        )
    };
    let repository = &reference.repository;
    let root = client.resolve(repository, &reference.tag_or_digest()).await?;
    let root = root.ok_or_else(|| wrong(format!("there is no artifact {reference}")))?;
    let raw = client.manifest(repository, &root.digest.to_string()).await?;
    let manifest = Manifest::parse(&raw).map_err(|error| wrong(error.to_string()))?;
    let total: u64 = manifest.layers.iter().map(|layer| layer.size).sum();
    if manifest.layers.is_empty() || total > MAX_DATABASE {
        return Err(wrong(format!(
            "{reference} has {} layers of {total} bytes in all",
            manifest.layers.len()
        )));
    }
    // A fresh folder: what an earlier run left must not take part.
    let file = |action, source| Error::File { action, path: folder.to_owned(), source };
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(|source| file("clear", source))?;
    }
    let layout = Layout::create(folder.join("layout"))?;
    let content = folder.join("content");
    std::fs::create_dir_all(&content).map_err(|source| file("make", source))?;
    for (number, layer) in manifest.layers.iter().enumerate() {
        client.fetch_blob(repository, layer, &layout, &Progress::new()).await?;
        let ending = if layer.media_type.contains("zip") && !layer.media_type.contains("gzip") {
            "zip"
        } else {
            "json"
        };
        let target = content.join(format!("{number}.{ending}"));
        std::fs::rename(layout.blob_path(&layer.digest), target)
            .map_err(|source| file("move a file into", source))?;
    }
    Ok(root.digest)
}

/// Adds to the record what was done.
pub(crate) fn note(result: &mut StepResult, name: &str, started_at: Timestamp, message: String) {
    result.steps.push(StepRecord {
        name: name.to_owned(),
        started_at,
        completed_at: Timestamp::now(),
        message,
    });
}
