//! The step `synthesize` against the stand-in server.
#![cfg(feature = "synth")]
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tsumugi_chat::Ledger;
use tsumugi_demo::{MODEL, StandIn};
use tsumugi_pipeline::runner::{self, Summary};
use tsumugi_pipeline::steps::synthesize::{Synthesize, SynthesizeConfig};
use tsumugi_pipeline::{Context, Error, with_causes};
use tsumugi_record::{Conversation, Excluded, Image, Pair, Provenance, ShardReader, ShardWriter};
use tsumugi_synth::{Call, CheckConfig, Report, Task};
use tsumugi_testkit::{Reply, Server};

fn image(colour: [u8; 3]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(40, 30, image::Rgb(colour))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// Three pairs, the last of which has no readable image.
fn pairs(folder: &Path) {
    let captions = ["夕焼けの海に浮かぶ三隻の赤い船", "野原に咲く白い花", "壊れた画像"];
    let images = [image([200, 40, 40]), image([245, 245, 245]), b"no image".to_vec()];
    let mut writer = ShardWriter::create(folder.join("pairs-00000.parquet")).unwrap();
    for (number, (text, bytes)) in captions.iter().zip(images).enumerate() {
        let image = Image { bytes: Some(bytes), path: Some(format!("{number}.png")) };
        writer
            .push(Pair { id: format!("p{number}"), text: (*text).into(), image, ..Pair::default() })
            .unwrap();
    }
    writer.finish().unwrap();
}

/// An input folder with these pairs, a server, and the settings for a run of these tasks.
fn set_up(folder: &Path, tasks: Vec<Task>) -> (StandIn, SynthesizeConfig) {
    let input = folder.join("pairs");
    std::fs::create_dir(&input).unwrap();
    pairs(&input);
    let server = StandIn::start().unwrap();
    let config = SynthesizeConfig {
        images: Some(input),
        out: folder.join("out"),
        tasks,
        base_url: Some(server.base_url().to_owned()),
        model: MODEL.into(),
        ..SynthesizeConfig::default()
    };
    (server, config)
}

fn synthesize(config: &SynthesizeConfig) -> Result<Summary, Error> {
    runner::run::<Synthesize>(config.clone(), &Context::hidden())
}

fn ledger(done: &Summary) -> Ledger {
    serde_json::from_value(done.details["ledger"].clone()).unwrap()
}

fn read<R: tsumugi_record::Record>(path: impl AsRef<Path>) -> Vec<R> {
    ShardReader::<R>::open(path).unwrap().read_all().unwrap()
}

#[test]
fn every_task_gives_conversations_that_name_the_stand_in() {
    let folder = tempfile::tempdir().unwrap();
    let tasks = vec![Task::Conversation, Task::Detail, Task::Reasoning, Task::Photo, Task::Vqa, Task::Ocr];
    let (server, config) = set_up(folder.path(), tasks);
    let out = config.out.clone();
    let done = synthesize(&config).unwrap();
    let rows: Vec<Conversation> = read(out.join("conversations-00000.parquet"));
    let excluded: Vec<Excluded> = read(out.join("excluded/excluded-00000.parquet"));
    assert_eq!(rows.len() + excluded.len(), 18, "{excluded:?}");
    assert!(rows.len() >= 14, "{excluded:?}");
    assert!(excluded.iter().filter(|row| row.reason == "unreadable_image").count() == 3);
    assert!(rows.iter().all(|row| row.generator.model == MODEL && row.images.len() == 1));
    let boats = rows.iter().find(|row| row.task == "conversation").unwrap();
    assert_eq!(
        (boats.messages[0].content[0].kind.as_str(), boats.messages[0].role.as_str()),
        ("image", "user")
    );
    assert!(boats.messages[1].content[0].text.as_ref().unwrap().contains("赤い船"));
    assert_eq!(boats.generator.prompt_version, "conversation-1");
    assert_eq!(ledger(&done).answered, 15);
    assert_eq!(done.rows["conversations"], rows.len() as u64);
    let report: Report = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!(report.tasks["photo"].rejected["unreadable_image"], 1);

    // Finished: nothing is asked again. From the replies alone: the same rows.
    drop(server);
    assert_eq!(synthesize(&config).unwrap().rows, done.rows);
    let again =
        SynthesizeConfig { out: folder.path().join("again"), cache: Some(out.join("cache")), ..config };
    let repeated = synthesize(&again).unwrap();
    assert_eq!((ledger(&repeated).answered, ledger(&repeated).cached), (0, 15));
    let bytes = |path: &Path| std::fs::read(path.join("conversations-00000.parquet")).unwrap();
    assert_eq!(bytes(&out), bytes(&again.out));
}

#[test]
fn a_second_call_and_the_ledger_of_all_calls() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, config) = set_up(folder.path(), vec![Task::Detail, Task::Reasoning]);
    let checks = CheckConfig { image_needed: Some(1.0), ..CheckConfig::default() };
    let config = SynthesizeConfig { checks, ..config };
    let out = config.out.clone();
    let done = synthesize(&config).unwrap();
    // The stand-in asks for reasons, and then finds that this needs no image; descriptions are not looked at again.
    let excluded: Vec<Excluded> = read(out.join("excluded/excluded-00000.parquet"));
    let idle: Vec<&Excluded> = excluded.iter().filter(|row| row.reason == "image_not_needed").collect();
    assert_eq!((idle.len(), idle[0].step.as_str()), (3, "synthesize/reasoning"));
    assert!(idle[0].value.as_ref().unwrap().contains("\"reply\":"));
    let text = std::fs::read_to_string(out.join("ledger/calls-00000.jsonl")).unwrap();
    let calls: Vec<Call> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(calls.len() as u64, ledger(&done).answered);
    assert_eq!(calls.iter().filter(|call| call.purpose == "reasoning/image_needed").count(), 3);
    assert!(calls.iter().all(|call| call.time > 1_700_000_000 && call.item.starts_with('p')));
    let report: Report = serde_json::from_slice(&std::fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!((report.tasks["reasoning"].calls, report.tasks["detail"].calls), (6, 3));
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("image_not_needed"));
}

