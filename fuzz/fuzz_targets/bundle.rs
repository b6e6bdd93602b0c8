//! Bundles: what is read is written and read again as the same, and the verifier refuses what nobody signed.
#![no_main]

use arc_evidence::verify::{BundleEvidence, Evidence, Policy, verify};
use arc_evidence::{Bundle, Descriptor, PublicKey, bundle, predicate};
use libfuzzer_sys::fuzz_target;

/// The key of the known-answer vectors. Its one signature is in the seeds, over another digest than `SUBJECT`.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Nf8Mz2cCSIw/eqJuyyAjt3vgGRr
70Q6iDZwiJXF4PCKhWc4ZbWaFLGaREJbCjB9Q6cSTt/7lpj9xyUDbMJjTg==
-----END PUBLIC KEY-----
";
const SUBJECT: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fuzz_target!(|data: &[u8]| {
    let key = PublicKey::from_pem(KEY).expect("the key of the vectors is one");
    if let Ok(read) = Bundle::parse(data) {
        // A certificate is only recognised, never written.
        if read.material != bundle::Material::Certificate {
            assert_eq!(Bundle::parse(&read.to_json()).as_ref(), Ok(&read));
        }
        let subject = Descriptor { digest: SUBJECT.to_owned(), ..Descriptor::of("a/b", b"{}") };
        let referrer = bundle::referrer(&read, &subject, predicate::PREDICATE_SIGNATURE, "");
        let bundles =
            vec![BundleEvidence { manifest: referrer.manifest, blob: referrer.blobs[1].clone() }];
        let evidence = Evidence { bundles, ..Evidence::default() };
        let report =
            verify(SUBJECT, &evidence, &Policy::new(vec![key]), jiff::Timestamp::UNIX_EPOCH);
        assert!(!report.expect("there is a basis to judge by").accepted());
    }
    let _ = bundle::carried(data);
});
