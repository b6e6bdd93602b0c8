//! The logged bodies: `hashedrekord` 0.0.1 and 0.0.2, `dsse` 0.0.1. Each must be about one given signature.

use serde::Deserialize;

use super::{Error, Signed};
use crate::{PublicKey, encoding};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<Spec> {
    api_version: String,
    kind: String,
    spec: Spec,
}

/// What a body says, whatever its kind. `kind` and `version` as protobuf and the body's own JSON name them.
pub(super) struct Kind {
    pub(super) kind: String,
    pub(super) version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SpecV2 {
    #[serde(rename = "hashedRekordV002")]
    record: RecordV2,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordV2 {
    data: DataV2,
    signature: SignatureV2,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataV2 {
    algorithm: String,
    digest: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureV2 {
    content: String,
    verifier: VerifierV2,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerifierV2 {
    key_details: String,
    public_key: RawKey,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawKey {
    raw_bytes: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordV1 {
    data: DataV1,
    signature: SignatureV1,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DataV1 {
    hash: HashV1,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HashV1 {
    algorithm: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignatureV1 {
    content: String,
    public_key: PemKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PemKey {
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvelopeV1 {
    /// Over the envelope's JSON as it was sent; it cannot be made again, and the signature binds all of it.
    #[serde(rename = "envelopeHash")]
    _envelope_hash: HashV1,
    payload_hash: HashV1,
    signatures: Vec<EnvelopeSignatureV1>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignatureV1 {
    signature: String,
    verifier: String,
}

/// What every kind of body is reduced to.
struct Claims {
    signature: Option<Vec<u8>>,
    key: Option<PublicKey>,
    digest: Option<Vec<u8>>,
    /// The digest is the payload's, not the message's.
    of_payload: bool,
}

/// Returns kind and version of a body.
pub(super) fn kind(body: &[u8]) -> Result<Kind, Error> {
    let body: Body<serde::de::IgnoredAny> = serde_json::from_slice(body).map_err(unreadable)?;
    Ok(Kind { kind: body.kind, version: body.api_version })
}

/// Checks that a body is about exactly this signature, by this key, over this content.
pub(super) fn check(body: &[u8], signed: &Signed<'_>) -> Result<(), Error> {
    let Kind { kind, version } = kind(body)?;
    let claims = match (kind.as_str(), version.as_str()) {
        ("hashedrekord", "0.0.2") => claims_v2(body)?,
        ("hashedrekord", "0.0.1") => claims_v1(body)?,
        ("dsse", "0.0.1") => claims_of_envelope(body)?,
        _ => {
            let why = format!("entries of the kind {kind:?} {version:?} are not read");
            return Err(Error::ParseEntry { why });
        }
    };
    let digest = if claims.of_payload { signed.payload_sha256 } else { signed.message_sha256 };
    let facts = [
        ("signature", claims.signature.as_deref() == Some(signed.signature_der)),
        ("key", claims.key.as_ref() == Some(signed.key)),
        ("digest", claims.digest.as_deref() == Some(&digest)),
    ];
    match facts.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(Error::OtherContent { what }),
        None => Ok(()),
    }
}

fn claims_v2(body: &[u8]) -> Result<Claims, Error> {
    let body: Body<SpecV2> = serde_json::from_slice(body).map_err(unreadable)?;
    let RecordV2 { data, signature } = body.spec.record;
    if data.algorithm != "SHA2_256" || signature.verifier.key_details != "PKIX_ECDSA_P256_SHA_256" {
        let why = format!(
            "its algorithms are {:?} and {:?}",
            data.algorithm, signature.verifier.key_details
        );
        return Err(Error::ParseEntry { why });
    }
    let key = encoding::decode_base64(&signature.verifier.public_key.raw_bytes);
    Ok(Claims {
        signature: encoding::decode_base64(&signature.content),
        key: key.and_then(|der| PublicKey::from_der(&der).ok()),
        digest: encoding::decode_base64(&data.digest),
        of_payload: false,
    })
}

fn claims_v1(body: &[u8]) -> Result<Claims, Error> {
    let body: Body<RecordV1> = serde_json::from_slice(body).map_err(unreadable)?;
    let RecordV1 { data, signature } = body.spec;
    Ok(Claims {
        signature: encoding::decode_base64(&signature.content),
        key: pem_key(&signature.public_key.content),
        digest: sha256_of(&data.hash)?,
        of_payload: false,
    })
}

fn claims_of_envelope(body: &[u8]) -> Result<Claims, Error> {
    let body: Body<EnvelopeV1> = serde_json::from_slice(body).map_err(unreadable)?;
    let [signature] = body.spec.signatures.as_slice() else {
        let why = format!("it has {} signatures; expected one", body.spec.signatures.len());
        return Err(Error::ParseEntry { why });
    };
    Ok(Claims {
        signature: encoding::decode_base64(&signature.signature),
        key: pem_key(&signature.verifier),
        digest: sha256_of(&body.spec.payload_hash)?,
        of_payload: true,
    })
}

fn pem_key(base64: &str) -> Option<PublicKey> {
    let text = String::from_utf8(encoding::decode_base64(base64)?).ok()?;
    PublicKey::from_pem(&text).ok()
}

fn sha256_of(hash: &HashV1) -> Result<Option<Vec<u8>>, Error> {
    if hash.algorithm != "sha256" {
        let why = format!("its hash is {:?}; expected \"sha256\"", hash.algorithm);
        return Err(Error::ParseEntry { why });
    }
    Ok(encoding::decode_hex(&hash.value))
}

#[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
fn unreadable(error: serde_json::Error) -> Error {
    Error::ParseEntry { why: format!("its body: {error}") }
}
