use std::fmt::Write;

/// A page in the making: sections with a table of contents, all style inside.
#[derive(Debug, Default)]
pub struct Page {
    title: String,
    lead: String,
    sections: Vec<(String, String)>,
}

impl Page {
    /// A page with a title and a first paragraph (both plain text).
    pub fn new(title: &str, lead: &str) -> Self {
        Page { title: escape(title), lead: escape(lead), sections: Vec::new() }
    }

    /// Adds a section: a heading in plain text and its body in HTML.
    pub fn section(&mut self, heading: &str, body: String) {
        self.sections.push((escape(heading), body));
    }

    /// The finished page.
    pub fn render(&self) -> String {
        let mut html = String::new();
        let _ = write!(
            html,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header><h1>{}</h1><p>{}</p></header>\n<nav>",
            self.title, self.title, self.lead
        );
        for (at, (heading, _)) in self.sections.iter().enumerate() {
            let _ = write!(html, "<a href=\"#s{at}\">{heading}</a>");
        }
        html.push_str("</nav>\n<main>\n");
        for (at, (heading, body)) in self.sections.iter().enumerate() {
            let _ = writeln!(html, "<section id=\"s{at}\">\n<h2>{heading}</h2>\n{body}\n</section>");
        }
        html.push_str("</main>\n</body>\n</html>\n");
        html
    }
}

/// Plain text as HTML.
pub fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

const STYLE: &str = "
:root{--ink:#1d2433;--soft:#5b6478;--line:#e3e6ee;--paper:#fff;--wash:#f6f7fa;--thread:#b4432f;--kept:#2f7d6b;--gone:#d9a441}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaf0;--soft:#9aa3b5;--line:#2c3242;--paper:#151922;--wash:#1c2130;--thread:#e0755f;--kept:#5cb8a2;--gone:#c9a04e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,'Noto Sans CJK JP','Hiragino Sans','Yu Gothic',sans-serif}
header{padding:2.2rem clamp(1rem,5vw,4rem) .6rem}header h1{margin:0;font-size:1.9rem}header p{color:var(--soft);max-width:60rem;margin:.4rem 0}
nav{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--line);padding:.5rem clamp(1rem,5vw,4rem);display:flex;flex-wrap:wrap;gap:1.1rem;z-index:1}
nav a{color:var(--thread);text-decoration:none}nav a:hover{text-decoration:underline}
main{padding:0 clamp(1rem,5vw,4rem) 4rem;max-width:84rem}
h2{margin:2.4rem 0 .8rem;font-size:1.35rem}h3{margin:1.6rem 0 .5rem;font-size:1.05rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:500}
td.n,th.n{text-align:right}
.bar{display:flex;height:.9rem;min-width:12rem;background:var(--wash);border-radius:3px;overflow:hidden}.bar i{background:var(--kept)}.bar b{background:var(--gone)}
.why{color:var(--soft);font-size:.88rem}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));gap:1rem}
.card{border:1px solid var(--line);border-radius:8px;overflow:hidden;background:var(--wash)}.card img{display:block;width:100%;height:10rem;object-fit:contain;background:var(--paper)}
.card p{margin:.5rem .7rem;overflow-wrap:anywhere}.card small,small{color:var(--soft)}
.doc{border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem;margin-bottom:1rem;background:var(--wash)}.doc img{max-height:11rem;max-width:100%;margin:.3rem 0;display:block;border-radius:4px}
.turn{margin:.3rem 0}.turn b{color:var(--thread);font-weight:600}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem}figure{margin:0}figcaption{color:var(--soft)}svg text{fill:var(--soft);font-size:11px}
.note{border-left:3px solid var(--thread);padding:.4rem .8rem;background:var(--wash);margin:.8rem 0}
details{margin-bottom:.6rem}summary{cursor:pointer;color:var(--thread)}
td img{max-height:6rem;max-width:9rem;display:block}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let mut page = Page::new("<script>", "a & b");
        page.section("\"x\"", "<p>body</p>".into());
        let html = page.render();
        assert!(!html.contains("<script>"));
        assert!(html.contains("a &amp; b") && html.contains("&quot;x&quot;") && html.contains("<p>body</p>"));
    }
}
