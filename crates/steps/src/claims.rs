//! What a delivery claims: the predicates of its attestations, built from what the steps recorded.
//!
//! Only what is known is said: a pipeline image that the template does not pin has no digest, and a run on one
//! machine, where no image runs, names none.

use std::collections::{BTreeMap, BTreeSet};

use arc_evidence::PublicKey;
use arc_evidence::predicate::{
    self, Database, Invocation, LEVEL_SCAN_PASSED, LEVEL_SOURCE_VERIFIED, Metadata, Order,
    Provenance, ResourceDescriptor, Scanner, VerificationResult, VerificationSummary, Vuln,
};
use arc_oci::{Digest, Reference};
use serde_json::{Value, json};

use crate::attach::{Claim, Sealed};
use crate::attest::Delivery;
use crate::environment::{Request, Unsupported};
use crate::error::Error;
use crate::record::{Plan, SourceEvidence, StepResult, seconds};
use crate::scan::Scan;

/// The level of an image that passed because the policy lets pass what has nothing to scan.
pub(crate) const LEVEL_NOT_SCANNABLE: &str = "ARC_NOT_SCANNABLE_ALLOWED";
/// What a verification summary calls the policy; its digest is the one of `internalParameters.policy`.
const POLICY_URI: &str = "arc://policies/oci-image";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The vulnerability scan.
pub(crate) fn vulnerability(request: &Request, plan: &Plan, scan: &Scan) -> Claim {
    let order = &request.order;
    let vuln = Vuln {
        invocation: Invocation {
            parameters: vec!["--severity".to_owned(), request.gate.to_string()],
            uri: format!(
                "arc://orders/{}/{}/artifacts/{}",
                order.namespace, order.name, order.artifact
            ),
            event_id: request.workflow.uid.clone(),
            builder_id: predicate::SCAN_BUILDER_ID.to_owned(),
        },
        scanner: Scanner {
            uri: scan.scanner.clone(),
            version: VERSION.to_owned(),
            db: Database {
                uri: plan.database.clone().unwrap_or_else(|| request.database.clone()),
                version: scan.result.database.clone(),
                last_update: scan.database_newest.clone(),
            },
            result: scan.result.clone(),
        },
        metadata: Metadata {
            scan_started_on: seconds(scan.started_at),
            scan_finished_on: seconds(scan.completed_at),
        },
    };
    Claim { predicate_type: predicate::PREDICATE_VULN, predicate: predicate::vuln(&vuln) }
}

/// The SLSA provenance of the delivery.
pub(crate) fn provenance(
    delivery: &Delivery<'_>,
    result: &StepResult,
    byproducts: Vec<ResourceDescriptor>,
) -> Result<Claim, Error> {
    let Delivery { request, plan, scan, .. } = delivery;
    let order = &request.order;
    let provenance = Provenance {
        order: Order {
            namespace: order.namespace.clone(),
            name: order.name.clone(),
            uid: order.uid.clone(),
            generation: order.generation.clone(),
            artifact: order.artifact.clone(),
        },
        source: result.source.reference.clone(),
        destination: result.destination.reference.clone(),
        steps: ["copy", "scan", "sign", "attest"].map(str::to_owned).to_vec(),
        options: BTreeMap::from([
            ("requested".to_owned(), json!(requested(request))),
            ("override".to_owned(), json!(request.override_template)),
        ]),
        internal_parameters: BTreeMap::from([
            (
                "workflow".to_owned(),
                json!({"namespace": request.workflow.namespace, "name": request.workflow.name}),
            ),
            // The digest of exactly this is what the verification summary names.
            ("policy".to_owned(), policy(request, plan, scan)),
        ]),
        resolved_dependencies: dependencies(delivery, result)?,
        arc_version: VERSION.to_owned(),
        invocation_id: request.workflow.uid.clone(),
        started_on: Some(seconds(plan.started_at)),
        // The scan's end, not the clock: a publish that runs again must make the same bytes.
        finished_on: Some(seconds(scan.completed_at)),
        byproducts,
    };
    Ok(Claim {
        predicate_type: predicate::PREDICATE_SLSA_PROVENANCE,
        predicate: predicate::slsa_provenance(&provenance),
    })
}

