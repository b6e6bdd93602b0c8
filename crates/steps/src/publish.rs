//! The step `publish`: copy to the destination, sign, attest, read it all back, and only then set the tag.
//!
//! The order of writes is the promise of the whole pipeline: blobs, manifests by digest, evidence, proof that the
//! evidence holds where a reader will look for it, tag. Killed anywhere in between, no tag has moved, and the next
//! run writes what is missing.

use std::collections::BTreeMap;

use arc_evidence::SigningKey;
use arc_evidence::predicate::{
    self, Database, Invocation, Metadata, Order, Provenance, ResourceDescriptor, Scanner, Vuln,
};
use arc_oci::{Client, Layout, Progress, copy};
use jiff::Timestamp;
use serde_json::json;

use crate::attach::{Attached, Claim, Target, attach};
use crate::console::{Console, bytes};
use crate::delivered;
use crate::environment::Request;
use crate::error::Error;
use crate::fetch::note;
use crate::place::{Place, Side};
use crate::record::{self, Outcome, Plan, SignatureRecord, StepResult};
use crate::scan::Scan;

/// Runs the step.
pub(crate) async fn run(
    request: &Request,
    place: &Place,
    console: Console,
) -> Result<StepResult, Error> {
    let plan: Plan = record::read(&place.plan())?;
    let mut result: StepResult = record::read(&place.result())?;
    if plan.outcome != Outcome::Planned {
        return Ok(result);
    }
    let scan = Scan::read(place, &plan)?;
    // Both before anything is written: a delivery that cannot be signed must not begin.
    let key = place.signing_key()?;
    let client = place.connect(Side::Destination, &request.destination)?;
    let began = Timestamp::now();
    if delivered::is_delivered(request, place, &client, &plan).await? {
        result.outcome = Outcome::AlreadyDelivered;
        result.destination.digest = Some(plan.root.digest.clone());
        note(
            &mut result,
            "check-destination",
            began,
            "already delivered with valid evidence".to_owned(),
        );
        return Ok(result);
    }
    push(&client, place, &plan, &mut result, console).await?;
    sign_and_attest(request, &client, (&plan, &scan), &key, &mut result).await?;
    prove(request, &client, &plan, &key).await?;
    tag(&client, place, &plan, &mut result, console).await?;
    Ok(result)
}

async fn push(
    client: &Client,
    place: &Place,
    plan: &Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let layout = Layout::open(place.image())?;
    let progress = Progress::new();
    let following = console.follow("publish", progress.clone());
    let report =
        copy::push(&layout, &plan.root.digest, client, &plan.destination_repository, &progress)
            .await?;
    drop(following);
    result.blobs_moved = report.blobs_pushed;
    result.bytes_moved = report.bytes_pushed;
    let sentence = format!(
        "{} blobs sent ({}), {} were there; {} manifests, {} referrers",
        report.blobs_pushed,
        bytes(report.bytes_pushed),
        report.blobs_skipped,
        report.manifests_pushed,
        report.referrers_pushed
    );
    console.say(&sentence);
    for conflict in &report.conflicts {
        console.say(&format!(
            "{} differs at the destination and was left as it is there",
            conflict.tag
        ));
    }
    note(result, "push", began, sentence);
    Ok(())
}

async fn sign_and_attest(
    request: &Request,
    client: &Client,
    (plan, scan): (&Plan, &Scan),
    key: &SigningKey,
    result: &mut StepResult,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let docker_reference =
        request.destination.remote.reference(&plan.destination_repository).to_string();
    let created = request.order.created_at.unwrap_or(plan.started_at);
    let created = seconds(created);
    let target = |manifest| Target {
        client,
        repository: &plan.destination_repository,
        manifest,
        docker_reference: &docker_reference,
        created: &created,
    };
    let mut claims = vec![
        vulnerability_claim(request, plan, scan),
        provenance_claim(request, plan, scan, result)?,
    ];
    for platform in &scan.platforms {
        let sbom = Claim {
            predicate_type: predicate::PREDICATE_CYCLONEDX,
            predicate: platform.sbom.clone(),
        };
        if platform.manifest.digest == plan.root.digest {
            claims.push(sbom);
        } else {
            let Attached { attestations, .. } =
                attach(&target(&platform.manifest), key, vec![sbom], false).await?;
            result.attestations.extend(attestations);
        }
    }
    let Attached { signature, attestations } =
        attach(&target(&plan.root), key, claims, true).await?;
    result.signature = signature.map(|digest| SignatureRecord { digest });
    result.attestations.extend(attestations);
    let sentence = format!("1 signature and {} attestations", result.attestations.len());
    note(result, "sign-and-attest", began, sentence);
    Ok(())
}

