//! Digests as strings, `sha256:<hex>`: computing them and taking them apart.

use sha2::{Digest as _, Sha256};

/// Why a digest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid digest {digest:?}; expected \"sha256:\" and 64 lower-case hexadecimal digits, or \"sha512:\" and 128"
)]
pub struct ParseDigest {
    /// What was given.
    pub digest: String,
}

/// Returns the digest of `bytes` as `sha256:<hex>`.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", crate::encoding::hex(&Sha256::digest(bytes)))
}

/// Splits a digest into its algorithm and its hexadecimal digits.
pub(crate) fn split(digest: &str) -> Result<(&str, &str), ParseDigest> {
    let is_hex = |hex: &str| hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    match digest.split_once(':') {
        Some((algorithm, hex))
            if matches!((algorithm, hex.len()), ("sha256", 64) | ("sha512", 128))
                && is_hex(hex) =>
        {
            Ok((algorithm, hex))
        }
        _ => Err(ParseDigest { digest: digest.chars().take(200).collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_digests_split() {
        let good = sha256(b"");
        assert_eq!(
            split(&good),
            Ok(("sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"))
        );
        for bad in [
            "",
            "sha256",
            "sha256:",
            "sha256:ABCD",
            "md5:00",
            &good.to_uppercase(),
            &good.replace("256:e", "256:"),
        ] {
            assert_eq!(split(bad), Err(ParseDigest { digest: bad.to_owned() }));
        }
    }
}
