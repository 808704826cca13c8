//! Ids and labels of templates.

use serde::Deserialize;
use tsumugi_vlm::template::{
    Turn, caption, encode, interleaved, llmjp_v3, llmjp_v3_text, place_images, plain,
};
use tsumugi_vlm::{IMAGE, Message, Tokenizer, build_tokenizer};

use super::fixture;

#[derive(Deserialize)]
struct Cases {
    conversations: Vec<Conversation>,
    plain: Vec<Caption>,
    caption: Vec<Caption>,
    interleaved: Vec<Document>,
    decode: Vec<Decoded>,
}

#[derive(Deserialize)]
struct Conversation {
    turns: Vec<String>,
    text: String,
    ids: Vec<i64>,
    labels: Vec<i64>,
}

#[derive(Deserialize)]
struct Caption {
    caption: String,
    ids: Vec<i64>,
    #[serde(default)]
    labels: Vec<i64>,
}

#[derive(Deserialize)]
struct Document {
    sentences: Vec<String>,
    places: Vec<usize>,
    ids: Vec<i64>,
    order: Vec<usize>,
}

#[derive(Deserialize)]
struct Decoded {
    ids: Vec<i64>,
    text: String,
}

fn cases() -> (Tokenizer, Cases) {
    let tokenizer = Tokenizer::from_bytes(&std::fs::read(fixture("tokenizer.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(fixture("templates.json")).unwrap();
    (tokenizer, serde_json::from_str(&text).unwrap())
}

fn turns(texts: &[String]) -> Vec<Turn> {
    let speak = |(index, text): (usize, &String)| {
        if index % 2 == 0 { Turn::user(text.as_str()) } else { Turn::assistant(text.as_str()) }
    };
    texts.iter().enumerate().map(speak).collect()
}

#[test]
fn conversations() {
    let (tokenizer, cases) = cases();
    for case in cases.conversations {
        let turns = turns(&case.turns);
        assert_eq!(llmjp_v3_text(&turns).unwrap(), case.text);
        let images = case.text.contains(IMAGE);
        let found = llmjp_v3(&tokenizer, &turns, images, 4096).unwrap();
        assert_eq!((found.ids, found.labels), (case.ids, case.labels), "{}", case.text);
    }
}

#[test]
fn captions_and_documents() {
    let (tokenizer, cases) = cases();
    for case in cases.plain {
        let found = plain(&tokenizer, &case.caption).unwrap();
        assert_eq!((found.ids, found.labels), (case.ids, case.labels), "{}", case.caption);
    }
    for case in cases.caption {
        assert_eq!(caption(&tokenizer, &case.caption).unwrap().ids, case.ids, "{}", case.caption);
    }
    for case in cases.interleaved {
        let (found, order) = interleaved(&tokenizer, &case.sentences, &case.places, 6).unwrap();
        assert_eq!((found.ids, order), (case.ids, case.order));
    }
    assert!(interleaved(&tokenizer, &["一つ"], &[1], 6).is_err());
    for case in cases.decode {
        assert_eq!(tokenizer.decode(&case.ids).unwrap(), case.text);
    }
}

#[test]
fn images_find_their_places() {
    let place = |texts: &[&str]| {
        let texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
        place_images(&turns(&texts)).into_iter().map(|turn| turn.text).collect::<Vec<_>>()
    };
    assert_eq!(place(&["何?", "猫"]), ["<image>\n何?", "猫"]);
    assert_eq!(place(&["何?\n<image>", "猫"]), ["何? <image>", "猫"]);
    assert_eq!(place(&["<image><image> 違いは?", "猫"]), ["<image>\n <image>\n違いは?", "猫"]);
}

#[test]
fn speakers_alternate() {
    let tokenizer = build_tokenizer(&["猫"], 280).unwrap();
    let two = [Turn::user("a"), Turn::user("b")];
    assert!(llmjp_v3(&tokenizer, &two, false, 100).is_err());
    assert!(llmjp_v3_text(&[]).is_err());
    let late = [Turn::assistant("どうぞ"), Turn::user("a"), Turn::assistant("b")];
    assert_eq!(llmjp_v3_text(&late).unwrap(), llmjp_v3_text(&late[1..]).unwrap());
}

#[test]
fn own_jinja_is_the_same_template() {
    let tokenizer = build_tokenizer(&["猫"], 280).unwrap();
    let turns = [Turn::user("<image>\n何ですか?"), Turn::assistant("猫"), Turn::user("色は?")];
    let messages = turns.each_ref().map(|turn| Message::from_marked(turn.role, &turn.text));
    let template = tokenizer.chat().unwrap().unwrap();
    let text = template.prompt(tokenizer.special_tokens(), &messages).unwrap();
    assert_eq!(text, tsumugi_vlm::template::llmjp_v3_prompt(&turns).unwrap());
    // What is learnt is what the template of this crate has loss on.
    let answered = template.conversation(tokenizer.special_tokens(), &messages[..2]).unwrap();
    let by_template = encode(&tokenizer, &answered.text, &answered.answers).unwrap();
    assert_eq!(by_template, llmjp_v3(&tokenizer, &turns[..2], true, 4096).unwrap());
}

/// The authors' own ids with the real vocabulary of llm-jp-3, which is not in this repository: a folder named by
/// `TSUMUGI_TEMPLATE_CASES` with `llm-jp-v3.tokenizer.json` and `template_cases_dev.json`.
#[test]
fn ids_of_the_real_vocabulary() {
    let Some(folder) = std::env::var_os("TSUMUGI_TEMPLATE_CASES").map(std::path::PathBuf::from) else {
        return;
    };
    let tokenizer =
        Tokenizer::from_bytes(&std::fs::read(folder.join("llm-jp-v3.tokenizer.json")).unwrap()).unwrap();
    let text = std::fs::read_to_string(folder.join("template_cases_dev.json")).unwrap();
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ids = |value: &serde_json::Value| -> Vec<i64> { serde_json::from_value(value.clone()).unwrap() };
    let each = |name: &str| cases[name].as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone()));
    let mut compared = 0;
    for (name, case) in each("sft") {
        let said = case["conversations"].as_array().unwrap();
        let turns: Vec<Turn> = said
            .iter()
            .map(|turn| match turn["from"].as_str() {
                Some("human") => Turn::user(turn["value"].as_str().unwrap()),
                _ => Turn::assistant(turn["value"].as_str().unwrap()),
            })
            .collect();
        let images = name != "text_only";
        let turns = if images { place_images(&turns) } else { turns };
        let found = llmjp_v3(&tokenizer, &turns, images, 4096).unwrap();
        assert_eq!((found.ids, found.labels), (ids(&case["input_ids"]), ids(&case["labels"])), "{name}");
        compared += 1;
    }
    for (name, case) in each("plain").chain(each("caption")) {
        let caption_text = case["caption"].as_str().unwrap();
        let expected = (ids(&case["input_ids"]), ids(&case["labels"]));
        let both = [plain(&tokenizer, caption_text).unwrap(), caption(&tokenizer, caption_text).unwrap()];
        let found: Vec<_> = both.into_iter().map(|found| (found.ids, found.labels)).collect();
        assert!(found.contains(&expected), "{name}: {found:?} and {expected:?}");
        compared += 1;
    }
    for (name, case) in each("interleaved") {
        let sentences: Vec<String> = serde_json::from_value(case["text_list"].clone()).unwrap();
        let places: Vec<usize> = serde_json::from_value(case["matched_text_index"].clone()).unwrap();
        let (found, order) = interleaved(&tokenizer, &sentences, &places, 6).unwrap();
        let expected_order: Vec<usize> = serde_json::from_value(case["image_order"].clone()).unwrap();
        assert_eq!((found.ids, order), (ids(&case["input_ids"]), expected_order), "{name}");
        compared += 1;
    }
    for (text, case) in each("raw") {
        assert_eq!(tokenizer.encode(&text, true).unwrap(), ids(&case["ids"]), "{text:?}");
        assert_eq!(tokenizer.encode(&text, false).unwrap(), ids(&case["ids_no_bos"]), "{text:?}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
}
