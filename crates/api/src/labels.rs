//! Labels and annotations that ARC writes or obeys.

/// Label: name of the order that an object was made for, cut to fit a label.
pub const ORDER: &str = "arc.opendefense.cloud/order";
/// Label: name of the artifact within its order, or its place in the list.
pub const ARTIFACT: &str = "arc.opendefense.cloud/artifact";
/// Label: name of the artifact type, left out where it does not fit a label.
pub const ARTIFACT_TYPE: &str = "arc.opendefense.cloud/artifact-type";
/// Label: uid of the order, which two orders of one name in succession do not share.
pub const ORDER_UID: &str = "arc.opendefense.cloud/order-uid";

/// Annotation on an order, endpoint or artifact workflow: Unix seconds; a new value does the work once more.
pub const FORCE_AT: &str = "arc.opendefense.cloud/force-at";
/// Annotation on an order: a new value does once more what failed, and only that.
pub const RETRY_FAILED: &str = "arc.opendefense.cloud/retry-failed";
