//! Which text of a rendered conversation is the model's, for templates that do not say so.
//!
//! An answer begins where the prompt before it ends, and ends with the special token that the template writes after it. A
//! template may write a prompt otherwise once it is answered (without a thought, say); then the answer begins where its
//! own text does.

use std::ops::Range;

use super::ChatTemplate;
use crate::conversation::{Message, Role};
use crate::error::{Error, Result};
use crate::special_tokens::SpecialTokens;

/// Byte ranges of the answers in `whole`, the rendered `messages`.
pub(super) fn answers(
    template: &ChatTemplate,
    tokens: &SpecialTokens,
    messages: &[Message],
    whole: &str,
) -> Result<Vec<Range<usize>>> {
    let mut ranges = Vec::new();
    let mut reached = 0;
    let mut last = 0;
    for (index, message) in messages.iter().enumerate().filter(|(_, m)| m.role == Role::Assistant) {
        let prompt = template.render(tokens, &messages[..index], true)?.text;
        let start = if whole.starts_with(&prompt) && prompt.len() >= reached {
            prompt.len()
        } else {
            after_questions(whole, reached, &messages[last..index])
        };
        let said: String = message.texts().collect();
        let place = |text: &str| whole[start..].find(text).map(|at| start + at..start + at + text.len());
        let Some(found) = place(&said).or_else(|| place(said.trim())) else {
            return Err(Error::Conversation {
                reason: format!("the chat template does not write the answer of message {index} as it is"),
            });
        };
        let start = if whole.starts_with(&prompt) { start } else { found.start };
        let so_far = if index + 1 == messages.len() {
            whole.to_owned()
        } else {
            template.render(tokens, &messages[..=index], false)?.text
        };
        let end = found.end + ending(tokens, whole, &so_far, found.end, said.trim());
        ranges.push(start..end);
        (reached, last) = (end, index + 1);
    }
    Ok(ranges)
}

/// Where the questions of these messages end. A template may write the system text anywhere.
fn after_questions(whole: &str, from: usize, messages: &[Message]) -> usize {
    let questions = messages.iter().filter(|message| message.role == Role::User);
    let texts = questions.flat_map(Message::texts).map(str::trim);
    texts.fold(from, |at, text| whole[at..].find(text).map_or(at, |found| at + found + text.len()))
}

/// Length of what ends an answer at `end`: white space and a special token, if the conversation that ends with this answer
/// has one there too. A token that only begins the next turn is not there.
fn ending(tokens: &SpecialTokens, whole: &str, so_far: &str, end: usize, said: &str) -> usize {
    let after = match so_far.get(end..) {
        Some(after) if so_far.starts_with(&whole[..end]) => after,
        _ => so_far.rfind(said).map_or("", |at| &so_far[at + said.len()..]),
    };
    let rest = &whole[end..];
    let space = rest.len() - rest.trim_start().len();
    match (tokens.at_start_of(&rest[space..]), tokens.at_start_of(after.trim_start())) {
        (Some(token), Some(_)) => space + token.len(),
        _ => 0,
    }
}
