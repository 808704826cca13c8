//! What sites forbid: `robots.txt`, `tdmrep.json`, `ai.txt`, preferences.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tsumugi_images::fetch::{Fetcher, HttpConfig, Refusal, Signal};
use tsumugi_testkit::{Reply, Request, Server};

use super::{Local, config, fetch, gzip};

/// A fetcher that may reach the server under any of these names.
fn fetcher_for(hosts: &[&str], config: HttpConfig) -> Fetcher {
    let private_hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
    Fetcher::with_lookup(HttpConfig { private_hosts, ..config }, Arc::new(Local)).unwrap()
}

/// A site whose only file is this `robots.txt`; all else is an image.
fn site(robots: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |request| match request.target.as_str() {
        "/robots.txt" => robots(request),
        "/.well-known/tdmrep.json" | "/ai.txt" => Reply::new(404, ""),
        _ => Reply::new(200, "image"),
    })
}

/// Whether paths are refused because of `robots.txt`; any other refusal fails the test.
async fn refused(server: &Server, paths: &[&str]) -> Vec<bool> {
    let fetcher = fetcher_for(&["a.test"], config());
    let mut refused = Vec::new();
    for path in paths {
        match fetch(&fetcher, &server.url_of("a.test", path)).await.body {
            Ok(body) => assert_eq!(body, "image"),
            Err(refusal) => assert_eq!(refusal, Refusal::Robots, "{path}"),
        }
        refused.push(server.count_of("a.test", path) == 0);
    }
    refused
}

#[tokio::test]
async fn paths_are_compared_as_the_rfc_says() {
    let server = site(|_| {
        Reply::new(
            200,
            "User-agent: *\nDisallow: /%e5%86%99/\nDisallow: /~u/\nDisallow: /x%28*.gif$\nDisallow: /q?a=http%3a%2f%2f",
        )
    });
    for (path, is_refused) in [
        ("/写/a.jpg", true),
        ("/%E5%86%99/a.jpg", true),
        ("/%e5%86%99/a.jpg", true),
        ("/%7Eu/a.jpg", true),
        ("/%7eu/a.jpg", true),
        ("/~u/a.jpg", true),
        ("/~%75/a.jpg", true),
        ("/x(1).gif", true),
        ("/x%281%29.gif", true),
        ("/q?a=http://b/c.png", true),
        ("/%E5%86%99a.jpg", false),
        ("/~v/a.jpg", false),
        ("/~u%2Fa.jpg", false),
        ("/x(1).gif?b", false),
        ("/r?a=http://b/c.png", false),
    ] {
        let fetcher = fetcher_for(&["a.test"], config());
        let answer = fetch(&fetcher, &server.url_of("a.test", path)).await;
        assert_eq!(answer.body.err(), is_refused.then_some(Refusal::Robots), "{path}");
    }
}

#[tokio::test]
async fn robots_txt_is_read_in_whatever_form_it_comes() {
    const RULES: &str = "User-agent: *\nDisallow: /a\n";
    let long = || format!("{RULES}{}\nDisallow: /b\n", "#".repeat(500 << 10));
    let forms: Vec<(&str, Reply, [bool; 2])> = vec![
        ("plain", Reply::new(200, RULES), [true, false]),
        ("status 203", Reply::new(203, RULES), [true, false]),
        ("gzip", Reply::new(200, gzip(RULES.as_bytes())).header("Content-Encoding", "gzip"), [true, false]),
        ("gzip that is not declared", Reply::new(200, gzip(RULES.as_bytes())), [true, false]),
        ("no coding named", Reply::new(200, RULES).header("Content-Encoding", "none"), [true, false]),
        ("a byte order mark", Reply::new(200, format!("\u{feff}{RULES}")), [true, false]),
        ("lines of old Macs", Reply::new(200, RULES.replace('\n', "\r")), [true, false]),
        ("more than 500 KiB", Reply::new(200, long()), [true, false]),
        ("more than 500 KiB, compressed", Reply::new(200, gzip(long().as_bytes())), [true, false]),
        ("chunked", Reply::new(200, RULES).chunked(), [true, false]),
        (
            "a version",
            Reply::new(200, "User-agent: Tsumugi/0.2\nDisallow: /b\nUser-agent: *\nDisallow: /a"),
            [false, true],
        ),
        ("rules before groups", Reply::new(200, "Disallow: /a\nUser-agent: *\nDisallow: /b"), [false, true]),
        ("a page", Reply::new(200, "<html><p>Not found. Disallow: /a</p>"), [false, false]),
        ("an empty file", Reply::new(200, ""), [false, false]),
        ("status 204", Reply::new(204, ""), [false, false]),
        ("status 401", Reply::new(401, RULES), [false, false]),
        ("status 404", Reply::new(404, RULES), [false, false]),
        ("status 410", Reply::new(410, RULES), [false, false]),
        ("status 302 to nowhere", Reply::new(302, RULES), [false, false]),
    ];
    for (name, reply, expected) in forms {
        let server = site(move |_| reply.clone());
        assert_eq!(refused(&server, &["/a", "/b"]).await, expected, "{name}");
        assert_eq!(server.count_of("a.test", "/robots.txt"), 1, "{name}");
    }
}

