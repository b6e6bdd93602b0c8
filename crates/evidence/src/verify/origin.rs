//! Judges who built, for which order: by the provenances that hold.

use serde::Deserialize;

use super::{
    policy::Policy,
    report::{Item, Problem, Report},
};
use crate::predicate::PREDICATE_SLSA_PROVENANCE;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provenance {
    run_details: RunDetails,
    build_definition: BuildDefinition,
}

#[derive(Deserialize)]
struct RunDetails {
    builder: Builder,
}

#[derive(Deserialize)]
struct Builder {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    external_parameters: ExternalParameters,
}

/// Provenances of others have no order.
#[derive(Deserialize)]
struct ExternalParameters {
    order: Option<Order>,
}

#[derive(Deserialize)]
struct Order {
    namespace: String,
    name: String,
}

/// Returns a problem unless one provenance names both the builder and the order asked for.
pub(super) fn judge(report: &Report, policy: &Policy) -> Option<Problem> {
    if policy.builder.is_none() && policy.order.is_none() {
        return None;
    }
    let held: Vec<_> = report.held(PREDICATE_SLSA_PROVENANCE).collect();
    let fits = held.iter().any(|item| fits(item, policy));
    (!fits).then(|| Problem::WrongOrigin { wanted: wanted(policy), found: held.len() })
}

fn fits(item: &Item, policy: &Policy) -> bool {
    let Some(statement) = &item.statement else { return false };
    let Ok(provenance) = Provenance::deserialize(&statement.predicate) else { return false };
    let by_builder =
        policy.builder.as_ref().is_none_or(|wanted| provenance.run_details.builder.id == *wanted);
    let for_order = policy.order.as_ref().is_none_or(|wanted| {
        let order = provenance.build_definition.external_parameters.order.as_ref();
        order.is_some_and(|order| wanted.matches(&order.namespace, &order.name))
    });
    by_builder && for_order
}

fn wanted(policy: &Policy) -> String {
    let builder = policy.builder.as_ref().map(|builder| format!("the builder {builder:?}"));
    let order = policy.order.as_ref().map(|order| {
        let or_any = |pattern: &Option<String>| pattern.clone().unwrap_or_else(|| "*".to_owned());
        format!("the order {:?}", format!("{}/{}", or_any(&order.namespace), or_any(&order.name)))
    });
    builder.into_iter().chain(order).collect::<Vec<_>>().join(" and ")
}
