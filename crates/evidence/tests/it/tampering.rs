//! Evidence that was changed, borrowed or misnamed: each with its reason, none counted.

use arc_evidence::{
    Bundle, Descriptor, Evidence, Policy, PublicKey, Statement, Subject, bundle, dsse, predicate,
    simple_signing,
    verify::{
        AttestationEvidence, BundleEvidence, Error, Item, Problem, Rejection, ScanPolicy,
        SignatureEvidence, verify,
    },
};
use serde_json::{Value, json};

use crate::fixture::{
    CREATED, REPOSITORY, attestation_of, bundle_around, bundle_blob, bundle_of, carried,
    clean_scan, digest, good, kat, key, legacy_signature, now, other_key, policy, sign,
    signature_statement, statement,
};

const SIGNATURE: &str = predicate::PREDICATE_SIGNATURE;
const NOT_SIGNED: Rejection = Rejection::NotSignedByKeys { keys: 1 };

fn other_digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

fn about_other(predicate_type: &str) -> Statement {
    Statement::new(Subject::new("", &other_digest()).unwrap(), predicate_type, json!({}))
}

fn wrong_subject() -> Rejection {
    Rejection::WrongSubject { found: format!("{:?}", other_digest()) }
}

/// Judges one piece of evidence: it must be refused for this reason, and the image with it.
#[track_caller]
fn refused(name: &str, evidence: &Evidence, expected: &Rejection) {
    let report = verify(&digest(), evidence, &policy(), now()).unwrap();
    let items: Vec<_> = report.signatures.iter().chain(&report.attestations).collect();
    let [item] = items.as_slice() else { panic!("{name}: {items:?}") };
    assert_eq!((item.rejection.as_ref(), &item.statement), (Some(expected), &None), "{name}");
    assert!(!report.accepted(), "{name}");
}

fn of_bundle(bundle: BundleEvidence) -> Evidence {
    Evidence { bundles: vec![bundle], ..Evidence::default() }
}

fn of_signature(payload: Vec<u8>, signature: Option<String>) -> Evidence {
    Evidence { signatures: vec![SignatureEvidence { payload, signature }], ..Evidence::default() }
}

fn of_attestation(attestation: AttestationEvidence) -> Evidence {
    Evidence { attestations: vec![attestation], ..Evidence::default() }
}

fn unreadable(why: &str) -> Rejection {
    Rejection::Unreadable { why: why.to_owned() }
}

#[test]
fn untouched_evidence_is_accepted_piece_by_piece() {
    let report =
        verify(&digest(), &good(), &policy().require(predicate::PREDICATE_VULN), now()).unwrap();
    assert_eq!(report.problems, []);
    let fates: Vec<_> =
        report.signatures.iter().chain(&report.attestations).map(Item::held).collect();
    assert_eq!(fates, [true; 4]);
    assert_eq!(report.attestations[0].statement, Some(clean_scan()));
}

#[test]
fn an_image_without_evidence_is_refused() {
    let report = verify(&digest(), &Evidence::default(), &policy(), now()).unwrap();
    assert_eq!(
        report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["no valid signature (0 found)"]
    );
}

#[test]
fn an_attestation_is_not_a_signature() {
    let sbom = statement(predicate::PREDICATE_CYCLONEDX, json!({"bomFormat": "CycloneDX"}));
    for evidence in
        [of_bundle(bundle_of(key(), &sbom)), of_attestation(attestation_of(key(), &sbom))]
    {
        let report =
            verify(&digest(), &evidence, &policy().require(&sbom.predicate_type), now()).unwrap();
        assert!(report.attestations[0].held(), "as an attestation it holds");
        assert_eq!(report.problems[0].to_string(), "no valid signature (0 found)");
        assert_eq!(report.problems.len(), 1);
    }
    refused(
        "a signature statement as `.att` layer",
        &of_attestation(attestation_of(key(), &signature_statement())),
        &Rejection::MisplacedSignature,
    );
}

