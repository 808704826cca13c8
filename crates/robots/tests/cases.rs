//! What a `robots.txt` allows, by the cases in `data/cases.txt`.

use tsumugi_robots::Robots;

#[test]
fn decides_as_the_cases_say() {
    let (mut name, mut file, mut decided) = ("", String::new(), 0);
    for line in include_str!("data/cases.txt").lines() {
        let (mark, rest) = line.split_at(line.len().min(1));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match mark {
            "=" => (name, file) = (rest, String::new()),
            ">" => file = format!("{file}{rest}\n"),
            "+" | "-" => {
                let (agent, url) = rest.split_once(' ').expect("an agent and a URL");
                let agent = agent.replace('+', " ");
                let allowed = Robots::parse(file.as_bytes(), &agent).is_allowed(url);
                assert_eq!(allowed, mark == "+", "{name}: {agent} {url}");
                decided += 1;
            }
            _ => assert!(line.is_empty() || mark == "#", "{line}"),
        }
    }
    assert_eq!(decided, 148);
}

/// Lines are cut after 16,663 octets, as Google's reader does.
#[test]
fn long_lines_are_cut() {
    let path = |key: &str, letter: &str, end: &str| {
        format!("/x/{}{end}", letter.repeat(16_663 - key.len() - "/x/".len()))
    };
    let long = |letter: &str, end: &str| path("disallow: ", letter, end);
    let text = format!("user-agent: FooBot\ndisallow: {}", long("a", "/qux\n"));
    let robots = Robots::parse(text.as_bytes(), "FooBot");
    assert!(robots.is_allowed("http://foo.bar/fux"));
    assert!(!robots.is_allowed(&format!("http://foo.bar{}", long("a", "/fux"))));

    let long = |letter: &str, end: &str| path("allow: ", letter, end);
    let rules = ["a", "b"].map(|letter| format!("allow: {}", long(letter, "/qux\n"))).concat();
    let robots = Robots::parse(format!("user-agent: FooBot\ndisallow: /\n{rules}").as_bytes(), "FooBot");
    assert!(!robots.is_allowed("http://foo.bar/"));
    assert!(robots.is_allowed(&format!("http://foo.bar{}", long("a", "/qux"))));
    assert!(robots.is_allowed(&format!("http://foo.bar{}", long("b", "/fux"))));
}
