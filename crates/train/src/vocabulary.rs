//! Which chat template and image token a run has, and how many rows its embedding needs.

use tsumugi_vlm::template::LLMJP_V3_JINJA;
use tsumugi_vlm::{Checkpoint, ImageTokenId, Tokenizer, VlmConfig};

use crate::recipe::{DataConfig, Recipe, TokenizerConfig};
use crate::{Error, Result};

/// Sources whose rows are not conversations, and so have no chat template.
const WITHOUT_TURNS: [&str; 2] = ["pairs", "interleaved"];

/// The chat template of the exported model, which `template = "tokenizer"` trains in: the one that the recipe exports, else
/// the tokenizer's own if conversations are trained in it, else the last one that a stage names.
pub(crate) fn chat_template(recipe: &Recipe, tokenizer: &Tokenizer, family: Option<&str>) -> Result<String> {
    let named = match recipe.export.chat_template.as_deref() {
        Some(name) => name,
        None => {
            let all: Vec<&str> =
                recipe.stages.iter().flat_map(|stage| chats(&stage.data, &stage.template)).collect();
            let own = all.contains(&"tokenizer");
            let last = all.last().copied().filter(|_| !own).unwrap_or("tokenizer");
            if let Some(other) = all.iter().find(|name| **name != last) {
                tracing::warn!(
                    "conversations are trained in {other} and in {last}; the exported model has {last}"
                );
            }
            last
        }
    };
    match named {
        "llmjp_v3" => Ok(LLMJP_V3_JINJA.to_owned()),
        "tokenizer" => own_template(tokenizer, family),
        file => {
            let text = std::fs::read_to_string(file).map_err(Error::io(file));
            text.map_err(Error::unusable(None, "export.chat_template"))
        }
    }
}

/// The chat templates of a mixture's conversations.
fn chats<'a>(data: &'a [DataConfig], stage: &'a str) -> Vec<&'a str> {
    let turns = data.iter().filter(|source| !WITHOUT_TURNS.contains(&source.source.as_str()));
    let names = turns.map(|source| source.template.as_deref().unwrap_or(stage));
    names.filter(|name| !["plain", "caption"].contains(name)).collect()
}

/// The tokenizer's chat template, else the family's, else `llmjp_v3`.
fn own_template(tokenizer: &Tokenizer, family: Option<&str>) -> Result<String> {
    if let Some(template) = tokenizer.chat()? {
        return Ok(template.source().to_owned());
    }
    if family.is_none() {
        tracing::warn!("the checkpoint has no chat template; llmjp_v3 is used");
    }
    Ok(family.unwrap_or(LLMJP_V3_JINJA).to_owned())
}

/// The id of the image token of a model that begins with a checkpoint: the tokenizer's. A tokenizer other than the
/// checkpoint's own must agree with the id that the checkpoint stores, unless the recipe names the token.
pub(crate) fn image_token(
    checkpoint: &Checkpoint,
    config: &TokenizerConfig,
    tokenizer: &Tokenizer,
) -> Result<ImageTokenId> {
    let stored = checkpoint.vlm_config()?.image_token_id.0;
    let image = tokenizer.special().image;
    let foreign = config.path.is_some() || config.build.is_some();
    if foreign && config.image_token.is_none() && checkpoint.stores_image_token() && image != stored {
        return Err(Error::recipe(format!(
            "tokenizer: {} has the id {image} but {stored} in the checkpoint; leave tokenizer.path out or name \
             tokenizer.image_token",
            tokenizer.special_tokens().image
        )));
    }
    Ok(ImageTokenId(image))
}

/// Gives the model a row for each id of the tokenizer. Only tokens that were added may lie beyond its rows: a larger
/// vocabulary belongs to another model.
pub(crate) fn fit_vocabulary(config: &mut VlmConfig, tokenizer: &Tokenizer) -> Result<()> {
    let rows = &mut config.language.vocab_size;
    if tokenizer.base_vocab_size() > *rows {
        return Err(Error::recipe(format!(
            "the tokenizer has {} ids but the model's embedding {rows} rows (model.config.language.vocab_size)",
            tokenizer.base_vocab_size()
        )));
    }
    *rows = tokenizer.vocab_size().max(*rows);
    Ok(())
}
