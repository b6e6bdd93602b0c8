//! Looks at a destination: which evidence is there for a digest, and does it hold?

use std::collections::BTreeSet;

use arc_evidence::verify::{
    AttestationEvidence, BundleEvidence, Evidence, Policy, Report, ScanPolicy, SignatureEvidence,
};
use arc_evidence::{PublicKey, Severity, bundle, legacy, limits, predicate, verify};
use arc_oci::{Client, Descriptor, Digest, Kind, Manifest, RawManifest};
use arc_scan::Gate;
use jiff::Timestamp;

use crate::claims;
use crate::environment::{Request, Unsupported};
use crate::error::Error;
use crate::place::Place;
use crate::record::Plan;
use crate::scan::is_attestation;

/// Collects everything that claims to be evidence for `digest`, raw and unjudged.
///
/// # Errors
/// Registry errors only; what cannot be read as evidence is left to the verifier to reject.
pub async fn evidence(
    client: &Client,
    repository: &str,
    digest: &Digest,
) -> Result<Evidence, Error> {
    let (bundles, unreadable) = bundles(client, repository, digest).await?;
    let mut found = Evidence { bundles, unreadable, ..Evidence::default() };
    for layer in legacy_layers(client, repository, &legacy::sig_tag(&digest.to_string())).await? {
        let limit = limits::MAX_SIMPLE_SIGNING;
        match read_small(client, repository, &layer.descriptor, limit).await? {
            Some(payload) => {
                found.signatures.push(SignatureEvidence { payload, signature: layer.signature });
            }
            None => found.unreadable.push(format!("signature {}", layer.descriptor.digest)),
        }
    }
    for layer in legacy_layers(client, repository, &legacy::att_tag(&digest.to_string())).await? {
        let predicate_type = layer.predicate_type;
        match read_small(client, repository, &layer.descriptor, limits::MAX_ENVELOPE).await? {
            Some(envelope) => {
                found.attestations.push(AttestationEvidence { envelope, predicate_type });
            }
            None => found.unreadable.push(format!("attestation {}", layer.descriptor.digest)),
        }
    }
    Ok(found)
}

/// Collects the bundles that refer to `digest`, raw and unjudged, and names those whose content cannot be had.
pub(crate) async fn bundles(
    client: &Client,
    repository: &str,
    digest: &Digest,
) -> Result<(Vec<BundleEvidence>, Vec<String>), Error> {
    let (mut found, mut unreadable) = (Vec::new(), Vec::new());
    for referrer in client.referrers(repository, digest).await? {
        let raw = client.manifest(repository, &referrer.digest.to_string()).await?;
        // Others attach things too; only bundles are evidence of ours.
        let Ok(carried) = bundle::carried(&raw.bytes) else { continue };
        match read_small(client, repository, &carried.blob, limits::MAX_ENVELOPE).await? {
            Some(blob) => found.push(BundleEvidence { manifest: raw.bytes.to_vec(), blob }),
            None => unreadable.push(format!("bundle {}", carried.blob.digest)),
        }
    }
    Ok((found, unreadable))
}

/// Returns why a destination's evidence does not hold by the pipeline's own policy; nothing if it does.
///
/// Signed and attested, in the log where there is one, a scan that passes this gate, and a summary that says so; each
/// platform signed where that is asked for.
pub(crate) async fn judge(
    client: &Client,
    plan: &Plan,
    key: &PublicKey,
    request: &Request,
) -> Result<Vec<String>, Error> {
    let signed = signed_by(key, request);
    let policy = signed
        .clone()
        .require(predicate::PREDICATE_SLSA_PROVENANCE)
        .require(predicate::PREDICATE_VSA)
        .with_scan(ScanPolicy { gate: severities(&request.gate), max_age: None });
    let report = report(client, plan, &plan.root.digest, &policy).await?;
    let mut problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    if problems.is_empty() && !is_summarised(&report, request, plan) {
        problems.push("no verification summary names this destination and its levels".to_owned());
    }
    if request.sign_platforms && problems.is_empty() {
        problems = judge_platforms(client, plan, &signed).await?;
    }
    Ok(problems)
}

/// What every signature of ours must fulfil.
fn signed_by(key: &PublicKey, request: &Request) -> Policy {
    let policy = Policy::new(vec![key.clone()]);
    match &request.log {
        Some(log) => policy.with_log(log.keys.clone()),
        None => policy,
    }
}

