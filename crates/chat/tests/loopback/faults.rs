//! Each fault that real endpoints show, against a loopback server.

use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use crate::server::{Answer, Server, error, good};
use tsumugi_chat::{ApiKey, ChatMessage, Client, ClientConfig, Error, Reply, Request};

const KEY: &str = "sk-test-0123456789abcdef";

fn config(server: &Server) -> ClientConfig {
    ClientConfig {
        api_key: Some(ApiKey::new(KEY).unwrap()),
        backoff_base: 0.002,
        backoff_cap: 0.01,
        timeout: 5.0,
        ..ClientConfig::new(&server.base_url)
    }
}

fn request(text: &str) -> Request {
    Request {
        model: "m".into(),
        messages: vec![ChatMessage::user(text)],
        max_tokens: Some(50),
        ..Request::default()
    }
}

type Fault = fn() -> Answer;

/// The first answer is `fault`, those after it are good.
async fn after(fault: Fault) -> (Server, Result<Reply, Error>) {
    let server = Server::start(move |number, _| if number == 0 { fault() } else { good("はい") }).await;
    let reply = Client::new(config(&server)).unwrap().send(&request("a")).await;
    (server, reply)
}

#[tokio::test]
async fn passing_faults_are_survived() {
    let faults: &[(&str, Fault)] = &[
        ("429 with an integer code", || {
            let body =
                r#"{"object":"error","message":"slow","type":"TooManyRequests","param":null,"code":429}"#;
            Answer::Reply(429, vec![], body.into())
        }),
        ("429 with HTML", || {
            Answer::Reply(429, vec![("content-type", "text/html".into())], "<h1>429</h1>".into())
        }),
        ("503", || Answer::Reply(503, vec![], String::new())),
        ("500 with HTML", || Answer::Reply(500, vec![], "<html>oops</html>".into())),
        ("408", || error(408, "timeout", "too slow")),
        ("a cut connection", || Answer::Cut),
        ("broken JSON", || Answer::Reply(200, vec![], "{\"choices\": [".into())),
        ("no choices", || Answer::Reply(200, vec![], "{\"choices\": []}".into())),
        ("an error inside a 200", || {
            Answer::Reply(200, vec![], r#"{"error":{"message":"busy","code":502}}"#.into())
        }),
    ];
    for (name, fault) in faults {
        let (server, reply) = after(*fault).await;
        assert_eq!(reply.unwrap_or_else(|error| panic!("{name}: {error}")).text, "はい", "{name}");
        assert_eq!(server.count(), 2, "{name}");
    }
}

#[tokio::test]
async fn retry_after_is_respected_in_all_three_forms() {
    let (server, reply) = after(|| Answer::Reply(429, vec![("retry-after", "1".into())], "{}".into())).await;
    assert!(reply.is_ok() && server.gap() >= 1.0, "{}", server.gap());
    let (server, reply) =
        after(|| Answer::Reply(503, vec![("retry-after", "0.3".into())], "{}".into())).await;
    assert!(reply.is_ok() && server.gap() >= 0.3, "{}", server.gap());
    let (server, reply) =
        after(|| Answer::Reply(429, vec![("retry-after-ms", "250".into())], "{}".into())).await;
    assert!(reply.is_ok() && (0.25..5.0).contains(&server.gap()), "{}", server.gap());
    let (server, reply) = after(|| {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(2)); // whole seconds: 1 to 2 from now
        Answer::Reply(429, vec![("retry-after", date)], "{}".into())
    })
    .await;
    assert!(reply.is_ok() && server.gap() >= 0.9, "{}", server.gap());
}

