//! Judges whether the workflow template gets every parameter it needs.
//!
//! Argo fails a whole workflow when a declared parameter without a default is not given, so that is found here.

use arc_api::reasons::Reason;

use super::Check;
use super::artifact_type::Found;
use crate::merge::{Layer, PlannedParameter};
use crate::text;

/// Which layers could be read; what an unreadable one would have given is not reported as missing on top.
#[derive(Clone, Copy)]
pub(super) struct Known {
    pub(super) source: bool,
    pub(super) destination: bool,
    pub(super) spec: bool,
}

impl Known {
    fn could_give(self, name: &str) -> bool {
        !self.source && name.starts_with("src")
            || !self.destination && name.starts_with("dst")
            || !self.spec && name.starts_with("spec")
    }
}

/// Checks the parameters against what the template declares.
pub(super) fn validate(
    check: &mut Check<'_>,
    found: &Found<'_>,
    parameters: &[PlannedParameter],
    known: Known,
) {
    let Some(template) = found.template else { return };
    let template_name = &found.resolved.spec.workflow_template_ref.name;
    if check.order.spec.dry_run && !template.parameters.contains_key("dryRun") {
        let message = format!(
            "workflow template {template_name:?} does not know the parameter \"dryRun\" and would deliver"
        );
        let hint =
            "use an artifact type whose template can do a dry run, or order without `dryRun`";
        check.refuse("type", Reason::DryRunUnsupported, message).hint = Some(hint.to_owned());
    }
    let is_given = |name: &str| parameters.iter().any(|parameter| parameter.name == name);
    let undeclared: Vec<&str> = parameters
        .iter()
        .filter(|parameter| {
            parameter.layer == Layer::Artifact && !template.parameters.contains_key(&parameter.name)
        })
        .map(|parameter| parameter.name.as_str())
        .collect();
    for (name, default) in &template.parameters {
        if default.is_some() || is_given(name) || known.could_give(name) {
            continue;
        }
        let message = format!(
            "workflow template {template_name:?} needs the parameter {name:?}, which nobody gives"
        );
        let mut hint = remedy(check, found, name);
        if name.starts_with("spec") && !undeclared.is_empty() {
            hint =
                format!("{hint}; the template ignores {}", text::list(undeclared.iter().copied()));
        }
        let field = if name.starts_with("spec") { "spec" } else { "type" };
        check.refuse(field, Reason::MissingParameter, message).hint = Some(hint);
    }
}

/// Says who can give the parameter.
fn remedy(check: &Check<'_>, found: &Found<'_>, name: &str) -> String {
    let of_type = format!("the parameters of artifact type {:?}", found.resolved.name);
    if let Some(key) =
        name.strip_prefix("spec").filter(|key| key.starts_with(|c: char| c.is_ascii_uppercase()))
    {
        let key = format!("{}{}", key[..1].to_ascii_lowercase(), &key[1..]);
        return format!("set `{key}` in {}.spec, or {name:?} in {of_type}", check.path);
    }
    format!("set it in {of_type}, or give it a default in the template")
}
