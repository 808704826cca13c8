//! Opt-out as pages and answers declare it.

use crate::signal::{Signal, forbids_training};

/// The uses that a page or image forbids, and the signals that say so.
///
/// ```
/// use tsumugi_robots::{OptOut, Signal};
///
/// let mut found = OptOut::default();
/// found.directives("x-robots-tag", "otherbot: noai, tsumugi: noimageai", "tsumugi");
/// assert!(found.images && !found.page);
/// assert_eq!(found.signals, ["x-robots-tag: noimageai"]);
///
/// let mut found = OptOut::obeying([Signal::Noai]);
/// found.directives("meta robots", "noindex", "tsumugi");
/// assert!(!found.page);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OptOut {
    /// Whether the text and everything on the page is forbidden.
    pub page: bool,
    /// Whether images are forbidden.
    pub images: bool,
    /// All signals found, for example `x-robots-tag: noai`, each once, in order; also those that are not obeyed.
    pub signals: Vec<String>,
    obeyed: Vec<Signal>,
}

impl Default for OptOut {
    /// Nothing is found yet, and all signals are obeyed.
    fn default() -> Self {
        Self::obeying(Signal::ALL)
    }
}

impl OptOut {
    /// Nothing is found yet, and these signals are obeyed.
    pub fn obeying(signals: impl IntoIterator<Item = Signal>) -> Self {
        Self { page: false, images: false, signals: Vec::new(), obeyed: signals.into_iter().collect() }
    }

    /// Reads the directives of one `X-Robots-Tag` header or `<meta name="robots">`. `source` names it in the
    /// signals. Directives are separated by commas, semicolons or spaces. Those for other agents than `agent` (and all)
    /// do not count; versions of agents, as in `Tsumugi/0.1: noai`, do not matter.
    pub fn directives(&mut self, source: &str, value: &str, agent: &str) {
        let mut for_us = true;
        let mut rest = value;
        while let Some(start) = rest.find(|c: char| !is_separator(c)) {
            let word = &rest[start..];
            let end = word.find(|c: char| is_separator(c) || c == ':').unwrap_or(word.len()).max(1);
            let (word, after) = word.split_at(end);
            rest = after;
            // `agent: directive`; a time of day has a colon too, but no agent's name before it, and so has an address.
            match after.trim_start().strip_prefix(':') {
                Some(after) if takes_value(word) => {
                    let value = after.trim_start();
                    rest = &value[value.find(is_separator).unwrap_or(value.len())..];
                }
                Some(after) => {
                    if is_agent(word) && !after.starts_with("//") {
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
        let directive = directive.to_ascii_lowercase();
        let signal = match directive.as_str() {
            "noindex" | "none" => Signal::Noindex,
            "noml" => Signal::Noml,
            "noai" => Signal::Noai,
            "noimageai" => Signal::Noimageai,
            "noimageindex" => Signal::Noimageindex,
            _ => return,
        };
        self.found(signal, format!("{source}: {directive}"));
    }

    /// Reads the value of a `tdm-reservation` header or `<meta>` (TDM Reservation Protocol: `1` reserves). Of several
    /// values, joined by commas, one that reserves is enough.
    pub fn tdm_reservation(&mut self, source: &str, value: &str) {
        if value.split([',', ';']).any(|value| value.trim() == "1") {
            self.found(Signal::TdmReservation, format!("{source}: tdm-reservation"));
        }
    }

    /// Reads the value of a `Content-Signal` or `Content-Usage` header (`signal`).
    pub fn usage(&mut self, source: &str, value: &str, signal: Signal) {
        if forbids_training(value.as_bytes()) == Some(true) {
            self.found(signal, format!("{source}: {}", signal.name()));
        }
    }

    /// Reads the headers of an answer. `header` returns the values of a field by its name in lower case.
    pub fn headers<I>(&mut self, header: impl Fn(&'static str) -> I, agent: &str)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        for value in header("x-robots-tag") {
            self.directives("x-robots-tag", value.as_ref(), agent);
        }
        for value in header("tdm-reservation") {
            self.tdm_reservation("header", value.as_ref());
        }
        for signal in [Signal::ContentSignal, Signal::ContentUsage] {
            for value in header(signal.name()) {
                self.usage("header", value.as_ref(), signal);
            }
        }
    }

    /// Adds what a site declares in one of its files, such as `tdmrep.json`.
    pub fn site(&mut self, signal: Signal) {
        self.found(signal, format!("site: {}", signal.name()));
    }

    fn found(&mut self, signal: Signal, text: String) {
        if self.obeyed.contains(&signal) {
            self.page |= !signal.is_for_images_alone();
            self.images = true;
        }
        if !self.signals.contains(&text) {
            self.signals.push(text);
        }
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';')
}

/// Whether two agents have the same name, whatever their versions.
#[must_use]
pub fn is_same_agent(one: &str, other: &str) -> bool {
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
            ("noml", true, true),
            ("NOINDEX", true, true),
            ("none", true, true),
            ("nofollow, noarchive", false, false),
            ("NoImageAI", false, true),
            ("noindex, noimageindex", true, true),
            ("noimageindex", false, true),
            ("unavailable_after: 25 Jun 2010 15:00:00 PST, noimageai", false, true),
            ("unavailable_after: Friday, 25-Jun-10 15:00:00 UTC, noai", true, true),
            ("googlebot: noai", false, false),
            ("googlebot: noindex, noai", false, false),
            ("googlebot: noindex, tsumugi: noai", true, true),
            ("Tsumugi: noimageai", false, true),
            ("*: noai", true, true),
            ("all", false, false),
            ("max-snippet: 20, noai", true, true),
            ("max-image-preview: none", false, false),
            ("max-image-preview:none, noimageai", false, true),
            ("", false, false),
            ("noai noimageai", true, true),
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
            out.directives("x-robots-tag", value, "tsumugi");
            assert_eq!((out.page, out.images), (page, images), "{value}");
        }
    }

    #[test]
    fn reads_tdm_reservation() {
        for (value, reserved) in [("0", false), ("0, 10", false), (" 1 ", true), ("0, 1", true)] {
            let mut out = OptOut::default();
            out.tdm_reservation("header", value);
            assert_eq!((out.page, out.images), (reserved, reserved), "{value}");
        }
    }

    #[test]
    fn signals_that_are_not_obeyed_are_still_named() {
        let mut out = OptOut::obeying([Signal::Noai, Signal::ContentUsage]);
        let header = |name: &str| match name {
            "x-robots-tag" => vec!["noindex", "noimageai"],
            "content-signal" => vec!["ai-train=no"],
            _ => vec![],
        };
        out.headers(header, "tsumugi");
        assert_eq!((out.page, out.images), (false, false));
        let named = ["x-robots-tag: noindex", "x-robots-tag: noimageai", "header: content-signal"];
        assert_eq!(out.signals, named);
        out.headers(|name| if name == "content-usage" { vec!["train-ai=n"] } else { vec![] }, "tsumugi");
        assert_eq!((out.page, out.images), (true, true));
    }
}
