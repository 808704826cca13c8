//! Models that refuse parameters, in the dialects of their servers.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tsumugi_chat::{ChatMessage, Client, ClientConfig, JsonSchema, ParameterChanges, Request};

use crate::server::{Answer, Server, error, good};

fn request(text: &str) -> Request {
    Request {
        model: "m".into(),
        messages: vec![ChatMessage::system("規則"), ChatMessage::user(text)],
        max_tokens: Some(50),
        temperature: Some(0.0),
        seed: Some(0),
        json_schema: Some(JsonSchema {
            name: "s".into(),
            schema: json!({"type": "object", "title": "見出し"}),
        }),
        ..Request::default()
    }
}

fn client(server: &Server, cache: Option<&Path>) -> Client {
    let config = ClientConfig {
        backoff_base: 0.002,
        max_retries: 1,
        cache: cache.map(Path::to_owned),
        ..ClientConfig::new(&server.base_url)
    };
    Client::new(config).unwrap()
}

fn reply(status: u16, body: Value) -> Option<Answer> {
    Some(Answer::Reply(status, vec![], body.to_string()))
}

fn openai(body: &Value) -> Option<Answer> {
    let refuse = |name: &str, message: &str| {
        let error = json!({"message": message, "type": "invalid_request_error", "param": name, "code": "unsupported_value"});
        reply(400, json!({ "error": error }))
    };
    if body.get("temperature").is_some() {
        return refuse(
            "temperature",
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
        );
    }
    body.get("max_tokens").and_then(|_| {
        refuse("max_tokens", "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
    })
}

fn azure(body: &Value) -> Option<Answer> {
    if body.get("seed").is_some() {
        return Some(error(400, "invalid_request_error", "Unrecognized request argument supplied: seed"));
    }
    let message =
        "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later";
    (body["response_format"]["type"] == "json_schema").then(|| error(400, "BadRequest", message))
}

fn vllm(body: &Value) -> Option<Answer> {
    let refuse = |message: &str| {
        reply(
            400,
            json!({"object": "error", "message": message, "type": "BadRequestError", "param": null, "code": 400}),
        )
    };
    if body.get("seed").is_some() {
        return refuse(
            "[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': 0}]",
        );
    }
    body.get("response_format").and_then(|_| refuse("Guided decoding is not supported with this backend"))
}

fn sglang(body: &Value) -> Option<Answer> {
    let detail = |name: &str| json!([{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 0}]);
    if body.get("seed").is_some() {
        return reply(422, json!({"detail": detail("seed")}));
    }
    body.get("max_tokens").and_then(|_| reply(422, json!({"detail": detail("max_tokens")})))
}

fn gemini(body: &Value) -> Option<Answer> {
    let refuse = |message: &str| {
        reply(400, json!([{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}]))
    };
    if body.get("seed").is_some() {
        return refuse("Invalid JSON payload received. Unknown name \"seed\": Cannot find field.");
    }
    let refused = body["response_format"]["type"] == "json_schema";
    refused
        .then(|| refuse("Invalid JSON payload received. Unknown name \"title\" at 'generation_config.response_schema': Cannot find field."))
        .flatten()
}

fn mistral(body: &Value) -> Option<Answer> {
    body.get("seed")?;
    let detail = json!([{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted", "input": 0}]);
    reply(
        422,
        json!({"object": "error", "message": {"detail": detail}, "type": "invalid_request_error", "param": null, "code": null}),
    )
}

type Dialect = fn(&Value) -> Option<Answer>;

/// A parameter, and what is sent in its place.
type Sent = (&'static str, Option<&'static str>);

/// Each server with what is sent to it instead of what.
fn dialects() -> Vec<(&'static str, Dialect, Vec<Sent>)> {
    vec![
        ("openai", openai, vec![("max_tokens", Some("max_completion_tokens")), ("temperature", None)]),
        ("azure", azure, vec![("response_format", Some("json_object")), ("seed", None)]),
        ("vllm", vllm, vec![("response_format", None), ("seed", None)]),
        ("sglang", sglang, vec![("max_tokens", Some("max_completion_tokens")), ("seed", None)]),
        ("gemini", gemini, vec![("response_format", Some("json_object")), ("seed", None)]),
        ("mistral", mistral, vec![("seed", Some("random_seed"))]),
    ]
}

fn changes(list: &[(&str, Option<&str>)]) -> ParameterChanges {
    list.iter().map(|(name, instead)| ((*name).to_owned(), instead.map(str::to_owned))).collect()
}

#[tokio::test]
async fn each_dialect_is_learned_once_and_kept_with_the_cache() {
    for (name, refuse, expected) in dialects() {
        let refusals = std::sync::Arc::new(AtomicUsize::new(0));
        let count = std::sync::Arc::clone(&refusals);
        let server = Server::start(move |_, body| match refuse(body) {
            Some(refusal) => {
                count.fetch_add(1, Ordering::Relaxed);
                refusal
            }
            None => good("はい"),
        })
        .await;
        let folder = tempfile::tempdir().unwrap();
        let first = client(&server, Some(folder.path()));
        assert_eq!(first.send(&request("一")).await.unwrap().text, "はい", "{name}");
        assert_eq!(first.parameter_changes("m"), changes(&expected), "{name}");
        assert_eq!(first.ledger().parameters["m"], changes(&expected), "{name}");
        let learned = refusals.load(Ordering::Relaxed);
        assert_eq!(server.count(), learned + 1, "{name}");
        drop(first);

        // A later run knows it, and finds the reply to what was asked for.
        let second = client(&server, Some(folder.path()));
        assert!(second.send(&request("一")).await.unwrap().cached, "{name}");
        second.send(&request("二")).await.unwrap();
        assert_eq!(refusals.load(Ordering::Relaxed), learned, "{name}");
        assert_eq!(server.count(), learned + 2, "{name}");
        assert_eq!(second.parameter_changes("m"), changes(&expected), "{name}");

        // What replaces a schema is said in words.
        let last = server.seen.lock().unwrap().last().unwrap().body.clone();
        let is_told = last["messages"][0]["content"].as_str().unwrap().contains("見出し");
        assert_eq!(is_told, changes(&expected).contains_key("response_format"), "{name}: {last}");
    }
}

#[tokio::test]
async fn requests_in_flight_are_all_answered() {
    let server = Server::start(|_, body| openai(body).unwrap_or_else(|| good("はい"))).await;
    let client = client(&server, None);
    let requests: Vec<Request> = (0..64).map(|number| request(&number.to_string())).collect();
    for reply in futures::future::join_all(requests.iter().map(|request| client.send(request))).await {
        assert_eq!(reply.unwrap().text, "はい");
    }
    // At most those that were in flight when each parameter was refused.
    assert!(server.count() <= 64 + 2 * client.config().concurrency, "{}", server.count());
    let ledger = client.ledger();
    assert_eq!((ledger.answered, ledger.failed.len(), ledger.retries.len()), (64, 0, 0));
}

#[tokio::test]
async fn models_and_endpoints_are_told_apart() {
    let strict = Server::start(|_, body| match body["model"] == "m" {
        true => openai(body).unwrap_or_else(|| good("はい")),
        false => good("はい"),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let client_of_strict = client(&strict, Some(folder.path()));
    client_of_strict.send(&request("一")).await.unwrap();
    client_of_strict.send(&Request { model: "other".into(), ..request("一") }).await.unwrap();
    assert_eq!(client_of_strict.ledger().parameters.len(), 1);
    let seen = strict.seen.lock().unwrap().last().unwrap().body.clone();
    assert_eq!((&seen["temperature"], &seen["max_tokens"]), (&json!(0.0), &json!(50)));

    let lenient = Server::start(|_, _| good("はい")).await;
    let client_of_lenient = client(&lenient, Some(folder.path()));
    client_of_lenient.send(&request("二")).await.unwrap();
    assert!(client_of_lenient.ledger().parameters.is_empty());
    assert!(lenient.seen.lock().unwrap()[0].body.get("temperature").is_some());
}

#[tokio::test]
async fn a_refusal_without_end_is_an_error() {
    let server = Server::start(|_, _| {
        error(
            400,
            "x",
            "temperature, seed, max_tokens, max_completion_tokens, response_format: not supported",
        )
    })
    .await;
    let refused = client(&server, None).send(&request("一")).await.unwrap_err();
    assert_eq!(refused.reason(), "rejected_by_server", "{refused}");
    // Temperature, seed, two names of the limit, two forms of the reply, and then nothing was left to leave out.
    assert_eq!(server.count(), 7);
}
