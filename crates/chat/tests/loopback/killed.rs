//! `kill -9` in the middle of a run, and what the next run sends.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::future::join_all;
use tsumugi_chat::{ChatMessage, Client, ClientConfig, Request};

use crate::server::{Answer, Server, error, good};

const ITEMS: usize = 400;
const CONCURRENCY: usize = 8;
const KILLS: usize = 20;

fn requests() -> Vec<Request> {
    let request = |number| Request {
        model: "m".into(),
        messages: vec![ChatMessage::user(format!("問{number}"))],
        temperature: Some(0.0),
        ..Request::default()
    };
    (0..ITEMS).map(request).collect()
}

/// What the killed process does. It is started by the test below, with its server and folder in the environment.
#[tokio::test]
#[ignore = "a part of the test below"]
async fn child() {
    let (Ok(base_url), Ok(folder)) = (std::env::var("LOOPBACK_URL"), std::env::var("LOOPBACK_CACHE")) else {
        return;
    };
    let config =
        ClientConfig { cache: Some(folder.into()), concurrency: CONCURRENCY, ..ClientConfig::new(base_url) };
    let client = Client::new(config).unwrap();
    let requests = requests();
    for reply in join_all(requests.iter().map(|request| client.send(request))).await {
        reply.unwrap();
    }
}

fn start(server: &Server, folder: &Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::child"])
        .env("LOOPBACK_URL", &server.base_url)
        .env("LOOPBACK_CACHE", folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_item_is_there_once_and_only_what_was_in_flight_is_sent_twice() {
    let folder = tempfile::tempdir().unwrap();
    // The model refuses a parameter, which each run must know that comes after the one that found it out.
    let answer = |_: usize, body: &serde_json::Value| {
        if body.get("temperature").is_some() {
            return error(400, "unsupported_value", "'temperature' is not supported with this model");
        }
        let text = good(body["messages"][0]["content"].as_str().unwrap());
        Answer::Later(Duration::from_millis(5), Box::new(text))
    };
    let server = Server::start(answer).await;
    let mut killed = 0;
    for kill in 0..KILLS {
        let mut child = start(&server, folder.path());
        let before = server.count();
        // Killed once it has sent a few requests more: at another point of its work each time.
        while server.count() < before + 1 + kill * 7 % 19 && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap(); // SIGKILL
            killed += 1;
        }
        child.wait().unwrap();
    }
    let mut last = start(&server, folder.path());
    let status = tokio::task::spawn_blocking(move || last.wait()).await.unwrap().unwrap();
    assert!(status.success());
    assert!(killed >= KILLS / 2, "the child was killed {killed} times only");

    let mut sent: HashMap<String, usize> = HashMap::new();
    let (mut refused, mut late) = (0, 0);
    for seen in server.seen.lock().unwrap().iter() {
        if seen.body.get("temperature").is_some() {
            refused += 1;
            late += usize::from(sent.len() > CONCURRENCY);
            continue;
        }
        *sent.entry(seen.body["messages"][0]["content"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(sent.len(), ITEMS);
    assert!(refused >= 1 && late == 0, "{refused} refused, {late} of them late");
    let again: usize = sent.values().map(|count| count - 1).sum();
    assert!(again <= killed * CONCURRENCY, "{again} requests were sent again after {killed} kills");

    let config = ClientConfig { cache: Some(folder.path().into()), ..ClientConfig::new(&server.base_url) };
    let client = Client::new(config).unwrap();
    for (number, request) in requests().iter().enumerate() {
        assert_eq!(client.lookup(request).unwrap().unwrap().text, format!("問{number}"));
    }
    assert_eq!(client.ledger().models["m"].requests as usize, ITEMS);
}
