//! The known-answer vectors of the formats: our bytes are theirs, and theirs hold.

use arc_evidence::{
    Bundle, PublicKey, Statement, bundle, digest::sha256, dsse, legacy, simple_signing, verify,
};

use crate::fixture::{
    CREATED, REPOSITORY, carried, digest, kat, kat_files, key, now, policy, sign,
    signature_statement, subject,
};

#[test]
fn the_key_file_opens_and_is_the_private_half_of_its_public_key() {
    assert_eq!(kat_files().open().unwrap().public(), PublicKey::from_pem(&kat("pub")).unwrap());
    assert_eq!(key().public().to_pem(), kat("pub"));
    assert_eq!(key().public().hint(), kat("hint"));
    // As `ssh-keygen -l` prints it for the same key.
    assert_eq!(key().public().key_id(), "SHA256:daPnV//W7U7d4VCr41VLlUUgEJTZvhcKKQf9kU7FClI");
}

#[test]
fn the_statement_has_the_same_bytes_and_the_same_pre_authentication_encoding() {
    let statement = signature_statement();
    assert_eq!(String::from_utf8(statement.to_bytes()).unwrap(), kat("statement"));
    assert_eq!(Statement::parse(kat("statement").as_bytes()), Ok(statement));
    let pae = dsse::pae(dsse::PAYLOAD_TYPE_IN_TOTO, kat("statement").as_bytes());
    assert_eq!(sha256(&pae), format!("sha256:{}", kat("pae_sha256")));
}

#[test]
fn the_signed_bundle_reads_back_and_writes_the_same_bytes() {
    let bundle = Bundle::parse(kat("bundle").as_bytes()).unwrap();
    assert_eq!(String::from_utf8(bundle.to_json()).unwrap(), kat("bundle"));
    assert_eq!(sha256(&bundle.to_json()), format!("sha256:{}", kat("bundle_sha")));
    assert_eq!(dsse::verify(&bundle.envelope, &[key().public()]), Ok(&key().public()));
}

#[test]
fn our_own_bundle_differs_from_the_vector_in_nothing_but_the_signature() {
    let mut ours = Bundle::new(sign(key(), &signature_statement()), &key().public());
    assert_eq!(dsse::verify(&ours.envelope, &[key().public()]), Ok(&key().public()));
    let theirs = Bundle::parse(kat("bundle").as_bytes()).unwrap();
    ours.envelope.signatures.clone_from(&theirs.envelope.signatures);
    assert_eq!(ours, theirs);
}

#[test]
fn the_referrer_has_the_same_bytes() {
    let bundle = Bundle::parse(kat("bundle").as_bytes()).unwrap();
    let referrer =
        bundle::referrer(&bundle, &subject(), "https://sigstore.dev/cosign/sign/v1", CREATED);
    assert_eq!(String::from_utf8(referrer.manifest.clone()).unwrap(), kat("ref"));
    assert_eq!(referrer.digest, format!("sha256:{}", kat("ref_sha")));
    assert_eq!(referrer.blobs, [b"{}".to_vec(), kat("bundle").into_bytes()]);
}

#[test]
fn the_simple_signing_payload_has_the_same_bytes() {
    let payload = simple_signing::payload(REPOSITORY, &digest());
    assert_eq!(String::from_utf8(payload.clone()).unwrap(), kat("simplesigning"));
    assert_eq!(sha256(&payload), format!("sha256:{}", kat("ss_sha")));
}

#[test]
fn the_signatures_of_the_vectors_are_accepted() {
    let bundle = Bundle::parse(kat("bundle").as_bytes()).unwrap();
    let referrer =
        bundle::referrer(&bundle, &subject(), "https://sigstore.dev/cosign/sign/v1", CREATED);
    let payload = kat("simplesigning").into_bytes();
    let signature = verify::SignatureEvidence { payload, signature: Some(kat("ss_sig")) };
    let by_bundle = verify::Evidence { bundles: vec![carried(referrer)], ..Default::default() };
    let by_tag = verify::Evidence { signatures: vec![signature], ..Default::default() };
    for evidence in [by_bundle, by_tag] {
        let report = verify::verify(&digest(), &evidence, &policy(), now()).unwrap();
        assert_eq!((report.accepted(), report.signatures.len()), (true, 1), "{report:?}");
        assert_eq!(report.signatures[0].key, Some(kat("hint")));
    }
}

#[test]
fn signing_twice_gives_the_same_bytes() {
    let payload = simple_signing::payload(REPOSITORY, &digest());
    let once = legacy::append_signature(None, &payload, &key().sign(&payload)).unwrap();
    assert_eq!(legacy::append_signature(None, &payload, &key().sign(&payload)).unwrap(), once);
    assert_eq!(sign(key(), &signature_statement()), sign(key(), &signature_statement()));
}

#[test]
fn nonces_are_those_of_rfc_6979() {
    // Appendix A.2.5 of the RFC: P-256, SHA-256, message "sample".
    let secret = p256::SecretKey::from_slice(&hex(
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
    ));
    let pem = secret.unwrap().to_sec1_pem(p256::pkcs8::LineEnding::LF).unwrap();
    let signature = arc_evidence::SigningKey::from_pem(&pem, b"").unwrap().sign(b"sample");
    let r = hex("EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716");
    let s = hex("F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8");
    // Both numbers have their highest bit set, so each gets a zero byte in front.
    assert_eq!(
        signature,
        [&[0x30, 70, 2, 33, 0], r.as_slice(), &[2, 33, 0], s.as_slice()].concat()
    );
}

fn hex(text: &str) -> Vec<u8> {
    let digit = |index: usize| u8::from_str_radix(&text[index..index + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}
