//! Readers never panic, whatever a registry says, and no changed byte of signed evidence is ever accepted.

use arc_evidence::{
    Bundle, Envelope, Evidence, PublicKey, SigningKey, Statement, Subject, bundle, dsse, legacy,
    simple_signing,
    verify::{BundleEvidence, SignatureEvidence, verify},
};
use proptest::prelude::*;

use crate::fixture::{bundle_blob, digest, kat, key, legacy_signature, now, policy};

/// One of the vectors with one byte replaced.
fn changed(field: &'static str) -> impl Strategy<Value = (Vec<u8>, bool)> {
    let bytes = kat(field).into_bytes();
    (0..bytes.len(), any::<u8>()).prop_map(move |(index, byte)| {
        let mut changed = bytes.clone();
        changed[index] = byte;
        let is_other = changed != bytes;
        (changed, is_other)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn readers_survive_changed_vectors(
        bundle in changed("bundle"), referrer in changed("ref"), statement in changed("statement"),
        payload in changed("simplesigning"), public in changed("pub"),
    ) {
        let _ = Bundle::parse(&bundle.0);
        let _ = bundle::carried(&referrer.0);
        let _ = legacy::layers(&referrer.0);
        let _ = legacy::append_signature(Some(&referrer.0), &payload.0, &[]);
        let _ = Statement::parse(&statement.0);
        let _ = simple_signing::parse(&payload.0);
        let _ = PublicKey::from_pem(&String::from_utf8_lossy(&public.0));
    }

    #[test]
    fn readers_survive_anything(bytes in prop::collection::vec(any::<u8>(), 0..200), label in ".{0,20}") {
        let _ = Bundle::parse(&bytes);
        let _ = Envelope::parse(&bytes);
        let _ = key().public().verify(&bytes, &bytes);
        let _ = SigningKey::from_pem(&format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----"), &bytes);
    }

    #[test]
    fn envelopes_read_back(payload in prop::collection::vec(any::<u8>(), 0..200), payload_type in ".{0,20}") {
        let envelope = dsse::sign(key(), &payload_type, payload);
        prop_assert_eq!(&Envelope::parse(&envelope.to_json()).unwrap(), &envelope);
        let bundle = Bundle::new(envelope, &key().public());
        prop_assert_eq!(Bundle::parse(&bundle.to_json()).unwrap(), bundle);
    }

    #[test]
    fn encodings_of_different_content_differ(a in ".{0,20}", b in ".{0,20}", c in ".{0,20}", d in ".{0,20}") {
        prop_assume!((&a, &b) != (&c, &d));
        prop_assert_ne!(dsse::pae(&a, b.as_bytes()), dsse::pae(&c, d.as_bytes()));
    }

    #[test]
    fn no_changed_byte_of_a_legacy_signature_is_accepted((payload, is_other) in changed("simplesigning")) {
        prop_assume!(is_other);
        let SignatureEvidence { signature, .. } = legacy_signature(key(), kat("simplesigning").into_bytes());
        let evidence = Evidence { signatures: vec![SignatureEvidence { payload, signature }], ..Evidence::default() };
        prop_assert!(!verify(&digest(), &evidence, &policy(), now()).unwrap().accepted());
    }

    /// The hint may change without harm: nothing is decided by it.
    #[test]
    fn a_changed_bundle_is_refused_or_says_the_same((blob, _) in changed("bundle")) {
        let BundleEvidence { manifest, blob } = bundle_blob(&blob, "https://sigstore.dev/cosign/sign/v1");
        let evidence = Evidence { bundles: vec![BundleEvidence { manifest, blob: blob.clone() }], ..Evidence::default() };
        if verify(&digest(), &evidence, &policy(), now()).unwrap().accepted() {
            let original = Bundle::parse(kat("bundle").as_bytes()).unwrap();
            prop_assert_eq!(Bundle::parse(&blob).unwrap().envelope, original.envelope);
        }
    }

    /// Signed bytes do not depend on the order in which a predicate's keys were written, at any depth.
    #[test]
    fn statements_have_one_form(keys in prop::collection::btree_set("[a-zA-Z0-9ä\"\\\\]{0,6}", 0..6), text in ".{0,20}") {
        let object = |keys: &mut dyn Iterator<Item = &String>, inner: &str| {
            let fields = keys.map(|key| format!("{}:{inner}", serde_json::to_string(key).unwrap()));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        };
        let leaf = serde_json::to_string(&text).unwrap();
        let forth = object(&mut keys.iter(), &object(&mut keys.iter(), &leaf));
        let back = object(&mut keys.iter().rev(), &object(&mut keys.iter().rev(), &leaf));
        let bytes = |predicate: &str| {
            let predicate = serde_json::from_str(predicate).unwrap();
            Statement::new(Subject::new("", &digest()).unwrap(), "https://example.com", predicate).to_bytes()
        };
        prop_assert_eq!(bytes(&forth), bytes(&back));
        prop_assert_eq!(Statement::parse(&bytes(&forth)).unwrap().to_bytes(), bytes(&back));
    }
}

// Few cases: each derives keys from a password three times, which is slow on purpose.
proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3) })]

    #[test]
    fn key_files_open_with_their_password_only(password in prop::collection::vec(any::<u8>(), 0..40), other in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assume!(password != other);
        let pem = key().to_cosign_pem(&password).unwrap();
        prop_assert_eq!(SigningKey::from_pem(&pem, &password).unwrap().public(), key().public());
        prop_assert!(SigningKey::from_pem(&pem, &other).is_err());
    }
}

/// Found by the fuzz target `statement`: a long decimal was read as the neighbour of the number it says.
#[test]
fn numbers_of_a_statement_stay_what_they_are() {
    let text = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"00"}}],"predicateType":"a:b","predicate":{"a":9.511111111111111111111111111111111111111111111111111}}"#;
    let once = Statement::parse(text.as_bytes()).unwrap().to_bytes();
    let twice = Statement::parse(&once).unwrap().to_bytes();
    assert_eq!(once, twice);
}
