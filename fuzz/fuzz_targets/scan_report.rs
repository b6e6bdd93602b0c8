//! Trivy reports, the scan results that come from another program.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let read = arc_scan::trivy::read(data);
    let findings = arc_scan::trivy::findings(data);
    assert_eq!(read.is_ok(), findings.is_ok());
});