#[tokio::test]
async fn robots_txt_is_found_behind_five_redirects_also_at_other_hosts() {
    for (redirects, expected) in [(1, true), (5, true), (6, false)] {
        let server = Server::start(move |request| {
            let hop = request.target.rsplit('/').next().and_then(|hop| hop.parse().ok()).unwrap_or(0);
            let port = request.header("host").and_then(|host| host.rsplit(':').next()).unwrap_or_default();
            match request.target.as_str() {
                path if path == "/robots.txt" || path.starts_with("/hop/") => {
                    if hop == redirects {
                        return Reply::new(200, "User-agent: *\nDisallow: /a");
                    }
                    let host = if hop % 2 == 0 { "b.test" } else { "a.test" };
                    Reply::new(301, "moved")
                        .header("Location", &format!("http://{host}:{port}/hop/{}", hop + 1))
                }
                "/.well-known/tdmrep.json" | "/ai.txt" => Reply::new(404, ""),
                _ => Reply::new(200, "image"),
            }
        });
        let fetcher = fetcher_for(&["a.test", "b.test"], config());
        let found = fetch(&fetcher, &server.url_of("a.test", "/a")).await.body.err();
        assert_eq!(found, expected.then_some(Refusal::Robots), "{redirects}");
        // The rules hold for the site that redirects, not for the one that has the file.
        assert!(fetch(&fetcher, &server.url_of("a.test", "/b")).await.body.is_ok());
    }
    // A redirect into a private network is not followed, and the file counts as unreachable.
    let server = site(|_| Reply::new(302, "").header("Location", "http://169.254.169.254/robots.txt"));
    let fetcher = fetcher_for(&["a.test"], config());
    let found = fetch(&fetcher, &server.url_of("a.test", "/a")).await;
    assert_eq!(found.body.unwrap_err(), Refusal::PrivateAddress);
    assert_eq!(server.count_of("a.test", "/a"), 0);
}

#[tokio::test]
async fn keeps_crawl_delays_up_to_a_limit() {
    let fetch_four = async |delay: &'static str, limit: u64| {
        let server = site(move |_| Reply::new(200, format!("User-agent: *\nCrawl-delay: {delay}")));
        let config = HttpConfig { longest_crawl_delay_ms: limit, opt_out: Vec::new(), ..config() };
        let fetcher = fetcher_for(&["a.test"], config);
        let began = Instant::now();
        let urls: Vec<String> = (0..4).map(|n| server.url_of("a.test", &format!("/{n}"))).collect();
        let all = futures::future::join_all(urls.iter().map(|url| fetch(&fetcher, url))).await;
        assert!(all.iter().all(|answer| answer.body.is_ok()));
        let starts: Vec<Instant> = server.requests().iter().map(|request| request.at).collect();
        let gaps = starts.windows(2).map(|pair| pair[1] - pair[0]);
        (gaps.min().unwrap(), began.elapsed())
    };
    let (shortest, _) = fetch_four("0.3", 30_000).await;
    assert!(shortest >= Duration::from_millis(250), "{shortest:?}");
    let (_, whole) = fetch_four("3600", 100).await;
    assert!(whole >= Duration::from_millis(400) && whole < Duration::from_secs(60), "{whole:?}");
}

/// A site that has these files.
fn site_with(files: &'static [(&'static str, &'static str)]) -> Server {
    Server::start(move |request| {
        let path = request.target.as_str();
        let is_site_file = ["/robots.txt", "/.well-known/tdmrep.json", "/ai.txt"].contains(&path);
        match files.iter().find(|(name, _)| *name == path) {
            Some((_, text)) => Reply::new(200, *text),
            None if is_site_file => Reply::new(404, "<html>not found"),
            None => Reply::new(200, "image"),
        }
    })
}

