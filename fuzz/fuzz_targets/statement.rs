//! in-toto statements: what is read is written and read again as the same.
#![no_main]

use arc_evidence::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(read) = Statement::parse(data) {
        let written = read.to_bytes();
        let again = Statement::parse(&written).expect("what was written is readable");
        assert_eq!(again.to_bytes(), written);
        let _ = read.is_about("sha256:00");
    }
});
