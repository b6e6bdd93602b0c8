//! Readers of hostile JSON: the exact reason for each refusal.

use arc_evidence::{Bundle, Envelope, Statement, bundle, digest::sha256, simple_signing};
use serde_json::{Value, json};

use crate::fixture::{kat, key, sign, signature_statement};

fn envelope() -> Value {
    serde_json::from_slice(&sign(key(), &signature_statement()).to_json()).unwrap()
}

fn changed(mut value: Value, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    change(&mut value);
    serde_json::to_vec(&value).unwrap()
}

#[test]
fn envelopes_are_written_as_cosign_writes_them() {
    let envelope = sign(key(), &signature_statement());
    let json = String::from_utf8(envelope.to_json()).unwrap();
    let start = r#"{"payloadType":"application/vnd.in-toto+json","payload":"eyJ"#;
    assert!(
        json.starts_with(start) && json.contains(r#""signatures":[{"keyid":"","sig":"ME"#),
        "{json}"
    );
    assert_eq!(Envelope::parse(json.as_bytes()), Ok(envelope));
}

#[test]
fn envelopes_in_url_base64_read_the_same() {
    let payload = br#"{"?":">>>???"}"#.to_vec();
    let envelope = arc_evidence::dsse::sign(key(), "text/plain", payload);
    let mut wire: Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    let url = |value: &Value| value.as_str().unwrap().replace('+', "-").replace('/', "_");
    (wire["payload"], wire["signatures"][0]["sig"]) =
        (url(&wire["payload"]).into(), url(&wire["signatures"][0]["sig"]).into());
    assert_eq!(Envelope::parse(wire.to_string().as_bytes()), Ok(envelope));
}

#[test]
fn envelopes_of_another_shape_are_refused() {
    let twice =
        r#"{"payload":"AA==","payload":"AA==","payloadType":"x","signatures":[{"sig":""}]}"#;
    let nested = "[".repeat(100_000);
    for (bytes, expected) in [
        (
            changed(envelope(), |e| e["signatures"] = json!([])),
            "it has 0 signatures; expected 1 to 16",
        ),
        (
            changed(envelope(), |e| e["signatures"] = vec![e["signatures"][0].clone(); 17].into()),
            "it has 17 signatures; expected 1 to 16",
        ),
        (changed(envelope(), |e| e["payload"] = "e30".into()), "`payload` is not base64"),
        (changed(envelope(), |e| e["payload"] = "e3 0=".into()), "`payload` is not base64"),
        (changed(envelope(), |e| e["signatures"][0]["sig"] = "+_==".into()), "`sig` is not base64"),
        (twice.as_bytes().to_vec(), "duplicate field `payload` at line 1 column 27"),
        (nested.into_bytes(), "invalid type: sequence, expected a string at line 1 column 1"),
        (b"".to_vec(), "EOF while parsing a value at line 1 column 0"),
    ] {
        let error = Envelope::parse(&bytes).unwrap_err().to_string();
        assert_eq!(error, format!("invalid envelope: {expected}"));
    }
    let unknown = changed(envelope(), |e| e["more"] = 1.into());
    assert!(Envelope::parse(&unknown).unwrap_err().to_string().contains("unknown field `more`"));
}

#[test]
fn bundles_of_another_shape_are_refused() {
    let bundle = || -> Value { serde_json::from_str(&kat("bundle")).unwrap() };
    let material = "verificationMaterial";
    for (bytes, expected) in [
        (
            changed(bundle(), |b| {
                b["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.2".into();
            }),
            "its media type is \"application/vnd.dev.sigstore.bundle+json;version=0.2\"; expected \"application/vnd.dev.sigstore.bundle.v0.3+json\"",
        ),
        (
            changed(bundle(), |b| {
                let signatures = &mut b["dsseEnvelope"]["signatures"];
                *signatures = json!([signatures[0], signatures[0]]);
            }),
            "it has 2 signatures; expected one",
        ),
        (
            changed(bundle(), |b| b[material] = json!({})),
            "it needs either a public key hint or a certificate",
        ),
        (
            changed(bundle(), |b| b[material]["certificate"] = json!({"rawBytes": "AA=="})),
            "it needs either a public key hint or a certificate",
        ),
        (
            changed(bundle(), |b| b[material]["tlogEntries"] = vec![json!({}); 33].into()),
            "it has 33 log entries",
        ),
    ] {
        assert_eq!(
            Bundle::parse(&bytes).unwrap_err().to_string(),
            format!("invalid bundle: {expected}")
        );
    }
    for (bytes, unknown) in [
        (changed(bundle(), |b| b["more"] = 1.into()), "more"),
        (changed(bundle(), |b| b["messageSignature"] = json!({})), "messageSignature"),
        (
            changed(bundle(), |b| b[material]["x509CertificateChain"] = json!({})),
            "x509CertificateChain",
        ),
        (changed(bundle(), |b| b[material]["publicKey"]["more"] = 1.into()), "more"),
        (changed(bundle(), |b| b["dsseEnvelope"]["more"] = 1.into()), "more"),
    ] {
        let error = Bundle::parse(&bytes).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("invalid bundle: unknown field `{unknown}`")),
            "{error}"
        );
    }
}

