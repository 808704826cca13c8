//! What becomes of each kind of reply, through the real client and a loopback server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../../chat/tests/loopback/server.rs"]
#[allow(dead_code, reason = "the client's tests use more of it")]
mod server;
#[path = "../../chat/tests/loopback/shelf.rs"]
#[allow(dead_code, reason = "the client's tests use more of it")]
mod shelf;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use server::{Answer, Server, error, good};
use tsumugi_chat::{BatchConfig, Client, ClientConfig};
use tsumugi_record::Image;
use tsumugi_synth::{CheckConfig, Item, Outcome, SynthConfig, Synthesizer, Task, Verdict};

const TURNS: &str = r#"{"turns":[{"question":"船は何色ですか。","answer":"三隻とも赤い船です。"},
    {"question":"どこに浮かんでいますか。","answer":"夕焼けの海に浮かんでいます。"}]}"#;

/// Runs the task "conversation" on items whose captions are `names`; the server answers by name.
async fn run(
    names: &[&str],
    checks: CheckConfig,
    answer: impl Fn(&str, &Value) -> Answer + Send + Sync + 'static,
) -> (Server, Vec<Outcome>) {
    let server = Server::start(move |_, body| {
        let data = body["messages"][1]["content"][1]["text"].as_str().unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        answer(data["captions"][0].as_str().unwrap_or("second call"), body)
    })
    .await;
    let client = Client::new(ClientConfig {
        backoff_base: 0.001,
        max_retries: 2,
        ..ClientConfig::new(&server.base_url)
    });
    let config = SynthConfig { model: "m".into(), checks, ..SynthConfig::default() };
    let synthesizer =
        Synthesizer::new(client.unwrap(), config, &[Task::Conversation], None, &[]).map(Arc::new).unwrap();
    let item = |name: &&str| Item { id: (*name).into(), captions: vec![(*name).into()], ..Item::default() };
    let outcomes = synthesizer.run(names.iter().map(item).collect(), |_| {}).await.unwrap();
    (server, outcomes)
}

fn reason(outcome: &Outcome) -> &str {
    match &outcome.verdict {
        Verdict::Kept(_) => "kept",
        Verdict::Rejected(row) => &row.reason,
    }
}

#[tokio::test]
async fn each_reply_is_kept_or_has_its_reason() {
    let names = ["fine", "fenced", "english", "refusal", "refused", "broken", "cut", "long", "down"];
    let (server, outcomes) = run(&names, CheckConfig::default(), |name, _| match name {
        "fine" => good(TURNS),
        "fenced" => good(&format!("```json\n{TURNS}\n```")),
        "english" => good(
            r#"{"turns":[{"question":"What colour is the boat?","answer":"The boat is red."},
                {"question":"Where is it floating?","answer":"On the sea at dusk."}]}"#,
        ),
        "refusal" => good("申し訳ありませんが、その依頼にはお答えできません。"),
        "refused" => {
            let message = json!({"role": "assistant", "content": null, "refusal": "I can't help with that."});
            Answer::Reply(200, vec![], json!({"choices": [{"message": message}]}).to_string())
        }
        "broken" => good(r#"{"turns":[{"question":"船は"#),
        "cut" => {
            let choice = json!({"message": {"content": "{\"turns\":["}, "finish_reason": "length"});
            Answer::Reply(200, vec![], json!({ "choices": [choice] }).to_string())
        }
        "long" => error(400, "context_length_exceeded", "maximum context length is 10"),
        _ => Answer::Reply(500, vec![], "<html>oops</html>".into()),
    })
    .await;
    let reasons: Vec<&str> = outcomes.iter().map(reason).collect();
    assert_eq!(
        reasons,
        [
            "kept",
            "kept",
            "wrong_language",
            "refusal",
            "refusal",
            "schema",
            "cut_off",
            "context_too_long",
            "gave_up"
        ]
    );
    // Nothing was asked again that no further attempt can mend.
    assert_eq!(server.count(), names.len() + 2);
    // The reply is kept with what was found in it, and each call that was paid for stands in the ledger.
    let Verdict::Rejected(row) = &outcomes[2].verdict else { panic!() };
    let value: Value = serde_json::from_str(row.value.as_ref().unwrap()).unwrap();
    assert!(value["reply"].as_str().unwrap().contains("The boat is red."), "{value}");
    assert!(value["found"].as_str().unwrap().starts_with("What colour"), "{value}");
    assert_eq!((outcomes[2].calls.len(), outcomes[7].calls.len()), (1, 0));
    let call = &outcomes[0].calls[0];
    assert_eq!((call.item.as_str(), call.purpose.as_str(), call.prompt_tokens), ("fine", "conversation", 10));
    let Verdict::Kept(conversation) = &outcomes[0].verdict else { panic!() };
    assert_eq!(conversation.id, call.id);
    assert!(call.time > 1_700_000_000 && call.key.len() == 64 && outcomes[0].asked);
}

