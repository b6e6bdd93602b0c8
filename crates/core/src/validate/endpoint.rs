//! Finds the source and destination of an artifact and judges whether they fit.

use arc_api::reasons::Reason;
use arc_api::{Endpoint, LocalObjectReference, Usage};

use super::{Check, ValidatedEndpoint, address, value};
use crate::facts::{self, Side};
use crate::text;

/// Finds the endpoint of one side: the artifact's own reference, else the order's default.
pub(super) fn resolve(check: &mut Check<'_>, side: Side) -> Option<ValidatedEndpoint> {
    let (field, reference) = reference(check, side)?;
    let fetched = check.fetched;
    let name = reference.name;
    let Some(endpoint) = fetched.endpoints.get(&name) else {
        let namespace = facts::namespace(check.order);
        let message = format!("endpoint {name:?} does not exist in namespace {namespace:?}");
        let known = text::list(fetched.endpoints.keys().map(String::as_str));
        let hint = format!("create the endpoint, or correct the name; known endpoints are {known}");
        check.refuse(field, Reason::EndpointNotFound, message).hint = Some(hint);
        return None;
    };
    usage(check, &name, endpoint, side);
    secret(check, &name, endpoint, side);
    values(check, &name, endpoint, side);
    Some(ValidatedEndpoint { name, spec: endpoint.spec.clone() })
}

/// Checks the endpoint's type against the rules of the artifact type; an empty list allows any.
pub(super) fn check_type(
    check: &mut Check<'_>,
    endpoint: Option<&ValidatedEndpoint>,
    side: Side,
    (type_name, allowed): (&str, &[String]),
) {
    let Some(endpoint) = endpoint else { return };
    if allowed.is_empty() || allowed.contains(&endpoint.spec.type_) {
        return;
    }
    let message = format!(
        "endpoint {:?} has type {:?}; artifact type {type_name:?} allows as {} {}",
        endpoint.name,
        endpoint.spec.type_,
        side.as_str(),
        text::list(allowed.iter().map(String::as_str)),
    );
    let hint = "name an endpoint of an allowed type, or use another artifact type";
    check.refuse(field(side), Reason::EndpointTypeNotAllowed, message).hint = Some(hint.to_owned());
}

const fn field(side: Side) -> &'static str {
    match side {
        Side::Source => "srcRef",
        Side::Destination => "dstRef",
    }
}

fn reference(check: &mut Check<'_>, side: Side) -> Option<(&'static str, LocalObjectReference)> {
    let defaults = check.order.spec.defaults.clone().unwrap_or_default();
    let (own, default) = match side {
        Side::Source => (check.artifact.src_ref.clone(), defaults.src_ref),
        Side::Destination => (check.artifact.dst_ref.clone(), defaults.dst_ref),
    };
    let field = field(side);
    let found = own.or(default);
    if found.is_none() {
        let reason = match side {
            Side::Source => Reason::SourceMissing,
            Side::Destination => Reason::DestinationMissing,
        };
        let message = format!("the artifact has no {}", side.as_str());
        check.refuse(field, reason, message).hint =
            Some(format!("set it here or in spec.defaults.{field}"));
    }
    found.map(|reference| (field, reference))
}

fn usage(check: &mut Check<'_>, name: &str, endpoint: &Endpoint, side: Side) {
    let usage = endpoint.spec.usage;
    let (fits, needed) = match side {
        Side::Source => (usage.allows_pull(), Usage::PullOnly),
        Side::Destination => (usage.allows_push(), Usage::PushOnly),
    };
    if !fits {
        let message = format!(
            "endpoint {name:?} has usage {:?}; a {} needs {:?} or \"All\"",
            usage.as_str(),
            side.as_str(),
            needed.as_str()
        );
        let hint = "name another endpoint, or change the usage of this one";
        check.refuse(field(side), Reason::EndpointUsageMismatch, message).hint =
            Some(hint.to_owned());
    }
}

fn secret(check: &mut Check<'_>, name: &str, endpoint: &Endpoint, side: Side) {
    let Some(secret) = &endpoint.spec.secret_ref else { return };
    if !check.fetched.secrets.contains(&secret.name) {
        let message = format!(
            "endpoint {name:?}: secret {:?} does not exist in namespace {:?}",
            secret.name,
            facts::namespace(check.order)
        );
        let hint = "create the secret with `username` and `password`, or correct secretRef of the endpoint";
        check.refuse(field(side), Reason::SecretNotFound, message).hint = Some(hint.to_owned());
    }
}

/// Endpoints are written by tenants, and their fields become parameters as they are.
fn values(check: &mut Check<'_>, name: &str, endpoint: &Endpoint, side: Side) {
    let spec = &endpoint.spec;
    if let Some((message, hint)) = address::problem(&spec.remote_url) {
        let message = format!("endpoint {name:?}: {message}");
        check.refuse(field(side), Reason::InvalidUrl, message).hint = Some(hint.to_owned());
    }
    // A password in an address is refused above and not repeated here.
    let address = Some(&spec.remote_url).filter(|url| !address::has_user_info(url));
    let written = [
        ("type", Some(&spec.type_)),
        ("remoteURL", address),
        ("caBundle", spec.ca_bundle.as_ref()),
    ];
    let path = format!("{}.{}", check.path, field(side));
    for (field, value) in written {
        let subject = format!("endpoint {name:?}: {field}: ");
        check.problems.extend(value.and_then(|value| value::problem(&path, &subject, value)));
    }
    let Some(bundle) = &spec.ca_bundle else { return };
    if !bundle.contains("-----BEGIN CERTIFICATE-----") || bundle.contains("PRIVATE KEY-----") {
        let message = format!("endpoint {name:?}: caBundle is not a list of certificates");
        let hint = "put certificates in PEM there, and no private key";
        check.refuse(field(side), Reason::InvalidSpec, message).hint = Some(hint.to_owned());
    }
}
