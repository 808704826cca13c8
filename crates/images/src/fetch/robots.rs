//! `robots.txt` (RFC 9309).

use super::answer::{Answer, Refusal};

/// Bytes read of a `robots.txt`: the 500 KiB that the RFC requires at least. The rest of a longer file is ignored, as
/// the RFC allows.
pub(super) const MAX_BYTES: u64 = 500 * 1024;

/// The rules of a site's `robots.txt` for one program.
pub(super) enum Robots {
    /// There is no file, or it has no rules for the program.
    AllowAll,
    /// The file could not be fetched, for this reason. Everything is forbidden.
    Unreachable(Refusal),
    Rules(texting_robots::Robot),
}

impl Robots {
    /// Interprets the answer to the request for `robots.txt` (section 2.3.1 of the RFC).
    pub(super) fn of(answer: Answer, agent: &str) -> Self {
        match answer.body {
            // Rules that do not compile are meant to forbid something.
            Ok(bytes) => texting_robots::Robot::new(agent, &bytes)
                .map_or(Self::Unreachable(Refusal::RobotsUnreachable), Self::Rules),
            Err(Refusal::Status(status)) if (400..500).contains(&status) && status != 429 => Self::AllowAll,
            // After five redirects, a crawler may treat the file as missing.
            Err(Refusal::Redirects) => Self::AllowAll,
            // If the host itself cannot be reached, that is also the reason for its images.
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

    /// Why a URL must not be fetched, if so.
    pub(super) fn refusal(&self, url: &str) -> Option<Refusal> {
        match self {
            Self::AllowAll => None,
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
            permit: None,
        };
        Robots::of(answer, "tsumugi")
    }

    fn refused(text: &'static str, path: &str) -> bool {
        robots(Ok(text)).refusal(&format!("http://a.jp{path}")).is_some()
    }

    #[test]
    fn follows_the_examples_of_the_rfc() {
        // Sections 2.2.1 to 2.2.3: the program's own group before `*`, the longest match, `allow` if both are equally long.
        let text = "User-agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/\n\n\
                    User-Agent: Tsumugi\nDisallow: /\nAllow: /open/\nDisallow: /open/closed$\n";
        assert!(refused(text, "/a.jpg"));
        assert!(!refused(text, "/open/a.gif"));
        assert!(refused(text, "/open/closed"));
        assert!(!refused(text, "/open/closed/not"));
        let others = "user-agent: other\ndisallow: /\n";
        assert!(!refused(others, "/a.jpg"));
        // The RFC has no rules outside of groups, but they are obeyed anyway.
        assert!(refused("Disallow: /\n", "/a.jpg"));
        assert!(refused("\u{feff}user-agent: *\r\ndisallow: /絵/\r\n", "/%E7%B5%B5/a.jpg"));
    }

    #[test]
    fn missing_files_allow_and_failing_servers_forbid() {
        let refusal_after = |refusal| robots(Err(refusal)).refusal("http://a.jp/a.jpg");
        assert_eq!(refusal_after(Refusal::Status(404)), None);
        assert_eq!(refusal_after(Refusal::Status(401)), None);
        for refusal in [Refusal::Status(503), Refusal::Status(429), Refusal::Cut] {
            assert_eq!(refusal_after(refusal), Some(Refusal::RobotsUnreachable));
        }
        assert_eq!(refusal_after(Refusal::PrivateAddress), Some(Refusal::PrivateAddress));
    }
}