#[tokio::test]
async fn after_a_stop_no_picture_is_decoded() {
    let server = Server::start(|_, _| error(401, "invalid_api_key", "no")).await;
    let client = Client::new(ClientConfig { concurrency: 1, ..ClientConfig::new(&server.base_url) }).unwrap();
    let config = SynthConfig { model: "m".into(), ..SynthConfig::default() };
    let synthesizer = Synthesizer::new(client, config, &[Task::Photo], None, &[]).map(Arc::new).unwrap();
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(8, 8).write_to(&mut png, image::ImageFormat::Png).unwrap();
    // One image, then files that decoding would find to be none.
    let items = (0..20).map(|number| {
        let bytes = if number == 0 { png.get_ref().clone() } else { b"no image".to_vec() };
        let image = Some(Image { bytes: Some(bytes), path: None });
        Item { id: number.to_string(), image, ..Item::default() }
    });
    let seen = AtomicUsize::new(0);
    let stopped = synthesizer.run(items.collect(), |_| _ = seen.fetch_add(1, Ordering::Relaxed)).await;
    assert!(stopped.unwrap_err().to_string().contains("API key"));
    assert_eq!((seen.into_inner(), server.count()), (0, 1));
}

#[tokio::test]
async fn a_second_call_drops_what_needs_no_picture() {
    let checks = CheckConfig { image_needed: Some(1.0), ..CheckConfig::default() };
    let verdict = |needed: [bool; 2]| {
        let verdicts = [1, 2].map(|number| json!({"number": number, "image_needed": needed[number - 1]}));
        good(&json!({ "verdicts": verdicts }).to_string())
    };
    let (server, outcomes) = run(&["all", "some"], checks, move |name, body| match name {
        "second call" => {
            assert!(!body.to_string().contains("image_url") && body.to_string().contains("何色ですか"));
            verdict([!body.to_string().contains("いくつ"), true])
        }
        "some" => good(&TURNS.replace("船は何色ですか", "一足す一はいくつで何色ですか")),
        _ => good(TURNS),
    })
    .await;
    assert_eq!(outcomes.iter().map(reason).collect::<Vec<_>>(), ["kept", "image_not_needed"]);
    assert_eq!((server.count(), outcomes[0].calls.len()), (4, 2));
    assert_eq!(outcomes[0].calls[1].purpose, "conversation/image_needed");
    assert_eq!(outcomes[0].calls[1].prompt_version, "image_needed-1");
    let Verdict::Rejected(row) = &outcomes[1].verdict else { panic!() };
    assert!(row.value.as_ref().unwrap().contains("一足す一"));
}

#[tokio::test]
async fn batches_answer_the_second_calls_too() {
    let folder = tempfile::tempdir().unwrap();
    let (server, shelf) = shelf::start(1, |body| {
        let second = body["response_format"]["json_schema"]["name"] == "tsumugi_image_needed";
        let verdicts = r#"{"verdicts":[{"number":1,"image_needed":true},{"number":2,"image_needed":true}]}"#;
        (200, if second { verdicts } else { TURNS }.to_owned())
    })
    .await;
    let config = ClientConfig {
        cache: Some(folder.path().into()),
        backoff_base: 0.001,
        ..ClientConfig::new(&server.base_url)
    };
    let client = Client::new(config).unwrap();
    let checks = CheckConfig { image_needed: Some(1.0), ..CheckConfig::default() };
    let config = SynthConfig { model: "m".into(), checks, ..SynthConfig::default() };
    let synthesizer =
        Synthesizer::new(client, config, &[Task::Conversation], None, &[]).map(Arc::new).unwrap();
    let item = Item { id: "a".into(), captions: vec!["船".into()], ..Item::default() };
    for _round in 0..2 {
        let config = BatchConfig { poll_seconds: 0.01, ..BatchConfig::default() };
        let mut batches = synthesizer.client().batches(config).unwrap();
        synthesizer.enqueue(vec![item.clone()], &mut batches).await.unwrap();
        assert_eq!(batches.finish(|_, _| {}).await.unwrap().answered, 1);
    }
    let outcomes = synthesizer.run(vec![item], |_| {}).await.unwrap();
    assert_eq!((reason(&outcomes[0]), outcomes[0].calls.len(), outcomes[0].asked), ("kept", 2, false));
    assert_eq!(shelf.lock().unwrap().batches.len(), 2);
    assert!(server.seen.lock().unwrap().iter().all(|seen| !seen.path.contains("completions")));
}

/// A reply with this message.
fn says(message: Value) -> Answer {
    let body = json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}});
    Answer::Reply(200, vec![], body.to_string())
}

