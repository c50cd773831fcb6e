//! Ranges of network addresses as people write them: `10.0.0.0/8, ::1`.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// Ranges of one list; more would be a firewall's work.
const RANGES_MAX: usize = 256;

/// What is wrong with a list of ranges.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRanges {
    /// One entry is neither an address nor a range.
    #[error("`{0}` is neither an address nor a range such as 10.0.0.0/8")]
    Entry(String),
    /// There are too many entries.
    #[error("there are more than {RANGES_MAX} ranges")]
    TooMany,
}

/// A set of addresses. An empty one holds none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<IpNet>);

impl Ranges {
    /// Reads addresses and CIDR ranges with commas or white space between them. An IPv4 address
    /// written as IPv6 (`::ffff:10.0.0.1`) means the IPv4 address.
    pub fn parse(text: &str) -> Result<Self, BadRanges> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        let ranges: Vec<IpNet> = entries
            .filter(|entry| !entry.is_empty())
            .map(|entry| range(entry).ok_or_else(|| BadRanges::Entry(entry.chars().take(60).collect())))
            .collect::<Result<_, _>>()?;
        if ranges.len() > RANGES_MAX {
            return Err(BadRanges::TooMany);
        }
        Ok(Self(ranges))
    }

    /// Whether `ip` is in one of the ranges.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.0.iter().any(|range| range.contains(&ip))
    }

    /// Whether there are no ranges.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn range(entry: &str) -> Option<IpNet> {
    if let Ok(ip) = entry.parse::<IpAddr>() {
        return Some(IpNet::from(ip.to_canonical()));
    }
    let net = entry.parse::<IpNet>().ok()?;
    match net {
        // Canonical addresses are never in a range of mapped ones: it would match nothing.
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => None,
        net => Some(net.trunc()),
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ranges_are_read_and_matched() {
        let ranges = Ranges::parse("10.1.2.3/8, ::1\n 192.0.2.7  2001:db8::/32").expect("valid");
        assert_eq!(ranges.to_string(), "10.0.0.0/8, ::1/128, 192.0.2.7/32, 2001:db8::/32");
        for (ip, inside) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::1", true),
            ("::ffff:10.0.0.1", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(ranges.contains(ip.parse().expect("an address")), inside, "{ip}");
        }
        let none = Ranges::parse(" , ").expect("valid");
        assert!(none.is_empty() && !none.contains("127.0.0.1".parse().expect("an address")));
    }

    #[test]
    fn the_bad_entry_is_named() {
        for bad in [
            "10.0.0.0/33",
            "300.1.1.1",
            "example.com",
            "10.0.0",
            "::ffff:10.0.0.0/104",
        ] {
            let got = Ranges::parse(&format!("127.0.0.1, {bad}"));
            assert_eq!(got, Err(BadRanges::Entry(bad.to_owned())));
        }
        let many = "127.0.0.1 ".repeat(RANGES_MAX + 1);
        assert_eq!(Ranges::parse(&many), Err(BadRanges::TooMany));
    }
}
