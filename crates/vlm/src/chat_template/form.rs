//! Whether a template reads a message's content as a text or as a list of parts.

use minijinja::context;
use minijinja::value::Value;

use crate::conversation::{Content, Message, Role};
use crate::error::Result;

/// What a template reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A text with the image token for each image. A newline follows images at its beginning.
    Text,
    /// A list of `{"type": "text", "text": ...}` and `{"type": "image"}`.
    Parts,
}

/// What a template reads for each role, and how it writes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Forms {
    system: Form,
    user: Form,
    assistant: Form,
    /// Whether it writes a newline after the image token of a part.
    newline: bool,
}

/// Texts that no template has.
const QUESTION: &str = "Q0u3stion";
const ANSWER: &str = "4n5w3r";

impl Forms {
    /// Renders short conversations in both forms and looks which one the template writes. Lists come first: they are what
    /// users of transformers hand over, and a template may read both.
    pub(super) fn find(render: impl Fn(Vec<Value>) -> Result<String>, image: &str) -> Self {
        let asked = [Content::Image, Content::Text(QUESTION.to_owned())];
        let words = [Content::Text(QUESTION.to_owned())];
        let answer = [Content::Text(ANSWER.to_owned())];
        let written = |values: Vec<Value>, needle: &str| {
            // A list that is printed as such has its keys in the text.
            render(values).ok().filter(|text| text.contains(needle) && !is_printed_list(text))
        };
        let user = |form: Form, content: &[Content]| value(Role::User, content, form, image, false);
        let both = [Form::Parts, Form::Text];
        let with_image = both.into_iter().find_map(|form| {
            let text = written(vec![user(form, &asked)], QUESTION)?;
            (text.matches(image).count() == 1 || text.contains(crate::conversation::IMAGE))
                .then_some((form, text))
        });
        let (of_user, newline) = match with_image {
            Some((form, text)) => (form, form == Form::Parts && newline_after_image(&text, image)),
            None => {
                let form =
                    both.into_iter().find(|&form| written(vec![user(form, &words)], QUESTION).is_some());
                (form.unwrap_or(Form::Text), false)
            }
        };
        let question = user(of_user, &words);
        let of = |role: Role| {
            let found = both.into_iter().find(|&form| {
                let said = value(role, &answer, form, image, false);
                let values = match role {
                    Role::System => vec![said, question.clone()],
                    _ => vec![question.clone(), said],
                };
                written(values, ANSWER).is_some()
            });
            found.unwrap_or(of_user)
        };
        Self { system: of(Role::System), user: of_user, assistant: of(Role::Assistant), newline }
    }

    /// A message as the template reads it.
    pub(super) fn value(&self, message: &Message, image: &str) -> Value {
        let form = match message.role {
            Role::System => self.system,
            Role::User => self.user,
            Role::Assistant => self.assistant,
        };
        value(message.role, &message.content, form, image, self.newline)
    }
}

fn is_printed_list(text: &str) -> bool {
    text.contains("\"type\"") || text.contains("'type'")
}

fn newline_after_image(text: &str, image: &str) -> bool {
    let usual = crate::conversation::IMAGE;
    let after = text.split_once(image).or_else(|| text.split_once(usual)).map(|(_, after)| after);
    after.is_some_and(|after| after.starts_with('\n'))
}

/// A message in a form. With `newline`, a template writes one after the image of a part, and the text's own is left out.
fn value(role: Role, content: &[Content], form: Form, image: &str, newline: bool) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut whole = String::new();
    let mut text_before = false;
    for (index, part) in content.iter().enumerate() {
        match part {
            Content::Image => {
                whole.push_str(image);
                parts.push(context! { type => "image" });
                let after = content.get(index + 1);
                let spaced =
                    matches!(after, Some(Content::Text(text)) if text.starts_with(char::is_whitespace));
                if !text_before && after.is_some() && !spaced {
                    whole.push('\n');
                }
            }
            Content::Text(text) => {
                whole.push_str(text);
                text_before = true;
                let follows_image = index > 0 && content[index - 1] == Content::Image;
                let own =
                    if newline && follows_image { text.strip_prefix('\n').unwrap_or(text) } else { text };
                if !own.is_empty() {
                    parts.push(context! { type => "text", text => own });
                }
            }
        }
    }
    if parts.is_empty() {
        parts.push(context! { type => "text", text => "" });
    }
    let content = if form == Form::Text { Value::from(whole) } else { Value::from(parts) };
    context! { role => role.name(), content }
}
