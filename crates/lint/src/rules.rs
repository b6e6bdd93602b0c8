//! Every rule: its name, how serious it is, and why it exists. The one place where a rule is described.

use serde::Serialize;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not work, does something else than it says, or opens a door.
    Error,
    /// It works, and somebody will wish that it were different.
    Warning,
}

impl Severity {
    /// Returns the word for people and machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What is looked for.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as suppressions and machines call it.
    pub id: &'static str,
    /// How serious a finding is, unless there is doubt: what the given files do not show is a warning at most.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub summary: &'static str,
    /// Why that matters and what to do.
    pub help: &'static str,
}

macro_rules! rules {
    ($($name:ident $severity:ident $id:literal $summary:literal $help:literal)*) => {
        $(pub(crate) const $name: &Rule =
            &Rule { id: $id, severity: Severity::$severity, summary: $summary, help: $help };)*

        /// Every rule, grouped by what it is about.
        pub const RULES: &[&Rule] = &[$($name),*];
    };
}

rules! {
    // The text.
    YAML Error "yaml" "the text is not YAML"
        "Nothing else can be said about a file that cannot be read. The finding stands at the first place that is wrong."
    UNKNOWN_KIND Error "unknown-kind" "a document is no manifest that ARC knows"
        "A misspelt `kind` or `apiVersion` is refused by the cluster, or creates something else. Kinds of other API groups are left alone."
    DUPLICATE_OBJECT Error "duplicate-object" "two objects have one name"
        "The second replaces the first when both are applied. Keep one, or rename one."
    UNKNOWN_FIELD Error "unknown-field" "a field is not known"
        "An API server drops such a field without a word, and what it says has no effect."
    INVALID_FIELD Error "invalid-field" "a field is missing or has a value that its schema does not allow"
        "An API server refuses the object. Numbers and booleans that are meant as text need quotes."
    SUPPRESSION Warning "suppression" "a suppression names no rule or no reason"
        "Write `# arc-lint: allow <rule> — <reason>`: whoever reads it later must be able to judge it."

    // Orders.
    SOURCE_MISSING Error "source-missing" "an artifact has no source"
        "Set `srcRef` of the artifact or of `spec.defaults`."
    DESTINATION_MISSING Error "destination-missing" "an artifact has no destination"
        "Set `dstRef` of the artifact or of `spec.defaults`."
    ENDPOINT_NOT_FOUND Error "endpoint-not-found" "an endpoint does not exist"
        "The artifact is held until somebody creates it. Without any endpoint among the files it is a warning: give the files that hold them, or use `--live`."
    ENDPOINT_USAGE_MISMATCH Error "endpoint-usage-mismatch" "an endpoint may not be used in this direction"
        "An endpoint with usage `PullOnly` is no destination, and one with `PushOnly` no source."
    ENDPOINT_TYPE_NOT_ALLOWED Error "endpoint-type-not-allowed" "the artifact type does not allow an endpoint of this type"
        "The rules of the artifact type say which endpoints may be combined."
    ARTIFACT_TYPE_NOT_FOUND Error "artifact-type-not-found" "an artifact type does not exist"
        "The artifact is held until somebody creates it. Without any type among the files it is a warning: give the files that hold them, or use `--live`."
    ARTIFACT_TYPE_SHADOWED Error "artifact-type-shadowed" "an artifact type has the name of a ClusterArtifactType"
        "A tenant must not replace the pipeline of the security team, so orders that use such a name are held. Rename the ArtifactType."
    WORKFLOW_TEMPLATE_NOT_FOUND Error "workflow-template-not-found" "the workflow template of an artifact type does not exist"
        "Nothing of this type can be delivered. The pipelines that come with ARC are always known."
    SECRET_NOT_FOUND Error "secret-not-found" "a secret does not exist"
        "Looked for with `--live`, or where the files hold secrets of the same namespace: secrets usually do not stand beside orders."
    MISSING_PARAMETER Error "missing-parameter" "a workflow template needs a parameter that nobody gives"
        "Argo fails the whole workflow. Give it in the artifact's `spec` (names that begin with `spec`), in the parameters of the type, or as a default of the template."
    UNKNOWN_PARAMETER Error "unknown-parameter" "a parameter is not declared by the workflow template"
        "Nobody reads it: a misspelt gate in a type is no gate at all. In the `spec` of an order it is a warning."
    RESERVED_PARAMETER Error "reserved-parameter" "a type sets a parameter that only ARC may set"
        "Provenance is made of these parameters. Remove it."
    PARAMETER_COLLISION Error "parameter-collision" "two keys of an artifact's spec become one parameter"
        "`config.port` and `configPort` both become `specConfigPort`. Rename one of the two."
    TEMPLATE_EXPRESSION Error "template-expression" "a value would be evaluated by Argo or the kubelet"
        "Argo expands `{{…}}` in values again and the kubelet `$(NAME)`: a value must never become code. Override templates such as `{{.tag}}` are fine."
    NUMBER_REWRITTEN Error "number-rewritten" "a number arrives with other digits than it was written with"
        "YAML reads `tag: 3.10` as the number 3.1. Put versions in quotes."
    DRY_RUN_UNSUPPORTED Error "dry-run-unsupported" "the workflow template cannot do a dry run"
        "A template that does not declare `dryRun` would deliver although the order says not to."
    INVALID_NAME Error "invalid-name" "a name cannot be used"
        "Names of artifacts become labels: at most 63 lower case letters, digits and `-`."
    DUPLICATE_NAME Error "duplicate-name" "two artifacts of one order have the same name"
        "Status and messages could not tell them apart."
    INVALID_DURATION Error "invalid-duration" "a duration cannot be read"
        "Write it as Kubernetes does, such as `90m` or `72h`."
    INVALID_SCHEDULE Error "invalid-schedule" "a schedule cannot be used"
        "Five cron fields, or `@daily` and its like, not more often than the installation allows."
    TOO_LARGE Error "too-large" "an order or a value is larger than what ARC takes"
        "Objects of a cluster are at most 1.5 MiB. Refer to large content instead of writing it into the order."
    INVALID_SPEC Error "invalid-spec" "a field has a value that cannot be right"
        "For an artifact's `spec` that is what the type's `specSchema` says."

    // Endpoints.
    INVALID_URL Error "invalid-url" "the address of an endpoint cannot be used"
        "Write it as `https://host[:port][/path]`, without user name and password: these belong into a Secret."
    PLAIN_HTTP Warning "plain-http" "an endpoint is spoken to without encryption"
        "Whoever sits on the way reads credentials and replaces artifacts. Addresses of this machine are fine."
    SKIP_VERIFY Warning "skip-verify" "an endpoint's certificate is not verified"
        "`insecureSkipVerify` accepts any impostor. Put the authority's certificate into `caBundle` instead."

    // Types and policies.
    TYPE_UNSATISFIABLE Warning "type-unsatisfiable" "no endpoint fits the rules of an artifact type"
        "Every order of this type would be held. Looked for where the files hold endpoints."
    SPEC_SCHEMA Error "spec-schema" "the specSchema of a type cannot be used"
        "Keywords that ARC would not apply are refused, so that nobody relies on them; orders of the type are held meanwhile."
    POLICY Error "policy" "a policy cannot be read"
        "A demand that is not understood would otherwise be no demand. The rules are those of `arc verify`."
    WEAK_GATE Warning "weak-gate" "images with known severe vulnerabilities pass the scan"
        "A gate that does not name HIGH, or anything below it, delivers images with findings of that severity."

    // Workflow templates.
    TEMPLATE Error "template" "a workflow template cannot work"
        "Argo refuses such a workflow, or fails it when it gets there."
    ARC_RUN Warning "arc-run" "a workflow template uses what `arc run` does not support"
        "A cluster runs it, a laptop refuses it. Misspelt fields are found by this rule, too."
    SHELL_INJECTION Error "shell-injection" "a value becomes part of a script"
        "Argo puts the text of `{{…}}` into the script before the shell reads it, and so an order can run commands beside the credentials. Pass it as an environment variable, and read \"$NAME\" in quotes."
    SHELL_WITH_SECRETS Warning "shell-with-secrets" "a container has both a shell and secrets"
        "Whatever goes wrong in the script can read and send the credentials. Do the work without a shell, or mount the secret where there is none."
    SECRET_IN_ENVIRONMENT Warning "secret-in-environment" "a secret is handed over in an environment variable"
        "Environments are inherited by every child process and end up in dumps and logs. Mount the secret as a file."
    UNNEEDED_SECRET Warning "unneeded-secret" "a step sees a secret that it does not need"
        "The scanner reads hostile content and needs no credentials; publishing needs none of the source. Remove the mount."
    FLOATING_IMAGE Error "floating-image" "an image has no tag, or `latest`"
        "What runs beside the signing key changes from day to day. Name a version, best with its digest."
    UNPINNED_IMAGE Warning "unpinned-image" "an image is named by tag and not by digest"
        "Whoever can push the tag decides what runs beside the signing key. Write `image:tag@sha256:…`."
    PRIVILEGED Error "privileged" "a container may take over its node"
        "Privileged containers, root, host paths and host namespaces are not needed to copy artifacts."
    NO_HARDENING Warning "no-hardening" "a container runs with more rights than it needs"
        "What the restricted Pod Security Standard asks for: `runAsNonRoot`, a seccomp profile, no privilege escalation, all capabilities dropped."
    SERVICE_ACCOUNT_TOKEN Warning "service-account-token" "step containers see an API token"
        "Steps talk to registries and not to the cluster. Set `automountServiceAccountToken: false`, and `executor.serviceAccountName` for Argo's own container."
}

/// Returns the rule of this name.
pub(crate) fn by_id(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

/// Returns the rule that stands for what the core says about an order.
pub(crate) fn of_reason(reason: arc_api::Reason) -> &'static Rule {
    let mut id = String::new();
    for letter in reason.as_str().chars() {
        if letter.is_ascii_uppercase() && !id.is_empty() {
            id.push('-');
        }
        id.push(letter.to_ascii_lowercase());
    }
    by_id(&id).unwrap_or(INVALID_SPEC)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rules_have_names_of_their_own_and_say_why() {
        let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for rule in RULES {
            let is_kebab = rule.id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            assert!(is_kebab, "{rule:?}");
            assert!(!rule.summary.ends_with('.') && rule.help.ends_with('.'), "{rule:?}");
        }
    }

    #[test]
    fn what_the_core_says_has_a_rule_of_its_own() {
        let of = |reason| of_reason(reason).id;
        assert_eq!(of(arc_api::Reason::EndpointNotFound), "endpoint-not-found");
        assert_eq!(of(arc_api::Reason::InvalidUrl), "invalid-url");
        assert_eq!(of(arc_api::Reason::Running), "invalid-spec");
    }
}