#[test]
fn replies_that_are_all_dropped_are_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, config) = set_up(folder.path(), vec![Task::Photo]);
    let checks = CheckConfig { language_share: 1.1, ..CheckConfig::default() };
    let config = SynthesizeConfig { checks, ..config };
    // Not in a second run either, which finds all of it done.
    for _ in 0..2 {
        let error = synthesize(&config).unwrap_err();
        let text = with_causes(&error);
        assert!(error.exit_code() == 1 && text.contains("none of 3 requests"), "{text}");
        assert!(text.contains("unreadable_image 1") && text.contains("wrong_language 2"), "{text}");
    }
    let excluded: Vec<Excluded> = read(config.out.join("excluded/excluded-00000.parquet"));
    assert_eq!(excluded.len(), 3);
    assert!(config.out.join("report.html").is_file());
}

#[test]
fn annotation_files_and_translation() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        Some(folder.path().join(name))
    };
    let server = StandIn::start().unwrap();
    let config = SynthesizeConfig {
        captions: write(
            "captions.json",
            r#"{"images":[{"id":1,"file_name":"1.jpg"}],"annotations":[{"image_id":1,"caption":"青い海に浮かぶ白い船"}]}"#,
        ),
        instructions: write(
            "llava.jsonl",
            r#"{"id":"a","image":"2.jpg","conversations":[{"from":"human","value":"<image>\nWhat is it?"},{"from":"gpt","value":"A cat."}]}"#,
        ),
        out: folder.path().join("out"),
        tasks: vec![Task::Conversation, Task::Translate],
        base_url: Some(server.base_url().to_owned()),
        model: MODEL.into(),
        ..SynthesizeConfig::default()
    };
    synthesize(&config).unwrap();
    let rows: Vec<Conversation> = read(config.out.join("conversations-00000.parquet"));
    let tasks: Vec<&str> = rows.iter().map(|row| row.task.as_str()).collect();
    assert_eq!(tasks, ["conversation", "translate"]);
    assert_eq!(rows[1].images[0].path.as_deref(), Some("2.jpg"));
}

#[test]
fn what_cannot_work_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    pairs(folder.path());
    let config = SynthesizeConfig {
        images: Some(folder.path().into()),
        out: folder.path().join("out"),
        base_url: Some("http://127.0.0.1:9/v1".into()),
        model: "m".into(),
        ..SynthesizeConfig::default()
    };
    let fails = |config: SynthesizeConfig, code: u8, word: &str| {
        let error = synthesize(&config).unwrap_err();
        let message = with_causes(&error);
        assert!(error.exit_code() == code && message.contains(word), "{message}");
    };
    fails(SynthesizeConfig { images: None, ..config.clone() }, 2, "`images`");
    fails(SynthesizeConfig { tasks: vec![Task::Translate], ..config.clone() }, 2, "`instructions`");
    fails(SynthesizeConfig { model: String::new(), ..config.clone() }, 2, "model");
    fails(SynthesizeConfig { base_url: Some("ftp://x".into()), ..config.clone() }, 2, "ftp");
    fails(SynthesizeConfig { prices: Some("missing.toml".into()), ..config.clone() }, 2, "missing.toml");
    fails(SynthesizeConfig { budget_usd: Some(1.0), ..config.clone() }, 1, "price");
    fails(
        SynthesizeConfig { out: folder.path().join("other"), ..config },
        1,
        "no connection to http://127.0.0.1:9/v1",
    );
}

