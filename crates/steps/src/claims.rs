//! What a delivery claims: the predicates of its attestations, built from what the steps recorded.
//!
//! Only what is known is said: a pipeline image that the template does not pin has no digest, and a run on one
//! machine, where no image runs, names none.

use std::collections::BTreeMap;

use arc_evidence::predicate::{
    self, Database, Invocation, Metadata, Order, Provenance, ResourceDescriptor, Scanner, Vuln,
};
use arc_oci::Reference;
use serde_json::json;

use crate::attach::{Claim, Sealed};
use crate::attest::Delivery;
use crate::environment::Request;
use crate::error::Error;
use crate::record::{Plan, StepResult, seconds};
use crate::scan::Scan;

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
            ("scanSeverity".to_owned(), json!(request.gate.to_string())),
            ("signPlatforms".to_owned(), json!(request.sign_platforms)),
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

/// The other attestations, as what came out besides the image.
pub(crate) fn byproducts<'a>(
    delivery: &Delivery<'_>,
    attestations: impl Iterator<Item = &'a Sealed>,
) -> Result<Vec<ResourceDescriptor>, Error> {
    let remote = &delivery.request.destination.remote;
    let repository = remote.reference(&delivery.plan.destination_repository);
    let describe = |sealed: &Sealed| {
        let name = match sealed.predicate_type {
            predicate::PREDICATE_VULN => "scan-report",
            predicate::PREDICATE_CYCLONEDX => "sbom/cyclonedx",
            predicate::PREDICATE_SPDX => "sbom/spdx",
            other => other,
        };
        let mut described = describe(name, &format!("oci://{repository}"), sealed.digest())?;
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
    // On one machine the engine starts its own program; the image of the template does not take part.
    if !place.is_local()
        && let Some(image) = &request.pipeline_image
    {
        found.push(pipeline_image(image)?);
    }
    Ok(found)
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
