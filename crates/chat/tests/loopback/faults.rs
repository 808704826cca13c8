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
        ("no list of choices", || Answer::Reply(200, vec![], "{\"choices\": null}".into())),
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
async fn a_server_that_only_asks_for_patience_stops_the_run_after_a_few_requests() {
    let busy = || Answer::Reply(429, vec![("retry-after-ms", "60".into())], "{}".into());
    let impatient = |server: &Server| ClientConfig { deadline: 0.6, ..config(server) };
    let server = Server::start(move |_, _| busy()).await;
    let client = Client::new(impatient(&server)).unwrap();
    for number in 0..2 {
        let error = client.send(&request(&number.to_string())).await.unwrap_err();
        assert_eq!((error.reason(), error.is_fatal()), ("deadline", false));
    }
    let error = client.send(&request("third")).await.unwrap_err();
    assert_eq!((error.reason(), error.is_fatal()), ("put_off", true), "{error}");
    let sent = server.count();
    assert_eq!(client.send(&request("fourth")).await.unwrap_err().reason(), "stopped");
    assert_eq!(server.count(), sent);

    // An answer between them shows that the server does take requests.
    let server = Server::start(move |_, body| match body["messages"][0]["content"].as_str() {
        Some("fine") => good("はい"),
        _ => busy(),
    })
    .await;
    let client = Client::new(impatient(&server)).unwrap();
    for text in ["a", "b", "fine", "c", "d"] {
        assert_eq!(client.send(&request(text)).await.is_ok(), text == "fine");
    }
    assert!(client.check_running().is_ok());
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
    let free = format!("127.0.0.1:{}", tsumugi_testkit::closed_port());
    let client = Client::new(ClientConfig::new(format!("http://{free}/v1"))).unwrap();
    let error = client.send(&request("a")).await.unwrap_err();
    assert!(error.is_fatal() && error.reason() == "connect");
    let text = error.to_string();
    assert!(text.contains(&free) && text.contains("refused") && text.contains("`base_url`"), "{text}");
}

#[tokio::test]
async fn an_allowance_that_nobody_names_loses_nothing() {
    // A bucket of 10 that fills with 100 a second, and no header that says so.
    let bucket = Mutex::new((10.0_f64, std::time::Instant::now()));
    let server = Server::start(move |_, body| {
        let (level, at) = &mut *bucket.lock().unwrap();
        *level = (*level + at.elapsed().as_secs_f64() * 100.0).min(10.0);
        *at = std::time::Instant::now();
        if *level < 1.0 {
            return error(429, "rate_limit_exceeded", "slow down");
        }
        *level -= 1.0;
        good(body["messages"][0]["content"].as_str().unwrap())
    })
    .await;
    let config = ClientConfig {
        concurrency: 64,
        max_retries: 2,
        backoff_base: 0.05,
        backoff_cap: 1.0,
        ..config(&server)
    };
    let client = Client::new(config).unwrap();
    let requests: Vec<Request> = (0..200).map(|number| request(&number.to_string())).collect();
    let sent = requests.iter().map(|request| client.send(request));
    for reply in futures::future::join_all(sent).await {
        reply.unwrap();
    }
    let ledger = client.ledger();
    assert_eq!(ledger.answered, 200);
    assert!(ledger.retries["rate_limited"] > 0);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_stops_the_run() {
    let server =
        Server::start(|_, _| Answer::Reply(429, vec![("retry-after", "3600".into())], "{}".into())).await;
    let client = Client::new(config(&server)).unwrap();
    let asked = client.send(&request("a")).await.unwrap_err();
    assert!(asked.is_fatal() && asked.reason() == "asked_to_wait", "{asked}");
    assert!(asked.to_string().contains("3600 s") && asked.to_string().contains("run again later"), "{asked}");
    assert_eq!(client.send(&request("b")).await.unwrap_err().reason(), "stopped");
    assert!(client.check_running().is_err());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_server_that_rejects_everything_stops_the_run() {
    let server = Server::start(|_, _| error(400, "invalid", "seed is not supported")).await;
    let client = Client::new(config(&server)).unwrap();
    let mut reasons = Vec::new();
    for number in 0..12 {
        let error = client.send(&request(&number.to_string())).await.unwrap_err();
        assert!(number != 9 || error.to_string().contains("model's name"), "{error}");
        reasons.push(error.reason());
    }
    assert!(reasons[..9].iter().all(|reason| *reason == "rejected_by_server"), "{reasons:?}");
    assert_eq!(reasons[9..], ["unsupported", "stopped", "stopped"]);
    // Where one was answered it is the items.
    let server = Server::start(|number, _| match number {
        0 => good("はい"),
        _ => error(400, "invalid", "no"),
    })
    .await;
    let client = Client::new(config(&server)).unwrap();
    client.send(&request("good")).await.unwrap();
    for number in 0..12 {
        let error = client.send(&request(&number.to_string())).await.unwrap_err();
        assert_eq!(error.reason(), "rejected_by_server");
    }
}

#[tokio::test]
async fn bodies_are_read_up_to_a_bound() {
    let server = Server::start(|number, _| match number {
        0 => Answer::Reply(400, vec![], "x".repeat(1 << 20)),
        _ => good(&"長".repeat(6 << 20)),
    })
    .await;
    let client = Client::new(config(&server)).unwrap();
    for expected in ["HTTP 400", "longer than 16 MiB"] {
        let error = client.send(&request("a")).await.unwrap_err();
        assert!(error.reason() == "rejected_by_server" && error.to_string().contains(expected), "{error}");
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_server_that_goes_away_after_an_error_is_waited_for() {
    // One connection: a 503 that closes it, and for a while nobody listens there.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let answer = |listener: &std::net::TcpListener, text: &str| {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(text.as_bytes()).unwrap();
        };
        answer(&listener, "HTTP/1.1 503 Busy\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        drop(listener);
        std::thread::sleep(Duration::from_millis(300));
        let body = r#"{"choices":[{"message":{"content":"はい"}}]}"#;
        let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        answer(&std::net::TcpListener::bind(address).unwrap(), &(head + body));
    });
    let config = ClientConfig {
        backoff_base: 0.05,
        backoff_cap: 0.2,
        max_retries: 100,
        ..ClientConfig::new(format!("http://{address}/v1"))
    };
    let client = Client::new(config).unwrap();
    assert_eq!(client.send(&request("a")).await.unwrap().text, "はい");
    let ledger = client.ledger();
    assert!(ledger.retries.contains_key("unreachable"), "{ledger:?}");
    server.join().unwrap();
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
