//! `probe`: looks whether an endpoint answers and lets us in, and nothing more.
//!
//! Whoever may write an endpoint decides where this goes, so it goes only where the guard lets it, on the very address
//! that was judged, follows no redirect, uses no proxy, and says no more about an answer than its status.
//! Credentials go out only after the endpoint asked for them, and never over plain HTTP.
//! A verdict is a success, whatever it says: Argo passes on the outputs of successes only.

mod address;
mod guard;
mod http;
mod login;
mod wish;

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use self::http::{Failure, Prober};
use self::wish::{Speaks, Wish};
use crate::console::Console;
use crate::environment::Environment;
use crate::error::Error;
use crate::place::Place;
use crate::record;

/// What was found: `result.json` of this step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeResult {
    /// Whether the endpoint answered as one of its kind does.
    pub reachable: bool,
    /// Whether it accepted the credentials; nothing where that could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticated: Option<bool>,
    /// Why, as one word that programs may compare; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a probe did not find all well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    /// No answer, or not the answer of such an endpoint.
    Unreachable,
    /// The certificate is not trusted.
    CertificateNotTrusted,
    /// The address is one that probes may not connect to.
    AddressNotAllowed,
    /// The credentials were refused.
    Unauthorized,
    /// The endpoint asks for credentials, and there are none that fit.
    NoCredentials,
    /// There are credentials, and sending them would have shown them to others.
    CredentialsNotSent,
}

impl ProbeResult {
    fn not_reachable(reason: Reason, message: impl Into<String>) -> Self {
        let message = Some(message.into());
        Self { reachable: false, authenticated: None, reason: Some(reason), message }
    }

    fn reachable(message: impl Into<String>) -> Self {
        Self { reachable: true, message: Some(message.into()), ..Self::default() }
    }

    /// Reachable, and the door stays shut; `asked` tells whether credentials were shown.
    fn shut(asked: bool, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reachable: true,
            authenticated: asked.then_some(false),
            reason: Some(reason),
            message: Some(message.into()),
        }
    }
}

impl From<Failure> for ProbeResult {
    fn from(failure: Failure) -> Self {
        Self::not_reachable(failure.reason, failure.message)
    }
}

/// Probes the source endpoint of the environment and leaves `result.json`.
///
/// # Errors
/// When the environment is wrong, or the result cannot be written; never because of what was found.
pub async fn probe(
    environment: &Environment,
    place: &Place,
    console: Console,
) -> Result<ProbeResult, Error> {
    let wish = Wish::parse(environment)?;
    let prober = Prober::new(&wish)?;
    let result = look(&wish, &prober, place).await?;
    let verdict = result.message.as_deref().unwrap_or("the endpoint lets us in");
    console.say(&format!("{}: {verdict}", wish.shown()));
    record::write(&place.result(), &result)?;
    Ok(result)
}

async fn look(wish: &Wish, prober: &Prober, place: &Place) -> Result<ProbeResult, Error> {
    let Some(url) = &wish.url else {
        let message = "a probe speaks HTTP only, and this address is of another kind";
        return Ok(ProbeResult::not_reachable(Reason::Unreachable, message));
    };
    // Without credentials first: who does not ask for them shall not get them.
    let answer = match prober.get(url, None).await {
        Ok(answer) => answer,
        Err(failure) => return Ok(failure.into()),
    };
    if answer.status == StatusCode::UNAUTHORIZED
        || (answer.status == StatusCode::FORBIDDEN && answer.challenge.is_some())
    {
        return login::log_in(wish, prober, place, answer.challenge.as_ref()).await;
    }
    Ok(judge(wish, answer.status))
}

/// What an answer says that does not ask for credentials.
fn judge(wish: &Wish, status: StatusCode) -> ProbeResult {
    let said = format!("answers {}", status.as_u16());
    if status.is_success() {
        let message = if wish.endpoint.has_secret {
            "answers and asks for no credentials, so those of the secret were not sent"
        } else {
            "answers and asks for no credentials"
        };
        return ProbeResult::reachable(message);
    }
    if status.is_redirection() {
        return ProbeResult::reachable(format!(
            "{said}, a redirect, which a probe does not follow"
        ));
    }
    match wish.speaks {
        Speaks::Registry => {
            let message = format!("{said} to GET /v2/, which no OCI registry does");
            ProbeResult::not_reachable(Reason::Unreachable, message)
        }
        Speaks::Web if status.is_server_error() => {
            ProbeResult::not_reachable(Reason::Unreachable, said)
        }
        Speaks::Web => ProbeResult::reachable(said),
    }
}
