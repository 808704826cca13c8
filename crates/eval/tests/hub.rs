//! Benchmarks from a hub: a loopback server that speaks the part of the hub's protocol that is needed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use tsumugi_eval::Registry;
use tsumugi_eval::bench::{Hub, LoadRequest};
use tsumugi_eval::profile::Profile;
use tsumugi_testkit::{Reply, Server};

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

/// Serves files by name to requests with the token.
fn serve(files: BTreeMap<String, Vec<u8>>) -> Server {
    Server::start(move |request| {
        let path = request.target.as_str();
        let authorization = request.header("authorization");
        let file = path.strip_prefix(&format!("/datasets/{REPOSITORY}/resolve/c0ffee/"));
        let reply = if authorization != Some(&format!("Bearer {TOKEN}")) {
            Reply::new(401, format!("{authorization:?} may not read this"))
        } else if path.starts_with(&format!("/api/datasets/{REPOSITORY}")) {
            let names: Vec<_> = files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
            Reply::new(200, serde_json::json!({"sha": "c0ffee", "siblings": names}).to_string())
        } else if let Some(bytes) = file.and_then(|name| files.get(name)) {
            Reply::object(&Arc::new(bytes.clone()))
        } else {
            Reply::new(404, "")
        };
        reply.etag(&format!("\"{}\"", path.replace('/', "-"))).header("X-Repo-Commit", "c0ffee")
    })
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
    let server = serve(files);
    let address = server.base();
    let hub = Hub::new(&address, folder.path()).with_token(TOKEN);
    assert_eq!(load(&hub)?, ["一", "二"]);
    let first = server.count();
    // Again it asks only what there is; and without the hub it takes what is there.
    assert_eq!(load(&hub)?, ["一", "二"]);
    assert_eq!(server.count(), first + 1);
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
fn a_refusal_names_the_benchmark_and_its_remedies() -> Result<(), Failure> {
    let address = serve(BTreeMap::new()).base();
    for (token, reason) in [("hf_wrongSecret", "401"), (TOKEN, "no Parquet file")] {
        let hub = Hub::new(&address, Path::new("/nowhere")).with_token(token);
        let error = load(&hub).err().ok_or("it was read")?;
        let cause = std::error::Error::source(&error).ok_or("it has no cause")?.to_string();
        assert!(error.to_string().contains("`data`") && cause.contains(reason), "{error}: {cause}");
        assert!(!cause.contains(token) && !cause.contains('\n'), "{cause}");
    }
    Ok(())
}
