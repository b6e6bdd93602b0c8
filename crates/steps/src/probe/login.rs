//! Whether the endpoint lets us in, once it has asked who we are.

use arc_oci::{Challenge, Credentials, Scheme};
use reqwest::header::HeaderValue;
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::http::{Prober, origin};
use super::wish::Wish;
use super::{ProbeResult, Reason};
use crate::error::Error;
use crate::place::{Place, Side};

/// The two names under which token services give a token.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// Answers a challenge.
pub(super) async fn log_in(
    wish: &Wish,
    prober: &Prober,
    place: &Place,
    challenge: Option<&Challenge>,
) -> Result<ProbeResult, Error> {
    let Some(challenge) = challenge else {
        let message = "asks for credentials in a way that ARC does not know";
        return Ok(ProbeResult::shut(false, Reason::NoCredentials, message));
    };
    if !wish.endpoint.has_secret {
        return Ok(without_credentials(wish, prober, challenge).await);
    }
    if wish.endpoint.remote.scheme == Scheme::Http {
        let message = "asks for credentials over plain HTTP, so they were not sent";
        return Ok(ProbeResult::shut(false, Reason::CredentialsNotSent, message));
    }
    let credentials = match place.credentials(Side::Source, &wish.endpoint) {
        Ok(Some(credentials)) => credentials,
        Ok(None) => {
            let message = "asks for credentials, and the secret is not mounted";
            return Ok(ProbeResult::shut(false, Reason::NoCredentials, message));
        }
        Err(Error::Input { problems }) => {
            let problem = problems.first().map_or("", |problem| problem.message.as_str());
            let message = format!("asks for credentials: {problem}");
            return Ok(ProbeResult::shut(false, Reason::NoCredentials, message));
        }
        Err(error) => return Err(error),
    };
    let header = match prove(prober, challenge, Some(&credentials)).await {
        Ok(header) => header,
        Err(verdict) => return Ok(verdict),
    };
    Ok(enter(wish, prober, &header).await.unwrap_or_else(|status| {
        let message = format!("does not accept the credentials: it answers {}", status.as_u16());
        ProbeResult::shut(true, Reason::Unauthorized, message)
    }))
}

/// Docker Hub and others give everybody a token; who does not is told apart from who does.
async fn without_credentials(wish: &Wish, prober: &Prober, challenge: &Challenge) -> ProbeResult {
    let shut = || {
        let message = "asks for credentials, and the endpoint names no secret";
        ProbeResult::shut(false, Reason::NoCredentials, message)
    };
    if *challenge == Challenge::Basic {
        return shut();
    }
    let Ok(header) = prove(prober, challenge, None).await else { return shut() };
    match enter(wish, prober, &header).await {
        Ok(result) if result.authenticated == Some(true) => {
            ProbeResult::reachable("answers and lets everybody in")
        }
        Ok(result) => result,
        Err(_) => shut(),
    }
}

/// Turns credentials into what the endpoint wants to see; the verdict where that fails.
async fn prove(
    prober: &Prober,
    challenge: &Challenge,
    credentials: Option<&Credentials>,
) -> Result<HeaderValue, ProbeResult> {
    let basic = credentials.map(Credentials::basic);
    let basic = basic.and_then(|text| sensitive(&text));
    let Challenge::Bearer { realm, service, .. } = challenge else {
        return basic.ok_or_else(|| unusable("the secret's credentials do not fit into a header"));
    };
    let Ok(mut url) = Url::parse(realm) else {
        return Err(unusable("names a token service whose address cannot be read"));
    };
    if url.scheme() != "https" && basic.is_some() {
        let message = format!(
            "asks to show credentials to {} over plain HTTP, so they were not sent",
            origin(&url)
        );
        return Err(ProbeResult::shut(false, Reason::CredentialsNotSent, message));
    }
    if let Some(service) = service {
        url.query_pairs_mut().append_pair("service", service);
    }
    let (status, body) = prober.token(&url, basic.as_ref()).await.map_err(ProbeResult::from)?;
    if !status.is_success() {
        let message = format!(
            "does not accept the credentials: its token service {} answers {}",
            origin(&url),
            status.as_u16()
        );
        return Err(ProbeResult::shut(basic.is_some(), Reason::Unauthorized, message));
    }
    let token = serde_json::from_slice::<Token>(&body).ok();
    let token = token.and_then(|answer| answer.token.or(answer.access_token));
    let header = token.and_then(|token| sensitive(&format!("Bearer {token}")));
    header.ok_or_else(|| unusable("has a token service that gives no token"))
}

/// Asks again, now with proof; the status where it is not accepted.
async fn enter(
    wish: &Wish,
    prober: &Prober,
    header: &HeaderValue,
) -> Result<ProbeResult, StatusCode> {
    let Some(url) = &wish.url else { return Ok(ProbeResult::default()) };
    match prober.get(url, Some(header)).await {
        Ok(answer) if answer.status.is_client_error() => Err(answer.status),
        Ok(answer) if answer.status.is_server_error() => {
            let message =
                format!("answers {} once it is shown credentials", answer.status.as_u16());
            Ok(ProbeResult::not_reachable(Reason::Unreachable, message))
        }
        Ok(_) => Ok(ProbeResult {
            reachable: true,
            authenticated: Some(true),
            reason: None,
            message: None,
        }),
        Err(failure) => Ok(failure.into()),
    }
}

fn unusable(message: &str) -> ProbeResult {
    ProbeResult::shut(false, Reason::NoCredentials, message)
}

/// A header that libraries do not print.
fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
