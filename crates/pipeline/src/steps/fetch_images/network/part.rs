//! Addresses dealt out to parts.

use std::collections::{BTreeMap, HashMap};

use url::Url;
use xxhash_rust::xxh3::xxh3_64;

/// Addresses of a part: enough to keep all connections busy, few enough for a log of some gigabytes.
const PART: usize = 50_000;

/// Addresses that are fetched together; all of a host are in one part.
#[derive(Debug, Default)]
pub(in super::super) struct Part {
    /// What is fetched, in order.
    pub(super) urls: Vec<String>,
    /// What is left out since its domain has too many images.
    pub(super) of_frequent_domains: Vec<String>,
}

/// Deals addresses out. Domains (by the public suffix list, so that all servers of a site count as one) of which more than
/// `most` images are wanted are left out.
pub(in super::super) fn parts(mut urls: Vec<String>, most: Option<u64>) -> Vec<Part> {
    urls.sort_unstable();
    urls.dedup();
    let mut of_domain: HashMap<String, u64> = HashMap::new();
    for url in &urls {
        *of_domain.entry(domain(url)).or_default() += 1;
    }
    let frequent =
        |url: &str| most.is_some_and(|most| of_domain.get(&domain(url)).is_some_and(|n| *n > most));
    let mut parts: Vec<Part> = Vec::new();
    parts.resize_with(urls.len().div_ceil(PART), Part::default);
    for url in urls {
        let place = (xxh3_64(host(&url).as_bytes()) % parts.len() as u64) as usize;
        let part = &mut parts[place];
        let list = if frequent(&url) { &mut part.of_frequent_domains } else { &mut part.urls };
        list.push(url);
    }
    parts
}

fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// The part of a host's name that somebody owns, or the whole where it has none.
fn domain(url: &str) -> String {
    let host = host(url);
    psl::domain_str(&host).map(str::to_owned).unwrap_or(host)
}

impl Part {
    /// The addresses of each host, hosts with the most first: they take longest.
    pub(super) fn by_host(&self, wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
        let mut hosts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for url in self.urls.iter().filter(|url| wanted(url)) {
            hosts.entry(host(url)).or_default().push(url.clone());
        }
        let mut hosts: Vec<Vec<String>> = hosts.into_values().collect();
        hosts.sort_by_key(|urls| std::cmp::Reverse(urls.len()));
        hosts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_in_one_part_and_frequent_domains_are_in_none() {
        let mut urls: Vec<String> =
            (0..120_000).map(|n| format!("http://h{}.site{}.co.jp/{n}.png", n % 3, n % 1000)).collect();
        urls.extend((0..200).map(|n| format!("http://i{n}.busy.co.jp/{n}.png")));
        urls.push("http://h0.site0.co.jp/0.png".into());
        let parts = parts(urls, Some(150));
        assert_eq!(parts.len(), 3);
        assert_eq!(parts.iter().map(|p| p.urls.len()).sum::<usize>(), 120_000);
        assert_eq!(parts.iter().map(|p| p.of_frequent_domains.len()).sum::<usize>(), 200);
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (number, part) in parts.iter().enumerate() {
            for url in &part.urls {
                assert_eq!(*seen.entry(host(url)).or_insert(number), number);
            }
            let hosts = part.by_host(|_| true);
            assert!(hosts.windows(2).all(|pair| pair[0].len() >= pair[1].len()));
        }
    }
}
