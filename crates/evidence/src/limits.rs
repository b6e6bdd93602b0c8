//! Bounds for everything that comes from a registry, a file or a secret.
//!
//! Callers that fetch evidence use the same numbers, so that nothing larger is ever held in memory.

/// Largest key file in bytes; a cosign key file has about 700, so this leaves room for comments around it.
pub const MAX_KEY_FILE: usize = 64 << 10;

/// Largest password in bytes; more is a wrong file.
pub const MAX_PASSWORD: usize = 64 << 10;

/// Most public keys in one PEM file; a rotation needs two, a federation a few dozen.
pub const MAX_KEYS: usize = 64;

/// Largest manifest in bytes; the limit that the distribution specification asks registries to accept.
pub const MAX_MANIFEST: usize = 4 << 20;

/// Largest simple signing payload in bytes; ARC's have about 250, annotations make them grow.
pub const MAX_SIMPLE_SIGNING: usize = 64 << 10;

/// Largest DSSE envelope or bundle in bytes; an SBOM of 40 MB still fits after base64.
pub const MAX_ENVELOPE: usize = 64 << 20;

/// Most layers of a `.sig` or `.att` image; the limit of cosign's reader.
pub const MAX_LAYERS: usize = 1000;

/// Most signatures in one DSSE envelope.
pub const MAX_ENVELOPE_SIGNATURES: usize = 16;

/// Most transparency log entries in one bundle; the limit of the Sigstore specification.
pub const MAX_LOG_ENTRIES: usize = 32;

/// Most subjects in one statement; a release with many files stays well below.
pub const MAX_SUBJECTS: usize = 10_000;

/// Most bytes of evidence judged in one verification; it is all in memory at once.
pub const MAX_EVIDENCE_BYTES: usize = 256 << 20;

/// Most pieces of evidence judged in one verification; each costs one signature check per key.
pub const MAX_EVIDENCE: usize = 1000;

/// Largest checkpoint of a log in bytes; one with a dozen witnesses has about 2000.
pub const MAX_CHECKPOINT: usize = 64 << 10;

/// Most signatures tried on one checkpoint; more lines are ignored.
pub const MAX_CHECKPOINT_SIGNATURES: usize = 100;

/// Most hashes in one inclusion proof: the height of a tree with 2^64 leaves.
pub const MAX_PROOF_HASHES: usize = 64;

/// Largest answer of a log in bytes; the v1 form repeats the envelope's signatures, not its payload.
pub const MAX_LOG_ANSWER: usize = 4 << 20;

/// Largest policy file in bytes; a few dozen keys fit.
pub const MAX_POLICY_FILE: usize = 1 << 20;
