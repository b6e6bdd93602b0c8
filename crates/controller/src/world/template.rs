//! Argo's workflow templates, as far as an order depends on them: the parameters they declare.

use arc_api::argo::{Arguments, GROUP, VERSION};
use arc_core::TemplateParameters;
use k8s_openapi::{
    ClusterResourceScope, NamespaceResourceScope, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde::Deserialize;

/// A `WorkflowTemplate`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct WorkflowTemplate {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) spec: TemplateSpec,
}

/// A `ClusterWorkflowTemplate`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ClusterWorkflowTemplate {
    #[serde(default)]
    pub(crate) metadata: ObjectMeta,
    #[serde(default)]
    pub(crate) spec: TemplateSpec,
}

/// What both have in common.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
pub(crate) struct TemplateSpec {
    #[serde(default)]
    arguments: Arguments,
}

impl TemplateSpec {
    /// The declared parameters; one without a value must be given.
    pub(crate) fn parameters(&self) -> TemplateParameters {
        let declared = self.arguments.parameters.iter().map(|parameter| {
            let from = parameter.value_from.as_ref();
            let given = parameter.value.clone().or_else(|| parameter.default.clone());
            let given = given.or_else(|| from.map(|from| from.default.clone().unwrap_or_default()));
            (parameter.name.clone(), given)
        });
        TemplateParameters { parameters: declared.collect() }
    }
}

macro_rules! resource {
    ($kind:ident, $plural:literal, $scope:ty) => {
        impl k8s_openapi::Resource for $kind {
            const API_VERSION: &'static str = "argoproj.io/v1alpha1";
            const GROUP: &'static str = GROUP;
            const KIND: &'static str = stringify!($kind);
            const VERSION: &'static str = VERSION;
            const URL_PATH_SEGMENT: &'static str = $plural;
            type Scope = $scope;
        }

        impl k8s_openapi::Metadata for $kind {
            type Ty = ObjectMeta;

            fn metadata(&self) -> &ObjectMeta {
                &self.metadata
            }

            fn metadata_mut(&mut self) -> &mut ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

resource!(WorkflowTemplate, "workflowtemplates", NamespaceResourceScope);
resource!(ClusterWorkflowTemplate, "clusterworkflowtemplates", ClusterResourceScope);
