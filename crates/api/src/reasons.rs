//! Why something stands where it stands, as one word that programs may compare.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Why a condition, an artifact or a delivery stands where it stands.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, in the order of this file.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the word that stands in conditions and status.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Returns the reason that is written as `word`.
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == word)
            }
        }
    };
}

reasons! {
    // What an order refers to.
    /// An endpoint that is referred to does not exist in the namespace.
    EndpointNotFound,
    /// An endpoint may not be used in this direction.
    EndpointUsageMismatch,
    /// The rules of the artifact type do not allow an endpoint of this type here.
    EndpointTypeNotAllowed,
    /// Neither the artifact nor the defaults name a source.
    SourceMissing,
    /// Neither the artifact nor the defaults name a destination.
    DestinationMissing,
    /// No artifact type of this name exists, in the namespace or in the cluster.
    ArtifactTypeNotFound,
    /// An artifact type of the namespace has the name of one of the cluster, which it may not replace.
    ArtifactTypeShadowed,
    /// The workflow template of the artifact type does not exist.
    WorkflowTemplateNotFound,
    /// A Secret that an endpoint refers to does not exist in the namespace.
    SecretNotFound,
    /// A Secret exists, and lacks a key that is needed.
    SecretMissingKey,
    /// The namespace is none in which the installation lets ARC start workflows.
    NotATenant,

    // What an order says.
    /// A field has a value that cannot be right.
    InvalidSpec,
    /// A name is no DNS label.
    InvalidName,
    /// Two artifacts of one order have the same name.
    DuplicateName,
    /// A duration cannot be read or is negative.
    InvalidDuration,
    /// The address of an endpoint cannot be read.
    InvalidUrl,
    /// A schedule cannot be read.
    InvalidSchedule,
    /// Two keys of an artifact's spec become one parameter.
    ParameterCollision,
    /// A parameter has a name that only ARC may set.
    ReservedParameter,
    /// A value would be evaluated as a template by Argo or the kubelet.
    TemplateExpression,
    /// The workflow template declares a parameter that nobody gives a value.
    MissingParameter,
    /// An order or a value is larger than what ARC takes.
    TooLarge,
    /// The workflow template cannot do a dry run.
    DryRunUnsupported,

    // How far something is.
    /// Everything that is referred to exists and fits.
    Accepted,
    /// Waits for its turn.
    Pending,
    /// Another order is bringing the same thing to the same place; this one looks again when that has ended.
    SameDeliveryRunning,
    /// Waits for the next time of its schedule.
    Scheduled,
    /// What it waited for has come; it begins.
    Released,
    /// Held back by `spec.suspend`.
    Suspended,
    /// At work.
    Running,

    // How something ended.
    /// Done.
    Succeeded,
    /// Done before: the destination held it already.
    AlreadyDelivered,
    /// Looked only, as ordered.
    DryRun,
    /// The scan found what the policy does not let pass.
    ScanRefused,
    /// A policy other than the scan's said no, for instance a signature that does not verify.
    PolicyRefused,
    /// A step was given what it cannot work with; a retry cannot help.
    WrongInput,
    /// A step failed; a retry may help.
    StepFailed,
    /// A step did not come to its end in time.
    DeadlineExceeded,
    /// Somebody stopped it.
    Stopped,
    /// The image of a step cannot be pulled.
    ImagePullFailed,
    /// Argo could not run the workflow.
    WorkflowError,
    /// The Argo workflow is gone although it had not ended.
    WorkflowNotFound,
    /// The Argo workflow was gone although it had not ended, and another one was made in its place.
    WorkflowReplaced,
    /// What the steps report cannot be read.
    InvalidResult,
    /// At least one artifact failed.
    ArtifactsFailed,
    /// At least one artifact refers to something that is missing or does not fit.
    ArtifactsBlocked,
    /// The life span of the order is over.
    Expired,

    // What is known of an endpoint.
    /// The address can be read and the Secret exists.
    Valid,
    /// At least one order uses the endpoint.
    InUse,
    /// No order uses the endpoint.
    NotInUse,
    /// A probe is under way.
    Probing,
    /// The probe itself could not be run or its answer cannot be read.
    ProbeFailed,
    /// The endpoint answers.
    Reachable,
    /// The endpoint accepts the credentials.
    Authenticated,
    /// The endpoint has no Secret, so there is nothing to sign in with.
    NoCredentials,
    /// Credentials are never sent without TLS, so nothing was tried.
    CredentialsNotSent,
    /// The address is one that a probe may not ask, such as the machine's own or that of the cluster.
    AddressNotAllowed,
    /// The endpoint does not answer.
    Unreachable,
    /// The endpoint does not accept the credentials.
    Unauthorized,
    /// The endpoint's certificate is not trusted.
    CertificateNotTrusted,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.as_str().to_owned()
    }
}
