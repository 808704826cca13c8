//! The Batch API against a loopback server that keeps files and batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tsumugi_chat::{Azure, BatchConfig, ChatMessage, Client, ClientConfig, Price, Prices, Request};

use crate::server::{Answer, Seen, Server, error};

#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, String>,
    batches: Vec<Value>,
    /// Looks until a batch is complete.
    looks: usize,
    /// Looks at which a batch turns out to be refused for want of room.
    no_room: usize,
}

/// A page of two batches, the latest first, as the server lists them.
fn page(batches: &[Value], query: &str) -> Value {
    let after = query.split('&').find_map(|pair| pair.strip_prefix("after="));
    let latest: Vec<&Value> = batches.iter().rev().collect();
    let from =
        latest.iter().position(|batch| Some(batch["id"].as_str().unwrap()) == after).map_or(0, |at| at + 1);
    let page = &latest[from..latest.len().min(from + 2)];
    json!({ "data": page, "has_more": from + 2 < latest.len() })
}

fn ok(value: &Value) -> Answer {
    Answer::Reply(200, vec![], value.to_string())
}

/// The JSON lines inside a multipart body.
fn lines(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(raw);
    text.lines().filter(|line| line.starts_with("{\"custom_id\"")).map(|line| format!("{line}\n")).collect()
}

/// Answers of a batch: each question turned round; the one with "bad" in it fails.
fn output(input: &str) -> String {
    let answer = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let asked = line["body"]["messages"][0]["content"].as_str().unwrap();
        let message = json!({"role": "assistant", "content": asked.chars().rev().collect::<String>()});
        let body = json!({"model": "m-1", "choices": [{"message": message, "finish_reason": "stop"}],
                          "usage": {"prompt_tokens": 100, "completion_tokens": 50}});
        let status = if asked.contains("bad") { 400 } else { 200 };
        json!({"custom_id": line["custom_id"], "response": {"status_code": status, "body": body}, "error": null}).to_string()
    };
    input.lines().map(answer).collect::<Vec<_>>().join("\n")
}

fn serve(shelf: &mut Shelf, number: usize, seen: &Seen) -> Answer {
    let path = seen.path.trim_start_matches("/v1").trim_start_matches("/openai").to_owned();
    let (path, query) = path.split_once('?').unwrap_or((path.as_str(), ""));
    let path = path.to_owned();
    match (seen.method.as_str(), path.as_str()) {
        _ if number % 5 == 4 && shelf.no_room == 0 => error(500, "server_error", "one in five"),
        ("POST", "/files") => {
            let id = format!("file-{}", shelf.files.len());
            shelf.files.insert(id.clone(), lines(&seen.raw));
            ok(&json!({ "id": id }))
        }
        ("GET", "/batches") => ok(&page(&shelf.batches, query)),
        ("POST", "/batches") => {
            let id = format!("batch-{}", shelf.batches.len());
            let batch = json!({"id": id, "status": "in_progress", "metadata": seen.body["metadata"],
                               "input_file_id": seen.body["input_file_id"], "output_file_id": null});
            shelf.batches.push(batch.clone());
            ok(&batch)
        }
        ("GET", path) if path.starts_with("/batches/") => {
            let at: usize = path.trim_start_matches("/batches/batch-").parse().unwrap();
            shelf.looks = shelf.looks.saturating_sub(1);
            if shelf.no_room > 0 {
                shelf.no_room -= 1;
                shelf.batches[at]["status"] = "failed".into();
                shelf.batches[at]["errors"] = json!({"data": [{"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}]});
            } else if shelf.looks == 0 {
                let input = shelf.batches[at]["input_file_id"].as_str().unwrap().to_owned();
                let result = output(&shelf.files[&input]);
                shelf.files.insert(format!("out-{at}"), result);
                shelf.batches[at]["status"] = "completed".into();
                shelf.batches[at]["output_file_id"] = format!("out-{at}").into();
            }
            ok(&shelf.batches[at])
        }
        ("GET", path) => {
            let id = path.trim_start_matches("/files/").trim_end_matches("/content");
            Answer::Reply(200, vec![], shelf.files[id].clone())
        }
        _ => error(404, "x", "unknown"),
    }
}

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

async fn start(looks: usize) -> (Server, Arc<Mutex<Shelf>>) {
    let shelf = Arc::new(Mutex::new(Shelf { looks, ..Shelf::default() }));
    let shared = Arc::clone(&shelf);
    let server =
        Server::start_raw(move |number, seen| serve(&mut shared.lock().unwrap(), number, seen)).await;
    (server, shelf)
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
