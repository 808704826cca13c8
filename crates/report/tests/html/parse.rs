//! Reads markup the way a browser does, and finds errors in it.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// An element with its attributes and all text within.
#[derive(Debug, Default, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Element {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.get("class").is_some_and(|classes| classes.split(' ').any(|one| one == class))
    }
}

#[derive(Default)]
struct State {
    elements: Vec<Element>,
    open: Vec<usize>,
    errors: Vec<String>,
}

#[derive(Default)]
struct Sink(RefCell<State>);

const VOID: [&str; 5] = ["meta", "img", "input", "br", "hr"];

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let name = tag.name.to_string();
                let attributes =
                    tag.attrs.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
                state.elements.push(Element { name: name.clone(), attributes, text: String::new() });
                if !VOID.contains(&name.as_str()) && !tag.self_closing {
                    let number = state.elements.len() - 1;
                    state.open.push(number);
                }
                match name.as_str() {
                    "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
                    "title" if !state.open.iter().any(|n| state.elements[*n].name == "svg") => {
                        return TokenSinkResult::RawData(RawKind::Rcdata);
                    }
                    _ => {}
                }
            }
            Token::TagToken(tag) => {
                let open = state.open.pop().map(|number| state.elements[number].name.clone());
                if open.as_deref() != Some(&*tag.name) {
                    state.errors.push(format!("line {line}: </{}> closes {open:?}", tag.name));
                }
            }
            Token::CharacterTokens(text) => {
                for number in state.open.clone() {
                    state.elements[number].text.push_str(&text);
                }
            }
            Token::ParseError(error) => state.errors.push(format!("line {line}: {error}")),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// The elements of a page, in order. Panics where the markup has an error.
pub(crate) fn parse(html: &str) -> Vec<Element> {
    let options = TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() };
    let tokenizer = Tokenizer::new(Sink::default(), options);
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    let state = tokenizer.sink.0.into_inner();
    assert_eq!(state.errors, Vec::<String>::new());
    assert!(state.open.is_empty(), "never closed: {:?}", state.open);
    state.elements
}

/// The elements of a name.
pub(crate) fn all<'a>(elements: &'a [Element], name: &'a str) -> impl Iterator<Item = &'a Element> {
    elements.iter().filter(move |element| element.name == name)
}
