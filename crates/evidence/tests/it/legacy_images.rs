//! `.sig` and `.att` images: what is there stays, what is added is found, twice is once.

use arc_evidence::{OciArtifact, digest::sha256, legacy, simple_signing};
use serde_json::{Value, json};

use crate::fixture::{REPOSITORY, clean_scan, digest, kat, key, other_key, sign};

fn json_of(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn payload() -> Vec<u8> {
    simple_signing::payload(REPOSITORY, &digest())
}

fn first() -> OciArtifact {
    legacy::append_signature(None, &payload(), &key().sign(&payload())).unwrap()
}

#[test]
fn tags_are_the_digest_with_a_dash() {
    let hex = kat("image_digest");
    assert_eq!(legacy::sig_tag(&digest()), format!("sha256-{hex}.sig"));
    assert_eq!(legacy::att_tag(&digest()), format!("sha256-{hex}.att"));
}

#[test]
fn the_first_signature_makes_a_complete_image() {
    let image = first();
    let [config, blob] = image.blobs.as_slice() else { panic!("two blobs") };
    assert_eq!(blob, &payload());
    assert_eq!(
        json_of(&image.manifest),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": sha256(config),
                "size": config.len(),
            },
            "layers": [{
                "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                "digest": format!("sha256:{}", kat("ss_sha")),
                "size": 241,
                "annotations": {
                    "dev.cosignproject.cosign/signature": legacy::layers(&image.manifest).unwrap()[0].signature,
                },
            }],
        })
    );
    assert_eq!(
        json_of(config),
        json!({
            "architecture": "", "created": "0001-01-01T00:00:00Z", "os": "", "config": {},
            "history": [{"created": "0001-01-01T00:00:00Z"}],
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", kat("ss_sha"))]},
        })
    );
    assert_eq!(image.digest, sha256(&image.manifest));
}

#[test]
fn the_same_signature_again_changes_nothing() {
    let image = first();
    let again =
        legacy::append_signature(Some(&image.manifest), &payload(), &key().sign(&payload()))
            .unwrap();
    assert_eq!(again, OciArtifact { blobs: Vec::new(), ..image });
}

#[test]
fn another_signature_is_one_more_layer_and_upstreams_stay_as_they_are() {
    let upstream = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": sha256(b"{}"), "size": 2},
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": sha256(&payload()),
            "size": 241,
            "annotations": {
                "dev.cosignproject.cosign/signature": "AAAA",
                "dev.sigstore.cosign/certificate": "-----BEGIN CERTIFICATE-----\n",
                "dev.sigstore.cosign/bundle": "{\"Payload\":{}}",
            },
            "urls": ["https://example.org/"],
        }],
        "annotations": {"kept": "yes"},
    });
    let bytes = serde_json::to_vec(&upstream).unwrap();
    let image =
        legacy::append_signature(Some(&bytes), &payload(), &key().sign(&payload())).unwrap();
    let manifest = json_of(&image.manifest);
    let mut expected = upstream.clone();
    expected["config"] = manifest["config"].clone();
    expected["layers"] = json!([upstream["layers"][0], json_of(&first().manifest)["layers"][0]]);
    assert_eq!(manifest, expected);
    let diff_ids = json_of(&image.blobs[0])["rootfs"]["diff_ids"].clone();
    assert_eq!(diff_ids, json!([sha256(&payload()), sha256(&payload())]));

    let third =
        legacy::append_signature(Some(&image.manifest), &payload(), &other_key().sign(&payload()))
            .unwrap();
    let again =
        legacy::append_signature(Some(&third.manifest), &payload(), &key().sign(&payload()))
            .unwrap();
    assert_eq!(again.manifest, third.manifest);
    assert_eq!(legacy::layers(&third.manifest).unwrap().len(), 3);
}

#[test]
fn attestations_carry_their_predicate_type_and_an_empty_signature() {
    let statement = clean_scan();
    let envelope = sign(key(), &statement);
    let image = legacy::append_attestation(None, &envelope, &statement.predicate_type).unwrap();
    let [layer] = legacy::layers(&image.manifest).unwrap().try_into().unwrap();
    assert_eq!(layer.descriptor.media_type, "application/vnd.dsse.envelope.v1+json");
    assert_eq!(layer.descriptor.digest, sha256(&image.blobs[1]));
    assert_eq!(layer.signature.as_deref(), Some(""));
    assert_eq!(
        layer.predicate_type.as_deref(),
        Some("https://cosign.sigstore.dev/attestation/vuln/v1")
    );
    let again =
        legacy::append_attestation(Some(&image.manifest), &envelope, &statement.predicate_type)
            .unwrap();
    assert_eq!(again, OciArtifact { blobs: Vec::new(), ..image });
}

#[test]
fn manifests_that_are_no_such_image_are_refused() {
    let index = json!({"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []});
    let full = json!({"layers": vec![json_of(&first().manifest)["layers"][0].clone(); 1000]});
    let over = json!({"layers": vec![json!({}); 1001]});
    for (manifest, expected) in [
        (
            index.to_string(),
            "invalid manifest of a `.sig` or `.att` tag: its media type is Some(\"application/vnd.oci.image.index.v1+json\"); expected \"application/vnd.oci.image.manifest.v1+json\"",
        ),
        ("{}".to_owned(), "invalid manifest of a `.sig` or `.att` tag: it has no list of layers"),
        (
            "[".to_owned(),
            "invalid manifest of a `.sig` or `.att` tag: EOF while parsing a list at line 1 column 1",
        ),
        (
            r#"{"layers":[1]}"#.to_owned(),
            "invalid manifest of a `.sig` or `.att` tag: invalid type: integer `1`, expected struct WireLayer",
        ),
        (
            over.to_string(),
            "invalid manifest of a `.sig` or `.att` tag: it has 1001 layers, at most 1000 are read",
        ),
        (
            " ".repeat(5 << 20),
            "invalid manifest of a `.sig` or `.att` tag: it has 5242880 bytes, at most 4194304 are read",
        ),
        (
            full.to_string(),
            "failed to append to a `.sig` or `.att` image: it already has 1000 layers, verifiers read at most 1000",
        ),
    ] {
        let new_payload = b"another payload";
        let error =
            legacy::append_signature(Some(manifest.as_bytes()), new_payload, &[]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
