//! Hydrates the Argo workflow of an artifact workflow; both have the same name.
//!
//! It has no life span of its own: the controller deletes it once its end is recorded, so that nothing is lost.

use std::collections::BTreeMap;

use arc_api::argo::{self, Arguments, PodGC, Workflow, WorkflowSpec};
use arc_api::{ArtifactWorkflow, LocalObjectReference, labels};
use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, SecretVolumeSource, Volume};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

use crate::label;

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
        pod_gc: Some(PodGC { strategy: Some(POD_GC_STRATEGY.to_owned()), ..PodGC::default() }),
        ..WorkflowSpec::default()
    };
    Workflow::new(metadata(artifact_workflow), spec)
}

/// Returns ARC's labels of an artifact workflow, for what is made of it.
pub(crate) fn copied_labels(artifact_workflow: &ArtifactWorkflow) -> BTreeMap<String, String> {
    let labels = artifact_workflow.labels().iter();
    labels
        .filter(|(key, value)| COPIED_LABELS.contains(&key.as_str()) && label::is_value(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Returns the metadata of what is made of an artifact workflow and is called as it is.
pub(crate) fn metadata(artifact_workflow: &ArtifactWorkflow) -> ObjectMeta {
    let labels = copied_labels(artifact_workflow);
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
pub(crate) fn volume(name: &str, secret: Option<&LocalObjectReference>) -> Volume {
    let source = secret.map(|secret| SecretVolumeSource {
        secret_name: Some(secret.name.clone()),
        ..SecretVolumeSource::default()
    });
    let empty_dir = source.is_none().then(EmptyDirVolumeSource::default);
    Volume { name: name.to_owned(), secret: source, empty_dir, ..Volume::default() }
}

#[cfg(test)]
mod tests {
    use arc_api::ArtifactWorkflowSpec;

    use super::*;

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
