//! Hydrates the Argo workflow of an artifact workflow; both have the same name.

use std::collections::BTreeMap;

use arc_api::argo::{self, Arguments, PodGC, TtlStrategy, Workflow, WorkflowSpec};
use arc_api::{ArtifactWorkflow, ArtifactWorkflowSpec, LocalObjectReference, labels};
use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, SecretVolumeSource, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

use crate::{duration, label};

/// Volume with the credentials for the source, in every Argo workflow.
pub const SOURCE_SECRET_VOLUME: &str = "src-secret-vol";
/// Volume with the credentials for the destination, in every Argo workflow.
pub const DESTINATION_SECRET_VOLUME: &str = "dst-secret-vol";

/// Pods that did their work go at once; one that failed stays for its log until its workflow goes.
const POD_GC_STRATEGY: &str = "OnPodSuccess";

/// ARC's labels, which are all that is copied from an artifact workflow.
const COPIED_LABELS: [&str; 4] =
    [labels::ORDER, labels::ORDER_UID, labels::ARTIFACT, labels::ARTIFACT_TYPE];

/// Returns the Argo workflow that does the work of `artifact_workflow`.
pub fn hydrate(artifact_workflow: &ArtifactWorkflow) -> Workflow {
    let spec = &artifact_workflow.spec;
    let parameters = spec.parameters.iter();
    let spec = WorkflowSpec {
        workflow_template_ref: Some(spec.workflow_template_ref.clone().into()),
        arguments: Arguments {
            parameters: parameters
                .map(|parameter| argo::Parameter::new(&parameter.name, &parameter.value))
                .collect(),
        },
        volumes: vec![
            volume(SOURCE_SECRET_VOLUME, spec.src_secret_ref.as_ref()),
            volume(DESTINATION_SECRET_VOLUME, spec.dst_secret_ref.as_ref()),
        ],
        ttl_strategy: ttl_strategy(spec),
        pod_gc: Some(PodGC { strategy: Some(POD_GC_STRATEGY.to_owned()), ..PodGC::default() }),
        ..WorkflowSpec::default()
    };
    Workflow::new(metadata(artifact_workflow), spec)
}

fn metadata(artifact_workflow: &ArtifactWorkflow) -> ObjectMeta {
    let labels: BTreeMap<String, String> = artifact_workflow
        .labels()
        .iter()
        .filter(|(key, value)| COPIED_LABELS.contains(&key.as_str()) && label::is_value(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    // Without a uid the object was never in a cluster, and nothing there collects garbage.
    let is_stored = artifact_workflow.metadata.uid.is_some();
    let owner = artifact_workflow.controller_owner_ref(&()).filter(|_| is_stored);
    ObjectMeta {
        name: Some(artifact_workflow.name_any()),
        namespace: artifact_workflow.namespace(),
        labels: (!labels.is_empty()).then_some(labels),
        owner_references: owner.map(|owner| vec![owner]),
        ..ObjectMeta::default()
    }
}

/// Templates mount both volumes always, so there is an empty one where no secret was given.
fn volume(name: &str, secret: Option<&LocalObjectReference>) -> Volume {
    let source = secret.map(|secret| SecretVolumeSource {
        secret_name: Some(secret.name.clone()),
        ..SecretVolumeSource::default()
    });
    let empty_dir = source.is_none().then(EmptyDirVolumeSource::default);
    Volume { name: name.to_owned(), secret: source, empty_dir, ..Volume::default() }
}

/// Nothing where both life spans are empty or 0: the workflow then lives as long as its owner.
fn ttl_strategy(spec: &ArtifactWorkflowSpec) -> Option<TtlStrategy> {
    let seconds_after_success = life_span(spec.ttl_after_finished.as_deref());
    let seconds_after_failure = life_span(spec.ttl_after_failed.as_deref());
    (seconds_after_success.is_some() || seconds_after_failure.is_some()).then_some(TtlStrategy {
        seconds_after_completion: None,
        seconds_after_success,
        seconds_after_failure,
    })
}

fn life_span(ttl: Option<&str>) -> Option<i32> {
    let seconds = duration::seconds(duration::parse(ttl?)?);
    (seconds > 0).then(|| i32::try_from(seconds).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_spans_become_whole_seconds_and_zero_means_for_ever() {
        let strategy = |finished: Option<&str>, failed: Option<&str>| {
            ttl_strategy(&ArtifactWorkflowSpec {
                ttl_after_finished: finished.map(str::to_owned),
                ttl_after_failed: failed.map(str::to_owned),
                ..ArtifactWorkflowSpec::default()
            })
        };
        let after = |seconds_after_success, seconds_after_failure| {
            Some(TtlStrategy {
                seconds_after_completion: None,
                seconds_after_success,
                seconds_after_failure,
            })
        };
        assert_eq!(strategy(None, None), None);
        assert_eq!(strategy(Some("0"), Some("0s")), None);
        assert_eq!(strategy(Some("1h30m"), None), after(Some(5400), None));
        assert_eq!(strategy(Some("300ms"), Some("168h")), after(Some(1), Some(604_800)));
        assert_eq!(strategy(Some("1000000h"), None), after(Some(i32::MAX), None));
    }

    #[test]
    fn foreign_labels_are_not_copied() {
        let mut artifact_workflow = ArtifactWorkflow::new("a", ArtifactWorkflowSpec::default());
        for (key, value) in
            [("app", "x"), (labels::ORDER, "demo"), (labels::ARTIFACT_TYPE, "not legal")]
        {
            artifact_workflow.labels_mut().insert(key.to_owned(), value.to_owned());
        }
        let copied = hydrate(&artifact_workflow).metadata.labels.expect("one label is ARC's");
        assert_eq!(copied, BTreeMap::from([(labels::ORDER.to_owned(), "demo".to_owned())]));
    }
}
