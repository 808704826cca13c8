//! What the script of a page does, in a browser. Left out where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;

use tsumugi_report::{Block, Card, Cards, Chart, Column, Page, Section, Series, Table};

use crate::parse::parse;

/// Acts like a reader and writes what is seen into the title.
const READER: &str = r##"<script>
const seen = [];
const column = n => [...document.querySelectorAll("tbody tr")].filter(row => !row.hidden).map(row => row.cells[n].textContent).join(",");
const press = n => { document.querySelectorAll("thead button")[n].click(); };
const choose = (selector, value) => {
  const control = document.querySelector(selector);
  control.value = value;
  control.dispatchEvent(new Event("input"));
};
press(1); seen.push("down " + column(1));
press(1); seen.push("up " + column(1));
press(0); seen.push("text " + column(0));
choose("figure .filter", "b"); seen.push("filter " + column(0));
choose("figure .filter", "");
choose("figure .search", "B 1"); seen.push("search " + column(1));
seen.push(document.querySelector("figure output").textContent);
const cards = () => [...document.querySelectorAll(".card")].filter(card => !card.hidden).map(card => card.querySelector("p").textContent).join(",");
const order = document.querySelector(".order");
order.selectedIndex = 2; order.dispatchEvent(new Event("input")); seen.push("cards " + cards());
choose(".collection .filter", "odd"); seen.push("odd " + cards());
const svg = document.querySelector("svg[data-follow]"), box = svg.getBoundingClientRect();
svg.dispatchEvent(new PointerEvent("pointermove", { clientX: box.right - 20, clientY: box.top + 20 }));
seen.push("tip " + document.querySelector(".tip").textContent.split("\n").join(" "));
seen.push("wide " + (document.documentElement.scrollWidth > document.documentElement.clientWidth));
document.title = seen.join("|");
</script></body>"##;

fn browser() -> Option<PathBuf> {
    let named = std::env::var_os("TSUMUGI_CHROMIUM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let found = std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    named.into_iter().chain(found).find(|program| program.is_file())
}

/// Chromium's switches, without their two dashes.
const SWITCHES: [&str; 10] = [
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
    "window-size=500,900",
    "dump-dom",
];

/// The page after its scripts have run.
fn run(program: &Path, html: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, html).unwrap();
    let profile = format!("user-data-dir={}", folder.path().join("profile").display());
    let switches = SWITCHES.iter().copied().chain([profile.as_str()]);
    let output = Command::new(program)
        .args(switches.map(|switch| format!("{:->2}{switch}", "")))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn readers_can_sort_filter_search_and_point() {
    let Some(program) = browser() else {
        eprintln!("left out: no Chromium on PATH or in TSUMUGI_CHROMIUM");
        return;
    };
    let mut table = Table::new([Column::text("name").filter(), Column::number("n")]);
    for (name, n) in [("b", 10.0), ("a", 9.0), ("b", 1000.0), ("c", f64::NAN), ("a", -1.0)].repeat(3) {
        table.push((name, n));
    }
    let mut cards = Cards::new().sort_by("score").filter_by("parity");
    for (name, score, parity) in [("one", 1.0, "odd"), ("none", f64::NAN, "odd"), ("two", 2.0, "even")] {
        cards.push(Card::new().with(name).fact("score", score).fact("parity", parity));
    }
    let series = Series::new("loss", [(1.0, 3.0), (2.0, 2.5)]);
    let wide = Table::new((0..40).map(|n| Column::text(format!("a wide column {n}"))));
    let page = Page::new("t")
        .with(Section::new("Long").with(table))
        .with(Section::new("Rest").with(cards).with(Block::grid([Chart::line("c").with(series)])))
        .with(wide)
        .with("x".repeat(500));
    let html = page.render().unwrap().replace("</body>", READER);
    let after = run(&program, &html);
    let title = parse(&after).into_iter().find(|e| e.name == "title").unwrap().text;
    let seen: Vec<&str> = title.split('|').collect();
    let expected = [
        "down 1,000,1,000,1,000,10,10,10,9,9,9,-1,-1,-1,NaN,NaN,NaN",
        "up -1,-1,-1,9,9,9,10,10,10,1,000,1,000,1,000,NaN,NaN,NaN",
        "text a,a,a,a,a,a,b,b,b,b,b,b,c,c,c",
        "filter b,b,b,b,b,b",
        "search 10,10,10,1,000,1,000,1,000",
        "6 of 15",
        "cards two,one,none",
        "odd one,none",
        "tip 2 loss: 2.5",
        "wide false",
    ];
    assert_eq!(seen, expected, "{title}");
}
