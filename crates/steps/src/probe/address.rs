//! Which addresses a probe may connect to: pure, and by number, because names are in somebody else's hand.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: its first address and how many bits of it count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cidr {
    first: IpAddr,
    bits: u8,
}

/// What stays closed whatever is said elsewhere, unless it is allowed by name: this machine, its neighbours on the
/// wire, everybody at once, and where clouds keep the credentials of their machines.
const NEVER: [&str; 17] = [
    "0.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    // Metadata that is not link-local: Alibaba and Azure.
    "100.100.100.200/32",
    "168.63.129.16/32",
    "::/128",
    "::1/128",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    // Metadata at Amazon, Google, Oracle.
    "fd00:ec2::254/128",
    "fd20:ce::254/128",
    "fd00:c1::a9fe:a9fe/128",
    // Discards what it gets.
    "100::/64",
];
/// What the word `private` stands for: networks that belong to an organisation, a provider or a cluster.
const PRIVATE: [&str; 5] =
    ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"];

impl Cidr {
    /// Reads `10.0.0.0/8`, a single address, or the word `private`.
    pub(super) fn parse(text: &str) -> Option<Vec<Self>> {
        if text == "private" {
            return PRIVATE.iter().map(|text| Self::one(text)).collect();
        }
        Self::one(text).map(|network| vec![network])
    }

    fn one(text: &str) -> Option<Self> {
        let (first, bits) = match text.split_once('/') {
            Some((first, bits)) => (first, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().ok()?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (bits <= most).then_some(Self { first, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let shift = 32_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let shift = 128_u32.saturating_sub(self.bits.into());
                (first.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// Where probes may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rules {
    /// Exceptions from everything that is closed.
    pub(super) allow: Vec<Cidr>,
    /// What is closed besides what always is.
    pub(super) deny: Vec<Cidr>,
}

impl Rules {
    /// Tells whether a probe may connect there.
    pub(super) fn permit(&self, address: IpAddr) -> bool {
        let forms = forms(address);
        if forms.iter().any(|form| self.allow.iter().any(|network| network.contains(*form))) {
            return true;
        }
        let is_closed = |form: &IpAddr| {
            self.deny.iter().any(|network| network.contains(*form))
                || NEVER
                    .iter()
                    .filter_map(|text| Cidr::one(text))
                    .any(|network| network.contains(*form))
        };
        !forms.iter().any(is_closed)
    }
}

/// The address itself, and the IPv4 address that it leads to where it is only a wrapping of one.
fn forms(address: IpAddr) -> Vec<IpAddr> {
    let mut forms = vec![address];
    if let IpAddr::V6(address) = address {
        forms.extend(wrapped(address).map(IpAddr::V4));
    }
    forms
}

/// IPv4 in IPv6: mapped, compatible, NAT64 (RFC 6052 and 8215), 6to4 and Teredo.
fn wrapped(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x2002, high, low, ..] => Some(pair(high, low)),
        [0x2001, 0, .., high, low] => Some(pair(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().flat_map(|text| Cidr::parse(text).unwrap()).collect()
    }

    #[test]
    fn this_machine_its_neighbours_and_the_keys_of_clouds_are_closed() {
        let closed = [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "192.0.0.192",
            "100.100.100.200",
            "168.63.129.16",
            "224.0.0.251",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:80ff:fffe",
        ];
        let open = [
            "1.1.1.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "168.63.129.17",
            "fd00::1",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2002:101:101::",
        ];
        let rules = Rules::default();
        let wrong = |texts: &[&'static str], expected: bool| -> Vec<&'static str> {
            let is_wrong = |text: &&&str| rules.permit(text.parse().unwrap()) != expected;
            texts.iter().filter(is_wrong).copied().collect()
        };
        assert_eq!((wrong(&closed, false), wrong(&open, true)), (vec![], vec![]));
    }

    #[test]
    fn an_installation_closes_more_and_opens_what_it_must() {
        let rules = Rules {
            deny: networks(&["private", "203.0.113.0/24"]),
            allow: networks(&["10.20.0.0/16", "127.0.0.1", "fd00:1::/32"]),
        };
        let cases = [
            ("10.1.2.3", false),
            ("10.20.3.4", true),
            ("::ffff:10.20.3.4", true),
            ("::ffff:10.21.3.4", false),
            ("172.31.255.255", false),
            ("172.32.0.1", true),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("203.0.113.7", false),
            ("203.0.114.7", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd00:1::9", true),
            ("fd00:2::9", false),
        ];
        for (address, expected) in cases {
            assert_eq!(rules.permit(address.parse().unwrap()), expected, "{address}");
        }
        let nothing = Rules { deny: networks(&["0.0.0.0/0", "::/0"]), allow: Vec::new() };
        assert!(!nothing.permit("1.1.1.1".parse().unwrap()));
        assert!(!nothing.permit("2606:4700::1111".parse().unwrap()));
    }

    #[test]
    fn what_is_no_network_is_refused_and_not_guessed() {
        for text in
            ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "example.org", ""]
        {
            assert_eq!(Cidr::parse(text), None, "{text}");
        }
        assert!(NEVER.iter().chain(&PRIVATE).all(|text| Cidr::one(text).is_some()));
    }
}