#[tokio::test]
async fn faults_of_one_item_end_it_and_not_the_run() {
    let server = Server::start(|_, body| match body["messages"][0]["content"].as_str() {
        Some("long") => error(400, "context_length_exceeded", "maximum context length is 10"),
        Some("filtered") => error(400, "content_filter", "no"),
        Some("odd") => error(422, "invalid", "no"),
        _ => good("はい"),
    })
    .await;
    let client = Client::new(config(&server)).unwrap();
    for (text, reason) in
        [("long", "context_too_long"), ("filtered", "content_filter"), ("odd", "rejected_by_server")]
    {
        let error = client.send(&request(text)).await.unwrap_err();
        assert_eq!((error.reason(), error.is_fatal()), (reason, false));
    }
    assert!(client.send(&request("fine")).await.is_ok());
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn quota_and_key_stop_the_run_and_keep_what_is_in_flight() {
    for (status, code, reason) in [
        (429, "insufficient_quota", "quota"),
        (401, "invalid_api_key", "auth"),
        (404, "model_not_found", "unsupported"),
    ] {
        let server = Server::start(move |_, body| match body["messages"][0]["content"].as_str() {
            Some("slow") => Answer::Later(Duration::from_millis(300), Box::new(good("間に合った"))),
            _ => Answer::Later(Duration::from_millis(50), Box::new(error(status, code, "no"))),
        })
        .await;
        let client = Client::new(config(&server)).unwrap();
        let (slow, fast) = (request("slow"), request("fast"));
        let (in_flight, failed) = tokio::join!(client.send(&slow), client.send(&fast));
        let failed = failed.unwrap_err();
        assert_eq!((failed.reason(), failed.is_fatal()), (reason, true));
        assert_eq!(in_flight.unwrap().text, "間に合った");
        let stopped = client.send(&request("next")).await.unwrap_err();
        assert!(matches!(&stopped, Error::Stopped { reason } if *reason == failed.to_string()));
        assert_eq!(server.count(), 2);
    }
}

#[tokio::test]
async fn a_fatal_fault_wakes_those_who_wait() {
    let server = Server::start(|_, body| match body["messages"][0]["content"].as_str() {
        Some("waits") => Answer::Reply(429, vec![("retry-after", "60".into())], "{}".into()),
        _ => Answer::Later(Duration::from_millis(100), Box::new(error(401, "invalid_api_key", "no"))),
    })
    .await;
    let client = Client::new(config(&server)).unwrap();
    let (waits, fails) = (request("waits"), request("fails"));
    let both = async { tokio::join!(client.send(&waits), client.send(&fails)) };
    let (waited, _) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert_eq!(waited.unwrap_err().reason(), "stopped");
}

#[tokio::test]
async fn nobody_at_the_address_is_told_at_once() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let client = Client::new(ClientConfig::new(format!("http://{free}/v1"))).unwrap();
    let error = client.send(&request("a")).await.unwrap_err();
    assert!(error.is_fatal() && error.reason() == "connect");
    let text = error.to_string();
    assert!(
        text.contains(&free.to_string()) && text.contains("refused") && text.contains("--base-url"),
        "{text}"
    );
}

#[tokio::test]
async fn attempts_and_time_run_out() {
    let server = Server::start(|_, _| error(500, "server_error", "down")).await;
    let client = Client::new(ClientConfig { max_retries: 3, ..config(&server) }).unwrap();
    let gave_up = client.send(&request("a")).await.unwrap_err();
    assert!(matches!(&gave_up, Error::GaveUp { attempts: 4, last } if last.contains("down")), "{gave_up}");

    let server = Server::start(|_, _| Answer::Later(Duration::from_secs(30), Box::new(good("late")))).await;
    let client =
        Client::new(ClientConfig { timeout: 0.1, deadline: 0.35, backoff_base: 0.0, ..config(&server) })
            .unwrap();
    let late = client.send(&request("a")).await.unwrap_err();
    assert!(matches!(late, Error::Deadline { .. }) && !late.is_fatal(), "{late}");
}

/// Keeps all that any crate logs.
struct Logs(Mutex<String>);

impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        let mut logs = self.0.lock().unwrap();
        logs.push_str(&format!("{} {}\n", record.target(), record.args()));
    }
    fn flush(&self) {}
}

static LOGS: Logs = Logs(Mutex::new(String::new()));

#[tokio::test]
async fn the_key_is_sent_and_appears_nowhere_else() {
    log::set_logger(&LOGS).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|number, _| match number {
        0 => error(500, "x", &format!("Incorrect API key provided: {KEY}")),
        1 => good(&format!("あなたの鍵は{KEY}です")),
        _ => error(401, "invalid_api_key", &format!("Incorrect API key provided: {KEY}")),
    })
    .await;
    let config = ClientConfig { cache: Some(folder.path().into()), ..config(&server) };
    let client = Client::new(config.clone()).unwrap();
    let reply = client.send(&request("a")).await.unwrap();
    let error = client.send(&request("b")).await.unwrap_err();
    let stopped = client.send(&request("c")).await.unwrap_err();
    assert_eq!(
        server.seen.lock().unwrap()[0].authorization.as_deref(),
        Some(format!("Bearer {KEY}").as_str())
    );
    let mut texts = vec![
        format!(
            "{reply:?} {error} {error:?} {stopped} {stopped:?} {client:?} {config:?} {:?}",
            client.ledger()
        ),
        toml::to_string(&config).unwrap(),
        serde_json::to_string(&config).unwrap(),
    ];
    for file in std::fs::read_dir(folder.path()).unwrap() {
        texts.push(String::from_utf8(std::fs::read(file.unwrap().path()).unwrap()).unwrap());
    }
    let logs = LOGS.0.lock().unwrap().clone();
    assert!(logs.contains("again in"), "the attempts that failed were logged: {logs}");
    texts.push(logs);
    assert_eq!(texts.len(), 5);
    for text in texts {
        assert!(!text.contains(KEY) && !text.contains("0123456789abcdef"), "{text}");
    }
}
