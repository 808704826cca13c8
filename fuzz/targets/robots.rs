//! Any bytes as the files and headers in which sites say what is allowed: no panic, and answers that agree with each other.
//!
//! The first line of the input is a path and the value of a header, the rest is a file.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use tsumugi_robots::{OptOut, Robots, Signal, TdmRep, comparable_path, duration, is_same_agent, retry_after};

const DAY: Duration = Duration::from_secs(86_400);

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (line, file) = data.split_at(end);
    let line = String::from_utf8_lossy(line);
    let path = format!("/{line}");
    // Spellings of one path are treated alike, and so is a URL with that path.
    let spellings = [comparable_path(&path), format!("http://a.test{path}")];

    let robots = Robots::parse(file, "tsumugi");
    for url in &spellings {
        assert_eq!(robots.is_allowed(url), robots.is_allowed(&path), "{url}");
        for signal in [Signal::ContentSignal, Signal::ContentUsage] {
            assert_eq!(robots.forbids_training(signal, url), robots.forbids_training(signal, &path), "{url}");
        }
    }
    assert!(robots.is_allowed("/robots.txt"));
    assert!(robots.crawl_delay().is_none_or(|delay| delay <= DAY));

    if let Ok(reservations) = TdmRep::parse(file) {
        for url in &spellings {
            assert_eq!(reservations.is_reserved(url), reservations.is_reserved(&path), "{url}");
        }
    }

    let mut found = OptOut::default();
    found.directives("x-robots-tag", &line, "tsumugi");
    found.tdm_reservation("header", &line);
    found.usage("header", &line, Signal::ContentUsage);
    assert!(!found.page || found.images);
    assert_eq!(found.images, !found.signals.is_empty());
    assert!(is_same_agent(&line, &line));
    for wait in [retry_after(&line, SystemTime::UNIX_EPOCH), duration(&line)].into_iter().flatten() {
        assert!(wait <= DAY);
    }
});
