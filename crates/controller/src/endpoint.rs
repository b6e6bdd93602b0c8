//! The reconciler of endpoints.

use std::time::Duration;

use crate::{context::Context, error::Error, world::Key};

/// One pass over one endpoint.
#[expect(clippy::unused_async, reason = "of the type that reconcilers have")]
pub(crate) async fn reconcile(context: &Context, key: &Key) -> Result<Option<Duration>, Error> {
    let _ = (context, key);
    Ok(None)
}
