//! User name and password of an endpoint, also as a Docker configuration keeps them.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{Remote, reference::DOCKER_HUB};

/// A user name and a password or token; never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: Zeroizing<String>,
    /// An OAuth refresh token, which takes the place of both.
    identity: Option<Zeroizing<String>>,
}

impl Credentials {
    /// Returns credentials of a user.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        let password = Zeroizing::new(password.into());
        Self { username: username.into(), password, identity: None }
    }

    /// Returns an identity token, as `docker login` keeps it for registries that give out refresh tokens.
    pub fn identity(token: impl Into<String>) -> Self {
        Self { identity: Some(Zeroizing::new(token.into())), ..Self::new("", "") }
    }

    /// Returns the identity token, if that is what these credentials are.
    pub(crate) fn identity_token(&self) -> Option<&str> {
        self.identity.as_ref().map(|token| token.as_str())
    }

    /// Returns what a Docker configuration (`.dockerconfigjson`) holds for a registry, the longest matching path first.
    ///
    /// # Errors
    /// When the configuration is not JSON or an entry is not base64 of `user:password`.
    pub fn from_docker_config(
        json: &str,
        remote: &Remote,
    ) -> Result<Option<Self>, DockerConfigError> {
        // The parser's own message quotes values, which are secrets here.
        let config: DockerConfig = serde_json::from_str(json).map_err(|error| {
            DockerConfigError::ParseConfig { line: error.line(), column: error.column() }
        })?;
        let wanted = format!("{}/{}", canonical_host(&remote.host), remote.prefix);
        let best = config
            .auths
            .iter()
            .map(|(key, entry)| (normalise(key), key, entry))
            .filter(|(path, ..)| {
                format!("{}/", wanted.trim_end_matches('/')).starts_with(&format!("{path}/"))
            })
            .max_by_key(|(path, ..)| path.len());
        best.map_or(Ok(None), |(_, key, entry)| entry.credentials(key))
    }

    /// Returns the value of the header `Authorization` for Basic; whoever sends it must know to whom.
    pub fn basic(&self) -> Zeroizing<String> {
        let pair = Zeroizing::new(format!("{}:{}", self.username, self.password.as_str()));
        Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a Docker configuration cannot be used; never quotes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DockerConfigError {
    /// The text is not the JSON of a Docker configuration.
    #[error(
        "the Docker configuration is not valid at line {line}, column {column}; expected {{\"auths\": {{…}}}}"
    )]
    ParseConfig {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// An entry's `auth` is not base64 of `user:password`.
    #[error("the Docker configuration's entry {registry:?} is not base64 of \"user:password\"")]
    ParseEntry {
        /// Key of the entry.
        registry: String,
    },
}

#[derive(Deserialize)]
struct DockerConfig {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    auth: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    identitytoken: Option<String>,
}

impl Entry {
    fn credentials(&self, key: &str) -> Result<Option<Credentials>, DockerConfigError> {
        if let Some(token) = self.identitytoken.as_deref().filter(|token| !token.is_empty()) {
            return Ok(Some(Credentials::identity(token)));
        }
        if let (Some(username), Some(password)) = (&self.username, &self.password) {
            return Ok(Some(Credentials::new(username, password)));
        }
        let Some(auth) = self.auth.as_deref().filter(|auth| !auth.is_empty()) else {
            return Ok(None);
        };
        let malformed = || DockerConfigError::ParseEntry { registry: key.to_owned() };
        let pair =
            STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = Zeroizing::new(pair.ok_or_else(malformed)?);
        let (username, password) = pair.split_once(':').ok_or_else(malformed)?;
        Ok(Some(Credentials::new(username, password)))
    }
}

/// Keys come as `host`, `host/path`, `https://host/v1/` and `https://host/v2/`.
fn normalise(key: &str) -> String {
    let key =
        key.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    match key.split_once('/') {
        Some((host, path)) => format!("{}/{path}", canonical_host(host)),
        None => canonical_host(key).to_owned(),
    }
}

fn canonical_host(host: &str) -> &str {
    if matches!(host, "index.docker.io" | "registry-1.docker.io") { DOCKER_HUB } else { host }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(json: &str, remote: &str) -> Option<String> {
        let found = Credentials::from_docker_config(json, &Remote::parse(remote).unwrap()).unwrap();
        found.map(|credentials| credentials.basic().to_string())
    }

    #[test]
    fn docker_configuration_gives_the_longest_match() {
        let json = r#"{"auths":{"registry.example":{"username":"a","password":"b"},
            "registry.example/team":{"auth":"Yzpk"},"https://index.docker.io/v1/":{"auth":"ZTpm"}}}"#;
        assert_eq!(basic(json, "registry.example"), Some("Basic YTpi".to_owned()));
        assert_eq!(basic(json, "registry.example/team/app"), Some("Basic Yzpk".to_owned()));
        assert_eq!(basic(json, "registry.example/teams"), Some("Basic YTpi".to_owned()));
        assert_eq!(basic(json, "docker.io"), Some("Basic ZTpm".to_owned()));
        assert_eq!(basic(json, "other.example"), None);
        assert_eq!(basic(json, "registry.example.evil.test"), None);
    }

    #[test]
    fn broken_docker_configuration_is_an_error_without_its_content() {
        let remote = Remote::parse("a.example").unwrap();
        let error = Credentials::from_docker_config(
            r#"{"auths":{"a.example":{"auth":"hunter2!"}}}"#,
            &remote,
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Docker configuration's entry \"a.example\" is not base64 of \"user:password\""
        );
        let error = Credentials::from_docker_config(r#"{"auths":"hunter2"}"#, &remote).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Docker configuration is not valid at line 1, column 18; expected {\"auths\": {…}}"
        );
    }

    #[test]
    fn an_identity_token_wins_over_a_password() {
        let json = r#"{"auths":{"a.example":{"auth":"Yzpk","identitytoken":"hunter2"}}}"#;
        let remote = Remote::parse("a.example").unwrap();
        let found = Credentials::from_docker_config(json, &remote).unwrap().unwrap();
        assert_eq!(found.identity_token(), Some("hunter2"));
        assert_eq!(format!("{found:?}"), "[redacted]");
    }

    #[test]
    fn credentials_are_never_shown() {
        assert_eq!(format!("{:?}", Credentials::new("user", "hunter2")), "[redacted]");
    }
}
