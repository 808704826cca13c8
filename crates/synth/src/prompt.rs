//! Prompts: versioned TOML files of a language pack, which a user can replace one by one.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use tsumugi_text::LanguagePack;

use crate::task::Task;
use crate::{Error, IMAGE_NEEDED};

/// A prompt file. Those of the language packs are replaced by files of the same names in a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Version, which every row names; change it with every change of the file.
    pub version: String,
    /// The system message.
    pub system: String,
    /// The user's message; `{min_turns}` and `{max_turns}` are replaced. The data follows as a part of its own.
    pub user: String,
    /// User's turns of the conversations of tasks whose reply is one text; the item's id chooses one.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Minimum number of question-answer pairs.
    pub min_turns: usize,
    /// Maximum number of question-answer pairs.
    pub max_turns: usize,
    /// Minimum length of an answer in characters.
    pub min_chars: usize,
    /// Maximum length of a question or an answer in characters.
    pub max_chars: usize,
    /// Maximum length of the reply in tokens.
    pub max_tokens: u32,
    /// Sampling temperature; absent for models that accept none.
    #[serde(default)]
    pub temperature: Option<f32>,
}

impl Prompt {
    /// The prompt of a language pack.
    ///
    /// # Errors
    /// As [`Prompt::load`].
    pub fn builtin(task: Task, pack: &LanguagePack) -> Result<Self, Error> {
        Self::load(task, pack, None)
    }

    /// The prompt in the file `TASK.toml` of a folder, or that of the language pack where the folder has no such file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Format`] with the file's path; [`Error::Text`] where the pack has no such prompt.
    pub fn load(task: Task, pack: &LanguagePack, folder: Option<&Path>) -> Result<Self, Error> {
        let (text, path) = read_replaceable(folder, task.name(), pack)?;
        Self::parse(task, &text, &path)
    }

    fn parse(task: Task, text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Error::format(path, message);
        let prompt: Self = toml::from_str(text).map_err(|e| Error::invalid(path, "invalid prompt", e))?;
        if prompt.version.trim().is_empty() {
            return Err(wrong("`version` is empty".into()));
        }
        if task.single() && prompt.instructions.is_empty() {
            return Err(wrong(format!(
                "task {task} needs `instructions`, the user's turn of each conversation"
            )));
        }
        if prompt.min_turns == 0 || prompt.min_turns > prompt.max_turns || prompt.min_chars > prompt.max_chars
        {
            return Err(wrong("the limits of turns or characters exclude every reply".into()));
        }
        Ok(prompt)
    }

    /// The user's message with the numbers of turns.
    pub(crate) fn user_text(&self) -> String {
        self.user
            .replace("{min_turns}", &self.min_turns.to_string())
            .replace("{max_turns}", &self.max_turns.to_string())
    }
}

/// Refuses a folder of prompts that cannot be read or holds a file of another name: a misspelt name would silently change
/// nothing.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    let io = |source| Error::io(folder, source);
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let known = name == IMAGE_NEEDED || Task::ALL.iter().any(|task| task.name() == name);
        if path.extension().is_some_and(|extension| extension == "toml") && !known {
            let names = Task::ALL.map(Task::name).join(", ");
            return Err(Error::format(
                &path,
                format!("no prompt has this name; known are {names}, {IMAGE_NEEDED}"),
            ));
        }
    }
    Ok(())
}

/// The text of the prompt file `NAME.toml`: that of the folder if it has one, else that of the pack; with the path for errors.
pub(crate) fn read_replaceable<'p>(
    folder: Option<&Path>,
    name: &str,
    pack: &'p LanguagePack,
) -> Result<(Cow<'p, str>, PathBuf), Error> {
    let file = format!("{name}.toml");
    if let Some(path) = folder.map(|folder| folder.join(&file)) {
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok((text.into(), path)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Io { path, source }),
        }
    }
    Ok((pack.prompt(name)?.into(), [pack.code(), "prompts", &file].iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompts_of_all_languages_are_complete() {
        for code in LanguagePack::codes() {
            let pack = LanguagePack::embedded(code).unwrap();
            for task in Task::ALL {
                let prompt = Prompt::builtin(task, &pack).unwrap();
                assert!(prompt.version.starts_with(task.name()), "{code}");
                assert!(!prompt.user_text().contains('{'), "{code} {task}");
            }
        }
    }

    #[test]
    fn a_folder_replaces_single_files() {
        let pack = LanguagePack::embedded("ja").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let own = pack.prompt("vqa").unwrap().replace("vqa-1", "mine");
        std::fs::write(folder.path().join("vqa.toml"), own).unwrap();
        std::fs::write(folder.path().join("ocr.toml"), "version = 3").unwrap();
        assert_eq!(Prompt::load(Task::Vqa, &pack, Some(folder.path())).unwrap().version, "mine");
        assert_eq!(Prompt::load(Task::Photo, &pack, Some(folder.path())).unwrap().version, "photo-1");
        assert!(
            Prompt::load(Task::Ocr, &pack, Some(folder.path())).unwrap_err().to_string().contains("ocr.toml")
        );
        check_folder(folder.path()).unwrap();
        std::fs::write(folder.path().join("vqaa.toml"), "").unwrap();
        assert!(check_folder(folder.path()).unwrap_err().to_string().contains("vqaa.toml"));
        assert!(check_folder(&folder.path().join("nowhere")).is_err());
    }
}
