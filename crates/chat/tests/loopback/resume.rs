//! Cache, single flight, budget and limits against a loopback server.

use std::time::Duration;

use crate::server::{Answer, Server, error, good};
use futures::future::join_all;
use tsumugi_chat::{Azure, ChatMessage, Client, ClientConfig, Part, Price, Prices, Request};

fn config(server: &Server) -> ClientConfig {
    ClientConfig { backoff_base: 0.002, backoff_cap: 0.01, ..ClientConfig::new(&server.base_url) }
}

fn request(text: &str) -> Request {
    Request {
        model: "m".into(),
        messages: vec![ChatMessage::user(text)],
        max_tokens: Some(50),
        ..Request::default()
    }
}

#[tokio::test]
async fn a_second_run_sends_only_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|number, _| good(&format!("返事{number}"))).await;
    let config = ClientConfig { cache: Some(folder.path().into()), ..config(&server) };
    let client = Client::new(config.clone()).unwrap();
    let first = client.send(&request("a")).await.unwrap();
    assert!(!first.cached && client.send(&request("a")).await.unwrap().cached);
    drop(client);

    let client = Client::new(config).unwrap();
    let again = client.send(&request("a")).await.unwrap();
    assert_eq!((again.cached, &again.text, again.usage), (true, &first.text, first.usage));
    assert!(!client.send(&Request { sample: 1, ..request("a") }).await.unwrap().cached);
    assert_eq!(server.count(), 2);
    let ledger = client.ledger();
    assert_eq!((ledger.models["m"].requests, ledger.answered, ledger.cached), (2, 1, 1));
}

#[tokio::test]
async fn equal_requests_at_once_are_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| Answer::Later(Duration::from_millis(50), Box::new(good("はい")))).await;
    let client = Client::new(ClientConfig { cache: Some(folder.path().into()), ..config(&server) }).unwrap();
    let same = request("a");
    let replies = join_all((0..20).map(|_| client.send(&same))).await;
    assert!(replies.iter().all(|reply| reply.as_ref().unwrap().text == "はい"));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn one_in_five_failing_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|number, body| match number % 10 {
        3 => Answer::Reply(429, vec![("retry-after", "0.02".into())], "{}".into()),
        7 => error(500, "server_error", "oops"),
        _ => good(body["messages"][0]["content"].as_str().unwrap()),
    })
    .await;
    let client = Client::new(ClientConfig { cache: Some(folder.path().into()), ..config(&server) }).unwrap();
    let requests: Vec<Request> = (0..300).map(|number| request(&format!("問{number}"))).collect();
    for (number, reply) in
        join_all(requests.iter().map(|request| client.send(request))).await.into_iter().enumerate()
    {
        assert_eq!(reply.unwrap().text, format!("問{number}"));
    }
    let ledger = client.ledger();
    assert_eq!(ledger.models["m"].requests, 300);
    assert_eq!(ledger.retries.values().sum::<u64>() as usize, server.count() - 300);
}

#[tokio::test]
async fn the_budget_is_not_overshot() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| good("はい")).await; // 10 prompt and 5 completion tokens: 0.015 USD
    let prices = Prices {
        models: [("m".to_owned(), Price { input: 1000.0, output: 1000.0, ..Price::default() })].into(),
    };
    let config = ClientConfig {
        cache: Some(folder.path().into()),
        prices,
        budget_usd: Some(0.3),
        concurrency: 8,
        ..config(&server)
    };
    for expected in [true, false] {
        let client = Client::new(config.clone()).unwrap();
        let requests: Vec<Request> = (0..60).map(|number| request(&format!("問{number}"))).collect();
        let replies = join_all(requests.iter().map(|request| client.send(request))).await;
        let ledger = client.ledger();
        assert!(ledger.usd <= 0.3, "{}", ledger.usd);
        assert!(ledger.models["m"].requests >= 10);
        assert_eq!(ledger.answered > 0, expected); // the second run knows what the first spent
        assert!(replies.iter().any(|reply| reply.as_ref().is_err_and(tsumugi_chat::Error::is_fatal)));
    }
    let unpriced = Client::new(ClientConfig { prices: Prices::default(), ..config }).unwrap();
    assert_eq!(unpriced.send(&request("new")).await.unwrap_err().reason(), "config");
}

#[tokio::test]
async fn what_a_lost_answer_may_have_cost_counts_against_the_budget() {
    let server = Server::start(|number, _| if number == 0 { Answer::Cut } else { good("はい") }).await;
    let price = Price { input: 1000.0, output: 1000.0, ..Price::default() };
    let prices = Prices { models: [("m".to_owned(), price)].into() };
    let client = Client::new(ClientConfig { prices, budget_usd: Some(0.2), ..config(&server) }).unwrap();
    client.send(&request("a")).await.unwrap();
    let ledger = client.ledger();
    // 0.015 for the answer; of the one that was cut the most that it can have cost: 50 tokens and the prompt.
    assert!((ledger.usd - 0.015).abs() < 1e-9 && ledger.usd_unknown > 0.05, "{ledger:?}");
    let sent = join_all(["b", "c", "d", "e", "f"].map(|text| {
        let client = client.clone();
        async move { client.send(&request(text)).await }
    }))
    .await;
    assert!(sent.iter().any(Result::is_err));
    assert!(client.ledger().usd + client.ledger().usd_unknown <= 0.2);
}

