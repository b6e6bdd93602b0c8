//! The first request of all learns how to log in.

use std::sync::atomic::Ordering;

use super::Auth;
use crate::Client;

/// Ends the wait for the first answer, whatever it was.
pub(crate) struct FirstContact<'a> {
    auth: &'a Auth,
    _others_wait: tokio::sync::MutexGuard<'a, ()>,
}

impl Drop for FirstContact<'_> {
    fn drop(&mut self) {
        self.auth.is_contacted.store(true, Ordering::Relaxed);
    }
}

impl Client {
    /// Returns a guard for the first request of all; with credentials, others wait until it is dropped.
    ///
    /// Otherwise every copy that starts at the same time would be refused once before it logs in.
    pub(crate) async fn first_contact(&self) -> Option<FirstContact<'_>> {
        let auth = &self.inner.auth;
        let is_over = || auth.is_contacted.load(Ordering::Relaxed);
        if self.inner.options.credentials.is_none() || is_over() {
            return None;
        }
        let guard = auth.first.lock().await;
        (!is_over()).then_some(FirstContact { auth, _others_wait: guard })
    }
}
