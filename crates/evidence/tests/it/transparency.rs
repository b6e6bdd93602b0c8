//! Logs: what is sent, what comes back, how bundles keep it, and that nothing else than the truth is accepted.

use arc_evidence::{
    Bundle, Envelope, Evidence, LogEntry, Policy, SigningKey, bundle, dsse, predicate,
    simple_signing,
    transparency::{self, Checkpoint, Error, LogSummary, Signed},
    verify::{BundleEvidence, LogPolicy, Rejection, verify},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    fake_log::{FakeLog, TAKEN, hex},
    fixture::{
        CREATED, bundle_blob, clean_scan, digest, good, kat, key, now, other_key, policy, sign,
        signature_statement, subject,
    },
};

const SIGNATURE: &str = predicate::PREDICATE_SIGNATURE;

fn signed_statement() -> Envelope {
    sign(key(), &signature_statement())
}

fn logged_v2(log: &mut FakeLog, key: &SigningKey, envelope: &Envelope) -> LogEntry {
    let public = key.public();
    let request = transparency::v2_request(&Signed::envelope(envelope, &public).unwrap());
    LogEntry::from_v2_answer(&log.answer_v2(&request)).unwrap()
}

fn logged_v1(log: &mut FakeLog, envelope: &Envelope) -> LogEntry {
    let request = transparency::v1_request(envelope, &key().public());
    LogEntry::from_v1_answer(&log.answer_v1(&request)).unwrap()
}

/// Evidence of one bundle with these entries.
fn evidence(envelope: Envelope, entries: Vec<LogEntry>) -> Evidence {
    let mut bundle = Bundle::new(envelope, &key().public());
    bundle.log_entries = entries;
    let referrer = bundle::referrer(&bundle, &subject(), SIGNATURE, CREATED);
    let bundles =
        vec![BundleEvidence { manifest: referrer.manifest, blob: referrer.blobs[1].clone() }];
    Evidence { bundles, ..Evidence::default() }
}

#[expect(clippy::unwrap_in_result, reason = "test code")]
/// Judges one bundle with these entries: what the log says, or why it does not count.
fn judge(
    envelope: Envelope,
    entries: Vec<LogEntry>,
    policy: &Policy,
) -> Result<Option<LogSummary>, Rejection> {
    let mut report = verify(&digest(), &evidence(envelope, entries), policy, now()).unwrap();
    let item = report.signatures.remove(0);
    assert_eq!(report.accepted(), item.held());
    item.rejection.map_or(Ok(item.log), Err)
}

#[test]
fn requests_are_what_the_logs_read() {
    let envelope = signed_statement();
    let public = key().public();
    let pem = base64(kat("pub").as_bytes());
    let signature = base64(&envelope.signatures[0].der);
    let der: String = kat("pub").lines().filter(|line| !line.starts_with('-')).collect();
    let v2 = transparency::v2_request(&Signed::envelope(&envelope, &public).unwrap());
    let pae = base64(&Sha256::digest(dsse::pae(&envelope.payload_type, &envelope.payload)));
    assert_eq!(
        serde_json::from_slice::<Value>(&v2).unwrap(),
        json!({"hashedRekordRequestV002": {
            "digest": pae,
            "signature": {
                "content": signature,
                "verifier": {"publicKey": {"rawBytes": der}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"},
            },
        }})
    );
    let text = String::from_utf8(envelope.to_json()).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&transparency::v1_request(&envelope, &public)).unwrap(),
        json!({"apiVersion": "0.0.1", "kind": "dsse", "spec": {
            "proposedContent": {"envelope": text, "verifiers": [pem]},
        }})
    );
    let payload = kat("simplesigning").into_bytes();
    let request = transparency::v1_signature_request(&payload, b"signature", &public);
    assert_eq!(
        serde_json::from_slice::<Value>(&request).unwrap(),
        json!({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": kat("ss_sha")}},
            "signature": {"content": base64(b"signature"), "publicKey": {"content": pem}},
        }})
    );
}

#[test]
fn an_entry_of_either_version_is_kept_in_the_bundle_and_holds_without_the_log() {
    let (mut v1, mut v2) = (FakeLog::v1(), FakeLog::v2());
    let envelope = signed_statement();
    let taken = jiff::Timestamp::from_second(TAKEN).unwrap();
    for (log, entry, size, index, time) in [
        {
            let entry = logged_v2(&mut v2, key(), &envelope);
            (&v2, entry, 10, 6, None)
        },
        {
            let entry = logged_v1(&mut v1, &envelope);
            (&v1, entry, 9, 1005, Some(taken))
        },
    ] {
        let bundle = Bundle::new(envelope.clone(), &key().public()).with_log_entry(entry.clone());
        assert_eq!(Bundle::parse(&bundle.to_json()).unwrap(), bundle);
        let expected = LogSummary {
            origin: log.origin.to_owned(),
            log_id: hex(&log.id()),
            log_index: index,
            tree_size: size,
            integrated_time: time,
        };
        let required = policy().with_log(log.keys());
        assert_eq!(judge(envelope.clone(), vec![entry], &required), Ok(Some(expected)));
    }
}

