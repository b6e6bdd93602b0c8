//! Reads `WWW-Authenticate`.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// How a registry wants to be logged in to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// With user name and password in every request.
    Basic,
    /// With a token that a token service gives.
    Bearer {
        /// URL of the token service.
        realm: String,
        /// What the token service knows the registry as.
        service: Option<String>,
        /// What the refused request needed.
        scope: Option<String>,
    },
}

impl Challenge {
    /// Reads the challenge of an answer: the first Bearer one, else Basic, else nothing that is known here.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        parse(headers)
    }
}

/// Returns the first Bearer challenge of an answer, else Basic.
pub(super) fn parse(headers: &HeaderMap) -> Option<Challenge> {
    let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let challenges: Vec<_> = texts.flat_map(parse_one).collect();
    let bearer = challenges.iter().find(|challenge| matches!(challenge, Challenge::Bearer { .. }));
    bearer.or(challenges.first()).cloned()
}

/// One header may hold several challenges: `Bearer realm="…",scope="a,b", Basic realm="…"`.
fn parse_one(text: &str) -> Vec<Challenge> {
    let mut found = Vec::new();
    let mut scheme = String::new();
    let mut parameters: Vec<(String, String)> = Vec::new();
    for item in split_outside_quotes(text) {
        let (head, value) =
            item.split_once('=').map_or((item, None), |(head, value)| (head, Some(value)));
        // A scheme stands before its first parameter, separated by a space.
        let name = match head.trim().rsplit_once(' ') {
            Some((next, name)) => {
                found.extend(challenge(&scheme, &parameters));
                next.trim().clone_into(&mut scheme);
                parameters.clear();
                name
            }
            None if value.is_none() => {
                found.extend(challenge(&scheme, &parameters));
                head.trim().clone_into(&mut scheme);
                parameters.clear();
                continue;
            }
            None => head.trim(),
        };
        if let Some(value) = value {
            parameters.push((
                name.to_ascii_lowercase(),
                value.trim().trim_matches('"').replace("\\\"", "\""),
            ));
        }
    }
    found.extend(challenge(&scheme, &parameters));
    found
}

fn challenge(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let get = |name: &str| {
        let value =
            parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
        value.filter(|value| !value.is_empty())
    };
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Some(Challenge::Bearer { realm: get("realm")?, service: get("service"), scope: get("scope") })
}

fn split_outside_quotes(text: &str) -> Vec<&str> {
    let mut is_quoted = false;
    text.split(move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.to_owned(),
            service: service.map(str::to_owned),
            scope: scope.map(str::to_owned),
        }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        let full = r#"Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push""#;
        let cases: Vec<(Vec<&str>, Option<Challenge>)> = vec![
            (
                vec![full],
                Some(bearer(
                    "https://auth.example/token",
                    Some("registry.example"),
                    Some("repository:a/b:pull,push"),
                )),
            ),
            (vec![r#"bearer realm="https://a/t""#], Some(bearer("https://a/t", None, None))),
            (
                vec!["Bearer realm=https://a/t, service=s"],
                Some(bearer("https://a/t", Some("s"), None)),
            ),
            (vec![r#"Basic realm="Registry""#], Some(Challenge::Basic)),
            (vec!["Basic"], Some(Challenge::Basic)),
            (
                vec![r#"Basic realm="x", Bearer realm="https://a/t""#],
                Some(bearer("https://a/t", None, None)),
            ),
            (
                vec![r#"Basic realm="x""#, r#"Bearer realm="https://a/t",service="s""#],
                Some(bearer("https://a/t", Some("s"), None)),
            ),
            (vec!["Negotiate", r#"Basic realm="x""#], Some(Challenge::Basic)),
            (vec![r#"Bearer service="no-realm""#], None),
            (vec!["Digest realm=\"x\", nonce=\"y\""], None),
            (vec![""], None),
            (vec![], None),
        ];
        for (texts, expected) in cases {
            let mut headers = HeaderMap::new();
            for text in &texts {
                headers.append(WWW_AUTHENTICATE, text.parse().unwrap());
            }
            assert_eq!(parse(&headers), expected, "{texts:?}");
        }
    }
}
