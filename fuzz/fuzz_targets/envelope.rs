//! DSSE envelopes, and the simple signing payload of legacy signatures.
#![no_main]

use arc_evidence::{Envelope, simple_signing};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = Envelope::parse(data) {
        assert_eq!(Envelope::parse(&read.to_json()).as_ref(), Ok(&read));
    }
    let _ = simple_signing::parse(data);
});
