//! The "simple signing" payload: what a signature in a `.sig` image signs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{encoding, limits};

/// The `critical.type` of every cosign signature.
pub const TYPE: &str = "cosign container image signature";

/// Why a payload cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid simple signing payload: {why}")]
pub struct ParsePayload {
    /// What is wrong.
    pub why: String,
}

/// What a simple signing payload states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// The repository the image was signed in, such as `registry.example/team/app`.
    pub docker_reference: String,
    /// The signed manifest digest.
    pub digest: String,
    /// `critical.type`; only [`TYPE`] is a cosign signature.
    pub type_: String,
    /// The `optional` annotations of the signer, `null` where there are none.
    pub optional: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    critical: Critical,
    #[serde(default)]
    optional: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    type_: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Identity {
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Image {
    docker_manifest_digest: String,
}

/// Returns the bytes to sign for an image in a repository.
///
/// `docker_reference` is the destination's `registry/repository` without tag: podman's policy compares it.
pub fn payload(docker_reference: &str, digest: &str) -> Vec<u8> {
    encoding::to_bytes(&Wire {
        critical: Critical {
            identity: Identity { docker_reference: docker_reference.to_owned() },
            image: Image { docker_manifest_digest: digest.to_owned() },
            type_: TYPE.to_owned(),
        },
        optional: Value::Null,
    })
}

/// Reads a payload; unknown fields are an error.
pub fn parse(bytes: &[u8]) -> Result<Payload, ParsePayload> {
    if bytes.len() > limits::MAX_SIMPLE_SIGNING {
        let (size, limit) = (bytes.len(), limits::MAX_SIMPLE_SIGNING);
        return Err(ParsePayload { why: format!("it has {size} bytes, at most {limit} are read") });
    }
    let wire: Wire =
        serde_json::from_slice(bytes).map_err(|error| ParsePayload { why: error.to_string() })?;
    Ok(Payload {
        docker_reference: wire.critical.identity.docker_reference,
        digest: wire.critical.image.docker_manifest_digest,
        type_: wire.critical.type_,
        optional: wire.optional,
    })
}