/// The verification summary: which policy the artifact passed, and on which evidence.
pub(crate) fn summary(
    delivery: &Delivery<'_>,
    input_attestations: Vec<ResourceDescriptor>,
) -> Result<Claim, Error> {
    let Delivery { request, plan, scan, .. } = delivery;
    let text = policy(request, plan, scan).to_string();
    let digest = Digest::sha256(text.as_bytes()).to_string();
    let is_scanned = scan.platforms.iter().all(|platform| platform.is_scannable);
    let mut levels = vec![if is_scanned { LEVEL_SCAN_PASSED } else { LEVEL_NOT_SCANNABLE }];
    if !plan.source_evidence.is_empty() {
        levels.push(LEVEL_SOURCE_VERIFIED);
    }
    let summary = VerificationSummary {
        arc_version: VERSION.to_owned(),
        // As in the provenance: a publish that runs again must make the same bytes.
        time_verified: seconds(scan.completed_at),
        resource_uri: resource_uri(request, plan),
        policy: describe("", POLICY_URI, &digest)?,
        input_attestations,
        result: VerificationResult::Passed,
        verified_levels: levels.into_iter().map(str::to_owned).collect(),
    };
    Ok(Claim { predicate_type: predicate::PREDICATE_VSA, predicate: predicate::vsa(&summary) })
}

/// Where the artifact is, as a verification summary names it.
pub(crate) fn resource_uri(request: &Request, plan: &Plan) -> String {
    format!("oci://{}", request.destination.remote.reference(&plan.destination_repository))
}

/// Everything that decided about the delivery. Keys sort, so that the same policy has the same digest.
fn policy(request: &Request, plan: &Plan, scan: &Scan) -> Value {
    let source = request.verify_source.as_ref().map(|policy| {
        let keys: BTreeSet<_> = policy.keys.iter().map(PublicKey::hint).collect();
        json!({
            "keys": keys,
            "predicateTypes": policy.require,
            "maxAgeSeconds": policy.max_age.map(|age| age.as_secs()),
        })
    });
    let log = request
        .log
        .as_ref()
        .map(|log| log.keys.iter().map(|key| hex(&key.id())).collect::<BTreeSet<_>>());
    let unsupported = match request.unsupported {
        Unsupported::Refuse => "refuse",
        Unsupported::Allow => "allow",
    };
    json!({
        "scanSeverity": request.gate.to_string(),
        "scanUnsupported": unsupported,
        "scanDatabase": {
            "uri": plan.database.as_ref().unwrap_or(&request.database),
            "digest": scan.result.database,
        },
        "scanReport": request.report.is_some(),
        "signPlatforms": request.sign_platforms,
        "verifySource": source,
        "logKeys": log,
    })
}

/// The other attestations: byproducts of the delivery, and what its summary rests on.
pub(crate) fn attested<'a>(
    delivery: &Delivery<'_>,
    attestations: impl Iterator<Item = &'a Sealed>,
) -> Result<Vec<ResourceDescriptor>, Error> {
    let resource = resource_uri(delivery.request, delivery.plan);
    let describe = |sealed: &Sealed| {
        let name = match sealed.predicate_type {
            predicate::PREDICATE_VULN => "scan-report",
            predicate::PREDICATE_CYCLONEDX => "sbom/cyclonedx",
            predicate::PREDICATE_SPDX => "sbom/spdx",
            predicate::PREDICATE_SLSA_PROVENANCE => "provenance",
            other => other,
        };
        let mut described = describe(name, &resource, sealed.digest())?;
        "application/vnd.in-toto+json".clone_into(&mut described.media_type);
        Ok(described)
    };
    attestations.map(describe).collect()
}

