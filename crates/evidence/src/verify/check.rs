//! Checks each piece of evidence on its own: readable, signed by the set, about the subject, what it claims to be.

use super::{
    AttestationEvidence, BundleEvidence, Evidence, SignatureEvidence,
    policy::Policy,
    report::{Item, Origin, Rejection},
};
use crate::{
    bundle::{self, Bundle, Material},
    digest,
    dsse::{self, Envelope, PAYLOAD_TYPE_IN_TOTO},
    encoding,
    keys::PublicKey,
    limits,
    predicate::PREDICATE_SIGNATURE,
    simple_signing,
    statement::Statement,
    transparency::{LogSummary, Signed},
};

/// What a check found out before it ended, in one way or the other.
#[derive(Default)]
struct Facts {
    predicate_type: Option<String>,
    key: Option<String>,
    statement: Option<Statement>,
    log: Option<LogSummary>,
}

/// Returns all signatures and all attestations, each with its fate.
pub(super) fn check(subject: &str, evidence: &Evidence, policy: &Policy) -> (Vec<Item>, Vec<Item>) {
    let bundles = evidence.bundles.iter().map(|bundle| {
        item(Origin::Bundle, &bundle.manifest, |facts| check_bundle(subject, bundle, policy, facts))
    });
    let is_signature = |item: &Item| item.predicate_type.as_deref() == Some(PREDICATE_SIGNATURE);
    let (mut signatures, mut attestations): (Vec<_>, Vec<_>) = bundles.partition(is_signature);
    signatures.extend(evidence.signatures.iter().map(|signature| {
        item(Origin::LegacyTag, &signature.payload, |facts| {
            check_signature(subject, signature, &policy.keys, facts)?;
            legacy_log(policy)
        })
    }));
    attestations.extend(evidence.attestations.iter().map(|attestation| {
        item(Origin::LegacyTag, &attestation.envelope, |facts| {
            check_attestation(subject, attestation, &policy.keys, facts)?;
            legacy_log(policy)
        })
    }));
    (signatures, attestations)
}

fn item(
    origin: Origin,
    bytes: &[u8],
    check: impl FnOnce(&mut Facts) -> Result<(), Rejection>,
) -> Item {
    let mut facts = Facts::default();
    let rejection = check(&mut facts).err();
    let statement = facts.statement.filter(|_| rejection.is_none());
    let digest = digest::sha256(bytes);
    Item {
        origin,
        digest,
        predicate_type: facts.predicate_type,
        key: facts.key,
        log: facts.log.filter(|_| rejection.is_none()),
        rejection,
        statement,
    }
}

fn check_bundle(
    subject: &str,
    evidence: &BundleEvidence,
    policy: &Policy,
    facts: &mut Facts,
) -> Result<(), Rejection> {
    let carried = bundle::carried(&evidence.manifest).map_err(|error| unreadable(&error))?;
    facts.predicate_type.clone_from(&carried.predicate_type);
    if carried.subject != subject {
        return Err(Rejection::WrongReferrerSubject { found: carried.subject });
    }
    let found = digest::sha256(&evidence.blob);
    if found != carried.blob.digest {
        return Err(Rejection::WrongBlob { found, expected: carried.blob.digest });
    }
    let bundle = Bundle::parse(&evidence.blob).map_err(|error| unreadable(&error))?;
    let Material::PublicKey { hint } = &bundle.material else {
        return Err(Rejection::Certificate);
    };
    let key = check_envelope(subject, &bundle.envelope, &policy.keys, facts)
        .map_err(|rejection| by_whom(rejection, hint, &policy.keys))?;
    agree(carried.predicate_type, facts)?;
    facts.log = check_log(&bundle, key, policy)?;
    Ok(())
}

fn check_attestation(
    subject: &str,
    evidence: &AttestationEvidence,
    keys: &[PublicKey],
    facts: &mut Facts,
) -> Result<(), Rejection> {
    facts.predicate_type.clone_from(&evidence.predicate_type);
    let envelope = Envelope::parse(&evidence.envelope).map_err(|error| unreadable(&error))?;
    check_envelope(subject, &envelope, keys, facts)?;
    agree(evidence.predicate_type.clone(), facts)?;
    if facts.predicate_type.as_deref() == Some(PREDICATE_SIGNATURE) {
        return Err(Rejection::MisplacedSignature);
    }
    Ok(())
}

