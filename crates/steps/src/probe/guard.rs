//! Resolves names for the probe and lets only permitted addresses through, so that what was judged is what is
//! connected to: there is no second look-up between.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::Rules;

/// Why there was no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host:?} is at {address}, where probes may not go")]
pub(super) struct NotAllowed {
    host: String,
    address: IpAddr,
}

/// A resolver with rules.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    rules: Arc<Rules>,
}

impl Guard {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules: Arc::new(rules) }
    }

    /// Judges an address that stands in the URL itself, for which nobody asks a resolver.
    pub(super) fn check(&self, url: &Url) -> Result<(), NotAllowed> {
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        match literal.parse::<IpAddr>() {
            Ok(address) if !self.rules.permit(address) => {
                Err(NotAllowed { host: host.to_owned(), address })
            }
            _ => Ok(()),
        }
    }

    fn filter(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotAllowed> {
        let (open, closed): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|address| self.rules.permit(address.ip()));
        match closed.first() {
            Some(address) if open.is_empty() => {
                Err(NotAllowed { host: host.to_owned(), address: address.ip() })
            }
            _ => Ok(open),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            // The port is put in by the connection.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let open = guard.filter(name.as_str(), found)?;
            let addresses: Addrs = Box::new(open.into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_urls_are_judged_however_they_are_written() {
        let guard = Guard::new(Rules::default());
        let check = |url: &str| guard.check(&Url::parse(url).unwrap()).is_ok();
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://[::1]:5000/",
            "http://[::ffff:169.254.169.254]/",
            "http://169.254.169.254/latest/",
            "http://①②⑦.0.0.1/",
            "http://0/",
        ] {
            assert!(!check(url), "{url}");
        }
        for url in ["http://10.0.0.1/", "https://[2606:4700::1111]/", "https://r.example/"] {
            assert!(check(url), "{url}");
        }
    }

    #[test]
    fn a_name_that_is_here_and_there_leads_only_there() {
        let guard = Guard::new(Rules::default());
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let mixed = vec![address("127.0.0.1:0"), address("192.0.2.1:0"), address("[::1]:0")];
        assert_eq!(guard.filter("x.example", mixed), Ok(vec![address("192.0.2.1:0")]));
        let error = guard.filter("x.example", vec![address("169.254.169.254:0")]).unwrap_err();
        let expected = "\"x.example\" is at 169.254.169.254, where probes may not go";
        assert_eq!(error.to_string(), expected);
        assert_eq!(guard.filter("x.example", Vec::new()), Ok(Vec::new()));
    }
}
