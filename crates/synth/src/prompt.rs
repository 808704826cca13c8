//! Prompts: versioned TOML files, which a user can replace.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, SecondLook, Task};

/// A prompt file. Ours are in `prompts/`, in Japanese; a folder with files of the same names replaces them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// Goes into every row; raise it with every change.
    pub version: String,
    /// Standing instructions.
    pub system: String,
    /// What is asked; `{min_turns}` and `{max_turns}` are replaced. The data follows as a part of its own.
    pub user: String,
    /// For tasks whose reply is one text: what stands as the user's turn, chosen by the item.
    #[serde(default)]
    pub instructions: Vec<String>,
    /// Fewest question-answer pairs.
    pub min_turns: usize,
    /// Most question-answer pairs.
    pub max_turns: usize,
    /// Fewest characters of an answer.
    pub min_chars: usize,
    /// Most characters of a question or an answer.
    pub max_chars: usize,
    /// Most tokens of the reply.
    pub max_tokens: u32,
    /// Sampling temperature; left out where the model takes none.
    #[serde(default)]
    pub temperature: Option<f32>,
}

impl Prompt {
    /// The one that comes with the crate.
    ///
    /// # Errors
    /// None in practice: a test reads them all.
    pub fn builtin(task: Task) -> Result<Self, Error> {
        Self::load(task, None)
    }

    fn builtin_text(task: Task) -> &'static str {
        match task {
            Task::Conversation => include_str!("../prompts/conversation.toml"),
            Task::Detail => include_str!("../prompts/detail.toml"),
            Task::Reasoning => include_str!("../prompts/reasoning.toml"),
            Task::Photo => include_str!("../prompts/photo.toml"),
            Task::Vqa => include_str!("../prompts/vqa.toml"),
            Task::Ocr => include_str!("../prompts/ocr.toml"),
            Task::Translate => include_str!("../prompts/translate.toml"),
        }
    }

    /// The one in the folder, if there is a file `TASK.toml`; else the crate's own.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Format`] with the file's path.
    pub fn load(task: Task, folder: Option<&Path>) -> Result<Self, Error> {
        let (text, path) = read_replaceable(folder, task.name(), Self::builtin_text(task))?;
        Self::parse(task, &text, &path)
    }

    fn parse(task: Task, text: &str, path: &Path) -> Result<Self, Error> {
        let wrong = |message: String| Error::Format { path: path.to_owned(), message };
        let prompt: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
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
            return Err(wrong("the limits of turns or characters leave nothing over".into()));
        }
        Ok(prompt)
    }

    /// What is asked, with the numbers put in.
    pub(crate) fn user_text(&self) -> String {
        self.user
            .replace("{min_turns}", &self.min_turns.to_string())
            .replace("{max_turns}", &self.max_turns.to_string())
    }
}

/// Refuses a folder of prompts that is none, or that holds a prompt for nothing: a misspelt name would silently change nothing.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let known = name == SecondLook::NAME || Task::ALL.iter().any(|task| task.name() == name);
        if path.extension().is_some_and(|extension| extension == "toml") && !known {
            let names = Task::ALL.map(Task::name).join(", ");
            let message = format!("is no prompt that is asked for; there are {names}, {}", SecondLook::NAME);
            return Err(Error::Format { path, message });
        }
    }
    Ok(())
}

/// The text of a prompt file, `NAME.toml` in the folder where it is there, else ours; with the path to name in errors.
pub(crate) fn read_replaceable(
    folder: Option<&Path>,
    name: &str,
    ours: &str,
) -> Result<(String, PathBuf), Error> {
    let file = format!("{name}.toml");
    let Some(path) = folder.map(|folder| folder.join(&file)) else {
        return Ok((ours.to_owned(), file.into()));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((text, path)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok((ours.to_owned(), file.into())),
        Err(source) => Err(Error::Io { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_builtin_prompts_are_whole() {
        for task in Task::ALL {
            let prompt = Prompt::builtin(task).unwrap();
            assert!(prompt.version.starts_with(task.name()));
            assert!(!prompt.user_text().contains('{'), "{task}");
        }
    }

    #[test]
    fn a_folder_replaces_single_files() {
        let folder = tempfile::tempdir().unwrap();
        let own = include_str!("../prompts/vqa.toml").replace("vqa-1", "mine");
        std::fs::write(folder.path().join("vqa.toml"), own).unwrap();
        std::fs::write(folder.path().join("ocr.toml"), "version = 3").unwrap();
        assert_eq!(Prompt::load(Task::Vqa, Some(folder.path())).unwrap().version, "mine");
        assert_eq!(Prompt::load(Task::Photo, Some(folder.path())).unwrap().version, "photo-1");
        assert!(Prompt::load(Task::Ocr, Some(folder.path())).unwrap_err().to_string().contains("ocr.toml"));
        check_folder(folder.path()).unwrap();
        std::fs::write(folder.path().join("vqaa.toml"), "").unwrap();
        assert!(check_folder(folder.path()).unwrap_err().to_string().contains("vqaa.toml"));
        assert!(check_folder(&folder.path().join("nowhere")).is_err());
    }
}
