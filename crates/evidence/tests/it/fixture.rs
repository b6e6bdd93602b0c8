//! The known-answer vectors, two keys, and evidence that holds: the starting point of every tampering.

use std::sync::LazyLock;

use arc_evidence::{
    Bundle, Counts, Descriptor, Evidence, KeyFiles, OciArtifact, Policy, PublicKey, ScanFinding,
    ScanResult, ScanVerdict, Severity, SigningKey, Statement, Subject, bundle, dsse, legacy,
    predicate, simple_signing,
    verify::{AttestationEvidence, BundleEvidence, SignatureEvidence},
};
use jiff::Timestamp;
use serde_json::Value;

/// A date after the scan of [`vuln`].
pub(crate) const NOW: &str = "2026-08-23T00:00:00Z";
pub(crate) const CREATED: &str = "2026-08-22T00:00:00Z";
pub(crate) const REPOSITORY: &str = "registry.example/team/app";

static KAT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../supply-chain-kat.json")).unwrap());

/// The key of the vectors; opening it takes a noticeable time, so it is opened once.
static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_pem(&kat("key"), b"sample").unwrap());
static OTHER_KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate().unwrap());

pub(crate) fn kat(field: &str) -> String {
    KAT[field].as_str().unwrap_or_else(|| panic!("no {field:?} in the vectors")).to_owned()
}

pub(crate) fn key() -> &'static SigningKey {
    &KEY
}

pub(crate) fn other_key() -> &'static SigningKey {
    &OTHER_KEY
}

pub(crate) fn kat_files() -> KeyFiles {
    KeyFiles {
        key: kat("key").into(),
        password: Some(b"sample".to_vec().into()),
        public: Some(kat("pub")),
    }
}

pub(crate) fn digest() -> String {
    format!("sha256:{}", kat("image_digest"))
}

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn subject() -> Descriptor {
    Descriptor::of("application/vnd.oci.image.manifest.v1+json", kat("image_manifest").as_bytes())
}

pub(crate) fn policy() -> Policy {
    Policy::new(vec![key().public()])
}

pub(crate) fn statement(predicate_type: &str, predicate: Value) -> Statement {
    Statement::new(Subject::new(REPOSITORY, &digest()).unwrap(), predicate_type, predicate)
}

pub(crate) fn sign(key: &SigningKey, statement: &Statement) -> dsse::Envelope {
    dsse::sign(key, dsse::PAYLOAD_TYPE_IN_TOTO, statement.to_bytes())
}

/// A bundle that announces what its statement says.
pub(crate) fn bundle_of(key: &SigningKey, statement: &Statement) -> BundleEvidence {
    bundle_around(sign(key, statement), &key.public(), &statement.predicate_type)
}

pub(crate) fn bundle_around(
    envelope: dsse::Envelope,
    key: &PublicKey,
    predicate_type: &str,
) -> BundleEvidence {
    carried(bundle::referrer(&Bundle::new(envelope, key), &subject(), predicate_type, CREATED))
}

pub(crate) fn carried(referrer: OciArtifact) -> BundleEvidence {
    BundleEvidence { manifest: referrer.manifest, blob: referrer.blobs[1].clone() }
}

pub(crate) fn attestation_of(key: &SigningKey, statement: &Statement) -> AttestationEvidence {
    AttestationEvidence {
        envelope: sign(key, statement).to_json(),
        predicate_type: Some(statement.predicate_type.clone()),
    }
}

/// A bundle around an envelope's JSON, with the referrer that fits it.
pub(crate) fn bundle_blob(blob: &[u8], predicate_type: &str) -> BundleEvidence {
    // Signed once: there is a case for every byte of a bundle.
    static SIGNED: LazyLock<BundleEvidence> =
        LazyLock::new(|| bundle_of(key(), &signature_statement()));
    let mut evidence = SIGNED.clone();
    let mut manifest: Value = serde_json::from_slice(&evidence.manifest).unwrap();
    manifest["layers"][0] =
        serde_json::to_value(Descriptor::of(bundle::MEDIA_TYPE_BUNDLE, blob)).unwrap();
    manifest["annotations"][bundle::ANNOTATION_PREDICATE_TYPE] = predicate_type.into();
    evidence.manifest = serde_json::to_vec(&manifest).unwrap();
    evidence.blob = blob.to_vec();
    evidence
}

pub(crate) fn signature_statement() -> Statement {
    Statement::signature(&digest()).unwrap()
}

pub(crate) fn legacy_signature(key: &SigningKey, payload: Vec<u8>) -> SignatureEvidence {
    let image = legacy::append_signature(None, &payload, &key.sign(&payload)).unwrap();
    let signature = legacy::layers(&image.manifest).unwrap().remove(0).signature;
    SignatureEvidence { payload, signature }
}

/// A result that contradicts nothing.
pub(crate) fn scan_result(gate: &[Severity], severities: &[Severity]) -> ScanResult {
    let gate: std::collections::BTreeSet<_> = gate.iter().copied().collect();
    let refused = severities.iter().any(|severity| gate.contains(severity));
    let finding = |(index, severity): (usize, &Severity)| ScanFinding {
        id: format!("CVE-2026-{index:04}"),
        package: "openssl".to_owned(),
        installed: "3.0.1-1".to_owned(),
        fixed: Some("3.0.2-1".to_owned()),
        severity: *severity,
        url: None,
    };
    ScanResult {
        verdict: if refused { ScanVerdict::Refused } else { ScanVerdict::Passed },
        gate,
        counts: Counts::from_severities(severities.iter().copied()),
        database: format!("sha256:{}", "d".repeat(64)),
        findings: severities.iter().enumerate().map(finding).collect(),
    }
}

pub(crate) fn vuln(result: ScanResult, finished_on: &str) -> Statement {
    let predicate = predicate::vuln(&predicate::Vuln {
        invocation: predicate::Invocation {
            parameters: vec!["--severity".to_owned(), "HIGH,CRITICAL".to_owned()],
            uri: "arc://orders/team-a/app/artifacts/app".to_owned(),
            event_id: "3f0c".to_owned(),
            builder_id: predicate::SCAN_BUILDER_ID.to_owned(),
        },
        scanner: predicate::Scanner {
            uri: "https://arc.opendefense.cloud/scanner".to_owned(),
            version: "0.1.0".to_owned(),
            db: predicate::Database {
                uri: "file:///advisories".to_owned(),
                version: result.database.clone(),
                last_update: None,
            },
            result,
        },
        metadata: predicate::Metadata {
            scan_started_on: "2026-08-22T10:00:00Z".to_owned(),
            scan_finished_on: finished_on.to_owned(),
        },
    });
    statement(predicate::PREDICATE_VULN, predicate)
}

pub(crate) fn clean_scan() -> Statement {
    vuln(
        scan_result(&[Severity::High, Severity::Critical], &[Severity::Low]),
        "2026-08-22T10:00:41Z",
    )
}

/// A signature in both forms, and a clean scan in both forms.
pub(crate) fn good() -> Evidence {
    Evidence {
        bundles: vec![bundle_of(key(), &signature_statement()), bundle_of(key(), &clean_scan())],
        signatures: vec![legacy_signature(key(), simple_signing::payload(REPOSITORY, &digest()))],
        attestations: vec![attestation_of(key(), &clean_scan())],
        unreadable: Vec::new(),
    }
}
