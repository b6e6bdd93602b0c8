//! Where a registry may send us, and which places are its own.

use url::{Host, Url};

use crate::{Client, Scheme, resolver};

impl Client {
    /// Says why a URL that a registry sent us to is not used.
    pub(crate) fn check_url(&self, url: &Url) -> Result<(), String> {
        let shown = url.origin().ascii_serialization();
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("it sends us to a URL of scheme {:?}", url.scheme()));
        }
        if url.scheme() == "http" && self.inner.options.remote.scheme == Scheme::Https {
            return Err(format!(
                "it sends us to {shown:?} over plain HTTP, although the endpoint is https"
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("it sends us to {shown:?} with user information in the URL"));
        }
        if is_local(url) && !is_local(&self.inner.base) {
            return Err(format!(
                "it sends us to {shown:?}, an address of this machine or its link"
            ));
        }
        Ok(())
    }

    /// Returns whether a URL is of the registry that the credentials are for.
    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.inner.base.origin()
    }
}

/// Loopback, link-local and unspecified addresses, where no registry may send a client that came from elsewhere; names are
/// looked at when they are resolved.
pub(crate) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => resolver::is_local(address.into()),
        Some(Host::Ipv6(address)) => resolver::is_local(address.into()),
        None => false,
    }
}