#[test]
fn bundles_with_log_entries_and_the_older_media_type_read() {
    let mut bundle: Value = serde_json::from_str(&kat("bundle")).unwrap();
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.3".into();
    bundle["verificationMaterial"]["tlogEntries"] = json!([{"logIndex": "1"}]);
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
    let mut read = Bundle::parse(bundle.to_string().as_bytes()).unwrap();
    assert_eq!(read.log_entries.remove(0).log_index, 1);
    assert_eq!(read, Bundle::parse(kat("bundle").as_bytes()).unwrap());
}

#[test]
fn referrers_of_another_shape_are_refused() {
    let referrer = || -> Value { serde_json::from_str(&kat("ref")).unwrap() };
    let carried = bundle::carried(kat("ref").as_bytes()).unwrap();
    assert_eq!(carried.blob.digest, format!("sha256:{}", kat("bundle_sha")));
    // Written by tools that did not set it; the layer decides.
    let untyped =
        changed(referrer(), |r| r["artifactType"] = "application/vnd.oci.empty.v1+json".into());
    assert_eq!(bundle::carried(&untyped), Ok(carried));
    for (bytes, expected) in [
        (changed(referrer(), |r| r["layers"] = json!([])), "it has 0 layers; expected one"),
        (
            changed(referrer(), |r| r["layers"] = json!([r["layers"][0], r["layers"][0]])),
            "it has 2 layers; expected one",
        ),
        (
            changed(referrer(), |r| r["layers"][0]["mediaType"] = "text/plain".into()),
            "its layer is a \"text/plain\"; expected \"application/vnd.dev.sigstore.bundle.v0.3+json\"",
        ),
        (changed(referrer(), |r| r["subject"] = Value::Null), "it has no subject"),
    ] {
        let error = bundle::carried(&bytes).unwrap_err().to_string();
        assert_eq!(error, format!("invalid bundle referrer: {expected}"));
    }
}

#[test]
fn statements_of_another_shape_are_refused() {
    let statement = || serde_json::to_value(signature_statement()).unwrap();
    for (bytes, expected) in [
        (
            changed(statement(), |s| s["_type"] = "https://in-toto.io/Statement/v2".into()),
            "its type is \"https://in-toto.io/Statement/v2\"; expected \"https://in-toto.io/Statement/v1\"",
        ),
        (
            changed(statement(), |s| s["subject"] = json!([])),
            "it has 0 subjects; expected 1 to 10000",
        ),
        (
            changed(statement(), |s| s["subject"] = json!([{"name": "x"}])),
            "missing field `digest` at line 1 column 161",
        ),
        (changed(statement(), |s| s["predicateType"] = "".into()), "its predicate type is empty"),
    ] {
        let error = Statement::parse(&bytes).unwrap_err().to_string();
        let place = |text: &str| text.split(" at line").next().unwrap().to_owned();
        assert_eq!(place(&error), place(&format!("invalid in-toto statement: {expected}")));
    }
    let old = changed(statement(), |s| s["_type"] = "https://in-toto.io/Statement/v0.1".into());
    assert!(Statement::parse(&old).unwrap().is_about(&format!("sha256:{}", kat("image_digest"))));
}

#[test]
fn simple_signing_payloads_of_another_shape_are_refused() {
    let payload = kat("simplesigning");
    let parsed = simple_signing::parse(payload.as_bytes()).unwrap();
    assert_eq!(
        sha256(&simple_signing::payload(&parsed.docker_reference, &parsed.digest)),
        sha256(payload.as_bytes())
    );
    for bad in [
        payload.replace("critical", "Critical"),
        payload.replace(",\"optional\":null", ",\"more\":1"),
        payload.replace("null}", "null"),
        "x".repeat(65537),
    ] {
        assert!(simple_signing::parse(bad.as_bytes()).is_err(), "{bad:.100}");
    }
    let annotated = payload.replace("null", r#"{"team":"a"}"#);
    assert_eq!(simple_signing::parse(annotated.as_bytes()).unwrap().optional, json!({"team": "a"}));
}