#[tokio::test]
async fn what_a_lost_answer_may_have_cost_is_known_to_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|number, _| if number == 0 { Answer::Cut } else { good("はい") }).await;
    let price = Price { input: 1000.0, output: 1000.0, ..Price::default() };
    let prices = Prices { models: [("m".to_owned(), price)].into() };
    let config = ClientConfig { prices, cache: Some(folder.path().into()), ..config(&server) };
    let client = Client::new(config.clone()).unwrap();
    client.send(&request("a")).await.unwrap();
    let unknown = client.ledger().usd_unknown;
    drop(client);
    let again = Client::new(config.clone()).unwrap();
    assert!(unknown > 0.05 && (again.ledger().usd_unknown - unknown).abs() < 1e-12, "{:?}", again.ledger());
    assert!(again.send(&request("a")).await.unwrap().cached);

    // Nothing was sent where nobody took the connection.
    let free = format!("127.0.0.1:{}", tsumugi_testkit::closed_port());
    let nobody = Client::new(ClientConfig { base_url: format!("http://{free}/v1"), cache: None, ..config });
    let nobody = nobody.unwrap();
    assert_eq!(nobody.send(&request("b")).await.unwrap_err().reason(), "connect");
    assert_eq!(nobody.ledger().usd_unknown, 0.0);
}

#[tokio::test]
async fn a_reply_without_counts_is_not_free() {
    let server = Server::start(|_, _| {
        let body = r#"{"choices":[{"message":{"role":"assistant","content":"富士山です。"},"finish_reason":"stop"}]}"#;
        Answer::Reply(200, vec![], body.into())
    })
    .await;
    let price = Price { input: 1000.0, output: 1000.0, ..Price::default() };
    let prices = Prices { models: [("m".to_owned(), price)].into() };
    let client = Client::new(ClientConfig { prices, ..config(&server) }).unwrap();
    let reply = client.send(&request("何山ですか")).await.unwrap();
    // 16 for the frames and 15 bytes of the prompt; 6 characters of the reply.
    assert!((reply.usd - 0.037).abs() < 1e-9, "{}", reply.usd);
    assert!(reply.time > 1_700_000_000 && !reply.cached);
}

#[tokio::test]
async fn limits_are_learned_while_running() {
    // The server allows two requests, then none for 0.4 s.
    let server = Server::start(|number, _| {
        let headers = vec![
            ("x-ratelimit-limit-requests", "6000".to_owned()),
            ("x-ratelimit-remaining-requests", if number == 1 { "0" } else { "5" }.to_owned()),
            ("x-ratelimit-reset-requests", "400ms".to_owned()),
        ];
        let Answer::Reply(status, _, body) = good("はい") else { unreachable!() };
        Answer::Reply(status, headers, body)
    })
    .await;
    let client = Client::new(ClientConfig { concurrency: 1, ..config(&server) }).unwrap();
    for text in ["a", "b", "c"] {
        client.send(&request(text)).await.unwrap();
    }
    let seen = server.seen.lock().unwrap();
    assert!((seen[2].at - seen[1].at) >= Duration::from_millis(390), "{:?}", seen[2].at - seen[1].at);
}

#[tokio::test]
async fn no_more_than_allowed_are_in_flight() {
    let server = Server::start(|_, _| Answer::Later(Duration::from_millis(10), Box::new(good("はい")))).await;
    let client = Client::new(ClientConfig { concurrency: 3, ..config(&server) }).unwrap();
    let requests: Vec<Request> = (0..30).map(|number| request(&format!("問{number}"))).collect();
    join_all(requests.iter().map(|request| client.send(request))).await;
    assert_eq!((server.count(), server.most_concurrent()), (30, 3));
}

#[tokio::test]
async fn requests_a_minute_are_kept() {
    let server = Server::start(|_, _| good("はい")).await;
    // 1,200 a minute: a burst of 200, then 20 a second; 210 requests take at least half a second.
    let client =
        Client::new(ClientConfig { requests_per_minute: Some(1200), concurrency: 64, ..config(&server) })
            .unwrap();
    let requests: Vec<Request> = (0..210).map(|number| request(&format!("問{number}"))).collect();
    join_all(requests.iter().map(|request| client.send(request))).await;
    let seen = server.seen.lock().unwrap();
    let took = seen.last().unwrap().at - seen[0].at;
    assert!(took >= Duration::from_millis(450), "{took:?}");
}

#[tokio::test]
async fn azure_urls_name_the_deployment() {
    let server = Server::start(|_, _| good("はい")).await;
    let azure = Azure { deployment: "d".into(), api_version: "2024-10-21".into() };
    let client = Client::new(ClientConfig { azure: Some(azure), ..config(&server) }).unwrap();
    let mut asked = request("a");
    asked.messages[0].parts.push(Part::Image { mime: "image/png".into(), bytes: vec![0; 10] });
    client.send(&asked).await.unwrap();
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen[0].path, "/v1/openai/deployments/d/chat/completions?api-version=2024-10-21");
    assert_eq!(seen[0].authorization, None);
    assert!(
        seen[0].body["messages"][0]["content"][1]["image_url"]["url"]
            .as_str()
            .unwrap()
            .starts_with("data:image/png;base64,")
    );
}
