//! The sample is what its description says.

use super::subject::{KINDS, Subject};
use super::{PAGES, Resource, random::Random, site, write_benchmark, write_sample};
use crate::language::Language;
use std::collections::BTreeSet;
use tsumugi_warc::{ArchiveReader, Options, RecordType};

#[test]
fn the_archive_is_the_same_each_time_and_holds_the_site() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (first, second) = (folder.path().join("a.warc.gz"), folder.path().join("b.warc.gz"));
    write_sample(&first, 12, "ja")?;
    write_sample(&second, 12, "ja")?;
    let bytes = std::fs::read(&first)?;
    assert_eq!(bytes, std::fs::read(&second)?);
    assert!(!first.with_extension("part").exists());

    let expected = site(12, "ja")?;
    let mut reader = ArchiveReader::from_reader(&bytes[..], Options::default());
    let mut seen = Vec::new();
    while let Some(record) = reader.next().transpose()? {
        if record.kind() == RecordType::Response {
            seen.push(record.payload(&Default::default()).bytes().to_vec());
        }
    }
    assert_eq!(seen.len(), expected.len());
    for (payload, resource) in seen.iter().zip(&expected) {
        assert_eq!(payload, &resource.body, "{}", resource.url);
    }
    Ok(())
}

#[test]
fn a_cut_down_sample_is_the_start_of_the_whole() -> Result<(), crate::Error> {
    let (small, whole) = (site(6, "ja")?, site(8, "ja")?);
    // The first page lists all others and so differs.
    let first = small.iter().position(|file| file.url.ends_with(".example/")).unwrap();
    assert_eq!(small[first + 1..], whole[first + 1..small.len()]);
    Ok(())
}

#[test]
fn addresses_are_unique_and_encodings_hold_the_text() -> Result<(), crate::Error> {
    let site = site(PAGES, "ja")?;
    let addresses: BTreeSet<_> = site.iter().map(|file| &file.url).collect();
    assert_eq!(addresses.len(), site.len());
    let pages: Vec<_> = site.iter().filter(|file| file.url.ends_with(".html")).collect();
    assert_eq!(pages.len(), PAGES - 1);
    // An encoder writes what it lacks as a character reference.
    assert!(pages.iter().all(|page| !page.body.windows(2).any(|pair| pair == b"&#")));
    let images = site.iter().filter(|file| file.url.contains("/photos/")).count();
    assert!((120..220).contains(&images), "{images} images");
    Ok(())
}

#[test]
fn other_languages_have_the_same_images() -> Result<(), crate::Error> {
    let images = |language: &str| -> Result<Vec<Resource>, crate::Error> {
        Ok(site(3, language)?.into_iter().filter(|file| file.url.contains("/icons/")).collect())
    };
    assert_eq!(images("ja")?, images("ko")?);
    for code in ["en", "ko"] {
        let site = site(24, code)?;
        let text = |file: &Resource| String::from_utf8_lossy(&file.body).into_owned();
        let pages: Vec<String> = site.iter().filter(|file| file.url.ends_with(".html")).map(text).collect();
        assert!(pages.iter().filter(|page| page.contains(&format!("<html lang=\"{code}\">"))).count() > 15);
        // Nothing is left blank.
        let blank = |page: &&String| {
            ["{person", "{place", "{year", "{number", "{thing"].iter().any(|b| page.contains(b))
        };
        assert_eq!(pages.iter().find(blank), None);
    }
    assert!(matches!(site(1, "tlh"), Err(crate::Error::Language { .. })));
    Ok(())
}

#[test]
fn words_say_what_is_drawn() {
    let mut random = Random::new(1);
    for kind in KINDS {
        let subject = Subject::new(kind, &mut random);
        for (code, end) in [("ja", "ます。"), ("en", "."), ("ko", "습니다.")] {
            let language = Language::named(code).unwrap();
            for wording in 0..4 {
                let alt = subject.alt(language, wording);
                assert!(alt.contains(&subject.number(language)) && !alt.contains('{'), "{alt}");
            }
            let sentence = subject.sentence(language);
            assert!(sentence.ends_with(end) && !sentence.contains('{'), "{sentence}");
        }
    }
}

#[test]
fn the_benchmark_has_all_categories_and_its_images() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = write_benchmark(folder.path(), "ja")?;
    let text = std::fs::read_to_string(path)?;
    let mut categories = BTreeSet::new();
    for line in text.lines() {
        let question: serde_json::Value = serde_json::from_str(line)?;
        categories.insert(question["category"].as_str().unwrap().to_owned());
        assert!(image::open(folder.path().join(question["image"].as_str().unwrap())).is_ok());
    }
    assert_eq!(categories.into_iter().collect::<Vec<_>>(), ["complex", "conv", "detail"]);
    assert!((20..=36).contains(&text.lines().count()));
    Ok(())
}
