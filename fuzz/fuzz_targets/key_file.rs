//! Key files. Encrypted ones are read up to the key derivation, which takes too long here.
#![no_main]

use arc_evidence::{PublicKey, SigningKey, keys};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(keys) = PublicKey::all_from_pem(text) {
        for key in keys {
            assert_eq!(PublicKey::from_pem(&key.to_pem()).ok().as_ref(), Some(&key));
        }
    }
    if !keys::is_encrypted(text) {
        if let Ok(key) = SigningKey::from_pem(text, b"") {
            let signature = key.sign(data);
            assert!(key.public().verify(data, &signature).is_ok());
        }
    }
});
