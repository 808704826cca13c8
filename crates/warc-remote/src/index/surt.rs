//! Hosts in the order of an index: `www.example.jp` sorts as `jp,example`.

/// The host of a domain as the keys of an index have it, without a leading `www.` (indexes leave it out).
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

/// Whether a key (`jp,example,blog)/path`) is of a host that is `domain` (`jp,example`) or below it.
pub(super) fn is_within(key: &str, domain: &str) -> bool {
    key.strip_prefix(domain)
        .is_some_and(|rest| matches!(rest.bytes().next(), None | Some(b',' | b')' | b':')))
}

/// Whether keys from `first` to `last` (`None`: to the end) may be of a host that is `domain` or below it.
pub(super) fn may_hold(first: &str, last: Option<&str>, domain: &str) -> bool {
    let begins_behind = first > domain && !first.starts_with(domain);
    let ends_before = last.is_some_and(|last| last < domain);
    !begins_behind && !ends_before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_domains_around() {
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
    fn knows_what_is_below_a_domain() {
        for key in ["jp,example)/", "jp,example,blog)/a", "jp,example:8080)/", "jp,example"] {
            assert!(is_within(key, "jp,example"), "{key}");
        }
        for key in ["jp,examples)/", "jp,exampl)/", "com,example)/"] {
            assert!(!is_within(key, "jp,example"), "{key}");
        }
        assert!(may_hold("jp,a)/", Some("jp,z)/"), "jp,example"));
        assert!(may_hold("jp,example,z)/", None, "jp,example"));
        assert!(!may_hold("jp,f)/", Some("jp,z)/"), "jp,example"));
        assert!(!may_hold("com,a)/", Some("jp,a)/"), "jp,example"));
        assert!(may_hold("com,a)/", None, "jp"));
    }
}