#[test]
fn tampered_bundles_do_not_count() {
    let good = bundle_of(key(), &signature_statement());
    let with_envelope =
        |envelope: dsse::Envelope| of_bundle(bundle_around(envelope, &key().public(), SIGNATURE));
    let signed = || sign(key(), &signature_statement());
    let mut payload = signed();
    payload.payload = about_other(SIGNATURE).to_bytes();
    let mut payload_type = signed();
    payload_type.payload_type = "application/json".to_owned();
    let mut flipped = signed();
    *flipped.signatures[0].der.last_mut().unwrap() ^= 1;
    let mut trailing = signed();
    trailing.signatures[0].der.push(0);
    let mut foreign_key_id = signed();
    foreign_key_id.signatures[0].key_id = other_key().public().key_id();
    let mut blob = good.clone();
    blob.blob.push(b' ');
    let wrong_blob = Rejection::WrongBlob {
        found: arc_evidence::digest::sha256(&blob.blob),
        expected: arc_evidence::digest::sha256(&good.blob),
    };
    let json_payload = dsse::sign(key(), "application/json", signature_statement().to_bytes());
    let text = dsse::sign(key(), dsse::PAYLOAD_TYPE_IN_TOTO, b"some text".to_vec());
    let not_json = unreadable("invalid in-toto statement: expected value at line 1 column 1");
    let other_type = Rejection::WrongPayloadType { found: "application/json".to_owned() };
    for (name, evidence, expected) in [
        ("payload", with_envelope(payload), NOT_SIGNED),
        ("payload type", with_envelope(payload_type), NOT_SIGNED),
        ("bit of the signature", with_envelope(flipped), NOT_SIGNED),
        ("bytes after the signature", with_envelope(trailing), NOT_SIGNED),
        ("key id of another key", with_envelope(foreign_key_id), NOT_SIGNED),
        (
            "another key",
            of_bundle(bundle_of(other_key(), &signature_statement())),
            Rejection::AnotherKey { hint: other_key().public().hint() },
        ),
        (
            "another key under our key's name",
            with_envelope(sign(other_key(), &signature_statement())),
            NOT_SIGNED,
        ),
        (
            "copied from another image",
            of_bundle(bundle_of(key(), &about_other(SIGNATURE))),
            wrong_subject(),
        ),
        ("another blob", of_bundle(blob), wrong_blob),
        ("another payload type, signed", with_envelope(json_payload), other_type),
        ("text, signed", with_envelope(text), not_json),
    ] {
        refused(name, &evidence, &expected);
    }
}

#[test]
fn misnamed_or_misplaced_bundles_do_not_count() {
    let mismatch = |announced: &str, found: &str| Rejection::PredicateTypeMismatch {
        announced: announced.to_owned(),
        found: found.to_owned(),
    };
    let announce = |statement: &Statement, predicate_type: &str| {
        of_bundle(bundle_around(sign(key(), statement), &key().public(), predicate_type))
    };
    let elsewhere = Descriptor::of("application/vnd.oci.image.manifest.v1+json", b"{}");
    let bundle = Bundle::new(sign(key(), &signature_statement()), &key().public());
    let at_another = of_bundle(carried(bundle::referrer(&bundle, &elsewhere, SIGNATURE, CREATED)));
    let vuln = predicate::PREDICATE_VULN;
    let wrong_place = Rejection::WrongReferrerSubject { found: elsewhere.digest };
    for (name, evidence, expected) in [
        ("scan named signature", announce(&clean_scan(), SIGNATURE), mismatch(SIGNATURE, vuln)),
        ("signature named scan", announce(&signature_statement(), vuln), mismatch(vuln, SIGNATURE)),
        ("attached to another manifest", at_another, wrong_place),
    ] {
        refused(name, &evidence, &expected);
    }
}

#[test]
fn bundles_that_are_no_key_bundles_do_not_count() {
    let vector = || -> Value { serde_json::from_str(&kat("bundle")).unwrap() };
    let mut two = vector();
    let signature = two["dsseEnvelope"]["signatures"][0].clone();
    two["dsseEnvelope"]["signatures"] = json!([signature, signature]);
    let mut certificate = vector();
    certificate["verificationMaterial"] = json!({"certificate": {"rawBytes": "AA=="}});
    let blob = |bundle: &Value| of_bundle(bundle_blob(bundle.to_string().as_bytes(), SIGNATURE));
    let garbage = of_bundle(bundle_blob(b"\xff\x00", SIGNATURE));
    let no_manifest = of_bundle(BundleEvidence { manifest: b"{}".to_vec(), blob: Vec::new() });
    for (name, evidence, expected) in [
        (
            "two signatures",
            blob(&two),
            unreadable("invalid bundle: it has 2 signatures; expected one"),
        ),
        ("certificate", blob(&certificate), Rejection::Certificate),
        ("garbage", garbage, unreadable("invalid bundle: expected value at line 1 column 1")),
        (
            "garbage manifest",
            no_manifest,
            unreadable("invalid bundle referrer: missing field `layers` at line 1 column 2"),
        ),
    ] {
        refused(name, &evidence, &expected);
    }
}

