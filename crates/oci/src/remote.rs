//! The place that an endpoint names: a registry with a scheme and an optional path prefix.

use std::{fmt, str::FromStr};

use crate::{
    Reference,
    reference::{DOCKER_HUB, NameError, add_library, validate_host, validate_repository},
};

/// How a registry is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// TLS; what is meant when nothing is said.
    Https,
    /// Plain text; only when the endpoint's URL says so.
    Http,
}

impl Scheme {
    /// Returns the scheme as in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// A parsed endpoint URL: `https://host[:port][/prefix]`, `http://…`, `oci://…` or without a scheme.
///
/// ```
/// let remote = arc_oci::Remote::parse("https://registry.example:5000/mirror/").unwrap();
/// assert_eq!(remote.repository("library/alpine").unwrap(), "mirror/library/alpine");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Remote {
    /// How to speak to it.
    pub scheme: Scheme,
    /// Host name with optional port, as given.
    pub host: String,
    /// Path in front of every repository, without slashes at its ends; mostly empty.
    pub prefix: String,
}

impl Remote {
    /// Parses an endpoint URL.
    ///
    /// # Errors
    /// When the scheme is another one, or when host or prefix are not names, or when user information is in it.
    pub fn parse(url: &str) -> Result<Self, NameError> {
        let (scheme, rest) = match url.split_once("://") {
            Some(("https" | "oci", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            // The text is not repeated: it may hold a password.
            Some((other, _)) => {
                return Err(NameError::ParseScheme { value: format!("{other}://") });
            }
            None => (Scheme::Https, url),
        };
        let (host, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if let Some((_, host)) = rest.rsplit_once('@') {
            let host = host.split_once('/').map_or(host, |(host, _)| host);
            return Err(NameError::RefuseUserInformation { host: host.to_owned() });
        }
        let host = host.to_ascii_lowercase();
        validate_host(&host)?;
        let prefix = prefix.trim_end_matches('/').to_owned();
        if !prefix.is_empty() {
            validate_repository(&prefix)?;
        }
        Ok(Self { scheme, host, prefix })
    }

    /// Returns the full path of `name` in this registry: the prefix, a slash and the name.
    ///
    /// # Errors
    /// When the result is not a repository name.
    pub fn repository(&self, name: &str) -> Result<String, NameError> {
        let path = if self.prefix.is_empty() {
            name.to_owned()
        } else {
            format!("{}/{name}", self.prefix)
        };
        let path = add_library(&self.host, path);
        validate_repository(&path)?;
        Ok(path)
    }

    /// Returns the reference of a full repository path in this registry, with neither tag nor digest.
    pub fn reference(&self, repository: &str) -> Reference {
        Reference {
            registry: self.host.clone(),
            repository: repository.to_owned(),
            tag: None,
            digest: None,
        }
    }

    /// Returns the start of every URL of the distribution API, such as `https://registry.example:5000`.
    pub fn base_url(&self) -> String {
        // Docker Hub's name is not the name of its registry.
        let host = match self.host.as_str() {
            DOCKER_HUB | "index.docker.io" => "registry-1.docker.io",
            host => host,
        };
        format!("{}://{host}", self.scheme.as_str())
    }
}

impl FromStr for Remote {
    type Err = NameError;

    fn from_str(url: &str) -> Result<Self, NameError> {
        Self::parse(url)
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_urls_become_full_repository_paths() {
        for (url, shown, repository, base) in [
            ("https://r.example", "https://r.example", "a/b", "https://r.example"),
            ("https://r.example/", "https://r.example", "a/b", "https://r.example"),
            (
                "https://R.Example:5000/mirror/x/",
                "https://r.example:5000/mirror/x",
                "mirror/x/a/b",
                "https://r.example:5000",
            ),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "a/b", "http://127.0.0.1:5000"),
            ("oci://r.example/p", "https://r.example/p", "p/a/b", "https://r.example"),
            ("r.example:5000/p", "https://r.example:5000/p", "p/a/b", "https://r.example:5000"),
            ("registry", "https://registry", "a/b", "https://registry"),
            ("https://docker.io", "https://docker.io", "a/b", "https://registry-1.docker.io"),
        ] {
            let remote = Remote::parse(url).unwrap();
            assert_eq!(
                (
                    remote.to_string().as_str(),
                    remote.repository("a/b").unwrap().as_str(),
                    remote.base_url().as_str()
                ),
                (shown, repository, base)
            );
        }
    }

    #[test]
    fn official_images_of_docker_hub_get_their_folder() {
        assert_eq!(
            Remote::parse("docker.io").unwrap().repository("alpine").unwrap(),
            "library/alpine"
        );
        assert_eq!(
            Remote::parse("docker.io/grafana").unwrap().repository("loki").unwrap(),
            "grafana/loki"
        );
    }

    #[test]
    fn names_cannot_leave_the_prefix() {
        let remote = Remote::parse("https://r.example/team").unwrap();
        for name in ["", "../other", "a/../../b", "/a", "a/", "a:1", "a@b", "a?n=1"] {
            assert!(remote.repository(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        let error = Remote::parse("https://user:hunter2@r.example/p").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the URL of registry \"r.example\" contains user information; put the credentials into a secret instead"
        );
        for url in [
            "ftp://r.example",
            "https://",
            "https:///a",
            "https://r.example/A",
            "https://r.example/a?b=c",
        ] {
            assert!(Remote::parse(url).is_err(), "{url:?}");
        }
    }
}