#[test]
fn bundles_with_an_entry_are_written_as_protobuf_writes_them() {
    let mut log = FakeLog::v2();
    let envelope = signed_statement();
    let entry = logged_v2(&mut log, key(), &envelope);
    let text = |value: &[u8]| Value::from(base64(value));
    let proof = entry.proof.clone().unwrap();
    let bundle = Bundle::new(envelope, &key().public()).with_log_entry(entry.clone());
    let written: Value = serde_json::from_slice(&bundle.to_json()).unwrap();
    assert_eq!(
        written["verificationMaterial"],
        json!({
            "publicKey": {"hint": kat("hint")},
            "tlogEntries": [{
                "logIndex": "6",
                "logId": {"keyId": text(&log.note_id())},
                "kindVersion": {"kind": "hashedrekord", "version": "0.0.2"},
                "inclusionProof": {
                    "logIndex": "6",
                    "rootHash": text(&proof.root_hash),
                    "treeSize": "10",
                    "hashes": proof.hashes.iter().map(|hash| text(hash)).collect::<Vec<_>>(),
                    "checkpoint": {"envelope": proof.checkpoint},
                },
                "canonicalizedBody": text(&entry.body),
            }],
        })
    );
    // The first leaf's number is zero, which protobuf leaves out; plain numbers are read, too.
    let mut first = written;
    let entry = &mut first["verificationMaterial"]["tlogEntries"][0];
    entry.as_object_mut().unwrap().remove("logIndex");
    entry["inclusionProof"]["treeSize"] = json!(10);
    let read = Bundle::parse(first.to_string().as_bytes()).unwrap();
    assert_eq!(read.log_entries[0].log_index, 0);
    assert_eq!(read.log_entries[0].proof.as_ref().unwrap().tree_size, 10);
}

#[test]
fn a_plain_signature_is_logged_with_v1_as_well() {
    let mut log = FakeLog::v1();
    let payload = simple_signing::payload("registry.example/team/app", &digest());
    let (der, public) = (key().sign(&payload), key().public());
    let request = transparency::v1_signature_request(&payload, &der, &public);
    let entry = LogEntry::from_v1_answer(&log.answer_v1(&request)).unwrap();
    let message_sha256 = Sha256::digest(&payload).into();
    let signed = Signed {
        signature_der: &der,
        key: &public,
        message_sha256,
        payload_sha256: message_sha256,
    };
    assert_eq!(entry.verify(&log.keys(), &signed).unwrap().log_index, 1005);
    let other = Signed { message_sha256: [0; 32], ..signed };
    assert_eq!(entry.verify(&log.keys(), &other), Err(Error::OtherContent { what: "digest" }));
}

type Tamper = fn(&mut LogEntry);

#[track_caller]
fn check_tampered(log: &FakeLog, envelope: &Envelope, entry: &LogEntry, table: &[(Tamper, &str)]) {
    for (tamper, why) in table {
        let mut changed = entry.clone();
        tamper(&mut changed);
        let outcome = judge(envelope.clone(), vec![changed], &policy().with_log(log.keys()));
        assert_eq!(outcome, Err(Rejection::NotLogged { why: (*why).to_owned() }));
    }
}

const NO_TREE: &str = "the inclusion proof does not lead to the tree that the log signed";
const NO_PROMISE: &str = "the signed entry timestamp is not the log's over this entry";
const UNSIGNED: &str = "the checkpoint is not signed by any of the 1 log keys given";

fn proof(entry: &mut LogEntry) -> &mut transparency::InclusionProof {
    entry.proof.as_mut().unwrap()
}