/// The artifact as the order's author wrote it, before it was resolved.
fn requested(request: &Request) -> String {
    let wanted = &request.wanted;
    let digest = wanted.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{}:{}{digest}", wanted.repository, wanted.tag.as_deref().unwrap_or_default())
}

fn dependencies(
    delivery: &Delivery<'_>,
    result: &StepResult,
) -> Result<Vec<ResourceDescriptor>, Error> {
    let Delivery { request, plan, scan, place, .. } = delivery;
    let mut source = describe(
        "source",
        &format!("oci://{}", result.source.reference),
        &plan.root.digest.to_string(),
    )?;
    source.media_type.clone_from(&plan.root.media_type);
    let scanner = match &scan.program {
        Some(program) => describe("step/scan", &scan.scanner, &program.to_string())?,
        None => unpinned("step/scan", &scan.scanner),
    };
    let database = plan
        .database
        .as_ref()
        .map_or_else(|| request.database.clone(), |name| format!("oci://{name}"));
    let mut found =
        vec![source, scanner, describe("db/advisories", &database, &scan.result.database)?];
    let upstream = format!("oci://{}", request.source.remote.reference(&plan.source_repository));
    for evidence in &plan.source_evidence {
        found.push(upstream_evidence(evidence, &upstream)?);
    }
    // On one machine the engine starts its own program; the image of the template does not take part.
    if !place.is_local()
        && let Some(image) = &request.pipeline_image
    {
        found.push(pipeline_image(image)?);
    }
    Ok(found)
}

/// A piece of upstream's evidence that was verified before the image was fetched.
fn upstream_evidence(evidence: &SourceEvidence, uri: &str) -> Result<ResourceDescriptor, Error> {
    let is_signature = evidence.predicate_type == predicate::PREDICATE_SIGNATURE;
    let name = if is_signature { "upstream-signature" } else { "upstream-attestation" };
    let mut described = describe(name, uri, &evidence.digest)?;
    described.annotations = BTreeMap::from([
        ("verified".to_owned(), "true".to_owned()),
        ("keyHint".to_owned(), evidence.key_hint.clone()),
        ("predicateType".to_owned(), evidence.predicate_type.clone()),
    ]);
    Ok(described)
}

/// The image that the template names: with its digest where it is pinned, and without one where it is not.
fn pipeline_image(image: &str) -> Result<ResourceDescriptor, Error> {
    let uri = format!("oci://{image}");
    let pinned = image.parse::<Reference>().ok().and_then(|reference| reference.digest);
    match pinned {
        Some(digest) => describe("pipeline-image", &uri, &digest.to_string()),
        None => Ok(unpinned("pipeline-image", &uri)),
    }
}

fn describe(name: &str, uri: &str, digest: &str) -> Result<ResourceDescriptor, Error> {
    ResourceDescriptor::new(name, uri, digest).map_err(|source| Error::Evidence {
        action: "describe the delivery's materials",
        source: source.into(),
    })
}

/// Something of which only the name is known.
fn unpinned(name: &str, uri: &str) -> ResourceDescriptor {
    ResourceDescriptor { name: name.to_owned(), uri: uri.to_owned(), ..Default::default() }
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_image_has_a_digest_only_where_the_template_pins_it() {
        let digest = "sha256:09ade42fe3e69018a3360bb092265af902f9e7d6013146cf152c82ac3a944707";
        for (image, pinned) in [
            (format!("ghcr.io/opendefensecloud/arc:0.1.0@{digest}"), true),
            (format!("ghcr.io/opendefensecloud/arc@{digest}"), true),
            ("ghcr.io/opendefensecloud/arc:0.1.0".to_owned(), false),
            ("not an image".to_owned(), false),
        ] {
            let described = pipeline_image(&image).expect("it is described");
            assert_eq!(described.uri, format!("oci://{image}"));
            let found = described.digest.get("sha256").map(|hex| format!("sha256:{hex}"));
            assert_eq!(found.as_deref(), pinned.then_some(digest), "{image:?}");
        }
    }
}
