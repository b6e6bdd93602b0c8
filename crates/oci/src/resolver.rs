//! Names to addresses, with a guard: no registry may send us to an address of this machine or its link by way of a name.
//!
//! Addresses and `localhost` in URLs are checked where redirects are followed ([`crate::Client`]); this is for names that only
//! turn out to be local when they are resolved. An endpoint that lives there itself is none of our business.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

/// Variables that name the proxies which this machine's owner has chosen.
const PROXIES: [&str; 6] =
    ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// The resolver of one client.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Names that may be anywhere: the endpoint's own, and those of the proxies.
    own: String,
    proxies: Vec<String>,
    /// Whether the endpoint lives on this machine or its link.
    is_local: Arc<AtomicBool>,
    lookup: Lookup,
}

impl Guard {
    /// Returns the guard of an endpoint; `is_local` says what its URL shows.
    pub(crate) fn new(own: &str, is_local: bool) -> Self {
        let variables = PROXIES.iter().filter_map(|name| std::env::var(name).ok());
        let host = |text: String| {
            let text = if text.contains("://") { text } else { format!("http://{text}") };
            url::Url::parse(&text).ok()?.host_str().map(str::to_owned)
        };
        Self {
            own: own.to_owned(),
            proxies: variables.filter_map(host).collect(),
            is_local: Arc::new(AtomicBool::new(is_local)),
            lookup: |name| {
                Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
            },
        }
    }

    async fn resolve(self, name: String) -> io::Result<Vec<SocketAddr>> {
        let found = (self.lookup)(name.clone()).await?;
        if name == self.own {
            if found.iter().any(|address| is_local(address.ip())) {
                self.is_local.store(true, Ordering::Relaxed);
            }
            return Ok(found);
        }
        if self.proxies.contains(&name) || self.is_local.load(Ordering::Relaxed) {
            return Ok(found);
        }
        let elsewhere: Vec<_> =
            found.into_iter().filter(|address| !is_local(address.ip())).collect();
        if elsewhere.is_empty() {
            return Err(io::Error::other(format!(
                "{name:?} is an address of this machine or its link, where no registry may send us"
            )));
        }
        Ok(elsewhere)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (this, name) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found = Self::resolve(this, name).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Loopback, link-local and unspecified addresses.
pub(crate) fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_local(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unicast_link_local() || v6.is_unspecified(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `private.example` is this machine, `both.example` also another; everything else is elsewhere.
    fn lookup(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move {
            let addresses: &[[u8; 4]] = match name.as_str() {
                "private.example" => &[[127, 0, 0, 1]],
                "metadata.example" => &[[169, 254, 169, 254]],
                "both.example" => &[[127, 0, 0, 1], [192, 0, 2, 2]],
                _ => &[[192, 0, 2, 1]],
            };
            Ok(addresses.iter().map(|bytes| SocketAddr::from((*bytes, 0))).collect())
        })
    }

    #[tokio::test]
    async fn names_lead_to_this_machine_only_for_an_endpoint_that_is_there() {
        let guard = |own: &str| Guard { lookup, ..Guard::new(own, false) };
        let count = async |guard: &Guard, name: &str| {
            Guard::resolve(guard.clone(), name.to_owned()).await.map(|found| found.len()).ok()
        };
        let public = guard("registry.example");
        for (name, expected) in [
            ("registry.example", Some(1)),
            ("storage.example", Some(1)),
            ("private.example", None),
            ("metadata.example", None),
            // What is left of it is harmless.
            ("both.example", Some(1)),
        ] {
            assert_eq!(count(&public, name).await, expected, "{name}");
        }
        let private = guard("private.example");
        assert_eq!(count(&private, "metadata.example").await, None);
        assert_eq!(count(&private, "private.example").await, Some(1));
        // Now it is known where the endpoint lives.
        assert_eq!(count(&private, "both.example").await, Some(2));
        let mut proxied = guard("registry.example");
        proxied.proxies = vec!["private.example".to_owned()];
        assert_eq!(count(&proxied, "private.example").await, Some(1));
    }

    #[test]
    fn local_addresses_in_every_spelling() {
        for text in
            ["127.9.9.9", "0.0.0.0", "169.254.1.1", "::1", "::", "fe80::1", "::ffff:127.0.0.1"]
        {
            assert!(is_local(text.parse().unwrap()), "{text}");
        }
        for text in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(!is_local(text.parse().unwrap()), "{text}");
        }
    }
}