#[tokio::test]
async fn replies_of_reasoning_models_are_read() {
    let list = serde_json::from_str::<Value>(TURNS).unwrap()["turns"].to_string();
    let extra = TURNS
        .replace("{\"turns\"", "{\"notes\":\"x\",\"turns\"")
        .replace("\"answer\"", "\"type\":\"a\",\"answer\"");
    let texts = [
        ("think", format!("<think>\n対話を求めている。{{ たとえば }} を考える。\n</think>\n\n{TURNS}")),
        ("thinking", format!("<THINKING>[1] を考える</THINKING>{TURNS}")),
        ("kimi", format!("◁think▷考える◁/think▷{TURNS}")),
        ("template", format!("考える</think>\n{TURNS}")),
        ("open", format!("<think>考える\n{TURNS}")),
        ("draft", format!("<think>{}</think>{TURNS}", TURNS.replace("赤い", "青い"))),
        ("fence", format!("```JSON\n{TURNS}\n```")),
        ("tilde", format!("~~~json\n{TURNS}\n~~~")),
        ("around", format!("はい、以下がJSONです。\n```json\n{TURNS}\n```\n以上です。")),
        ("list", list),
        ("extra", extra),
    ];
    let mut names: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    names.extend(["null", "reasoning", "parts", "tool"]);
    let (server, outcomes) = run(&names, CheckConfig::default(), move |name, _| match name {
        "null" => {
            says(json!({"role": "assistant", "content": null, "reasoning_content": TURNS, "reasoning": null}))
        }
        "reasoning" => says(json!({"role": "assistant", "content": "", "reasoning": TURNS})),
        "parts" => says(json!({"role": "assistant", "content": [{"type": "text", "text": TURNS}]})),
        "tool" => {
            says(json!({"content": null, "tool_calls": [{"function": {"name": "x", "arguments": TURNS}}]}))
        }
        name => good(&texts.iter().find(|(other, _)| *other == name).unwrap().1),
    })
    .await;
    for outcome in &outcomes {
        let Verdict::Kept(conversation) = &outcome.verdict else { panic!("{outcome:?}") };
        let answer = conversation.messages[1].content[0].text.as_deref();
        assert_eq!(answer, Some("三隻とも赤い船です。"), "{}", outcome.item.id);
        assert_eq!(conversation.messages.len(), 4, "{}", outcome.item.id);
    }
    assert_eq!(server.count(), names.len());
}

/// A synthesizer whose replies are told by the caption.
async fn synthesizer(keep_going: bool, concurrency: usize) -> (Server, Arc<Synthesizer>) {
    let server = Server::start(|_, body| {
        let is_good = body["messages"][1]["content"][1]["text"].as_str().unwrap().contains("good");
        good(if is_good { TURNS } else { "何のことでしょうか。\nわかりません。" })
    })
    .await;
    let client = Client::new(ClientConfig { concurrency, ..ClientConfig::new(&server.base_url) }).unwrap();
    let config = SynthConfig { model: "m".into(), keep_going, ..SynthConfig::default() };
    let synthesizer = Synthesizer::new(client, config, &[Task::Conversation], None, &[]).unwrap();
    (server, Arc::new(synthesizer))
}

fn items(count: usize, good: &[usize]) -> Vec<Item> {
    let caption = |number: usize| if good.contains(&number) { "good" } else { "bad" };
    let item = |number: usize| Item {
        id: number.to_string(),
        captions: vec![caption(number).into()],
        ..Item::default()
    };
    (0..count).map(item).collect()
}

#[tokio::test]
async fn twenty_dropped_replies_stop_the_run() {
    // However many could be in flight, no more than twenty are paid for.
    let (server, synthesizer) = synthesizer(false, 64).await;
    let stopped = synthesizer.run(items(200, &[]), |_| {}).await.unwrap_err().to_string();
    for words in ["first 20 replies", "`conversation`", "schema 20", "わかりません。", "`keep_going`"]
    {
        assert!(stopped.contains(words), "{stopped}");
    }
    assert!(!stopped.contains('\n'), "{stopped}");
    assert_eq!(server.count(), 20);
    assert!(synthesizer.client().check_running().is_err());
}

#[tokio::test]
async fn one_kept_reply_or_the_setting_lets_the_run_go_on() {
    let (server, first) = synthesizer(false, 4).await;
    let outcomes = first.run(items(100, &[17]), |_| {}).await.unwrap();
    assert_eq!((outcomes.len(), server.count()), (100, 100));
    assert!(first.is_trusted(Task::Conversation));

    let (server, second) = synthesizer(true, 4).await;
    assert_eq!(second.run(items(60, &[]), |_| {}).await.unwrap().len(), 60);
    assert_eq!(server.count(), 60);

    let (_server, third) = synthesizer(false, 4).await;
    third.trust(Task::Conversation);
    assert_eq!(third.run(items(30, &[]), |_| {}).await.unwrap().len(), 30);

    // Items about which nothing can be asked are no replies.
    let (server, fourth) = synthesizer(false, 4).await;
    let empty = (0..50).map(|number| Item { id: number.to_string(), ..Item::default() });
    assert_eq!(fourth.run(empty.collect(), |_| {}).await.unwrap().len(), 50);
    assert_eq!(server.count(), 0);
}
