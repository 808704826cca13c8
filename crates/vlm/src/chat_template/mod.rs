//! Chat templates: conversations to text, as transformers renders them.
//!
//! A template is rendered in the environment that transformers gives it: `trim_blocks` and `lstrip_blocks`, `break` and
//! `continue`, `raise_exception`, `strftime_now`, its `tojson`, Python's methods of strings and mappings, and the special
//! tokens as variables. Content is handed over as a text or as a list of parts, whichever the template reads.

mod answers;
mod environment;
mod files;
mod form;
mod generation;
mod json;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use minijinja::value::Value;
use minijinja::{Environment, context};

use crate::conversation::{IMAGE, Message, Role};
use crate::error::{Error, Result};
use crate::special_tokens::SpecialTokens;
pub(crate) use files::Templates;
use form::Forms;

/// Name of the one template of an environment.
const NAME: &str = "chat_template";

/// A compiled chat template. Cheap to clone.
///
/// Which content the template reads (a text or a list of parts) is found out once, by rendering short conversations with
/// the special tokens of the first call: use a template with one tokenizer.
///
/// ```
/// use tsumugi_vlm::{ChatTemplate, Message, Role, SpecialTokens};
///
/// let template = ChatTemplate::new(
///     "{% for m in messages %}{{ m.role }}: {% for c in m.content %}\
///      {% if c.type == 'image' %}<image>\n{% else %}{{ c.text }}{% endif %}{% endfor %};{% endfor %}",
/// )?;
/// let tokens = SpecialTokens { image: "<image>".to_owned(), ..SpecialTokens::default() };
/// let question = Message::from_marked(Role::User, "<image>\nWhat is this?");
/// assert_eq!(template.prompt(&tokens, &[question])?, "user: <image>\nWhat is this?;");
/// # Ok::<(), tsumugi_vlm::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    source: Arc<str>,
    environment: Arc<Environment<'static>>,
    marks_answers: bool,
    forms: Arc<OnceLock<Forms>>,
}

impl PartialEq for ChatTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for ChatTemplate {}

/// A conversation as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text, with the tokenizer's image token for each image.
    pub text: String,
    /// Byte ranges of the text that the model learns to write: answers with their ends.
    pub answers: Vec<Range<usize>>,
}

impl ChatTemplate {
    /// Compiles a template.
    ///
    /// # Errors
    /// [`Error::Template`] with the line of a syntax error.
    pub fn new(source: impl Into<Arc<str>>) -> Result<Self> {
        let source = source.into();
        let (rewritten, marks_answers) = generation::rewrite(&source);
        let mut environment = environment::environment();
        environment.add_template_owned(NAME, rewritten)?;
        Ok(Self { source, environment: Arc::new(environment), marks_answers, forms: Arc::default() })
    }

    /// The template's own text.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// True if `{% generation %}` blocks say which text is the model's.
    #[must_use]
    pub fn marks_answers(&self) -> bool {
        self.marks_answers
    }

    /// The text of a conversation up to where the next answer begins. If the last message is the model's, nothing is
    /// added after it.
    ///
    /// # Errors
    /// [`Error::Refused`] with the message of the template's `raise_exception`; [`Error::Template`] if it fails otherwise;
    /// [`Error::Conversation`] if it does not write one image token for each image.
    pub fn prompt(&self, tokens: &SpecialTokens, messages: &[Message]) -> Result<String> {
        let asks = messages.last().is_none_or(|message| message.role != Role::Assistant);
        Ok(self.render(tokens, messages, asks)?.text)
    }

    /// The text of a whole conversation, and which of it is the model's: what `{% generation %}` blocks write, else each
    /// answer with the special token that ends it.
    ///
    /// # Errors
    /// As [`ChatTemplate::prompt`]; also [`Error::Conversation`] if a template without `{% generation %}` does not write an
    /// answer as it is.
    pub fn conversation(&self, tokens: &SpecialTokens, messages: &[Message]) -> Result<Rendered> {
        let mut rendered = self.render(tokens, messages, false)?;
        if !self.marks_answers {
            rendered.answers = answers::answers(self, tokens, messages, &rendered.text)?;
        }
        Ok(rendered)
    }

    fn forms(&self, tokens: &SpecialTokens) -> &Forms {
        self.forms.get_or_init(|| Forms::find(|messages| self.run(tokens, messages, false), &tokens.image))
    }

    /// Renders messages and checks that all images are in the text.
    fn render(&self, tokens: &SpecialTokens, messages: &[Message], asks: bool) -> Result<Rendered> {
        if messages.iter().flat_map(Message::texts).any(generation::has_marks) {
            return Err(Error::conversation("a message has the noncharacter U+FDD0 or U+FDD1"));
        }
        let images: usize = messages.iter().map(Message::images).sum();
        let forms = self.forms(tokens);
        let values: Vec<Value> = messages.iter().map(|message| forms.value(message, &tokens.image)).collect();
        let mut marked = self.run(tokens, values, asks)?;
        if tokens.image != IMAGE && images > 0 && !marked.contains(&tokens.image) {
            // A template may name the usual token where the tokenizer has another for images.
            marked = marked.replace(IMAGE, &tokens.image);
        }
        let (text, answers) = generation::take_marks(&marked);
        let found = text.matches(&tokens.image).count();
        if found != images {
            return Err(Error::Conversation {
                reason: format!(
                    "there are {images} images, but the chat template writes {found} image tokens"
                ),
            });
        }
        Ok(Rendered { text, answers })
    }

    /// The template's raw output.
    fn run(&self, tokens: &SpecialTokens, messages: Vec<Value>, asks: bool) -> Result<String> {
        let none = Value::from(());
        let values = context! {
            messages, tools => none, documents => none, add_generation_prompt => asks,
            additional_special_tokens => tokens.additional,
            ..Value::from_serialize(&tokens.named)
        };
        let template = self.environment.get_template(NAME)?;
        template.render(values).map_err(environment::failure)
    }
}

#[cfg(test)]
mod tests;
