//! The one account that a registry may want.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};

use crate::error::{Code, Refusal};

/// What a request must bring, as the hash of the whole header: comparing hashes tells nothing about the password.
#[derive(Clone)]
pub(crate) struct Account([u8; 32]);

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Account {
    pub(crate) fn new(username: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        Self(Sha256::digest(format!("Basic {pair}")).into())
    }

    /// Refuses a request that does not bring it.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let given =
            headers.get(header::AUTHORIZATION).map(|value| Sha256::digest(value.as_bytes()));
        if given.is_some_and(|given| self.0 == *given) {
            return Ok(());
        }
        Err(Refusal::new(Code::Unauthorized, "log in with the account of this registry")
            .with_header(header::WWW_AUTHENTICATE, "Basic realm=\"arc\""))
    }
}