#[tokio::test]
async fn obeys_the_files_in_which_a_site_reserves_its_content() {
    const TDMREP: &str = "/.well-known/tdmrep.json";
    for (files, reasons) in [
        (
            &[(TDMREP, r#"[{"location": "/", "tdm-reservation": 1}]"#)][..],
            ["opt_out:tdmrep", "opt_out:tdmrep"],
        ),
        (&[(TDMREP, r#"[{"location": "/b/*.png$", "tdm-reservation": 1}]"#)], ["", "opt_out:tdmrep"]),
        (&[(TDMREP, r#"[{"location": "/%61.", "tdm-reservation": 1}]"#)], ["opt_out:tdmrep", ""]),
        (
            &[(
                TDMREP,
                r#"[{"location": "/b/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]"#,
            )],
            ["opt_out:tdmrep", ""],
        ),
        (&[(TDMREP, "<html>not found")], ["", ""]),
        (&[("/ai.txt", "User-Agent: *\nDisallow: *.jpg\n")], ["opt_out:ai-txt", ""]),
        (&[("/ai.txt", "User-Agent: *\nDisallow: /\nDisallow: *\n")], ["opt_out:ai-txt", "opt_out:ai-txt"]),
        (&[("/ai.txt", "User-Agent: otherbot\nDisallow: /\n")], ["", ""]),
        (
            &[("/robots.txt", "User-agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /")],
            ["opt_out:content-signal", "opt_out:content-signal"],
        ),
        (&[("/robots.txt", "User-agent: *\nContent-Signal: search=yes, ai-input=no\nAllow: /")], ["", ""]),
        (
            &[(
                "/robots.txt",
                "User-agent: *\nAllow: /\nContent-Usage: train-ai=n\nContent-Usage: /b/ train-ai=y",
            )],
            ["opt_out:content-usage", ""],
        ),
        // What may not be requested is not: the site takes no part.
        (
            &[
                ("/robots.txt", "User-agent: *\nDisallow: /.well-known/"),
                (TDMREP, r#"[{"tdm-reservation": 1}]"#),
            ],
            ["", ""],
        ),
    ] {
        let server = site_with(files);
        let paths = ["/a.jpg", "/b/c.png"];
        let fetcher = fetcher_for(&["a.test"], config());
        for (path, reason) in paths.iter().zip(reasons) {
            let found = fetch(&fetcher, &server.url_of("a.test", path)).await.body.err();
            let found = found.map_or(String::new(), |refusal| refusal.reason().into_owned());
            assert_eq!(found, reason, "{files:?} {path}");
            assert_eq!(server.count_of("a.test", path), usize::from(reason.is_empty()));
        }
        for file in ["/robots.txt", TDMREP, "/ai.txt"] {
            assert!(server.count_of("a.test", file) <= 1, "{file}");
        }
        // They can be switched off, and are not requested then.
        let server = site_with(files);
        let fetcher = fetcher_for(&["a.test"], HttpConfig { opt_out: vec![Signal::Noai], ..config() });
        for path in paths {
            assert!(fetch(&fetcher, &server.url_of("a.test", path)).await.body.is_ok());
        }
        assert_eq!(server.count_of("a.test", TDMREP) + server.count_of("a.test", "/ai.txt"), 0);
    }
}

#[tokio::test]
async fn a_redirect_leads_to_what_another_site_forbids() {
    let server = Server::start(|request| {
        let port = request.header("host").and_then(|host| host.rsplit(':').next()).unwrap_or_default();
        match (request.host(), request.target.as_str()) {
            ("b.test", "/ai.txt") => Reply::new(200, "User-agent: *\nDisallow: *.jpg"),
            (_, "/ai.txt" | "/robots.txt" | "/.well-known/tdmrep.json") => Reply::new(404, ""),
            ("a.test", _) => Reply::new(302, "").header("Location", &format!("http://b.test:{port}/a.jpg")),
            _ => Reply::new(200, "image"),
        }
    });
    let fetcher = fetcher_for(&["a.test", "b.test"], config());
    let found = fetch(&fetcher, &server.url_of("a.test", "/a.jpg")).await;
    assert_eq!(found.body.unwrap_err(), Refusal::OptOut(Signal::AiTxt));
    assert_eq!(server.count_of("b.test", "/a.jpg"), 0);
}
