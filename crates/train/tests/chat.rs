//! Runs that train in a chat template of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, also in its helpers")]

mod common;

use tsumugi_train::{Progress, train};
use tsumugi_vlm::{GenerateOptions, Model, Question};

const TEMPLATE: &str = "{{ bos_token }}{% for m in messages %}{{ m['role'] }}>{% if m['role'] == 'assistant' %}{% generation %}{{ m['content'][0]['text'] }}{{ eos_token }}{% endgeneration %}{% else %}{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}assistant>{% endif %}";

#[test]
fn a_file_is_trained_in_and_exported() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let file = place.path().join("chat.jinja");
    std::fs::write(&file, TEMPLATE).unwrap();
    let out = place.path().join("out");
    let template = format!("stages.instruct.template={:?}", file.display().to_string());
    let sets = [template.as_str(), "tokenizer.image_token=\"<|new_image|>\""];
    let summary = train(&common::recipe(&data, &out, &sets), &Progress::hidden()).unwrap();
    assert!(summary.stages[2].final_loss < summary.stages[2].first_loss);
    assert!(
        !summary.stages[2].dropped.contains_key("conversations: template_failed"),
        "{:?}",
        summary.stages[2].dropped
    );
    let written = std::fs::read_to_string(summary.model.join("chat_template.jinja")).unwrap();
    assert_eq!(written, TEMPLATE);

    let model = Model::load(&summary.model.display().to_string(), common::device::device(), tch::Kind::Float)
        .unwrap();
    let config = model.vlm.config();
    assert_eq!(config.image_token_id.0, model.tokenizer.special().image);
    assert!(config.image_token_id.0 < config.language.vocab_size);
    assert_eq!(model.tokenizer.special_tokens().image, "<|new_image|>");
    let question = Question::new("何が見えますか?", Vec::new());
    let ids = model.prompt(&question).unwrap();
    assert_eq!(model.tokenizer.decode(&ids).unwrap().trim(), "user>何が見えますか?assistant>");
    assert_eq!(model.answer(&[question], &GenerateOptions::default(), &mut |_, _| {}).unwrap().len(), 1);
}

#[test]
fn templates_that_cannot_be_used_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    common::write_tables(&data);
    let broken = place.path().join("broken.jinja");
    std::fs::write(&broken, "{% if %}").unwrap();
    for (name, reason) in
        [(broken.display().to_string(), "broken.jinja"), ("missing.jinja".to_owned(), "missing.jinja")]
    {
        let set = format!("stages.instruct.template={name:?}");
        let error = common::refusal(&data, &place.path().join("out"), &[set.as_str()]);
        assert!(error.is_usage() && error.with_causes().contains(reason), "{}", error.with_causes());
    }
}