#[test]
fn changed_entries_do_not_count() {
    let mut log = FakeLog::v2();
    let envelope = signed_statement();
    let entry = logged_v2(&mut log, key(), &envelope);
    check_tampered(
        &log,
        &envelope,
        &entry,
        &[
            (|entry| proof(entry).hashes[0][0] ^= 1, NO_TREE),
            (|entry| drop(proof(entry).hashes.pop()), NO_TREE),
            (|entry| proof(entry).hashes[0].push(0), NO_TREE),
            (|entry| proof(entry).hashes = vec![vec![0; 32]; 65], NO_TREE),
            (|entry| proof(entry).root_hash[0] ^= 1, NO_TREE),
            (|entry| proof(entry).tree_size += 1, NO_TREE),
            (|entry| (entry.log_index, proof(entry).log_index) = (7, 7), NO_TREE),
            (
                |entry| entry.log_index += 1,
                "invalid entry of a transparency log: its number is not the one of its proof",
            ),
            (|entry| entry.body.push(b' '), NO_TREE),
            (
                |entry| entry.proof = None,
                "invalid entry of a transparency log: it has no inclusion proof",
            ),
            (
                |entry| entry.version = "0.0.1".to_owned(),
                "invalid entry of a transparency log: it is announced as another kind than its body is",
            ),
            (
                |entry| {
                    proof(entry).checkpoint = proof(entry).checkpoint.replace("\n10\n", "\n11\n");
                },
                UNSIGNED,
            ),
            (
                |entry| {
                    proof(entry).checkpoint = proof(entry).checkpoint.replace("rekor", "other");
                },
                UNSIGNED,
            ),
            (
                |entry| proof(entry).checkpoint.clear(),
                "invalid checkpoint of a transparency log: it has no blank line before its signatures",
            ),
        ],
    );
}

#[test]
fn changed_promises_do_not_count() {
    let envelope = signed_statement();
    let mut log = FakeLog::v1();
    let entry = logged_v1(&mut log, &envelope);
    check_tampered(
        &log,
        &envelope,
        &entry,
        &[
            (|entry| entry.integrated_time -= 1, NO_PROMISE),
            (|entry| entry.log_index -= 1, NO_PROMISE),
            (|entry| *entry.promise.as_mut().unwrap().last_mut().unwrap() ^= 1, NO_PROMISE),
            (
                |entry| entry.promise = None,
                "invalid entry of a transparency log: its number is not the one of its proof",
            ),
            (
                |entry| entry.log_id[0] ^= 1,
                "invalid entry of a transparency log: its log id is not the one of the key that signed the checkpoint",
            ),
        ],
    );
}

#[test]
fn entries_about_something_else_do_not_count() {
    let mut log = FakeLog::v2();
    let mine = signed_statement();
    let mut other = mine.clone();
    other.payload = clean_scan().to_bytes();
    let by_other = sign(other_key(), &signature_statement());
    let mut renamed = mine.clone();
    renamed.payload_type = "text/plain".to_owned();
    // The log takes what it is given: each of these is truly in it.
    for (entry, what) in [
        (logged_v2(&mut log, key(), &sign(key(), &clean_scan())), "signature"),
        (logged_v2(&mut log, other_key(), &by_other), "signature"),
        (logged_v2(&mut log, other_key(), &mine), "key"),
        (logged_v2(&mut log, key(), &other), "digest"),
        (logged_v2(&mut log, key(), &renamed), "digest"),
    ] {
        let why = format!("the logged {what} is not the one of this signature");
        let outcome = judge(mine.clone(), vec![entry], &policy().with_log(log.keys()));
        assert_eq!(outcome, Err(Rejection::NotLogged { why }));
    }
}

#[test]
fn a_required_log_is_required_of_everything_that_counts() {
    let (mut log, mut stranger) = (FakeLog::v2(), FakeLog::v1());
    let envelope = signed_statement();
    let required = policy().with_log(log.keys());
    let entries = [logged_v1(&mut stranger, &envelope), logged_v2(&mut log, key(), &envelope)];
    let none = Rejection::NotLogged { why: "the bundle has no entry of a log".to_owned() };
    let foreign = Rejection::NotLogged { why: UNSIGNED.to_owned() };
    assert_eq!(judge(envelope.clone(), Vec::new(), &required), Err(none));
    assert_eq!(judge(envelope.clone(), entries[..1].to_vec(), &required), Err(foreign));
    assert!(judge(envelope.clone(), entries.to_vec(), &required).unwrap().is_some());
    // Where the policy only knows the log, evidence without an entry counts, and the report shows the difference.
    let known = Policy { log: Some(LogPolicy { keys: log.keys(), required: false }), ..policy() };
    assert_eq!(judge(envelope.clone(), entries[..1].to_vec(), &known), Ok(None));
    assert!(judge(envelope, entries.to_vec(), &known).unwrap().is_some());
    // Legacy layers have no proof.
    let legacy = Evidence { bundles: Vec::new(), ..good() };
    let report = verify(&digest(), &legacy, &required, now()).unwrap();
    assert_eq!(
        report.signatures[0].rejection.as_ref().unwrap().to_string(),
        "it is not in the transparency log: proofs are read from bundles, not from legacy tags"
    );
    assert!(!report.accepted());
}

