//! Labels and annotations that ARC writes or obeys.

/// Label: name of the order that an object was made for, cut to fit a label.
pub const ORDER: &str = "arc.opendefense.cloud/order";
/// Label: name of the artifact within its order, or its place in the list.
pub const ARTIFACT: &str = "arc.opendefense.cloud/artifact";
/// Label: name of the artifact type, left out where it does not fit a label.
pub const ARTIFACT_TYPE: &str = "arc.opendefense.cloud/artifact-type";
/// Label: uid of the order, which two orders of one name in succession do not share.
pub const ORDER_UID: &str = "arc.opendefense.cloud/order-uid";
/// Label on an artifact workflow: hash of what it delivers, the same for two orders that want the same thing.
pub const DELIVERY: &str = "arc.opendefense.cloud/delivery";
/// Label on the workflow of a probe: name of the endpoint, cut to fit a label.
pub const ENDPOINT: &str = "arc.opendefense.cloud/endpoint";

/// Annotation on an order or artifact workflow: Unix seconds; what was submitted before that moment is done once more,
/// successes included. A moment in the future is waited for.
pub const FORCE_AT: &str = "arc.opendefense.cloud/force-at";
/// Annotation on an order or artifact workflow: Unix seconds; what failed and was submitted before that moment is done
/// once more. A moment in the future is waited for.
pub const RETRY_FAILED: &str = "arc.opendefense.cloud/retry-failed";
/// Annotation on an order or artifact workflow: Unix seconds; what was submitted by that moment and has not ended is
/// stopped. A moment in the future is waited for.
pub const STOP_AT: &str = "arc.opendefense.cloud/stop-at";
/// Annotation on an endpoint: Unix seconds; at that moment it is looked whether the endpoint answers and lets ARC in.
pub const PROBE_AT: &str = "arc.opendefense.cloud/probe-at";
/// Annotation that ARC writes on an Argo workflow: which attempt of its delivery it is, from 1.
pub const ATTEMPT: &str = "arc.opendefense.cloud/attempt";
/// Annotation that ARC writes on an Argo workflow: hash of the versions of the Secrets it was started with.
pub const CREDENTIALS: &str = "arc.opendefense.cloud/credentials";
/// Annotation that ARC writes on an Argo workflow: when it was made, in Unix seconds of the controller's clock.
pub const SUBMITTED_AT: &str = "arc.opendefense.cloud/submitted-at";
