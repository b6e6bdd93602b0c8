//! Keys, signatures, attestations and their verification. Formats only, no network.
