//! Hosts in the form of an index key (SURT): `www.example.jp` becomes `jp,example`.

/// The SURT form of a domain, without a leading `www.` (indexes drop it).
pub(super) fn of_domain(domain: &str) -> String {
    let host = without_www(domain);
    let labels: Vec<&str> = host.rsplit('.').collect();
    labels.join(",")
}

fn without_www(host: &str) -> &str {
    let Some(rest) = host.strip_prefix("www") else { return host };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    rest.strip_prefix('.').filter(|rest| rest.contains('.')).unwrap_or(host)
}

/// Whether the host of a key (`jp,example,blog)/path`) is `domain` (`jp,example`) or below it.
pub(super) fn is_within(key: &str, domain: &str) -> bool {
    key.strip_prefix(domain)
        .is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b',' | b')' | b':')))
}

/// Whether the keys from `first` to `last` (`None`: to the end) may include a host that is `domain` or below it.
pub(super) fn may_include(first: &str, last: Option<&str>, domain: &str) -> bool {
    let starts_after = first > domain && !first.starts_with(domain);
    let ends_before = last.is_some_and(|last| last < domain);
    !starts_after && !ends_before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reverses_domains() {
        for (domain, surt) in [
            ("example.jp", "jp,example"),
            ("www.example.jp", "jp,example"),
            ("www2.example.jp", "jp,example"),
            ("jp", "jp"),
            ("www.jp", "jp,www"),
            ("wwwhat.example.jp", "jp,example,wwwhat"),
        ] {
            assert_eq!(of_domain(domain), surt);
        }
    }

    #[test]
    fn recognises_hosts_below_a_domain() {
        for key in ["jp,example)/", "jp,example,blog)/a", "jp,example:8080)/", "jp,example"] {
            assert!(is_within(key, "jp,example"), "{key}");
        }
        for key in ["jp,examples)/", "jp,exampl)/", "com,example)/"] {
            assert!(!is_within(key, "jp,example"), "{key}");
        }
        assert!(may_include("jp,a)/", Some("jp,z)/"), "jp,example"));
        assert!(may_include("jp,example,z)/", None, "jp,example"));
        assert!(!may_include("jp,f)/", Some("jp,z)/"), "jp,example"));
        assert!(!may_include("com,a)/", Some("jp,a)/"), "jp,example"));
        assert!(may_include("com,a)/", None, "jp"));
    }
}