#[test]
fn tampered_legacy_signatures_do_not_count() {
    let payload = || simple_signing::payload(REPOSITORY, &digest());
    let good = || legacy_signature(key(), payload()).signature;
    let signed = |payload: Vec<u8>| {
        let signature = legacy_signature(key(), payload);
        of_signature(signature.payload, signature.signature)
    };
    let other = simple_signing::payload(REPOSITORY, &other_digest());
    let typed = String::from_utf8(payload())
        .unwrap()
        .replace(simple_signing::TYPE, "atomic container signature");
    let no_signature = unreadable("the layer has no base64 signature annotation");
    let by_other = legacy_signature(other_key(), payload()).signature;
    for (name, evidence, expected) in [
        ("payload", of_signature(other.clone(), good()), NOT_SIGNED),
        (
            "space in the payload",
            of_signature([payload(), b" ".to_vec()].concat(), good()),
            NOT_SIGNED,
        ),
        ("another key", of_signature(payload(), by_other), NOT_SIGNED),
        (
            "signature of the vector's bundle",
            of_signature(payload(), Some(bundle_signature())),
            NOT_SIGNED,
        ),
        ("no annotation", of_signature(payload(), None), no_signature.clone()),
        ("empty annotation", of_signature(payload(), Some(String::new())), no_signature.clone()),
        ("annotation is no base64", of_signature(payload(), Some("%".to_owned())), no_signature),
        ("base64 of nothing useful", of_signature(payload(), Some("AAAA".to_owned())), NOT_SIGNED),
        (
            "copied from another image",
            signed(other),
            Rejection::WrongSubject { found: other_digest() },
        ),
        (
            "another type of signature",
            signed(typed.into_bytes()),
            Rejection::WrongSignatureType { found: "atomic container signature".to_owned() },
        ),
        (
            "text, signed",
            signed(b"some text".to_vec()),
            unreadable("invalid simple signing payload: expected value at line 1 column 1"),
        ),
    ] {
        refused(name, &evidence, &expected);
    }
}

fn bundle_signature() -> String {
    let bundle: Value = serde_json::from_str(&kat("bundle")).unwrap();
    bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap().to_owned()
}

#[test]
fn tampered_legacy_attestations_do_not_count() {
    let sbom = statement(predicate::PREDICATE_CYCLONEDX, json!({}));
    let renamed = AttestationEvidence {
        predicate_type: Some(predicate::PREDICATE_VULN.to_owned()),
        ..attestation_of(key(), &sbom)
    };
    let garbage = AttestationEvidence { envelope: b"{".to_vec(), predicate_type: None };
    let mismatch = Rejection::PredicateTypeMismatch {
        announced: predicate::PREDICATE_VULN.to_owned(),
        found: predicate::PREDICATE_CYCLONEDX.to_owned(),
    };
    for (name, evidence, expected) in [
        ("another key", of_attestation(attestation_of(other_key(), &sbom)), NOT_SIGNED),
        (
            "another image",
            of_attestation(attestation_of(key(), &about_other(predicate::PREDICATE_VULN))),
            wrong_subject(),
        ),
        ("renamed", of_attestation(renamed), mismatch),
        (
            "garbage",
            of_attestation(garbage),
            unreadable("invalid envelope: EOF while parsing an object at line 1 column 1"),
        ),
    ] {
        refused(name, &evidence, &expected);
    }
}

#[test]
fn good_evidence_counts_beside_bad_and_the_bad_is_reported() {
    let mut evidence = good();
    evidence.bundles.insert(0, bundle_of(other_key(), &signature_statement()));
    evidence.unreadable.push("the `.att` tag points to an index".to_owned());
    let report = verify(&digest(), &evidence, &policy(), now()).unwrap();
    assert!(report.accepted());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(
        json["signatures"][0],
        json!({
            "origin": "bundle",
            "digest": arc_evidence::digest::sha256(&evidence.bundles[0].manifest),
            "predicateType": SIGNATURE,
            "rejection": format!("it is signed with another key, {:?}", other_key().public().hint()),
        })
    );
    assert_eq!(
        (&json["problems"], &json["unreadable"]),
        (&json!([]), &json!(["the `.att` tag points to an index"]))
    );
}