#[test]
fn a_table_without_rows_is_refused_unless_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    ShardWriter::<Pair>::create(folder.path().join("pairs-00000.parquet")).unwrap().finish().unwrap();
    let server = StandIn::start().unwrap();
    let config = SynthesizeConfig {
        images: Some(folder.path().into()),
        out: folder.path().join("out"),
        base_url: Some(server.base_url().to_owned()),
        model: MODEL.into(),
        ..SynthesizeConfig::default()
    };
    let error = synthesize(&config).unwrap_err();
    assert!(error.exit_code() == 2 && with_causes(&error).contains("no rows"), "{error}");
    let context = Context::hidden().with_allow_empty(true);
    let done = runner::run::<Synthesize>(config, &context).unwrap();
    assert_eq!(done.rows["conversations"], 0);
}

/// Stands before the stand-in, and while `broken` answers requests about poison with status 500.
fn gate(standin: &StandIn, broken: &Arc<AtomicBool>) -> Server {
    let behind = standin.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    let broken = Arc::clone(broken);
    Server::start(move |request| {
        if broken.load(Ordering::SeqCst) && String::from_utf8_lossy(&request.body).contains("毒") {
            Reply::new(500, "")
        } else {
            request.forward(&behind)
        }
    })
}

#[test]
fn one_poisoned_item_costs_no_other_and_is_asked_again() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (folder.path().join("pairs"), folder.path().join("out"));
    std::fs::create_dir(&input).unwrap();
    let shards = [["毒のある赤い花", "野原に咲く白い花"], ["夕焼けの海に浮かぶ赤い船", "坂道を登る青いバス"]];
    for (number, captions) in shards.iter().enumerate() {
        let mut writer = ShardWriter::create(input.join(format!("pairs-{number:05}.parquet"))).unwrap();
        for (at, text) in captions.iter().enumerate() {
            let image = Image { bytes: Some(image([200, 40, 40])), path: None };
            writer
                .push(Pair { id: format!("p{number}{at}"), text: (*text).into(), image, ..Pair::default() })
                .unwrap();
        }
        writer.finish().unwrap();
    }
    let (standin, broken) = (StandIn::start().unwrap(), Arc::new(AtomicBool::new(true)));
    let server = gate(&standin, &broken);
    let config = SynthesizeConfig {
        images: Some(input),
        out: out.clone(),
        base_url: Some(server.url("v1")),
        model: MODEL.into(),
        max_retries: Some(1),
        ..SynthesizeConfig::default()
    };
    let error = synthesize(&config).unwrap_err();
    let text = with_causes(&error);
    assert!(error.exit_code() == 1 && text.contains("1 of 2 shards are not finished (1 requests"), "{text}");
    assert!(text.contains("give_up") && text.contains("HTTP 500"), "{text}");
    // Two attempts at the poisoned one; the three others were answered.
    assert_eq!(server.count(), 5);
    // With --give-up it is left out, and it alone was asked.
    let given_up = SynthesizeConfig {
        give_up: true,
        out: folder.path().join("given-up"),
        cache: Some(out.join("cache")),
        ..config.clone()
    };
    synthesize(&given_up).unwrap();
    let excluded: Vec<Excluded> = read(given_up.out.join("excluded/excluded-00000.parquet"));
    assert!(excluded.iter().any(|row| row.reason == "gave_up"), "{excluded:?}");
    assert_eq!(server.count(), 5 + 2);
    // The next run asks it alone.
    broken.store(false, Ordering::SeqCst);
    let done = synthesize(&config).unwrap();
    assert_eq!(server.count(), 5 + 2 + 1);
    assert_eq!((ledger(&done).answered, ledger(&done).models[MODEL].requests), (1, 4));
    let rows = |number: usize| {
        read::<Conversation>(out.join(format!("conversations-{number:05}.parquet"))).len()
            + read::<Excluded>(out.join(format!("excluded/excluded-{number:05}.parquet"))).len()
    };
    assert_eq!((rows(0), rows(1)), (2, 2));
}

