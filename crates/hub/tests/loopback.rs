//! A hub that speaks the part of the protocol that is needed, and caches in all states.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tsumugi_hub::{Error, Hub};
use tsumugi_testkit::{Reply, Server};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const LATER: &str = "89abcdef0123456789abcdef0123456789abcdef";
/// Where nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";
const TOKEN: &str = "hf_onlyATest";

/// What a hub serves, and at which commit its branch is.
#[derive(Clone)]
struct Shelf {
    files: BTreeMap<String, Vec<u8>>,
    commit: Arc<Mutex<String>>,
}

fn shelf(files: &[&str]) -> Shelf {
    let files = files.iter().map(|name| ((*name).to_owned(), format!("bytes of {name}").into_bytes()));
    Shelf { files: files.collect(), commit: Arc::new(Mutex::new(COMMIT.to_owned())) }
}

/// Serves the files of `lab/tiny`, whose branch `main` and tag `v1` are at one commit.
fn serve(shelf: &Shelf) -> Server {
    let shelf = shelf.clone();
    Server::start(move |request| {
        let path = request.target.as_str();
        let commit = shelf.commit.lock().unwrap().clone();
        let is_listed =
            ["main", "v1", &commit].iter().any(|at| path == format!("/api/models/lab/tiny/revision/{at}"));
        let names: Vec<String> =
            shelf.files.keys().map(|name| format!(r#"{{"rfilename":"{name}"}}"#)).collect();
        let name = path.strip_prefix(&format!("/lab/tiny/resolve/{commit}/"));
        let reply = if is_listed {
            Reply::new(200, format!(r#"{{"sha":"{commit}","siblings":[{}]}}"#, names.join(",")))
        } else if let Some(bytes) = name.and_then(|name| shelf.files.get(name)) {
            Reply::object(&Arc::new(bytes.clone()))
        } else {
            Reply::new(404, "")
        };
        reply.etag(&format!("\"{}\"", path.replace('/', "-"))).header("X-Repo-Commit", &commit)
    })
}

/// A cache as Python leaves it: a branch, a commit and its files.
fn fill(cache: &Path, files: &[(&str, &str)]) {
    let home = cache.join("models--lab--tiny");
    std::fs::create_dir_all(home.join("refs")).unwrap();
    std::fs::write(home.join("refs/main"), COMMIT).unwrap();
    for (name, text) in files {
        let path = home.join("snapshots").join(COMMIT).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn a_model_is_fetched_once_and_then_there() {
    let shelf =
        shelf(&["README.md", "config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"]);
    let (server, folder) = (serve(&shelf), tempfile::tempdir().unwrap());
    let hub = Hub::new(server.base(), folder.path());
    let found = hub.model("lab/tiny").unwrap();
    assert_eq!(std::fs::read(found.join("model.safetensors")).unwrap(), b"bytes of model.safetensors");
    assert!(!found.join("README.md").exists());
    let first = server.count();
    // Again it asks only what there is; a commit is not asked for at all; and without the hub it takes what is there.
    assert_eq!(hub.model("lab/tiny").unwrap(), found);
    assert_eq!(server.count(), first + 1);
    assert_eq!(hub.model(&format!("lab/tiny@{COMMIT}")).unwrap(), found);
    assert_eq!(server.count(), first + 1);
    assert_eq!(Hub::new(NOWHERE, folder.path()).model("lab/tiny").unwrap(), found);
    let offline = hub.with_offline(true);
    assert_eq!(offline.model("lab/tiny").unwrap(), found);
    assert_eq!(server.count(), first + 1);
    // A tag is a name of its own.
    assert!(matches!(offline.model("lab/tiny@v1").unwrap_err(), Error::Offline { .. }));
    assert_eq!(offline.clone().with_offline(false).model("lab/tiny@v1").unwrap(), found);
    assert_eq!(offline.model("lab/tiny@v1").unwrap(), found);
}

#[test]
fn a_branch_that_moved_gives_files_of_one_commit() {
    let shelf = shelf(&["config.json", "model.safetensors"]);
    let (server, folder) = (serve(&shelf), tempfile::tempdir().unwrap());
    let hub = Hub::new(server.base(), folder.path());
    let before = hub.model("lab/tiny").unwrap();
    *shelf.commit.lock().unwrap() = LATER.to_owned();
    let after = hub.model("lab/tiny").unwrap();
    assert!(before.ends_with(COMMIT) && after.ends_with(LATER));
    assert!(after.join("model.safetensors").is_file() && after.join("config.json").is_file());
    assert_eq!(hub.with_offline(true).model("lab/tiny").unwrap(), after);
}

#[test]
fn only_what_is_whole_is_taken_from_the_cache() {
    let index = r#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"#;
    let cases: &[(&[(&str, &str)], bool)] = &[
        (&[], false),
        (&[("config.json", "{}")], false),
        (&[("model.safetensors", "x")], false),
        (&[("config.json", "{}"), ("model.safetensors", "x")], true),
        (
            &[("config.json", "{}"), ("model.safetensors.index.json", index), ("model-1.safetensors", "x")],
            false,
        ),
        (
            &[
                ("config.json", "{}"),
                ("model.safetensors.index.json", index),
                ("model-1.safetensors", "x"),
                ("model-2.safetensors", "x"),
            ],
            true,
        ),
        (&[("config.json", "{}"), ("llm/config.json", "{}"), ("llm/model.safetensors", "x")], true),
    ];
    for (files, is_whole) in cases {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), files);
        for hub in [Hub::new(NOWHERE, folder.path()), Hub::new(NOWHERE, folder.path()).with_offline(true)] {
            assert_eq!(hub.model("lab/tiny").is_ok(), *is_whole, "{files:?}");
        }
    }
    // A tokenizer needs no weights.
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), &[("tokenizer.json", "{}")]);
    let hub = Hub::new(NOWHERE, folder.path()).with_offline(true);
    assert!(hub.tokenizer("lab/tiny").is_ok() && hub.model("lab/tiny").is_err());
}

#[test]
fn refusals_name_the_token_and_the_page() {
    let server = Server::start(|request| match request.target.as_str() {
        path if path.contains("/gated/") => Reply::new(403, "no"),
        path if path.contains("/lab/") => Reply::new(401, format!("{:?}", request.header("authorization"))),
        path if path.contains("/old/") => {
            Reply::new(200, r#"{"sha":"c0ffee","siblings":[{"rfilename":"pytorch_model.bin"}]}"#)
        }
        _ => Reply::new(404, ""),
    });
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::new(server.base(), folder.path());
    let page = |name: &str| format!("{}/{name}", server.base());
    for (hub, name, words) in [
        (&hub, "lab/tiny", vec!["401", "HF_TOKEN", "No token was sent", "licence"]),
        (&hub.clone().with_token(TOKEN), "gated/tiny", vec!["403", "HF_TOKEN", "licence"]),
        (&hub, "none/tiny@v9", vec!["404", "v9"]),
        (&hub, "old/tiny", vec!["pytorch_model.bin", "safetensors"]),
        (&Hub::new(NOWHERE, folder.path()), "lab/tiny", vec!["127.0.0.1:9", "HF_ENDPOINT"]),
        (&hub.clone().with_offline(true), "lab/tiny", vec!["HF_HUB_OFFLINE", "HF_HOME"]),
    ] {
        let error = hub.model(name).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
        assert!(!error.contains(TOKEN) && !error.contains('\n'), "{error}");
    }
    let refused = hub.parquet("lab/tiny", "test").unwrap_err().to_string();
    assert!(refused.contains(&page("datasets/lab/tiny")), "{refused}");
    assert!(hub.model("gated/tiny").unwrap_err().to_string().contains(&page("gated/tiny")));
    // What was fetched before access was lost is still there.
    fill(folder.path(), &[("config.json", "{}"), ("model.safetensors", "x")]);
    assert!(hub.model("lab/tiny").is_ok());
}

#[cfg(unix)]
#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let shelf = shelf(&["config.json", "model.safetensors"]);
    let (server, folder) = (serve(&shelf), tempfile::tempdir().unwrap());
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = Hub::new(server.base(), file.join("cache")).model("lab/tiny").unwrap_err();
    assert!(matches!(&error, Error::Write { cache, .. } if cache.starts_with(&file)), "{error:?}");
}