#[test]
fn any_key_of_the_set_will_do_and_its_own_key_id_is_fine() {
    let set = Policy::new(vec![other_key().public(), key().public()]);
    let mut envelope = sign(key(), &clean_scan());
    envelope.signatures[0].key_id = key().public().key_id();
    let evidence =
        of_attestation(AttestationEvidence { envelope: envelope.to_json(), predicate_type: None });
    let attestations_only =
        Policy { require_signature: false, ..set.require(predicate::PREDICATE_VULN) };
    let report = verify(&digest(), &evidence, &attestations_only, now()).unwrap();
    assert_eq!((report.accepted(), report.attestations[0].key.clone()), (true, Some(kat("hint"))));
}

#[test]
fn required_attestations_must_be_there() {
    let report =
        verify(&digest(), &good(), &policy().require(predicate::PREDICATE_SPDX), now()).unwrap();
    assert_eq!(
        report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["no valid attestation of the type \"https://spdx.dev/Document\""]
    );
}

#[test]
fn a_verification_without_a_basis_is_an_error() {
    let nothing = Policy { require_signature: false, ..policy() };
    let many = Evidence {
        bundles: vec![BundleEvidence { manifest: Vec::new(), blob: Vec::new() }; 1001],
        ..good()
    };
    let large = of_attestation(AttestationEvidence {
        envelope: vec![0; (256 << 20) + 1],
        predicate_type: None,
    });
    for (subject, evidence, policy, expected) in [
        (digest(), good(), Policy::new(Vec::new()), Error::NoKeys),
        (digest(), good(), nothing, Error::NothingRequired),
        (
            digest(),
            many,
            policy(),
            Error::TooMuchEvidence { found: 1003, unit: "pieces", limit: 1000 },
        ),
        (
            digest(),
            large,
            policy(),
            Error::TooMuchEvidence { found: 268_435_457, unit: "bytes", limit: 268_435_456 },
        ),
    ] {
        assert_eq!(verify(&subject, &evidence, &policy, now()), Err(expected));
    }
    let error = verify("latest", &good(), &policy(), now()).unwrap_err().to_string();
    assert!(error.starts_with("invalid digest \"latest\""), "{error}");
}

#[test]
fn a_legacy_attestation_does_not_stand_in_for_a_bundle_either() {
    let signature = bundle_of(key(), &signature_statement());
    let scan = bundle_of(key(), &clean_scan());
    let upstream = bundle_of(other_key(), &clean_scan());
    for (name, bundles, expected) in [
        ("both", vec![signature.clone(), scan], None),
        ("none", vec![], None),
        ("another signer's", vec![upstream.clone()], None),
        ("no scan", vec![signature, upstream], Some(1)),
    ] {
        let evidence = Evidence { bundles, ..good() };
        let policy = policy().require(predicate::PREDICATE_VULN).with_scan(ScanPolicy::default());
        let report = verify(&digest(), &evidence, &policy, now()).unwrap();
        let expected = expected.map(|bundles| Problem::Downgrade {
            what: format!("{:?}", predicate::PREDICATE_VULN),
            bundles,
        });
        assert_eq!(report.problems, Vec::from_iter(expected), "{name}");
    }
}

