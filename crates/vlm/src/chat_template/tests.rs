use super::*;

fn tokens() -> SpecialTokens {
    let named = [("bos_token", "<s>"), ("eos_token", "</s>")];
    SpecialTokens {
        named: named.map(|(key, token)| (key.to_owned(), token.to_owned())).into(),
        image: "<image>".to_owned(),
        all: ["</s>", "<image>", "<s>", "<|end|>", "<|user|>"].map(str::to_owned).into(),
        ..SpecialTokens::default()
    }
}

fn said(role: Role, text: &str) -> Message {
    Message::from_marked(role, text)
}

/// What a template prints around a single question.
fn printed(template: &str) -> Result<String> {
    ChatTemplate::new(template)?.prompt(&tokens(), &[said(Role::User, "Hi there")])
}

#[test]
fn templates_have_what_transformers_gives_them() {
    for (template, expected) in [
        ("{{ bos_token }}{{ unk_token }}{{ tools is none }}{{ documents is defined }}", "<s>TrueTrue"),
        ("{% if true %}\n  {% if false %}{% endif %}\n  x\n{% endif %}\n", "  x\n"),
        (
            "{% for n in range(9) %}{% if n == 1 %}{% continue %}{% endif %}{% if n == 4 %}{% break %}{% endif %}{{ n }}{% endfor %}",
            "023",
        ),
        (
            "{{ {'b': 'é<&\\'', 'a': [1, none, true, 1.5]} | tojson }}",
            "{\"b\": \"é<&'\", \"a\": [1, null, true, 1.5]}",
        ),
        (
            "{{ {'a': [], 'b': {'c': 'x'}} | tojson(indent=2) }}",
            "{\n  \"a\": [],\n  \"b\": {\n    \"c\": \"x\"\n  }\n}",
        ),
        (
            "{{ {'b': 'é😀', 'a': 1} | tojson(ensure_ascii=true, sort_keys=true, separators=(',', ':')) }}",
            "{\"a\":1,\"b\":\"\\u00e9\\ud83d\\ude00\"}",
        ),
        (
            "{{ 'a,b,c'.split(',')[-1] }}{{ ' x '.strip() }}{{ 'ab'.upper() }}{{ 'a.b.c'.rsplit('.', 1)[0] }}",
            "cxABa.b",
        ),
        (
            "{{ 'x</t>y'.partition('</t>')[2] }}{{ 'prefix'.removeprefix('pre') }}{{ 'a'.rpartition('-')[2] }}",
            "yfixa",
        ),
        ("{{ messages[::-1][0]['content'] is string }}{{ messages[0].get('name') is none }}", "TrueTrue"),
        (
            "{{ none }} {{ true and not false }} {{ 'abc' is sequence }} {{ {} is sequence }}",
            "None True True True",
        ),
        (
            "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
            "1",
        ),
        ("{% if strftime_now is defined %}{{ strftime_now('%Y') | length }}{% endif %}", "4"),
        ("a\r\nb", "a\nb"),
    ] {
        assert_eq!(printed(template).unwrap(), expected, "{template}");
    }
}

#[test]
fn an_exception_carries_the_message_of_the_template() {
    for template in [
        "{{ raise_exception('only ' ~ 1 ~ ' turn') }}",
        "{% macro f() %}{{ raise_exception('only 1 turn') }}{% endmacro %}{% for m in messages %}{{ f() }}{% endfor %}",
    ] {
        let error = printed(template).unwrap_err();
        assert!(matches!(&error, Error::Refused { message } if message == "only 1 turn"), "{error:?}");
        assert!(error.to_string().contains("only 1 turn"));
    }
    assert!(matches!(printed("{{ strftime_now('%!') }}"), Err(Error::Template(_))));
    assert!(matches!(ChatTemplate::new("{% if %}"), Err(Error::Template(_))));
}

#[test]
fn content_is_a_text_or_a_list_as_the_template_reads_it() {
    let parts = "{% for m in messages %}{{ m.role }}:{% for c in m.content %}{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %};{% endfor %}";
    let newline = parts.replace("<image>", "<image>\n");
    let images_first = "{% for m in messages %}{% for c in m.content | selectattr('type', 'equalto', 'image') %}<image>\n{% endfor %}\
                        {% for c in m.content | selectattr('type', 'equalto', 'text') %}{{ c.text }} {% endfor %}{% endfor %}";
    let text = "{% for m in messages %}{{ m.role ~ ':' ~ m.content | trim ~ ';' }}{% endfor %}";
    let either = "{% for m in messages %}{% if m.content is string %}{{ m.content }}{% else %}{% for c in m.content %}{% if c.type == 'image' %}<image>\n{% else %}{{ c.text }}{% endif %}{% endfor %}{% endif %}|{% endfor %}";
    let mixed = "{% for m in messages %}{% if m.role == 'user' %}{% for c in m.content %}{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}{% else %}{{ m.content + eos_token }}{% endif %}{% endfor %}";
    let conversation = [said(Role::User, "<image>\nA <image> b"), said(Role::Assistant, "C")];
    for (template, expected) in [
        (parts, "user:<image>\nA <image> b;assistant:C;"),
        (newline.as_str(), "user:<image>\nA <image>\n b;assistant:C;"),
        (images_first, "<image>\n<image>\nA   b C "),
        (text, "user:<image>\nA <image> b;assistant:C;"),
        (either, "<image>\nA <image>\n b|C|"),
        (mixed, "<image>\nA <image> bC</s>"),
    ] {
        let found = ChatTemplate::new(template).unwrap().prompt(&tokens(), &conversation).unwrap();
        assert_eq!(found, expected, "{template}");
    }
}

