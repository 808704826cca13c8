//! Signals by which a page forbids its use, as named in headers and `<meta>`.

/// The uses that a page or image forbids, and the signals that say so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOut {
    /// The text and everything on the page.
    pub page: bool,
    /// The images.
    pub images: bool,
    /// The signals found, for example `x-robots-tag: noai`, each once, in order.
    pub signals: Vec<String>,
}

impl OptOut {
    /// Reads the directives of one `X-Robots-Tag` header or `<meta name="robots">`. `source` names it in the
    /// signals. Directives are separated by commas, semicolons or spaces. Those for other agents than `agent` (and all) do
    /// not count; versions of agents, as in `Tsumugi/0.1: noai`, do not matter.
    ///
    /// ```
    /// use tsumugi_page::OptOut;
    ///
    /// let mut out = OptOut::default();
    /// out.robots("x-robots-tag", "otherbot: noai, unavailable_after: 25 Jun 2010 15:00:00 PST, tsumugi: noimageai", "tsumugi");
    /// assert!(out.images && !out.page);
    /// ```
    pub fn robots(&mut self, source: &str, value: &str, agent: &str) {
        let mut for_us = true;
        let mut rest = value;
        while let Some(start) = rest.find(|c: char| !is_separator(c)) {
            let word = &rest[start..];
            let end = word.find(|c: char| is_separator(c) || c == ':').unwrap_or(word.len()).max(1);
            let (word, after) = word.split_at(end);
            rest = after;
            // `agent: directive`; a time of day has a colon too, but no agent's name before it, and so has an address.
            match after.trim_start().strip_prefix(':') {
                Some(after) => {
                    if is_agent(word) && !takes_value(word) && !after.starts_with("//") {
                        for_us = word == "*" || is_same_agent(word, agent);
                    }
                    rest = after;
                }
                None if for_us => self.directive(source, word),
                None => {}
            }
        }
    }

    fn directive(&mut self, source: &str, directive: &str) {
        let (page, images) = match directive.to_ascii_lowercase().as_str() {
            "noai" => (true, true),
            "noimageai" | "noimageindex" => (false, true),
            _ => return,
        };
        self.page |= page;
        self.images |= images;
        self.signal(format!("{source}: {}", directive.to_ascii_lowercase()));
    }

    /// Reads the value of a `tdm-reservation` header or `<meta>` (TDM Reservation Protocol: `1` reserves). Of several
    /// values, joined by commas, one that reserves is enough.
    pub fn tdm_reservation(&mut self, source: &str, value: &str) {
        if value.split([',', ';']).any(|value| value.trim() == "1") {
            self.page = true;
            self.images = true;
            self.signal(format!("{source}: tdm-reservation"));
        }
    }

    fn signal(&mut self, signal: String) {
        if !self.signals.contains(&signal) {
            self.signals.push(signal);
        }
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';')
}

/// Whether two agents have the same name, whatever their versions.
pub(crate) fn is_same_agent(one: &str, other: &str) -> bool {
    let name = |agent: &str| agent.split('/').next().unwrap_or_default().trim().to_ascii_lowercase();
    name(one) == name(other)
}

/// Directives that are followed by a colon and a value.
fn takes_value(name: &str) -> bool {
    ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
}

fn is_agent(name: &str) -> bool {
    name == "*"
        || (name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_robots_directives() {
        for (value, page, images) in [
            ("noai", true, true),
            ("NoImageAI", false, true),
            ("noindex, noimageindex", false, true),
            ("unavailable_after: 25 Jun 2010 15:00:00 PST, noimageai", false, true),
            ("unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, noai", true, true),
            ("googlebot: noai", false, false),
            ("googlebot: noindex, noai", false, false),
            ("googlebot: noindex, tsumugi: noai", true, true),
            ("Tsumugi: noimageai", false, true),
            ("*: noai", true, true),
            ("all", false, false),
            ("max-snippet: 20, noai", true, true),
            ("", false, false),
            ("noai noimageai", true, true),
            ("noindex noimageai", false, true),
            ("Tsumugi/0.1: noai", true, true),
            ("TSUMUGI/2.0 : noimageai", false, true),
            ("tsumugi:noai", true, true),
            ("OtherBot/1.0: noai noimageai", false, false),
            ("otherbot: noindex tsumugi/0.1: noai", true, true),
            ("tsumugibot: noai", false, false),
            ("http://a.test/policy noai", true, true),
            (": , ::;noai:", false, false),
        ] {
            let mut out = OptOut::default();
            out.robots("x-robots-tag", value, "tsumugi");
            assert_eq!((out.page, out.images), (page, images), "{value}");
        }
    }

    #[test]
    fn reads_tdm_reservation() {
        let mut out = OptOut::default();
        out.tdm_reservation("header", "0");
        assert_eq!(out, OptOut::default());
        out.tdm_reservation("header", "0, 10");
        assert_eq!(out, OptOut::default());
        for value in [" 1 ", "0, 1"] {
            let mut out = OptOut::default();
            out.tdm_reservation("header", value);
            assert!(out.page && out.images, "{value}");
        }
    }
}