#[test]
fn a_legacy_signature_does_not_stand_in_for_a_broken_bundle_but_stands_beside_other_peoples() {
    let mut flipped = sign(key(), &signature_statement());
    *flipped.signatures[0].der.last_mut().unwrap() ^= 1;
    let named = |key: &PublicKey| bundle_around(flipped.clone(), key, SIGNATURE);
    let ours = named(&key().public());
    let scan = bundle_of(key(), &clean_scan());
    let upstream = bundle_of(other_key(), &signature_statement());
    let attested_upstream = bundle_of(other_key(), &clean_scan());
    for (name, bundles, downgraded) in [
        ("no bundle", vec![], false),
        ("ours, broken", vec![ours.clone()], true),
        ("ours, not a signature", vec![scan], true),
        ("unreadable", vec![bundle_blob(b"{", SIGNATURE)], true),
        ("another signer's", vec![upstream.clone(), attested_upstream], false),
        ("another signer's, broken", vec![named(&other_key().public())], false),
        ("another signer's, and ours, broken", vec![upstream, ours], true),
    ] {
        let evidence = Evidence { bundles, ..good() };
        let report = verify(&digest(), &evidence, &policy(), now()).unwrap();
        let found: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
        let expected = downgraded.then_some("a downgrade");
        assert_eq!(found.len(), usize::from(downgraded), "{name}: {found:?}");
        assert!(found.iter().all(|it| it.ends_with(expected.unwrap())), "{name}: {found:?}");
    }
}

/// Three ways to change a byte: the lowest bit, the case of a letter, and out of ASCII.
const MASKS: [u8; 3] = [0x01, 0x20, 0x80];

/// Every text that differs from `bytes` in one byte.
fn each_changed(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len()).flat_map(|at| MASKS.map(|mask| (at, mask))).map(|(at, mask)| {
        let mut changed = bytes.to_vec();
        changed[at] ^= mask;
        changed
    })
}

fn is_accepted(evidence: &Evidence) -> bool {
    verify(&digest(), evidence, &policy(), now()).unwrap().accepted()
}

#[test]
fn no_changed_byte_of_a_legacy_signature_is_accepted() {
    let good = legacy_signature(key(), simple_signing::payload(REPOSITORY, &digest()));
    let signature = good.signature.clone().unwrap();
    assert!(is_accepted(&of_signature(good.payload.clone(), Some(signature.clone()))));
    for payload in each_changed(&good.payload) {
        assert!(
            !is_accepted(&of_signature(payload.clone(), good.signature.clone())),
            "{payload:?}"
        );
    }
    for changed in each_changed(signature.as_bytes()) {
        let changed = String::from_utf8_lossy(&changed).into_owned();
        assert!(
            !is_accepted(&of_signature(good.payload.clone(), Some(changed.clone()))),
            "{changed}"
        );
    }
}

/// The referrer fits the changed blob: who can change one can change the other. The hint alone decides nothing.
#[test]
fn no_changed_byte_of_a_bundle_is_accepted() {
    let good = bundle_of(key(), &signature_statement());
    let parsed = Bundle::parse(&good.blob).unwrap();
    for blob in each_changed(&good.blob) {
        let unfit = BundleEvidence { blob: blob.clone(), ..good.clone() };
        assert!(!is_accepted(&of_bundle(unfit)));
        if is_accepted(&of_bundle(bundle_blob(&blob, SIGNATURE))) {
            let read = Bundle::parse(&blob).unwrap();
            assert!(Bundle { material: read.material.clone(), ..parsed.clone() } == read);
        }
    }
}

/// A changed referrer is another referrer with another digest; it may only count if it says the same of the bundle.
#[test]
fn no_changed_byte_of_a_referrer_makes_another_statement() {
    let good = bundle_of(key(), &signature_statement());
    let said = bundle::carried(&good.manifest).unwrap();
    for manifest in each_changed(&good.manifest) {
        let changed = BundleEvidence { manifest: manifest.clone(), ..good.clone() };
        if is_accepted(&of_bundle(changed)) {
            let read = bundle::carried(&manifest).unwrap();
            assert_eq!((&read.blob.digest, &read.subject), (&said.blob.digest, &said.subject));
        }
    }
}

#[test]
fn no_changed_byte_of_an_attestation_is_accepted() {
    let sbom = statement(predicate::PREDICATE_CYCLONEDX, json!({}));
    let good = attestation_of(key(), &sbom);
    let attested =
        Policy { require_signature: false, ..policy().require(predicate::PREDICATE_CYCLONEDX) };
    let is_accepted = |attestation| {
        let evidence = of_attestation(attestation);
        verify(&digest(), &evidence, &attested, now()).unwrap().accepted()
    };
    assert!(is_accepted(good.clone()));
    for envelope in each_changed(&good.envelope) {
        let changed = AttestationEvidence { envelope: envelope.clone(), ..good.clone() };
        assert!(!is_accepted(changed), "{}", String::from_utf8_lossy(&envelope));
    }
}
