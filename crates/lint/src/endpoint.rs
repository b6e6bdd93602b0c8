//! Endpoints: what the core says about them, and how safe the way to them is.

use arc_api::{Endpoint, LocalObjectReference, Order, OrderArtifact, OrderSpec, Reason};
use arc_core::{Fetched, Problem, validate};

use crate::finding::{Findings, say};
use crate::object::Object;
use crate::world::World;
use crate::{rules, schema};

/// Fields that a message of the core may be about, as they stand in it.
const FIELDS: [&str; 3] = ["caBundle", "remoteURL", "type"];

/// Judges one endpoint.
pub(crate) fn check(object: &Object<'_>, world: &World<'_>, findings: &mut Findings) {
    let Some(endpoint) = schema::read::<Endpoint>(object) else { return };
    for problem in problems(&world.fetched(object.namespace), object) {
        let after = problem.message.split_once(": ").map_or("", |(_, after)| after);
        let field = match problem.reason {
            Reason::SecretNotFound => "secretRef.name",
            _ => FIELDS.into_iter().find(|field| after.starts_with(field)).unwrap_or("remoteURL"),
        };
        let rule = rules::of_reason(problem.reason);
        let at = object.value(&format!("spec.{field}"));
        findings.add(object.source, rule, at, (problem.message, problem.hint));
    }
    plain_http(object, &endpoint, findings);
    if endpoint.spec.insecure_skip_verify {
        let text = say(
            format!("endpoint {:?} accepts any certificate", object.name),
            "put the certificate of its authority into `caBundle` and remove `insecureSkipVerify`",
        );
        findings.add(
            object.source,
            rules::SKIP_VERIFY,
            object.key("spec.insecureSkipVerify"),
            text,
        );
    }
}

fn plain_http(object: &Object<'_>, endpoint: &Endpoint, findings: &mut Findings) {
    let url = &endpoint.spec.remote_url;
    let Some(rest) = url.strip_prefix("http://") else { return };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if is_this_machine(authority) {
        return;
    }
    let what =
        if endpoint.spec.secret_ref.is_some() { "credentials and artifacts" } else { "artifacts" };
    let text = say(
        format!("endpoint {:?}: {what} cross the network without encryption", object.name),
        "use https://, and `caBundle` for an authority of your own",
    );
    findings.add(object.source, rules::PLAIN_HTTP, object.value("spec.remoteURL"), text);
}

/// Whether host and port are those of this machine, where nobody sits on the way.
fn is_this_machine(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    };
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn problems(fetched: &Fetched, object: &Object<'_>) -> Vec<Problem> {
    let mut problems = of_core(object.namespace, object.name, fetched);
    problems.retain(|problem| !schema::is_about_mended(&problem.message));
    problems
}

/// What the core says about an endpoint, whoever uses it: asked by an order that does nothing else.
pub(crate) fn of_core(namespace: &str, name: &str, fetched: &Fetched) -> Vec<Problem> {
    let artifact = OrderArtifact {
        src_ref: Some(LocalObjectReference::new(name)),
        ..OrderArtifact::default()
    };
    let mut order =
        Order::new("lint", OrderSpec { artifacts: vec![artifact], ..OrderSpec::default() });
    order.metadata.namespace = Some(namespace.to_owned());
    let validated = validate(&order, fetched);
    let all = validated.all_problems().into_iter();
    all.filter(|problem| {
        problem.path == "spec.artifacts[0].srcRef"
            && !matches!(problem.reason, Reason::EndpointUsageMismatch | Reason::EndpointNotFound)
    })
    .cloned()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::is_this_machine;

    #[test]
    fn loopback_addresses_are_this_machine() {
        for (authority, expected) in [
            ("localhost:5000", true),
            ("registry.localhost", true),
            ("127.0.0.1", true),
            ("[::1]:5000", true),
            ("localhost.example.com", false),
            ("10.0.0.1:5000", false),
            ("registry", false),
            ("", false),
        ] {
            assert_eq!(is_this_machine(authority), expected, "{authority:?}");
        }
    }
}
