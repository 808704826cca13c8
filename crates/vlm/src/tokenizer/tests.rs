use super::*;
use crate::build_tokenizer;
use std::fs;

/// Writes a small tokenizer with changes to its files, and opens it.
fn opened(json: impl FnOnce(&mut Value), files: &[(&str, Value)]) -> Tokenizer {
    let place = tempfile::tempdir().unwrap();
    build_tokenizer(&["abc 猫"], 300).unwrap().save(place.path()).unwrap();
    let path = place.path().join("tokenizer.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    json(&mut value);
    fs::write(&path, value.to_string()).unwrap();
    for name in ["tokenizer_config.json", "special_tokens_map.json"] {
        fs::remove_file(place.path().join(name)).unwrap();
    }
    for (name, value) in files {
        fs::write(place.path().join(name), value.to_string()).unwrap();
    }
    Tokenizer::open(place.path()).unwrap()
}

/// Renames the token `<image>`.
fn rename_image(value: &mut Value, name: &str) {
    let name = json!(name);
    for token in value["added_tokens"].as_array_mut().unwrap() {
        if token["content"] == "<image>" {
            token["content"] = name.clone();
        }
    }
    value["model"]["vocab"][4][0] = name;
}

#[test]
fn stored_truncation_and_padding_are_not_applied() {
    let tokenizer = opened(
        |value| {
            value["truncation"] =
                json!({"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0});
            value["padding"] = json!({"strategy": {"Fixed": 50}, "direction": "Right", "pad_to_multiple_of": null,
                                      "pad_id": 3, "pad_type_id": 0, "pad_token": "<pad>"});
        },
        &[],
    );
    let text = "abc abc abc";
    assert_eq!(tokenizer.decode(&tokenizer.encode(text, true).unwrap()).unwrap(), text);
    assert!(tokenizer.encode("a", true).unwrap().len() < 5);
}

#[test]
fn the_start_token_is_what_the_tokenizer_puts_before_a_text() {
    let config = |class: &str, add: bool| json!({"bos_token": "<s>", "eos_token": "</s>", "tokenizer_class": class, "add_bos_token": add});
    let before = |json: fn(&mut Value), config: Value| {
        opened(json, &[("tokenizer_config.json", config)]).before().to_vec()
    };
    let keep: fn(&mut Value) = |_| {};
    let drop: fn(&mut Value) = |value| value["post_processor"] = Value::Null;
    assert_eq!(before(keep, json!({"bos_token": "<s>", "eos_token": "</s>"})), [1]);
    assert!(before(drop, json!({"bos_token": "<s>", "eos_token": "</s>"})).is_empty());
    assert_eq!(before(keep, config("PreTrainedTokenizerFast", false)), [1]);
    assert!(before(keep, config("LlamaTokenizerFast", false)).is_empty());
    assert_eq!(before(drop, config("LlamaTokenizerFast", true)), [1]);
}

#[test]
fn names_that_files_do_not_give_are_not_guessed() {
    let config = json!({"eos_token": "</s>", "bos_token": null, "pad_token": null});
    let tokenizer = opened(|_| {}, &[("tokenizer_config.json", config)]);
    assert_eq!((tokenizer.special().bos, tokenizer.special().pad), (None, 2));
    assert_eq!(tokenizer.special_tokens().bos(), None);
}

#[test]
fn the_image_token_may_have_any_name() {
    let reserved = |value: &mut Value| rename_image(value, "<|reserved_7|>");
    let named = json!({"eos_token": "</s>", "extra_special_tokens": {"image_token": "<|reserved_7|>"}});
    for file in [
        ("tokenizer_config.json", named),
        ("processor_config.json", json!({"image_token": "<|reserved_7|>"})),
        ("config.json", json!({"image_token_index": 4})),
    ] {
        let tokenizer = opened(reserved, std::slice::from_ref(&file));
        assert_eq!(tokenizer.special().image, 4, "{file:?}");
        assert_eq!(tokenizer.vocab_size(), tokenizer.base_vocab_size());
    }
    let appended = opened(reserved, &[]);
    assert_eq!(appended.special().image, appended.base_vocab_size());
    assert_eq!(appended.vocab_size(), appended.base_vocab_size() + 1);
    let chosen = appended.with_image_token("<|reserved_7|>").unwrap();
    assert_eq!(chosen.special().image, 4);
    let place = tempfile::tempdir().unwrap();
    chosen.save(place.path()).unwrap();
    assert_eq!(Tokenizer::open(place.path()).unwrap().special(), chosen.special());
}

#[test]
fn a_default_among_several_templates_is_needed() {
    let config = json!({"eos_token": "</s>", "chat_template": {"a": "A", "b": "B"}});
    let error = opened(|_| {}, &[("tokenizer_config.json", config)]).chat().map(|_| ());
    // The built tokenizer's own file has a template, which comes first.
    assert!(error.is_ok());
    let mut tokenizer = build_tokenizer(&["a"], 300).unwrap();
    tokenizer.templates = Templates::default();
    assert!(tokenizer.chat().unwrap().is_none());
    let tokenizer = tokenizer.with_chat_template("{{ bos_token }}");
    assert_eq!(tokenizer.chat().unwrap().unwrap().source(), "{{ bos_token }}");
}