/// Reads the evidence back from the destination and judges it as any reader would.
async fn prove(
    request: &Request,
    client: &Client,
    plan: &Plan,
    key: &SigningKey,
) -> Result<(), Error> {
    let report = delivered::judge(client, plan, key.public(), &request.gate).await?;
    if report.accepted() {
        return Ok(());
    }
    let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
    let why = format!(
        "the destination does not show valid evidence after it was written: {}",
        problems.join("; ")
    );
    Err(Error::Evidence { action: "prove the delivery; the tag was not set", source: why.into() })
}

async fn tag(
    client: &Client,
    place: &Place,
    plan: &Plan,
    result: &mut StepResult,
    console: Console,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let raw = Layout::open(place.image())?.manifest(&plan.root.digest)?;
    client.push_manifest(&plan.destination_repository, &plan.destination_tag, &raw).await?;
    result.outcome = Outcome::Delivered;
    result.destination.digest = Some(plan.root.digest.clone());
    let sentence = format!("{} is {}", result.destination.reference, plan.root.digest);
    console.say(&format!("delivered {sentence}"));
    note(result, "tag", began, sentence);
    Ok(())
}

fn vulnerability_claim(request: &Request, plan: &Plan, scan: &Scan) -> Claim {
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
            version: env!("CARGO_PKG_VERSION").to_owned(),
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

fn provenance_claim(
    request: &Request,
    plan: &Plan,
    scan: &Scan,
    result: &StepResult,
) -> Result<Claim, Error> {
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
        ]),
        resolved_dependencies: dependencies(request, plan, scan, result)?,
        arc_version: env!("CARGO_PKG_VERSION").to_owned(),
        invocation_id: request.workflow.uid.clone(),
        started_on: Some(seconds(plan.started_at)),
        // The scan's end, not the clock: a publish that runs again must make the same bytes.
        finished_on: Some(seconds(scan.completed_at)),
        byproducts: Vec::new(),
    };
    Ok(Claim {
        predicate_type: predicate::PREDICATE_SLSA_PROVENANCE,
        predicate: predicate::slsa_provenance(&provenance),
    })
}

/// The artifact as the order's author wrote it, before it was resolved.
fn requested(request: &Request) -> String {
    let wanted = &request.wanted;
    let digest = wanted.digest.as_ref().map(|digest| format!("@{digest}")).unwrap_or_default();
    format!("{}:{}{digest}", wanted.repository, wanted.tag.as_deref().unwrap_or_default())
}

fn dependencies(
    request: &Request,
    plan: &Plan,
    scan: &Scan,
    result: &StepResult,
) -> Result<Vec<ResourceDescriptor>, Error> {
    let make = |name, uri: &str, digest: &str| {
        ResourceDescriptor::new(name, uri, digest).map_err(|source| Error::Evidence {
            action: "describe the delivery's materials",
            source: source.into(),
        })
    };
    let mut source = make(
        "source",
        &format!("oci://{}", result.source.reference),
        &plan.root.digest.to_string(),
    )?;
    source.media_type.clone_from(&plan.root.media_type);
    let database = plan
        .database
        .as_ref()
        .map_or_else(|| request.database.clone(), |name| format!("oci://{name}"));
    Ok(vec![source, make("db/advisories", &database, &scan.result.database)?])
}

/// RFC 3339 with whole seconds: what every verifier parses.
fn seconds(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.to_string()
}
