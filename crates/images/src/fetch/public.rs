//! Public and private IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether an address belongs to the public internet: not to this machine, a private or link-local network (where cloud
/// machines find their keys), multicast, or another range that IANA's registries reserve for special purposes; and not to
/// the services that a cloud offers to its own machines at addresses which would be public elsewhere. An IPv6 address that
/// embeds an IPv4 address is classified by the latter.
///
/// ```
/// use tsumugi_images::fetch::is_public;
///
/// assert!(is_public("203.104.209.71".parse()?));
/// assert!(!is_public("169.254.169.254".parse()?));
/// assert!(!is_public("::ffff:10.0.0.1".parse()?));
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Ranges of the IANA IPv4 Special-Purpose Address Registry that are not globally reachable, and multicast: first
/// address and length of the prefix.
const SPECIAL_V4: [([u8; 4], u32); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
    ([255, 255, 255, 255], 32),
];

/// Addresses that clouds route to services of their own, among them keys and the control of machines, from within: Azure's
/// host, IBM's service networks, and Google's interfaces for machines without a public address.
const CLOUDS_V4: [([u8; 4], u32); 5] = [
    ([168, 63, 129, 16], 32),
    ([161, 26, 0, 0], 16),
    ([166, 8, 0, 0], 14),
    ([199, 36, 153, 4], 30),
    ([199, 36, 153, 8], 30),
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    let has = |(first, length): &([u8; 4], u32)| (bits ^ u32::from_be_bytes(*first)) >> (32 - length) == 0;
    !SPECIAL_V4.iter().chain(&CLOUDS_V4).any(has)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, .., g, h] = address.segments();
    let embedded =
        |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match (a, b, c) {
        // An interface identifier of ISATAP (RFC 5214) sends packets to the IPv4 address in it.
        _ if matches!(address.segments()[4..6], [0 | 0x200, 0x5efe]) && !embedded(g, h) => false,
        // Mapped (RFC 4291), translated (RFC 6052) and 6to4 (RFC 3056).
        (0, 0, 0) if address.to_ipv4_mapped().is_some() => embedded(g, h),
        (0x64, 0xff9b, 0) if address.segments()[3..6] == [0; 3] => embedded(g, h),
        (0x2002, ..) => embedded(b, c),
        // Teredo, benchmarks, ORCHID and the rest of the IETF's block; documentation.
        (0x2001, 0..0x200, _) | (0x2001, 0xdb8, _) | (0x3fff, 0..0x1000, _) => false,
        // All allocated global addresses lie in 2000::/3.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_public_addresses_from_others() {
        for address in [
            "8.8.8.8",
            "1.1.1.1",
            "168.63.129.17",
            "166.7.0.1",
            "166.12.0.1",
            "161.27.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "2600::1",
            "2001:4860::8888",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "168.63.129.16",
            "161.26.0.10",
            "166.11.255.255",
            "199.36.153.8",
            "100.100.100.200",
            "192.0.0.192",
            "::ffff:168.63.129.16",
            "64:ff9b::a83f:8110",
            "2002:a83f:8110::1",
            "::ffff:0:10.0.0.1",
            "::a83f:8110",
            "2600::5efe:10.0.0.1",
            "2600::200:5efe:127.0.0.1",
            "fd20:ce::254",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::8.8.8.8",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_standard_library(bits: u32) {
            let address = Ipv4Addr::from(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local()
                || address.is_broadcast() || address.is_documentation() || address.is_multicast()
                || address.is_unspecified();
            proptest::prop_assert!(!(special && is_public(address.into())));
            proptest::prop_assert_eq!(is_public(address.into()), is_public(address.to_ipv6_mapped().into()));
        }
    }
}
