//! The evidence of one image taken out of a registry, to be changed and written elsewhere.
//!
//! Written evidence is always consistent as far as a registry can tell: blobs, digests and sizes fit each other.

use arc_tests::client::Client;
use arc_tests::images::{INDEX, MANIFEST, sha256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::interop::registry::Registry;

pub(super) const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";
pub(super) const SCAN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";
pub(super) const KIND: &str = "dev.sigstore.bundle.predicateType";
const TAG_SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// A manifest with the blobs it names.
#[derive(Clone)]
pub(super) struct Piece {
    pub(super) manifest: Value,
    config: Vec<u8>,
    pub(super) layers: Vec<Vec<u8>>,
}

/// Everything that was attached to one image.
#[derive(Clone)]
pub(super) struct Evidence {
    pub(super) bundles: Vec<Piece>,
    pub(super) sig: Option<Piece>,
    pub(super) att: Option<Piece>,
}

impl Piece {
    async fn read(client: &Client, repository: &str, reference: &str) -> Self {
        let manifest = client.get(&format!("/v2/{repository}/manifests/{reference}")).await.json();
        let blob = async |descriptor: &Value| -> Vec<u8> {
            let digest = descriptor["digest"].as_str().unwrap();
            client.get(&format!("/v2/{repository}/blobs/{digest}")).await.body.to_vec()
        };
        let config = blob(&manifest["config"]).await;
        let mut layers = Vec::new();
        for layer in manifest["layers"].as_array().unwrap() {
            layers.push(blob(layer).await);
        }
        Self { manifest, config, layers }
    }

    /// Writes it under its digest, or a tag, and returns its descriptor for a fallback tag.
    async fn write(&self, client: &Client, repository: &str, tag: Option<&str>) -> Value {
        let mut manifest = self.manifest.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            manifest["layers"][index]["digest"] = sha256(layer).into();
            manifest["layers"][index]["size"] = layer.len().into();
        }
        for blob in self.layers.iter().chain([&self.config]) {
            let length = u64::try_from(blob.len()).unwrap();
            client.put_blob(repository, &sha256(blob), length, blob.clone()).await;
        }
        let bytes = manifest.to_string();
        let (digest, size) = (sha256(bytes.as_bytes()), bytes.len());
        client.put_manifest(repository, tag.unwrap_or(&digest), MANIFEST, bytes.into()).await;
        // As cosign 3.0 left it in fallback tags: with a wrong artifact type, so readers must look into the manifest.
        let artifact_type = "application/vnd.oci.empty.v1+json";
        json!({"mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": artifact_type})
    }

    /// What a bundle announces.
    pub(super) fn kind(&self) -> &str {
        self.manifest["annotations"][KIND].as_str().unwrap()
    }

    /// Changes the envelopes of a bundle or of an `.att` image: the decoded payload or signature.
    pub(super) fn change_envelopes(&mut self, part: &str, change: impl Fn(&mut [u8])) {
        for layer in &mut self.layers {
            let mut json: Value = serde_json::from_slice(layer).unwrap();
            let in_bundle = json.get("dsseEnvelope").is_some();
            let envelope = if in_bundle { &mut json["dsseEnvelope"] } else { &mut json };
            let text = envelope.pointer_mut(part).unwrap();
            let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
            change(&mut bytes);
            *text = STANDARD.encode(bytes).into();
            *layer = json.to_string().into_bytes();
        }
    }

    /// Changes the decoded signatures of a `.sig` image.
    pub(super) fn change_signatures(&mut self, change: impl Fn(&mut [u8])) {
        for layer in self.manifest["layers"].as_array_mut().unwrap() {
            let text = &mut layer["annotations"][TAG_SIGNATURE];
            let mut bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
            change(&mut bytes);
            *text = STANDARD.encode(bytes).into();
        }
    }
}

impl Evidence {
    /// Reads what a registry with the referrers API has.
    pub(super) async fn read(client: &Client, repository: &str, digest: &str) -> Self {
        let listed = client.get(&format!("/v2/{repository}/referrers/{digest}")).await.json();
        let mut bundles = Vec::new();
        for descriptor in listed["manifests"].as_array().unwrap() {
            let reference = descriptor["digest"].as_str().unwrap();
            bundles.push(Piece::read(client, repository, reference).await);
        }
        let tag = |suffix| format!("{}.{suffix}", digest.replace(':', "-"));
        let sig = Some(Piece::read(client, repository, &tag("sig")).await);
        let att = Some(Piece::read(client, repository, &tag("att")).await);
        Self { bundles, sig, att }
    }

    /// Writes it for an image that is in `repository` already.
    pub(super) async fn write(&self, registry: &Registry, repository: &str, digest: &str) {
        let client = registry.client();
        let tag = digest.replace(':', "-");
        let mut manifests = Vec::new();
        for bundle in &self.bundles {
            manifests.push(bundle.write(&client, repository, None).await);
        }
        if let Registry::Without(_) = registry {
            let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
            client.put_manifest(repository, &tag, INDEX, index.to_string().into()).await;
        }
        for (suffix, piece) in [("sig", &self.sig), ("att", &self.att)] {
            if let Some(piece) = piece {
                piece.write(&client, repository, Some(&format!("{tag}.{suffix}"))).await;
            }
        }
    }

    /// The bundles that announce a kind, or, with `kind` empty, all.
    pub(super) fn bundles_of(&mut self, kind: &str) -> impl Iterator<Item = &mut Piece> {
        self.bundles.iter_mut().filter(move |bundle| kind.is_empty() || bundle.kind() == kind)
    }
}