fn check_signature(
    subject: &str,
    evidence: &SignatureEvidence,
    keys: &[PublicKey],
    facts: &mut Facts,
) -> Result<(), Rejection> {
    if evidence.payload.len() > limits::MAX_SIMPLE_SIGNING {
        let (size, limit) = (evidence.payload.len(), limits::MAX_SIMPLE_SIGNING);
        return Err(unreadable(&format!(
            "invalid simple signing payload: it has {size} bytes, at most {limit} are read"
        )));
    }
    let annotation = evidence.signature.as_deref().unwrap_or_default();
    let signature = encoding::decode_base64(annotation)
        .filter(|signature| !signature.is_empty())
        .ok_or_else(|| unreadable(&"the layer has no base64 signature annotation"))?;
    let key = keys
        .iter()
        .find(|key| key.verify(&evidence.payload, &signature).is_ok())
        .ok_or(Rejection::NotSignedByKeys { keys: keys.len() })?;
    facts.key = Some(key.hint());
    let payload = simple_signing::parse(&evidence.payload).map_err(|error| unreadable(&error))?;
    if payload.type_ != simple_signing::TYPE {
        return Err(Rejection::WrongSignatureType { found: payload.type_ });
    }
    if payload.digest != subject {
        return Err(Rejection::WrongSubject { found: payload.digest });
    }
    Ok(())
}

/// The signature first: nothing inside is looked at before it holds.
fn check_envelope<'a>(
    subject: &str,
    envelope: &Envelope,
    keys: &'a [PublicKey],
    facts: &mut Facts,
) -> Result<&'a PublicKey, Rejection> {
    let key = dsse::verify(envelope, keys)
        .map_err(|_opaque| Rejection::NotSignedByKeys { keys: keys.len() })?;
    facts.key = Some(key.hint());
    if envelope.payload_type != PAYLOAD_TYPE_IN_TOTO {
        return Err(Rejection::WrongPayloadType { found: envelope.payload_type.clone() });
    }
    let statement = Statement::parse(&envelope.payload).map_err(|error| unreadable(&error))?;
    facts.predicate_type = Some(statement.predicate_type.clone());
    if !statement.is_about(subject) {
        return Err(Rejection::WrongSubject { found: subjects(&statement) });
    }
    facts.statement = Some(statement);
    Ok(key)
}

/// Returns what the first entry says that holds; entries of other logs are none of our business.
fn check_log(
    bundle: &Bundle,
    key: &PublicKey,
    policy: &Policy,
) -> Result<Option<LogSummary>, Rejection> {
    let Some(log) = &policy.log else { return Ok(None) };
    let signed = Signed::envelope(&bundle.envelope, key)
        .ok_or_else(|| unreadable(&"the envelope has no signature"))?;
    let mut why = "the bundle has no entry of a log".to_owned();
    for entry in &bundle.log_entries {
        match entry.verify(&log.keys, &signed) {
            Ok(summary) => return Ok(Some(summary)),
            Err(error) => why = error.to_string(),
        }
    }
    if log.required { Err(Rejection::NotLogged { why }) } else { Ok(None) }
}

/// Legacy layers are counted without a log's word only where none is required.
fn legacy_log(policy: &Policy) -> Result<(), Rejection> {
    match &policy.log {
        Some(log) if log.required => Err(Rejection::NotLogged {
            why: "proofs are read from bundles, not from legacy tags".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A bundle that says that somebody else made it is no broken one of ours. The hint is not signed: nothing is
/// accepted because of it.
fn by_whom(rejection: Rejection, hint: &str, keys: &[PublicKey]) -> Rejection {
    let is_ours = hint.is_empty() || keys.iter().any(|key| key.hint() == hint);
    match rejection {
        Rejection::NotSignedByKeys { .. } if !is_ours => {
            Rejection::AnotherKey { hint: hint.to_owned() }
        }
        rejection => rejection,
    }
}

/// What the manifest announces must be what the statement says; where it announces nothing, nothing is wrong.
fn agree(announced: Option<String>, facts: &Facts) -> Result<(), Rejection> {
    let found = facts.predicate_type.clone().unwrap_or_default();
    match announced {
        Some(announced) if announced != found => {
            Err(Rejection::PredicateTypeMismatch { announced, found })
        }
        _ => Ok(()),
    }
}

/// The first few digests a statement is about, for the report.
fn subjects(statement: &Statement) -> String {
    const SHOWN: usize = 3;
    let digests = statement.subject.iter().flat_map(|subject| &subject.digest);
    let shown: Vec<_> =
        digests.take(SHOWN).map(|(algorithm, hex)| format!("{algorithm}:{hex}")).collect();
    format!("{:?}", shown.join(", "))
}

fn unreadable(why: &dyn ToString) -> Rejection {
    Rejection::Unreadable { why: why.to_string() }
}
