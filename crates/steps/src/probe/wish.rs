//! What to probe, from the environment: the same variables that a delivery's source has.

use arc_oci::{Remote, Scheme};
use reqwest::Url;

use super::address::{Cidr, Rules};
use crate::environment::{EndpointFacts, Environment};
use crate::error::{Error, Problem};

/// How an endpoint is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaks {
    /// The distribution API: `GET /v2/`.
    Registry,
    /// Something else over HTTP: its address is asked as it is.
    Web,
}

/// What to probe.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) endpoint: EndpointFacts,
    pub(super) speaks: Speaks,
    /// Nothing where the scheme is not HTTP.
    pub(super) url: Option<Url>,
    pub(super) rules: Rules,
}

impl Wish {
    /// Reads the environment and reports every problem in it.
    pub(super) fn parse(environment: &Environment) -> Result<Self, Error> {
        let mut reader = Reader { environment, problems: Vec::new() };
        let address = reader.text("SRC_REMOTE_URL").trim();
        let speaks = match reader.text("SRC_TYPE") {
            "" | "oci" => Speaks::Registry,
            _ => Speaks::Web,
        };
        let target = match target(address, speaks) {
            Ok(target) => Some(target),
            Err(message) => {
                let hint = "give the endpoint a remoteURL such as https://registry.example/team";
                reader.problem("SRC_REMOTE_URL", message, hint);
                None
            }
        };
        let has_secret = reader.flag("SRC_SECRET");
        let insecure_skip_verify = reader.flag("SRC_INSECURE_SKIP_VERIFY");
        let ca_bundle = Some(reader.text("SRC_CA_BUNDLE").trim().to_owned());
        let rules = Rules {
            allow: reader.networks("PROBE_ALLOW_CIDRS"),
            deny: reader.networks("PROBE_DENY_CIDRS"),
        };
        match target {
            Some((remote, url)) if reader.problems.is_empty() => Ok(Self {
                endpoint: EndpointFacts {
                    remote,
                    has_secret,
                    ca_bundle: ca_bundle.filter(|pem| !pem.is_empty()),
                    insecure_skip_verify,
                },
                speaks,
                url,
                rules,
            }),
            _ => Err(Error::Input { problems: reader.problems }),
        }
    }

    /// The address for people; it cannot hold a password.
    pub(super) fn shown(&self) -> String {
        self.url.as_ref().map_or_else(|| self.endpoint.remote.to_string(), Url::to_string)
    }
}

/// Where to ask, and under which name credentials are kept for it.
fn target(address: &str, speaks: Speaks) -> Result<(Remote, Option<Url>), String> {
    if speaks == Speaks::Registry {
        let remote = Remote::parse(address).map_err(|error| error.to_string())?;
        let url = format!("{}/v2/", remote.base_url());
        return Ok((remote, Some(Url::parse(&url).map_err(|error| error.to_string())?)));
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("https", address));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Only the host is taken: a path of a web address is no repository's.
    let http = Remote::parse(&format!("https://{host}")).map_err(|error| error.to_string())?;
    let (scheme, url) = match scheme {
        "http" => (Scheme::Http, Some(address.to_owned())),
        "https" | "oci" => (Scheme::Https, Some(format!("https://{rest}"))),
        _ => (Scheme::Https, None),
    };
    let url = url.map(|url| Url::parse(&url)).transpose().map_err(|error| error.to_string())?;
    Ok((Remote { scheme, ..http }, url))
}

struct Reader<'a> {
    environment: &'a Environment,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn text(&self, name: &str) -> &'a str {
        self.environment.get(name).map(String::as_str).unwrap_or_default()
    }

    fn problem(&mut self, field: &str, message: String, hint: &str) {
        self.problems.push(Problem { field: field.to_owned(), message, hint: hint.to_owned() });
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name) {
            "true" => true,
            "" | "false" => false,
            other => {
                self.problem(name, format!("{other:?} is not a boolean"), "write true or false");
                false
            }
        }
    }

    fn networks(&mut self, name: &str) -> Vec<Cidr> {
        let mut networks = Vec::new();
        let words = self.text(name).split([',', ' ', '\n']).map(str::trim);
        for word in words.filter(|word| !word.is_empty()) {
            match Cidr::parse(word) {
                Some(found) => networks.extend(found),
                None => self.problem(
                    name,
                    format!("{word:?} is not a network"),
                    "write networks such as 10.0.0.0/8 or fd00::/8, or the word private",
                ),
            }
        }
        networks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_address_becomes_what_is_asked() {
        let cases = [
            ("oci", "https://r.example:5000/team", Some("https://r.example:5000/v2/")),
            ("oci", "r.example", Some("https://r.example/v2/")),
            ("oci", "http://r.example", Some("http://r.example/v2/")),
            ("oci", "docker.io", Some("https://registry-1.docker.io/v2/")),
            ("helm", "https://charts.example/stable/", Some("https://charts.example/stable/")),
            ("helm", "charts.example", Some("https://charts.example/")),
            ("http", "http://files.example:8080/x?y=1", Some("http://files.example:8080/x?y=1")),
            ("s3", "s3://bucket.example/prefix", None),
        ];
        for (kind, address, expected) in cases {
            let environment = environment(&[("SRC_TYPE", kind), ("SRC_REMOTE_URL", address)]);
            let wish = Wish::parse(&environment).unwrap();
            assert_eq!(wish.url.as_ref().map(Url::as_str), expected, "{kind} {address}");
        }
    }

    #[test]
    fn every_problem_is_named() {
        let environment = environment(&[
            ("SRC_REMOTE_URL", "https://user:secret@r.example"),
            ("SRC_SECRET", "yes"),
            ("PROBE_DENY_CIDRS", "10.0.0.0/8, 10.0.0.0/33, nonsense"),
        ]);
        let error = Wish::parse(&environment).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("secret@") && !text.contains(":secret"), "{text}");
        let Error::Input { problems } = error else { panic!("{error}") };
        let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
        let expected = ["SRC_REMOTE_URL", "SRC_SECRET", "PROBE_DENY_CIDRS", "PROBE_DENY_CIDRS"];
        assert_eq!(fields, expected);
    }
}
