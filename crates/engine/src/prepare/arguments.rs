//! Merges the workflow's arguments over the template's defaults.

use std::collections::BTreeMap;

use arc_api::argo::Workflow;
use arc_core::expansion::second_order;

use crate::template::Spec;

/// A message and what to do about it.
pub(super) type Complaint = (String, &'static str);

/// Returns every workflow parameter with its value, and what is missing or wrong.
///
/// Parameters that the template does not declare are kept, as Argo does.
pub(super) fn merge(
    workflow: &Workflow,
    spec: &Spec,
) -> (BTreeMap<String, String>, Vec<Complaint>) {
    let mut complaints = Vec::new();
    let mut parameters = BTreeMap::new();
    for parameter in &spec.arguments {
        if let Some(default) = &parameter.default {
            parameters.insert(parameter.name.clone(), default.clone());
        }
    }
    for given in &workflow.spec.arguments.parameters {
        if let Some(value) = given.value.as_ref().or(given.default.as_ref()) {
            // Here a value is never evaluated; on a cluster it would be, so the two would differ.
            if let Some(finding) = second_order(value) {
                let message = format!("spec.arguments.{}.value: contains {finding}", given.name);
                complaints.push((message, finding.remedy));
            }
            parameters.insert(given.name.clone(), value.clone());
        } else if given.value_from.is_some() {
            complaints.push((
                format!("spec.arguments.{}.valueFrom is not supported by `arc run`", given.name),
                "give the value itself",
            ));
        }
    }
    for declared in &spec.arguments {
        let name = &declared.name;
        match parameters.get(name) {
            None => complaints.push((
                format!(
                    "invalid spec: spec.arguments.{name}.value or spec.arguments.{name}.valueFrom is required"
                ),
                "set the parameter in the order, the endpoint or the artifact type",
            )),
            Some(value) if !declared.allowed.is_empty() && !declared.allowed.contains(value) => {
                complaints.push((
                    format!(
                        "spec.arguments.{name}.value: {value:?} is not one of {}",
                        declared.allowed.join(", ")
                    ),
                    "use one of the values the template allows",
                ));
            }
            Some(_) => {}
        }
    }
    (parameters, complaints)
}
