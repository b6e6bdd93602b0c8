//! Addresses of endpoints: the rules of the CRD once more, for a laptop where no API server has applied them.

use crate::text;

/// What an address may begin with; without a scheme HTTPS is meant.
const SCHEMES: [&str; 4] = ["https", "http", "oci", "s3"];

/// Returns what is wrong with an address, and what to do; the address is not repeated where it may hold a password.
pub(crate) fn problem(url: &str) -> Option<(String, &'static str)> {
    let (scheme, authority) = split(url);
    if has_user_info(url) {
        let hint = "put the credentials into a Secret and name it in secretRef";
        return Some(("remoteURL contains a user name".to_owned(), hint));
    }
    let correct = "correct remoteURL of the endpoint";
    if let Some(scheme) = scheme.filter(|scheme| !SCHEMES.contains(scheme)) {
        let known = text::list(SCHEMES);
        return Some((
            format!("remoteURL has scheme {scheme:?}; known schemes are {known}"),
            correct,
        ));
    }
    if authority.is_empty() {
        let hint = "write it as `https://host[:port][/path]`";
        return Some((format!("remoteURL {url:?} names no host"), hint));
    }
    let is_broken = url.chars().any(|c| c.is_whitespace() || c.is_control());
    is_broken.then(|| (format!("remoteURL {url:?} contains white space"), correct))
}

/// Tells whether there is a user name, and maybe a password, before the host.
pub(super) fn has_user_info(url: &str) -> bool {
    split(url).1.contains('@')
}

/// Scheme and authority.
fn split(url: &str) -> (Option<&str>, &str) {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, url),
    };
    (scheme, rest.split(['/', '?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_as_the_crd_does() {
        for (url, expected) in [
            ("https://registry.example:5000/a", None),
            ("http://localhost:5000", None),
            ("oci://localhost", None),
            ("quay.example/path@sha256:0", None),
            ("https://me:secret@quay.example", Some("remoteURL contains a user name")),
            ("me@quay.example", Some("remoteURL contains a user name")),
            ("https:///a", Some("remoteURL \"https:///a\" names no host")),
            ("", Some("remoteURL \"\" names no host")),
            ("quay.example /a", Some("remoteURL \"quay.example /a\" contains white space")),
        ] {
            assert_eq!(problem(url).map(|(message, _)| message).as_deref(), expected, "{url:?}");
        }
    }
}