#[test]
fn near_duplicates_say_where_they_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("pairs");
    std::fs::create_dir(&input).unwrap();
    let mut writer = ShardWriter::create(input.join("pairs-00000.parquet")).unwrap();
    for number in 0..2 {
        let provenance = Provenance { warc: format!("{number}.warc.gz"), ..Provenance::default() };
        let image = Image { bytes: Some(image([200, 40, 40])), path: None };
        let text = "夕焼けの海に浮かぶ三隻の赤い船".to_owned();
        writer.push(Pair { id: format!("p{number}"), text, image, provenance, ..Pair::default() }).unwrap();
    }
    writer.finish().unwrap();
    let server = StandIn::start().unwrap();
    let config = SynthesizeConfig {
        images: Some(input),
        out: folder.path().join("out"),
        base_url: Some(server.base_url().to_owned()),
        model: MODEL.into(),
        checks: CheckConfig { near_duplicate_chars: 1, ..CheckConfig::default() },
        ..SynthesizeConfig::default()
    };
    synthesize(&config).unwrap();
    let excluded: Vec<Excluded> = read(config.out.join("excluded/excluded-00000.parquet"));
    let row = excluded.iter().find(|row| row.reason == "near_duplicate").unwrap();
    assert_eq!(row.provenance.warc, "1.warc.gz");
}

/// Twenty-five pairs in shards of five.
fn many_pairs(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    for shard in 0..5 {
        let mut writer = ShardWriter::create(folder.join(format!("pairs-{shard:05}.parquet"))).unwrap();
        for at in 0..5 {
            let image = Image { bytes: Some(image([200, 40 * shard as u8, 40 * at as u8])), path: None };
            let (id, text) = (format!("p{shard}{at}"), format!("{at}隻の赤い船と{shard}羽の白い鳥"));
            writer.push(Pair { id, text, image, ..Pair::default() }).unwrap();
        }
        writer.finish().unwrap();
    }
}

#[test]
fn twenty_dropped_replies_stop_the_step_and_the_setting_lets_it_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("pairs");
    many_pairs(&input);
    let server = Server::start(|_| tsumugi_testkit::chat::completion("わかりません。"));
    let config = SynthesizeConfig {
        images: Some(input),
        out: folder.path().join("out"),
        base_url: Some(server.url("v1")),
        model: "m".into(),
        tasks: vec![Task::Photo],
        ..SynthesizeConfig::default()
    };
    // A second run stops too, whatever shards the first has finished.
    for most in [20, 25] {
        let error = synthesize(&config).unwrap_err();
        let text = with_causes(&error);
        assert!(error.exit_code() == 1 && text.contains("first 20 replies to task `photo`"), "{text}");
        assert!(text.contains("わかりません。") && text.contains("keep_going"), "{text}");
        assert!((20..=most).contains(&server.count()), "{}", server.count());
    }
    let error = synthesize(&SynthesizeConfig { keep_going: true, ..config }).unwrap_err();
    assert!(with_causes(&error).contains("none of 25 requests"), "{}", with_causes(&error));
    assert_eq!(server.count(), 25);
}

#[test]
fn a_run_that_goes_on_asks_nothing_twice_and_knows_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("pairs");
    many_pairs(&input);
    let standin = StandIn::start().unwrap();
    let behind = standin.base_url().trim_start_matches("http://").trim_end_matches("/v1").to_owned();
    // The key is taken back after some requests, which ends the run in its middle.
    let is_open = Arc::new(AtomicBool::new(false));
    let (open, bodies) = (Arc::clone(&is_open), Arc::<std::sync::Mutex<Vec<serde_json::Value>>>::default());
    let log = Arc::clone(&bodies);
    let server = Server::start(move |request| {
        let body = request.json();
        let count = {
            let mut log = log.lock().unwrap();
            log.push(body.clone());
            log.len()
        };
        if body.get("temperature").is_some() {
            return tsumugi_testkit::chat::error(400, "x", "`temperature` is deprecated for this model.");
        }
        if count > 12 && !open.load(Ordering::SeqCst) {
            return tsumugi_testkit::chat::error(401, "invalid_api_key", "no");
        }
        request.forward(&behind)
    });
    let config = SynthesizeConfig {
        images: Some(input),
        out: folder.path().join("out"),
        base_url: Some(server.url("v1")),
        model: MODEL.into(),
        concurrency: Some(2),
        tasks: vec![Task::Conversation],
        checks: CheckConfig { near_duplicate: None, ..CheckConfig::default() },
        ..SynthesizeConfig::default()
    };
    assert!(with_causes(&synthesize(&config).unwrap_err()).contains("API key"));
    let before = server.count();
    is_open.store(true, Ordering::SeqCst);
    let done = synthesize(&config).unwrap();
    let changes = &ledger(&done).parameters[MODEL];
    assert_eq!(changes.get("temperature"), Some(&None), "{changes:?}");
    let bodies = bodies.lock().unwrap();
    assert!(bodies[before..].iter().all(|body| body.get("temperature").is_none()));
    // Each of the 25 requests was answered once, and the ledger says what was sent instead.
    assert_eq!(ledger(&done).models[MODEL].requests, 25);
    let ledger = std::fs::read_to_string(config.out.join("ledger.json")).unwrap();
    assert!(ledger.contains("\"temperature\": null"), "{ledger}");
}
