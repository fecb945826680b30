//! Networks: an address, or all addresses that begin with the same bits.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// Some addresses of IPv4 or of IPv6. An IPv4 address inside of an IPv6 one (`::ffff:10.0.0.1`) counts as IPv4.
///
/// ```
/// use zeroxide::Net;
///
/// let office: Net = "192.168.1.0/24".parse()?;
/// assert!(office.contains("192.168.1.7".parse()?));
/// assert_eq!(office.to_string(), "192.168.1.0/24");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Net {
    address: IpAddr,
    /// How many leading bits count.
    bits: u32,
}

impl Net {
    /// Returns whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(address)) => {
                let differing = net.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(net), IpAddr::V6(address)) => {
                let differing = net.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

/// `10.0.0.0/8`, `192.168.1.7`, `fe80::/10`, `::1`.
impl FromStr for Net {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Net, NetError> {
        let wrong = || NetError(text.to_owned());
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, bits)| (a, Some(bits)));
        let written: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if written.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            // Digits alone: `parse` would take a sign, too.
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().map_err(|_| wrong())?,
            Some(_) => return Err(wrong()),
            None => longest,
        };
        let address = written.to_canonical();
        // `::ffff:10.0.0.0/104` is 10.0.0.0/8; fewer bits than 96 would speak of both families.
        let inside = if written.is_ipv6() && address.is_ipv4() { 96 } else { 0 };
        if bits > longest || bits < inside {
            return Err(wrong());
        }
        Ok(Net { address, bits: bits - inside })
    }
}

/// As it is parsed, always with the number of bits.
impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// A text that names no address and no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetError(String);

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}: not a network; write an address such as 192.168.1.7 or a prefix such as 10.0.0.0/8",
            self.0
        )
    }
}

impl std::error::Error for NetError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(net: &str, address: &str) -> bool {
        net.parse::<Net>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        assert!(contains("192.168.1.7", "192.168.1.7"));
        assert!(!contains("192.168.1.7", "192.168.1.6"));
        assert!(contains("::1", "::1"));
        assert!(!contains("::1", "::2"));
    }

    #[test]
    fn a_prefix_counts_its_bits_alone() {
        assert!(contains("10.0.0.0/8", "10.255.255.255"));
        assert!(!contains("10.0.0.0/8", "11.0.0.0"));
        assert!(contains("10.9.9.9/8", "10.0.0.1"), "host bits do not count");
        assert!(contains("192.168.1.0/25", "192.168.1.127"));
        assert!(!contains("192.168.1.0/25", "192.168.1.128"));
        assert!(contains("fe80::/10", "febf::1"));
        assert!(!contains("fe80::/10", "fec0::1"));
    }

    #[test]
    fn no_bits_are_the_whole_family_and_never_the_other() {
        assert!(contains("0.0.0.0/0", "203.0.113.9"));
        assert!(contains("::/0", "2001:db8::1"));
        assert!(!contains("::/0", "203.0.113.9"));
        assert!(!contains("0.0.0.0/0", "::1"));
    }

    #[test]
    fn ipv4_inside_of_ipv6_is_ipv4() {
        assert!(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!contains("::/0", "::ffff:10.1.2.3"));
        assert!(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "localhost",
            "10.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/-1",
            "::/129",
            "/8",
        ] {
            assert_eq!(text.parse::<Net>(), Err(NetError(text.to_owned())), "{text}");
        }
        assert!("::ffff:10.0.0.0/64".parse::<Net>().is_err(), "half of two families");
        assert!("10.0.0.0/99999999999".parse::<Net>().is_err());
    }
}
