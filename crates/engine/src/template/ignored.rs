//! The fields that have no meaning on one machine, and what to do about the ones that are refused.

/// Fields that are accepted and have no effect: they tell a cluster who may do what, where, and with how much.
/// Labels and annotations (`metadata`, `podMetadata`, `workflowMetadata`) are not used either.
pub const IGNORED_FIELDS: [&str; 33] = [
    "affinity",
    "archiveLogs",
    "artifactGC",
    "artifactRepositoryRef",
    "automountServiceAccountToken",
    "description",
    "dnsConfig",
    "dnsPolicy",
    "executor",
    "hostNetwork",
    "imagePullPolicy",
    "imagePullSecrets",
    "metadata",
    "metrics",
    "nodeSelector",
    "podDisruptionBudget",
    "podGC",
    "podMetadata",
    "podPriorityClassName",
    "ports",
    "priority",
    "priorityClassName",
    "readinessProbe",
    "resources",
    "schedulerName",
    "securityContext",
    "serviceAccountName",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tolerations",
    "ttlStrategy",
    "volumeClaimGC",
    "workflowMetadata",
];

/// Returns what to do instead of a field that is refused.
pub(crate) fn hint(field: &str) -> &'static str {
    match field {
        "withItems" | "withParam" | "withSequence" => "write one step per item",
        "templateRef" | "inline" => "put the template into the same file and name it in `template`",
        "artifacts" | "artifactLocation" | "archiveLocation" => {
            "share files between steps through a volume"
        }
        "podSpecPatch" => "say it in the fields of the template",
        "hooks" | "onExit" => "use `onExit` of the workflow",
        "continueOn" => "use a `dag` with `depends`",
        "valueFrom" | "envFrom" | "secretKeyRef" => {
            "pass values as parameters, and secrets as files of a volume"
        }
        "subPath" | "subPathExpr" => "mount the whole volume",
        "persistentVolumeClaim" | "hostPath" | "projected" | "nfs" | "csi" => {
            "use emptyDir, secret, configMap or a volumeClaimTemplate"
        }
        "timeout" => "use `activeDeadlineSeconds`",
        _ => "remove it, or run this workflow on a cluster",
    }
}
