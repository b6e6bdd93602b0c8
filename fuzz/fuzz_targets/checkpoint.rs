//! What a log says: checkpoints, answers of both versions. None of it is signed by the log whose key is given.
#![no_main]

use arc_evidence::transparency::{Checkpoint, LogEntry, Signed};
use arc_evidence::{LogKey, PublicKey};
use libfuzzer_sys::fuzz_target;

/// A key of which no seed has a signature.
const KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1Nf8Mz2cCSIw/eqJuyyAjt3vgGRr
70Q6iDZwiJXF4PCKhWc4ZbWaFLGaREJbCjB9Q6cSTt/7lpj9xyUDbMJjTg==
-----END PUBLIC KEY-----
";

fuzz_target!(|data: &[u8]| {
    let keys = LogKey::all_from_pem(KEY).expect("the key of the vectors is one");
    let key = PublicKey::from_pem(KEY).expect("the key of the vectors is one");
    if let Ok(note) = std::str::from_utf8(data)
        && let Ok(checkpoint) = Checkpoint::parse(note)
    {
        assert!(checkpoint.verify(&keys).is_err());
    }
    let signed = Signed {
        signature_der: b"signature",
        key: &key,
        message_sha256: [0; 32],
        payload_sha256: [0; 32],
    };
    for entry in
        [LogEntry::from_v2_answer(data), LogEntry::from_v1_answer(data)].into_iter().flatten()
    {
        assert!(entry.verify(&keys, &signed).is_err());
    }
});
