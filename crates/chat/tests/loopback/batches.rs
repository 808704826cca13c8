//! The Batch API against a loopback server that keeps files and batches.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tsumugi_chat::{Azure, BatchConfig, ChatMessage, Client, ClientConfig, Price, Prices, Request};

use crate::server::Server;
use crate::shelf::{self, Shelf};

fn requests() -> Vec<Request> {
    let texts = ["春夏", "秋冬", "bad", "春夏", "東西", "南北"];
    let request = |text: &str| Request {
        model: "m".into(),
        messages: vec![ChatMessage::user(text)],
        max_tokens: Some(50),
        ..Request::default()
    };
    texts.into_iter().map(request).collect()
}

/// Each question turned round; the one with "bad" in it fails.
fn turned_round(body: &Value) -> (u16, String) {
    let asked = body["messages"][0]["content"].as_str().unwrap();
    (if asked.contains("bad") { 400 } else { 200 }, asked.chars().rev().collect())
}

async fn start(looks: usize) -> (Server, Arc<Mutex<Shelf>>) {
    shelf::start(looks, turned_round).await
}

fn config(server: &Server, folder: &std::path::Path) -> ClientConfig {
    let price = Price { input: 1000.0, output: 1000.0, batch: 0.5, ..Price::default() };
    ClientConfig {
        cache: Some(folder.into()),
        prices: Prices { models: [("m".to_owned(), price)].into() },
        backoff_base: 0.001,
        ..ClientConfig::new(&server.base_url)
    }
}

const SMALL: BatchConfig = BatchConfig { max_requests: 2, max_bytes: 1 << 20, poll_seconds: 0.01 };

#[tokio::test]
async fn replies_of_batches_land_in_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = start(6).await;
    let client = Client::new(config(&server, folder.path())).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    for request in requests() {
        batches.push(&request).await.unwrap();
    }
    let summary = batches.finish(|_, _| {}).await.unwrap();
    assert_eq!((summary.batches, summary.answered, summary.unanswered), (3, 4, 1));
    assert_eq!(shelf.lock().unwrap().batches.len(), 3); // five different requests, two in a batch
    for (request, expected) in requests().iter().zip(["夏春", "冬秋", "", "夏春", "西東", "北南"]) {
        let reply = client.lookup(request).unwrap();
        assert_eq!(reply.map(|reply| reply.text).unwrap_or_default(), expected);
    }
    assert!((client.ledger().usd - 4.0 * 0.15 * 0.5).abs() < 1e-9);
    assert_eq!(std::fs::read_dir(folder.path().join("batches")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_reply_of_a_batch_without_counts_is_not_free() {
    let folder = tempfile::tempdir().unwrap();
    let (server, _) = start(1).await;
    let client = Client::new(config(&server, folder.path())).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    batches
        .push(&Request { messages: vec![ChatMessage::user("無数")], ..requests()[0].clone() })
        .await
        .unwrap();
    assert_eq!(batches.finish(|_, _| {}).await.unwrap().answered, 1);
    // 16 for the frames and 6 bytes of the prompt; 2 characters of the reply; at half the price.
    assert!((client.ledger().usd - 0.024 * 0.5).abs() < 1e-9, "{}", client.ledger().usd);
}

#[tokio::test]
async fn a_killed_run_takes_its_batches_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = start(usize::MAX).await;
    let client = Client::new(config(&server, folder.path())).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    for request in requests() {
        batches.push(&request).await.unwrap();
    }
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(500), batches.finish(|_, _| {}));
    assert!(waiting.await.is_err());
    drop(client);
    // As if it had been killed between the creation of a batch and the note of its id.
    let states = folder.path().join("batches");
    for file in std::fs::read_dir(&states).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let mut state: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            state["id"] = Value::Null;
            std::fs::write(&path, state.to_string()).unwrap();
            break;
        }
    }
    shelf.lock().unwrap().looks = 1;
    let client = Client::new(config(&server, folder.path())).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    for request in requests() {
        batches.push(&request).await.unwrap();
    }
    assert_eq!(batches.finish(|_, _| {}).await.unwrap().answered, 4);
    assert_eq!(shelf.lock().unwrap().batches.len(), 3);
}

#[tokio::test]
async fn a_budget_holds_for_batches_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = start(1).await;
    // A request may cost 0.093 (136 tokens of prompt, 50 of reply) and costs 0.075: two fit at once, and a third when those
    // have shown what they cost.
    let client =
        Client::new(ClientConfig { budget_usd: Some(0.25), ..config(&server, folder.path()) }).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    let mut stopped = None;
    for text in ["春", "夏", "秋", "冬"] {
        let messages = vec![ChatMessage::user(text.repeat(40))];
        let request = Request { messages, ..requests()[0].clone() };
        if let Err(error) = batches.push(&request).await {
            stopped = Some(error);
            break;
        }
    }
    assert_eq!(stopped.unwrap().reason(), "budget");
    let ledger = client.ledger();
    assert!(ledger.usd <= 0.25 && ledger.models["m"].requests == 3, "{ledger:?}");
    assert_eq!(shelf.lock().unwrap().batches.len(), 2);
}

#[tokio::test]
async fn a_batch_that_finds_no_room_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = start(1).await;
    shelf.lock().unwrap().no_room = 2;
    let client = Client::new(config(&server, folder.path())).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    for request in requests() {
        batches.push(&request).await.unwrap();
    }
    let summary = batches.finish(|_, _| {}).await.unwrap();
    assert_eq!((summary.batches, summary.answered), (3, 4));
    assert_eq!(shelf.lock().unwrap().batches.len(), 5);

    shelf.lock().unwrap().no_room = usize::MAX;
    let mut batches = client.batches(SMALL).unwrap();
    batches.push(&Request { sample: 1, ..requests()[0].clone() }).await.unwrap();
    let error = batches.finish(|_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("token_limit_exceeded") && error.contains("smaller batches"), "{error}");
}

#[tokio::test]
async fn azure_batches_name_the_deployment_and_no_version() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = start(1).await;
    let azure = Azure { deployment: "my-batch".into(), api_version: "2024-10-21".into() };
    let config = ClientConfig { azure: Some(azure), ..config(&server, folder.path()) };
    let client = Client::new(config).unwrap();
    let mut batches = client.batches(SMALL).unwrap();
    batches.push(&requests()[0]).await.unwrap();
    assert_eq!(batches.finish(|_, _| {}).await.unwrap().answered, 1);
    let line: Value = serde_json::from_str(&shelf.lock().unwrap().files["file-0"]).unwrap();
    assert_eq!((&line["url"], &line["body"]["model"]), (&"/chat/completions".into(), &"my-batch".into()));
    let seen = server.seen.lock().unwrap();
    let made = seen.iter().find(|seen| seen.body["input_file_id"].is_string()).unwrap();
    assert_eq!(made.body["endpoint"], "/chat/completions");
    assert!(made.path.ends_with("/openai/batches?api-version=2024-10-21"), "{}", made.path);
}
