//! Signals by which a page forbids its use, as named in headers and `<meta>`.

/// What a page or picture forbids, and by which signals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptOut {
    /// The text and everything on the page.
    pub page: bool,
    /// The pictures.
    pub images: bool,
    /// The signals found, for example `x-robots-tag: noai`, each once, in order.
    pub signals: Vec<String>,
}

impl OptOut {
    /// Reads the directives of one `X-Robots-Tag` header or `<meta name="robots">`. `source` names it in the
    /// signals. Directives for other agents than `agent` (and all) do not count.
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
        for part in value.split([',', ';']) {
            let mut directive = part.trim();
            if let Some((name, rest)) = directive.split_once(':') {
                let name = name.trim();
                if takes_value(name) {
                    continue;
                }
                // `agent: directive`; a time of day has a colon too, but no agent's name before it.
                if is_agent(name) {
                    for_us = name.eq_ignore_ascii_case(agent) || name == "*";
                    directive = rest.trim();
                }
            }
            if for_us {
                self.directive(source, directive);
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

    /// Reads the value of a `tdm-reservation` header or `<meta>` (TDM Reservation Protocol: `1` reserves).
    pub fn tdm_reservation(&mut self, source: &str, value: &str) {
        if value.trim() == "1" {
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
        out.tdm_reservation("header", " 1 ");
        assert!(out.page && out.images);
    }
}
