//! `robots.txt` (RFC 9309).

use super::answer::{Answer, Refusal};

/// Bytes of a `robots.txt` that are read: the 500 KiB which the RFC asks for at least. What a longer one says after is
/// not seen, as the RFC allows.
pub(super) const MOST_BYTES: u64 = 500 * 1024;

/// What a site's `robots.txt` says to one program.
pub(super) enum Robots {
    /// There is none, or it says nothing to us.
    All,
    /// It could not be had, for this reason: everything is forbidden.
    Unreachable(Refusal),
    Rules(texting_robots::Robot),
}

impl Robots {
    /// Judges by the answer to the request for `robots.txt` (section 2.3.1 of the RFC).
    pub(super) fn of(answer: Answer, agent: &str) -> Self {
        match answer.body {
            // Rules that do not compile are beyond anything sensible; they mean to forbid something.
            Ok(bytes) => texting_robots::Robot::new(agent, &bytes)
                .map_or(Self::Unreachable(Refusal::RobotsUnreachable), Self::Rules),
            Err(Refusal::Status(status)) if (400..500).contains(&status) && status != 429 => Self::All,
            // Beyond five redirects a crawler may take the file for missing.
            Err(Refusal::Redirects) => Self::All,
            // Where the host itself cannot be reached, that is what is to be told of its pictures.
            Err(
                refusal @ (Refusal::PrivateAddress
                | Refusal::UnknownHost
                | Refusal::Unreachable
                | Refusal::Timeout
                | Refusal::LongWait),
            ) => Self::Unreachable(refusal),
            Err(_) => Self::Unreachable(Refusal::RobotsUnreachable),
        }
    }

    /// Why an address must not be asked for.
    pub(super) fn refusal(&self, url: &str) -> Option<Refusal> {
        match self {
            Self::All => None,
            Self::Unreachable(refusal) => Some(refusal.clone()),
            Self::Rules(rules) => (!rules.allowed(url)).then_some(Refusal::Robots),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use reqwest::header::HeaderMap;

    use super::*;

    fn robots(body: Result<&'static str, Refusal>) -> Robots {
        let body = body.map(|text| Bytes::from_static(text.as_bytes()));
        let answer = Answer {
            url: String::new(),
            status: 0,
            headers: HeaderMap::new(),
            body,
            requests: 1,
            room: None,
        };
        Robots::of(answer, "tsumugi")
    }

    fn refused(text: &'static str, path: &str) -> bool {
        robots(Ok(text)).refusal(&format!("http://a.jp{path}")).is_some()
    }

    #[test]
    fn the_examples_of_the_rfc() {
        // Sections 2.2.1 to 2.2.3: own group before `*`, the longest match, `allow` where both are as long.
        let text = "User-agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                    User-Agent: Tsumugi\nDisallow: /\nAllow: /open/\nDisallow: /open/closed$\n";
        assert!(refused(text, "/a.jpg"));
        assert!(!refused(text, "/open/a.gif"));
        assert!(refused(text, "/open/closed"));
        assert!(!refused(text, "/open/closed/not"));
        let others = "user-agent: other\ndisallow: /\n";
        assert!(!refused(others, "/a.jpg"));
        // The RFC knows no rules outside of groups; they are kept to all the same.
        assert!(refused("Disallow: /\n", "/a.jpg"));
        assert!(refused("\u{feff}user-agent: *\r\ndisallow: /絵/\r\n", "/%E7%B5%B5/a.jpg"));
    }

    #[test]
    fn missing_files_allow_and_broken_servers_forbid() {
        let judged = |refusal| robots(Err(refusal)).refusal("http://a.jp/a.jpg");
        assert_eq!(judged(Refusal::Status(404)), None);
        assert_eq!(judged(Refusal::Status(401)), None);
        for refusal in [Refusal::Status(503), Refusal::Status(429), Refusal::Cut] {
            assert_eq!(judged(refusal), Some(Refusal::RobotsUnreachable));
        }
        assert_eq!(judged(Refusal::PrivateAddress), Some(Refusal::PrivateAddress));
    }
}