#[test]
fn images_at_the_beginning_of_a_text_are_on_lines_of_their_own() {
    let template = ChatTemplate::new("{% for m in messages %}{{ m.content }}{% endfor %}").unwrap();
    let prompt = |text: &str| template.prompt(&tokens(), &[said(Role::User, text)]).unwrap();
    assert_eq!(prompt("<image><image>What?"), "<image>\n<image>\nWhat?");
    assert_eq!(prompt("<image> What <image>?"), "<image> What <image>?");
    assert_eq!(prompt("<image>"), "<image>");
}

#[test]
fn every_image_has_to_be_written() {
    let once = "{% for m in messages %}{% for c in m.content %}{{ c.text if c.type == 'text' }}{% endfor %}{% endfor %}";
    let error =
        ChatTemplate::new(once).unwrap().prompt(&tokens(), &[said(Role::User, "<image>x")]).unwrap_err();
    assert!(matches!(error, Error::Conversation { .. }), "{error:?}");
    // The tokenizer's image token has another name than the template's.
    let usual = "{% for m in messages %}{% for c in m.content %}{{ '<image>' if c.type == 'image' else c.text }}{% endfor %}{% endfor %}";
    let other = SpecialTokens { image: "<|user|>".to_owned(), ..tokens() };
    let found = ChatTemplate::new(usual).unwrap().prompt(&other, &[said(Role::User, "<image>x")]).unwrap();
    assert_eq!(found, "<|user|>x");
}

/// The text of a conversation with answers in brackets.
fn learnt(template: &str, turns: &[(Role, &str)]) -> Result<String> {
    let messages: Vec<Message> = turns.iter().map(|(role, text)| said(*role, text)).collect();
    let rendered = ChatTemplate::new(template)?.conversation(&tokens(), &messages)?;
    let mut text = rendered.text;
    for answer in rendered.answers.iter().rev() {
        text.insert(answer.end, ']');
        text.insert(answer.start, '[');
    }
    Ok(text)
}

const TWO: [(Role, &str); 4] =
    [(Role::User, "q"), (Role::Assistant, "é a"), (Role::User, "q"), (Role::Assistant, "q")];

#[test]
fn generation_blocks_say_what_is_learnt() {
    let template = "{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}\n  {%- generation %}\n{{ m.content }}{{ eos_token }}{% endgeneration %}{% else %}{{ m.content }}{% endif %}\n{% endfor %}";
    assert_eq!(learnt(template, &TWO).unwrap(), "user: qassistant: [é a</s>]user: qassistant: [q</s>]");
}

#[test]
fn answers_end_with_their_own_end_token() {
    let chatml = "{% for m in messages %}<|user|>{{ m.role }}\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|user|>assistant\n{% endif %}";
    let no_end = "{% for m in messages %}<|user|>{{ m.role }}\n{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}<|user|>assistant\n{% endif %}";
    let llama = "{% for m in messages %}{% if m.role == 'user' %}{{ bos_token ~ '[' ~ m.content ~ ']' }}{% else %}{{ ' ' ~ m.content ~ ' ' ~ eos_token }}{% endif %}{% endfor %}";
    // A thought that is asked for and left out of what was said before.
    let thought = "{% for m in messages %}{{ m.role }}:{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}assistant:<t>{% endif %}";
    // The system text stands in the last question.
    let late = "{% for m in messages %}{% if m.role == 'user' %}({{ 'S ' if loop.last or loop.index == messages | length - 1 }}{{ m.content }}){% else %}{{ m.content }}</s>{% endif %}{% endfor %}";
    for (template, expected) in [
        (
            chatml,
            "<|user|>user\nq<|end|>\n<|user|>assistant\n[é a<|end|>]\n<|user|>user\nq<|end|>\n<|user|>assistant\n[q<|end|>]\n",
        ),
        (no_end, "<|user|>user\nq\n<|user|>assistant\n[é a]\n<|user|>user\nq\n<|user|>assistant\n[q]\n"),
        (llama, "<s>[q][ é a </s>]<s>[q][ q </s>]"),
        (thought, "user:q<|end|>assistant:[é a<|end|>]user:q<|end|>assistant:[q<|end|>]"),
        (late, "(q)[é a</s>](S q)[q</s>]"),
    ] {
        assert_eq!(learnt(template, &TWO).unwrap(), expected, "{template}");
    }
    let hidden = learnt(
        "{% for m in messages %}{{ m.role }}{{ m.content if m.role == 'user' }}{% endfor %}",
        &TWO[..2],
    );
    assert!(matches!(hidden, Err(Error::Conversation { .. })), "{hidden:?}");
}
