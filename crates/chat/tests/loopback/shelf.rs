//! The part of the loopback server that keeps files and batches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::server::{Answer, Seen, Server, error};

/// From a request in a batch to the status and text of its reply.
pub(crate) type Reply = fn(&Value) -> (u16, String);

pub(crate) struct Shelf {
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) batches: Vec<Value>,
    /// Looks until a batch is complete.
    pub(crate) looks: usize,
    /// Looks at which a batch turns out to be refused for want of room.
    pub(crate) no_room: usize,
    reply: Reply,
}

/// A server with a shelf; one in five of its answers is an error.
pub(crate) async fn start(looks: usize, reply: Reply) -> (Server, Arc<Mutex<Shelf>>) {
    let shelf = Shelf { files: BTreeMap::new(), batches: Vec::new(), looks, no_room: 0, reply };
    let shelf = Arc::new(Mutex::new(shelf));
    let shared = Arc::clone(&shelf);
    let server =
        Server::start_raw(move |number, seen| serve(&mut shared.lock().unwrap(), number, seen)).await;
    (server, shelf)
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

/// The file of a batch's answers; those with 無 in them say nothing of what they took.
fn output(input: &str, reply: Reply) -> String {
    let answer = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let (status, text) = reply(&line["body"]);
        let message = json!({"role": "assistant", "content": text});
        let usage = if text.contains('無') {
            Value::Null
        } else {
            json!({"prompt_tokens": 100, "completion_tokens": 50})
        };
        let body = json!({"model": "m-1", "choices": [{"message": message, "finish_reason": "stop"}],
                          "usage": usage});
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
                let result = output(&shelf.files[&input], shelf.reply);
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