#[test]
fn answers_that_are_no_entries_are_refused() {
    for (answer, expected) in [
        ("{}", "invalid answer of the transparency log: it has 0 entries; expected one"),
        (
            "1",
            "invalid answer of the transparency log: invalid type: integer `1`, expected a map at line 1 column 1",
        ),
    ] {
        assert_eq!(LogEntry::from_v1_answer(answer.as_bytes()).unwrap_err().to_string(), expected);
    }
    for (answer, expected) in [
        (
            r#"{"logIndex":"x"}"#,
            "invalid answer of the transparency log: \"x\" is not a whole number at line 1 column 16",
        ),
        (
            r#"{"logId":{"keyId":"%"}}"#,
            "invalid entry of a transparency log: `keyId` is not base64",
        ),
        (
            r#"{"more":1}"#,
            "invalid answer of the transparency log: unknown field `more`, expected one of `logIndex`, `logId`, `kindVersion`, `integratedTime`, `inclusionPromise`, `inclusionProof`, `canonicalizedBody` at line 1 column 7",
        ),
    ] {
        assert_eq!(LogEntry::from_v2_answer(answer.as_bytes()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn malformed_checkpoints_are_refused() {
    let root = base64(&[1; 32]);
    let line = format!("\u{2014} a {}", base64(&[2; 68]));
    let note = |text: &str, line: &str| format!("{text}\n\n{line}\n");
    let good = format!("a\n3\n{root}");
    let read = Checkpoint::parse(&note(&good, &line)).unwrap();
    assert_eq!((read.origin.as_str(), read.size, read.root), ("a", 3, [1; 32]));
    // Further lines belong to the text, and other witnesses sign beside the log.
    assert!(Checkpoint::parse(&note(&format!("{good}\nmore"), &format!("{line}\n{line}"))).is_ok());
    for (note, why) in [
        (note("a\n3", &line), "it has fewer than three lines"),
        (note(&format!("\n3\n{root}"), &line), "its first line, the log's name, is empty"),
        (note(&format!("a\n03\n{root}"), &line), "its second line is not the number of leaves"),
        (note(&format!("a\n-3\n{root}"), &line), "its second line is not the number of leaves"),
        (note("a\n3\nAAAA", &line), "its third line is not base64 of a SHA-256 hash"),
        (note(&good, "- a AAAA"), "one of its signature lines is malformed"),
        (note(&good, "\u{2014} a AAAA"), "one of its signature lines is malformed"),
        (format!("{good}\n\n{line}"), "its last line does not end"),
        (note(&format!("{good}\r"), &line), "it contains control characters"),
        ("a".repeat(70_000), "it is longer than any checkpoint"),
    ] {
        assert_eq!(Checkpoint::parse(&note), Err(Error::ParseCheckpoint { why }), "{note:?}");
    }
}

/// No byte of a logged bundle can be another one without being noticed; only the hint decides nothing.
#[test]
fn no_changed_byte_of_a_logged_bundle_is_accepted() {
    let (mut v1, mut v2) = (FakeLog::v1(), FakeLog::v2());
    let envelope = signed_statement();
    for (log, entry) in [
        {
            let entry = logged_v2(&mut v2, key(), &envelope);
            (&v2, entry)
        },
        {
            let entry = logged_v1(&mut v1, &envelope);
            (&v1, entry)
        },
    ] {
        let bundle = Bundle::new(envelope.clone(), &key().public()).with_log_entry(entry);
        let required = policy().with_log(log.keys());
        let blob = bundle.to_json();
        for at in 0..blob.len() {
            let mut changed = blob.clone();
            changed[at] ^= 1;
            let bundles = vec![bundle_blob(&changed, SIGNATURE)];
            let evidence = Evidence { bundles, ..Evidence::default() };
            if verify(&digest(), &evidence, &required, now()).unwrap().accepted() {
                let read = Bundle::parse(&changed).unwrap();
                assert!(
                    Bundle { material: read.material.clone(), ..bundle.clone() } == read,
                    "byte {at}: {}",
                    String::from_utf8_lossy(
                        &changed[at.saturating_sub(60)..(at + 20).min(changed.len())]
                    )
                );
            }
        }
    }
}

#[test]
fn log_keys_of_other_kinds_are_refused() {
    assert_eq!(FakeLog::v2().keys().len(), 1);
    let rsa = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    assert_eq!(
        arc_evidence::LogKey::all_from_pem(rsa).unwrap_err().to_string(),
        "invalid log key: it is neither an ECDSA P-256 nor an Ed25519 key"
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}
