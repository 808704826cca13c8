//! Benchmarks from a hub: a loopback server that speaks the part of the hub's protocol that is needed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tsumugi_eval::Registry;
use tsumugi_eval::bench::{Hub, LoadRequest};
use tsumugi_eval::profile::Profile;

type Failure = Box<dyn std::error::Error>;

const TOKEN: &str = "hf_onlyATest";
const REPOSITORY: &str = "SakanaAI/JA-VLM-Bench-In-the-Wild";

fn parquet(question: &str) -> Result<Vec<u8>, Failure> {
    let column = |text: &str| Arc::new(StringArray::from(vec![text.to_owned()])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("question", column(question)), ("answer", column("答え"))])?;
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(bytes)
}

/// Serves files by name to who shows the token, until the process ends; gives its address and its count of requests.
fn serve(files: BTreeMap<String, Vec<u8>>) -> std::io::Result<(String, Arc<AtomicUsize>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let (count, files) = (Arc::new(AtomicUsize::new(0)), Arc::new(files));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
            let files = Arc::clone(&files);
            std::thread::spawn(move || answer(stream, &files));
        }
    });
    Ok((address, count))
}

fn answer(stream: TcpStream, files: &BTreeMap<String, Vec<u8>>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let header = |name: &str| {
        let found =
            lines.iter().filter_map(|line| line.split_once(": ")).find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    };
    let allowed = header("authorization").is_some_and(|value| value == format!("Bearer {TOKEN}"));
    let file =
        path.strip_prefix(&format!("/datasets/{REPOSITORY}/resolve/main/")).and_then(|name| files.get(name));
    let (status, body, range) = if !allowed {
        (401, format!("{:?} may not read this", header("authorization")).into_bytes(), String::new())
    } else if path.starts_with(&format!("/api/datasets/{REPOSITORY}")) {
        let names: Vec<_> = files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
        (200, serde_json::json!({"sha": "c0ffee", "siblings": names}).to_string().into_bytes(), String::new())
    } else if let Some(bytes) = file {
        let range = header("range").unwrap_or_default();
        let (from, to) = range.trim_start_matches("bytes=").split_once('-')?;
        let from: usize = from.parse().ok()?;
        let to = to.parse().map_or(bytes.len(), |to: usize| (to + 1).min(bytes.len()));
        let shown = format!("content-range: bytes {from}-{}/{}\r\n", to.saturating_sub(1), bytes.len());
        (206, bytes[from..to].to_vec(), shown)
    } else {
        (404, Vec::new(), String::new())
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\netag: \"{}\"\r\nx-repo-commit: c0ffee\r\n{range}content-length: {}\r\nconnection: close\r\n\r\n",
        path.replace('/', "-"),
        body.len()
    );
    reader.get_mut().write_all(head.as_bytes()).ok()?;
    reader.get_mut().write_all(&body).ok()
}

fn load(hub: &Hub) -> Result<Vec<String>, tsumugi_eval::Error> {
    let request = LoadRequest::new(Profile::Paper).with_hub(hub.clone());
    let benchmark = Registry::default().load_benchmark("ja-vlm-bench-in-the-wild", &request)?;
    Ok(benchmark.questions.into_iter().map(|question| question.question).collect())
}

#[test]
fn a_benchmark_is_fetched_once_and_then_there() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let files = BTreeMap::from([
        ("README.md".to_owned(), b"# x".to_vec()),
        ("data/test-00001-of-00002.parquet".to_owned(), parquet("二")?),
        ("data/test-00000-of-00002.parquet".to_owned(), parquet("一")?),
        ("data/train-00000-of-00001.parquet".to_owned(), parquet("別")?),
    ]);
    let (address, count) = serve(files)?;
    let hub = Hub::new(&address, folder.path()).with_token(TOKEN);
    assert_eq!(load(&hub)?, ["一", "二"]);
    let first = count.load(Ordering::SeqCst);
    // Again it asks only what there is; and without the hub it takes what is there.
    assert_eq!(load(&hub)?, ["一", "二"]);
    assert_eq!(count.load(Ordering::SeqCst), first + 1);
    assert_eq!(load(&Hub::new("http://127.0.0.1:9", folder.path()))?, ["一", "二"]);
    Ok(())
}

#[test]
fn half_a_download_is_not_taken_for_whole() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let place = folder.path().join("datasets--SakanaAI--JA-VLM-Bench-In-the-Wild");
    std::fs::create_dir_all(place.join("refs"))?;
    std::fs::write(place.join("refs/main"), "c0ffee")?;
    let data = place.join("snapshots/c0ffee/data");
    std::fs::create_dir_all(&data)?;
    std::fs::write(data.join("test-00000-of-00002.parquet"), parquet("一")?)?;
    let error = load(&Hub::new("http://127.0.0.1:9", folder.path())).err().ok_or("it was taken")?;
    assert!(error.to_string().contains(REPOSITORY) && error.to_string().contains("`data`"), "{error}");
    std::fs::write(data.join("test-00001-of-00002.parquet"), parquet("二")?)?;
    assert_eq!(load(&Hub::new("http://127.0.0.1:9", folder.path()))?, ["一", "二"]);
    Ok(())
}

#[test]
fn a_refusal_is_one_message_without_the_token() -> Result<(), Failure> {
    let (address, _) = serve(BTreeMap::new())?;
    for (token, reason) in [("hf_wrongSecret", "401"), (TOKEN, "no Parquet file")] {
        let hub = Hub::new(&address, Path::new("/nowhere")).with_token(token);
        let error = load(&hub).err().map(|e| e.to_string()).ok_or("it was read")?;
        assert!(error.contains(reason) && error.contains("HF_TOKEN"), "{error}");
        assert!(!error.contains(token) && !error.contains('\n'), "{error}");
        assert!(!format!("{hub:?}").contains(token));
    }
    Ok(())
}
