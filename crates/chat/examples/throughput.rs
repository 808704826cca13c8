//! How many requests with an image of 100 KB the client sends in a second, and what one costs in CPU time.
//!
//! `throughput serve` is a loopback server that answers after 50 ms; `throughput send URL N CONCURRENCY` sends to it.
//! `benches/peers/chat_throughput.py` runs both beside the Python package `openai`.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tsumugi_chat::{ChatMessage, Client, ClientConfig, Part, Request};

type Failure = Box<dyn std::error::Error>;

const REPLY: &str = r#"{"id":"x","object":"chat.completion","created":0,"model":"m","choices":[{"index":0,"message":
{"role":"assistant","content":"はい"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => runtime.block_on(serve()),
        ["send", url, count, concurrency] => {
            runtime.block_on(send(url, count.parse()?, concurrency.parse()?))
        }
        _ => Err("usage: throughput serve | throughput send URL N CONCURRENCY".into()),
    }
}

async fn serve() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/v1", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let service = service_fn(|request: hyper::Request<Incoming>| async move {
                let mut body = request.into_body();
                while let Some(Ok(_)) = body.frame().await {}
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut response = hyper::Response::new(Full::new(Bytes::from_static(REPLY.as_bytes())));
                response
                    .headers_mut()
                    .insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
                Ok::<_, Infallible>(response)
            });
            // A client that hangs up is the end of a measurement.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn send(url: &str, count: usize, concurrency: usize) -> Result<(), Failure> {
    let client = Client::new(ClientConfig { concurrency, ..ClientConfig::new(url) })?;
    let image: Vec<u8> = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let jobs = (0..count).map(|number| {
        let (client, image) = (client.clone(), image.clone());
        tokio::spawn(async move {
            let parts = vec![
                Part::Text(format!("{number}枚目")),
                Part::Image { mime: "image/jpeg".into(), bytes: image },
            ];
            let messages = vec![ChatMessage::user_parts(parts)];
            client.send(&Request { model: "m".into(), messages, ..Request::default() }).await
        })
    });
    let mut running = futures::stream::iter(jobs).buffer_unordered(concurrency);
    while let Some(reply) = running.next().await {
        reply??;
    }
    let seconds = started.elapsed().as_secs_f64();
    let cpu_ms = (cpu_seconds() - cpu) * 1000.0 / count as f64;
    println!(
        "{{\"requests_per_second\": {:.1}, \"cpu_ms_per_request\": {cpu_ms:.3}}}",
        count as f64 / seconds
    );
    Ok(())
}

/// User and system time of this process, from Linux's /proc (100 ticks a second); 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}