async fn report(
    client: &Client,
    plan: &Plan,
    digest: &Digest,
    policy: &Policy,
) -> Result<Report, Error> {
    let found = evidence(client, &plan.destination_repository, digest).await?;
    verify::verify(&digest.to_string(), &found, policy, Timestamp::now()).map_err(|source| {
        Error::Evidence { action: "judge the evidence at the destination", source: source.into() }
    })
}

/// Whether a verification summary that holds says what this request asks for.
fn is_summarised(report: &Report, request: &Request, plan: &Plan) -> bool {
    let resource = claims::resource_uri(request, plan);
    report.held(predicate::PREDICATE_VSA).filter_map(|item| item.statement.as_ref()).any(|held| {
        let summary = &held.predicate;
        let levels: Vec<_> = summary["verifiedLevels"].as_array().into_iter().flatten().collect();
        let has = |level: &str| levels.iter().any(|held| *held == level);
        let is_scanned = has(predicate::LEVEL_SCAN_PASSED)
            || (request.unsupported == Unsupported::Allow && has(claims::LEVEL_NOT_SCANNABLE));
        summary["resourceUri"] == resource.as_str()
            && summary["verificationResult"] == "PASSED"
            && is_scanned
            && (request.verify_source.is_none() || has(predicate::LEVEL_SOURCE_VERIFIED))
    })
}

/// Returns what is missing at the platforms below the root.
async fn judge_platforms(
    client: &Client,
    plan: &Plan,
    policy: &Policy,
) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    let mut unread = vec![plan.root.digest.clone()];
    let mut seen = BTreeSet::new();
    while let Some(digest) = unread.pop() {
        if !seen.insert(digest.clone()) {
            continue;
        }
        let raw = client.manifest(&plan.destination_repository, &digest.to_string()).await?;
        let manifest = Manifest::parse(&raw).map_err(|source| Error::Evidence {
            action: "judge the platforms at the destination",
            source: source.into(),
        })?;
        if manifest.kind == Kind::Index {
            let children = manifest.children.iter().filter(|child| !is_attestation(child));
            unread.extend(children.map(|child| child.digest.clone()));
        } else if digest != plan.root.digest {
            let report = report(client, plan, &digest, policy).await?;
            problems.extend(report.problems.iter().map(|problem| format!("{digest}: {problem}")));
        }
    }
    Ok(problems)
}

/// Returns whether the destination's tag already holds the digest, with evidence that holds.
///
/// A destination that does not let us look is not delivered; publish will say why it does not.
pub(crate) async fn is_delivered(
    request: &Request,
    place: &Place,
    destination: &Client,
    plan: &Plan,
) -> Result<bool, Error> {
    let Some(key) = place.public_key()? else { return Ok(false) };
    let there = match destination.resolve(&plan.destination_repository, &plan.destination_tag).await
    {
        Ok(there) => there,
        Err(error) if error.is_unauthorized() => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    if there.is_none_or(|there| there.digest != plan.root.digest) {
        return Ok(false);
    }
    Ok(judge(destination, plan, &key, request).await?.is_empty())
}

/// The severities a gate refuses, in the evidence's words.
pub(crate) fn severities(gate: &Gate) -> BTreeSet<Severity> {
    let words = arc_scan::Severity::ALL.into_iter().filter(|severity| gate.refuses(*severity));
    words.filter_map(|severity| severity.as_str().parse().ok()).collect()
}

/// Reads the manifest under a tag, if there is one.
pub(crate) async fn tagged(
    client: &Client,
    repository: &str,
    tag: &str,
) -> Result<Option<RawManifest>, Error> {
    match client.resolve(repository, tag).await? {
        None => Ok(None),
        Some(there) => Ok(Some(client.manifest(repository, &there.digest.to_string()).await?)),
    }
}

async fn legacy_layers(
    client: &Client,
    repository: &str,
    tag: &str,
) -> Result<Vec<legacy::Layer>, Error> {
    let manifest = tagged(client, repository, tag).await?;
    // An unreadable manifest is no evidence; the verifier then reports what is missing.
    Ok(manifest.and_then(|raw| legacy::layers(&raw.bytes).ok()).unwrap_or_default())
}

/// Reads a blob of evidence; what is larger than any evidence, or gone, is none.
async fn read_small(
    client: &Client,
    repository: &str,
    blob: &arc_evidence::Descriptor,
    limit: usize,
) -> Result<Option<Vec<u8>>, Error> {
    let limit = limit as u64;
    let Ok(digest) = blob.digest.parse::<Digest>() else { return Ok(None) };
    if blob.size > limit {
        return Ok(None);
    }
    let descriptor = Descriptor::new(blob.media_type.clone(), digest, blob.size);
    match client.read_blob(repository, &descriptor, limit).await {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}
