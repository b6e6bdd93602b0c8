//! Signs and attests one delivery: which claims are made about which manifest, and in which order they are written.
//!
//! Independent pieces are written at the same time; the verification summary names all the others and is the last.

use std::future::Future;

use arc_evidence::SigningKey;
use arc_evidence::predicate::{self, ResourceDescriptor};
use arc_oci::Client;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use crate::attach::{Claim, Destination, Sealed, Signer, Target};
use crate::claims;
use crate::environment::Request;
use crate::error::Error;
use crate::fetch::note;
use crate::place::Place;
use crate::record::{self, Plan, SignatureRecord, StepResult, seconds};
use crate::scan::Scan;
use crate::transparency::Log;

/// Pieces of evidence that are written at the same time; registries limit how many requests one client may have open.
const CONCURRENCY: usize = 4;

/// Everything that evidence of one delivery is made from.
pub(crate) struct Delivery<'a> {
    pub(crate) request: &'a Request,
    pub(crate) place: &'a Place,
    pub(crate) client: &'a Client,
    pub(crate) plan: &'a Plan,
    pub(crate) scan: &'a Scan,
    pub(crate) key: &'a SigningKey,
    pub(crate) log: Option<Log>,
}

impl Delivery<'_> {
    fn signer(&self) -> Signer<'_> {
        Signer { key: self.key, log: self.log.as_ref() }
    }
}

/// What is attached to one manifest.
struct Page<'a> {
    target: Target<'a>,
    signature: Option<Sealed>,
    attestations: Vec<Sealed>,
}

/// Writes signature and attestations; what is there already is not written again.
pub(crate) async fn sign_and_attest(
    delivery: &Delivery<'_>,
    result: &mut StepResult,
) -> Result<(), Error> {
    let began = Timestamp::now();
    let Delivery { request, plan, scan, .. } = delivery;
    let docker_reference =
        request.destination.remote.reference(&plan.destination_repository).to_string();
    let created = seconds(request.order.created_at.unwrap_or(plan.started_at));
    let destination = Destination {
        client: delivery.client,
        repository: &plan.destination_repository,
        docker_reference: &docker_reference,
        created: &created,
    };
    let mut manifests = vec![&plan.root];
    let platforms = scan.platforms.iter().map(|platform| &platform.manifest);
    manifests.extend(platforms.filter(|manifest| manifest.digest != plan.root.digest));
    let look = |manifest| Target::look(destination, manifest, delivery.signer());
    let targets = together(manifests.into_iter().map(look)).await?;
    let mut pages = together(targets.into_iter().map(|target| seal(delivery, target))).await?;
    let summary = seal_conclusions(delivery, &mut pages, result).await?;
    write(delivery.key, &pages).await?;
    record::write_bytes(&delivery.place.summary(), &summary)?;
    let sealed = pages.iter().rev().flat_map(|page| &page.attestations);
    result.attestations.extend(sealed.map(Sealed::record));
    let root = pages.first().and_then(|page| page.signature.as_ref());
    result.signature = root.map(|sealed| SignatureRecord { digest: sealed.digest().to_owned() });
    let signatures = pages.iter().filter(|page| page.signature.is_some()).count();
    let plural = if signatures == 1 { "" } else { "s" };
    let sentence =
        format!("{signatures} signature{plural} and {} attestations", result.attestations.len());
    note(result, "sign-and-attest", began, sentence);
    Ok(())
}

/// Seals what does not depend on other evidence: signatures, SBOMs, the scan.
async fn seal<'a>(delivery: &Delivery<'_>, target: Target<'a>) -> Result<Page<'a>, Error> {
    let Delivery { request, plan, scan, .. } = delivery;
    let signer = delivery.signer();
    let is_root = target.manifest.digest == plan.root.digest;
    let mut claims = Vec::new();
    for platform in
        scan.platforms.iter().filter(|platform| platform.manifest.digest == target.manifest.digest)
    {
        claims.push(Claim {
            predicate_type: predicate::PREDICATE_CYCLONEDX,
            predicate: platform.cyclonedx.clone(),
        });
        claims.push(Claim {
            predicate_type: predicate::PREDICATE_SPDX,
            predicate: platform.spdx.clone(),
        });
    }
    if is_root {
        claims.push(claims::vulnerability(request, plan, scan));
    }
    let signature = if is_root || request.sign_platforms {
        Some(target.seal_signature(signer).await?)
    } else {
        None
    };
    let attestations = together(claims.into_iter().map(|claim| target.seal(signer, claim))).await?;
    Ok(Page { target, signature, attestations })
}

/// Seals what speaks about other evidence: the provenance, then the verification summary, whose envelope is returned.
async fn seal_conclusions(
    delivery: &Delivery<'_>,
    pages: &mut [Page<'_>],
    result: &StepResult,
) -> Result<Vec<u8>, Error> {
    let signer = delivery.signer();
    let byproducts = describe_all(delivery, pages)?;
    let claim = claims::provenance(delivery, result, byproducts)?;
    let Some(root) = pages.first_mut() else { return Ok(Vec::new()) };
    root.attestations.push(root.target.seal(signer, claim).await?);
    let claim = claims::summary(delivery, describe_all(delivery, pages)?)?;
    let Some(root) = pages.first_mut() else { return Ok(Vec::new()) };
    let summary = root.target.seal(signer, claim).await?;
    let file = summary.envelope.to_json();
    root.attestations.push(summary);
    Ok(file)
}

fn describe_all(
    delivery: &Delivery<'_>,
    pages: &[Page<'_>],
) -> Result<Vec<ResourceDescriptor>, Error> {
    claims::attested(delivery, pages.iter().flat_map(|page| &page.attestations))
}

/// Writes all pieces; those of the root's attestations last, the verification summary after everything else.
async fn write(key: &SigningKey, pages: &[Page<'_>]) -> Result<(), Error> {
    let Some((root, platforms)) = pages.split_first() else { return Ok(()) };
    let Some((last, others)) = root.attestations.split_last() else { return Ok(()) };
    let of_platforms = platforms.iter().flat_map(|page| {
        page.attestations.iter().chain(&page.signature).map(|sealed| page.target.push(sealed))
    });
    let of_root = others.iter().chain(&root.signature).map(|sealed| root.target.push(sealed));
    together(of_platforms.chain(of_root)).await?;
    together(platforms.iter().map(|page| write_legacy(key, page))).await?;
    root.target.push(last).await?;
    write_legacy(key, root).await
}

async fn write_legacy(key: &SigningKey, page: &Page<'_>) -> Result<(), Error> {
    if page.signature.is_some() {
        page.target.push_legacy_signature(key).await?;
    }
    let attestations: Vec<_> = page.attestations.iter().collect();
    page.target.push_legacy_attestations(&attestations).await
}

/// Awaits all, a few at a time, and returns their values in order.
async fn together<T>(
    work: impl Iterator<Item = impl Future<Output = Result<T, Error>>>,
) -> Result<Vec<T>, Error> {
    stream::iter(work).buffered(CONCURRENCY).try_collect().await
}
