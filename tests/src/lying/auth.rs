//! Logins: none, Basic, or Bearer tokens from a token endpoint of the same server.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Mutex,
};

use axum::{
    body::Body,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Request, StatusCode, header};

use crate::{PASSWORD, USERNAME, lying::Shared};

/// How clients must log in; the account is always [`USERNAME`] with [`PASSWORD`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// Basic auth with every request.
    Basic,
    /// Tokens from `/token`, asked for with Basic auth, good for the scopes asked for.
    Bearer {
        /// Without an account, tokens for pulling are given, as Docker Hub does.
        anonymous_pull: bool,
        /// A token is good for that many requests; then it is refused with 401.
        uses: usize,
    },
}

impl Auth {
    /// Returns Bearer tokens that last, and nothing for strangers.
    pub fn bearer() -> Self {
        Self::Bearer { anonymous_pull: false, uses: usize::MAX }
    }
}

/// The tokens given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<BTreeMap<String, Token>>);

#[derive(Debug)]
struct Token {
    /// `<repository>:<action>`.
    grants: BTreeSet<String>,
    uses_left: usize,
}

/// Answers the token endpoint and refuses strangers; `None` lets the request pass.
pub(crate) fn check(shared: &Shared, request: &Request<Body>) -> Option<Response> {
    match shared.auth {
        Auth::None => None,
        Auth::Basic => (!has_account(request)).then(|| unauthorized("Basic realm=\"arc\"")),
        Auth::Bearer { anonymous_pull, uses } if request.uri().path() == "/token" => {
            Some(give_token(shared, request, anonymous_pull, uses))
        }
        Auth::Bearer { .. } => check_token(shared, request),
    }
}

fn has_account(request: &Request<Body>) -> bool {
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("{USERNAME}:{PASSWORD}")));
    request
        .headers()
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value.as_bytes() == expected.as_bytes())
}

fn unauthorized(challenge: &str) -> Response {
    let headers =
        [(header::WWW_AUTHENTICATE, challenge), (header::CONTENT_TYPE, "application/json")];
    let body = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}]}";
    (StatusCode::UNAUTHORIZED, headers, body).into_response()
}

fn give_token(
    shared: &Shared,
    request: &Request<Body>,
    anonymous_pull: bool,
    uses: usize,
) -> Response {
    let has_account = has_account(request);
    let is_anonymous = !request.headers().contains_key(header::AUTHORIZATION);
    let may_pull = has_account || (anonymous_pull && is_anonymous);
    if !may_pull {
        return unauthorized("Basic realm=\"arc\"");
    }
    let scopes: Vec<_> = query(request).into_iter().filter(|(name, _)| name == "scope").collect();
    let grants = scopes.iter().flat_map(|(_, scopes)| scopes.split(' ')).flat_map(grants);
    let grants = grants.filter(|grant| has_account || grant.ends_with(":pull")).collect();
    let mut tokens = shared.tokens.0.lock().unwrap();
    let token = format!("token-{}", tokens.len() + 1);
    tokens.insert(token.clone(), Token { grants, uses_left: uses });
    let body = serde_json::json!({ "token": token, "access_token": token, "expires_in": 300 });
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// Reads `repository:<name>:<action>,<action>`.
fn grants(scope: &str) -> Vec<String> {
    let Some(scope) = scope.strip_prefix("repository:") else { return Vec::new() };
    let Some((name, actions)) = scope.rsplit_once(':') else { return Vec::new() };
    actions.split(',').map(|action| format!("{name}:{action}")).collect()
}

fn query(request: &Request<Body>) -> Vec<(String, String)> {
    form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
        .into_owned()
        .collect()
}

fn bearer(request: &Request<Body>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

fn check_token(shared: &Shared, request: &Request<Body>) -> Option<Response> {
    let needed = needed(request);
    let mut tokens = shared.tokens.0.lock().unwrap();
    if let Some(token) = bearer(request).and_then(|token| tokens.get_mut(token))
        && token.uses_left > 0
        && needed.iter().all(|grant| token.grants.contains(grant))
    {
        token.uses_left -= 1;
        return None;
    }
    Some(unauthorized(&challenge(shared, &needed)))
}

fn challenge(shared: &Shared, needed: &[String]) -> String {
    let mut challenge = format!("Bearer realm=\"{}/token\",service=\"arc\"", shared.base);
    if let Some((name, _)) = needed.first().and_then(|grant| grant.rsplit_once(':')) {
        let actions: Vec<_> =
            needed.iter().filter_map(|grant| grant.strip_prefix(&format!("{name}:"))).collect();
        // Writing to a string cannot fail.
        let _ = write!(challenge, ",scope=\"repository:{name}:{}\"", actions.join(","));
    }
    challenge
}

/// Turns a mount from a repository that the token may not read into an ordinary upload, as real registries do.
pub(crate) fn limit_mount(shared: &Shared, mut request: Request<Body>) -> Request<Body> {
    let query = query(&request);
    let from =
        query.iter().find(|(name, _)| name == "from").map(|(_, from)| format!("{from}:pull"));
    let (Some(grant), Auth::Bearer { .. }) = (from, &shared.auth) else { return request };
    let tokens = shared.tokens.0.lock().unwrap();
    let is_granted = bearer(&request)
        .and_then(|token| tokens.get(token))
        .is_some_and(|token| token.grants.contains(&grant));
    if !is_granted {
        *request.uri_mut() = request.uri().path().parse().unwrap();
    }
    request
}

/// Returns the grants a request needs; writing always needs pulling too, as real registries challenge for.
fn needed(request: &Request<Body>) -> Vec<String> {
    let path = request.uri().path().strip_prefix("/v2/").unwrap_or_default();
    let kinds = ["/manifests/", "/blobs/", "/referrers/", "/tags/"];
    let Some(name) =
        kinds.iter().filter_map(|kind| path.rfind(kind)).max().and_then(|end| path.get(..end))
    else {
        return Vec::new();
    };
    match request.method().as_str() {
        "GET" | "HEAD" => vec![format!("{name}:pull")],
        "DELETE" if !path.contains("/blobs/uploads/") => {
            vec![format!("{name}:pull"), format!("{name}:delete")]
        }
        _ => vec![format!("{name}:pull"), format!("{name}:push")],
    }
}
