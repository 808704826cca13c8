//! Prompts of judges.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tsumugi_text::LanguagePack;

use super::python_source::{self, Messages};
use crate::Error;
use crate::bench::Question;
use crate::profile::{PairReply, PointReply, Style};

/// A judge's prompt. In `user` each occurrence of `{context}`, `{question}`, `{reference}` and `{answer}` is replaced,
/// but not inside replaced text; so are `{rule}` and `{role}` by the rule of the question's category.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The system message; empty for none.
    #[serde(default)]
    pub system: String,
    /// The user's message, with the fields that are replaced.
    pub user: String,
    /// Rules by category; `default` holds for categories without a rule of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<String, Rule>,
}

/// A judge's rule for the questions of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Rule {
    /// Name of the two that answer. Default: `Assistant`, as in heron's rules.
    #[serde(default = "assistant")]
    pub role: String,
    /// The instruction.
    pub prompt: String,
}

fn assistant() -> String {
    "Assistant".to_owned()
}

impl Template {
    /// This project's template for a judge, equal in meaning to the reference tool's, in the language of a pack.
    ///
    /// # Errors
    /// [`Error::Text`] where the pack has no such prompt, or one that is invalid.
    pub fn builtin(style: Style, pack: &LanguagePack) -> Result<Self, Error> {
        let name = match style {
            Style::Pair(PairReply::TwoIntegers | PairReply::TwoNumbers) => "judge_pair_line",
            Style::Pair(PairReply::Json) => "judge_pair_json",
            Style::Point(PointReply::Labelled) => "judge_point_labelled",
            Style::Point(PointReply::FirstDigit) => "judge_point_digit",
        };
        Ok(pack.parse(&format!("prompts/{name}.toml"))?)
    }

    /// Reads a template: a TOML file with the keys `system`, `user` and `rules`, or a reference's own Python file
    /// (`heron_bench_scorer.py` and `llm_as_a_judge_scorer.py` of llm-jp-eval-mm, `eval_heron_bench.py` of heron), of which
    /// the prompt and the system message are taken.
    ///
    /// # Errors
    /// Where the file cannot be read, has other keys, or holds no prompt.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        if path.extension().is_some_and(|e| e == "py") {
            let messages = python_source::messages(&text);
            let fault = |reason| Error::Config(format!("{}: {reason}", path.display()));
            let Messages { system, user } = messages.map_err(fault)?;
            return Ok(Self { system, user, ..Self::default() });
        }
        toml::from_str(&text).map_err(|e| Error::unreadable(path, "a judge's prompt", e))
    }

    /// Takes the rules of a JSON file: an object of `role` and `prompt` by category, such as heron's `rule.json`. A
    /// template without `{rule}` is replaced by one of labels and the rule alone.
    ///
    /// # Errors
    /// Where the file cannot be read or is of another form.
    pub fn with_rules(mut self, path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        self.rules =
            serde_json::from_str(&text).map_err(|e| Error::unreadable(path, "rules by category", e))?;
        if !self.user.contains("{rule}") {
            self.user = LABELS.to_owned();
        }
        Ok(self)
    }

    /// Checks that there is a rule for each question, where the message asks for one.
    ///
    /// # Errors
    /// [`Error::Config`] naming the category.
    pub fn check(&self, questions: &[Question]) -> Result<(), Error> {
        if !self.user.contains("{rule}") {
            return Ok(());
        }
        let without = questions.iter().find(|question| self.rule(&question.category).is_none());
        without.map_or(Ok(()), |question| {
            Err(Error::Config(format!(
                "the judge's prompt asks for a rule by category, and there is none for \"{}\"; set the judge's `rules` to a file of rules, such as heron's rule.json",
                question.category
            )))
        })
    }

    fn rule(&self, category: &str) -> Option<&Rule> {
        self.rules.get(category).or_else(|| self.rules.get("default"))
    }

    /// The message about one answer.
    #[must_use]
    pub fn user_message(&self, question: &Question, answer: &str) -> String {
        let rule = self.rule(&question.category);
        let fields = [
            ("{rule}", rule.map_or("", |rule| rule.prompt.as_str())),
            ("{role}", rule.map_or("Assistant", |rule| rule.role.as_str())),
            ("{context}", question.context.as_deref().unwrap_or_default()),
            ("{question}", &question.question),
            ("{reference}", &question.reference),
            ("{answer}", answer),
        ];
        let mut out = String::with_capacity(self.user.len() + 512);
        let mut rest = self.user.as_str();
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let field = fields.iter().find(|(name, _)| rest.starts_with(name));
            let (name, value) = field.copied().unwrap_or(("{", "{"));
            out.push_str(value);
            rest = &rest[name.len()..];
        }
        out.push_str(rest);
        out
    }
}

/// Labels alone, for rules that come from a file.
const LABELS: &str = "\
[Context]
{context}

[Question]
{question}

[{role} 1]
{reference}

[End of {role} 1]

[{role} 2]
{answer}

[End of {role} 2]

[System]
{rule}

";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_put_in_once() {
        let question = Question {
            id: "1".into(),
            category: String::new(),
            question: "{answer}とは".into(),
            reference: "正解{x}".into(),
            context: None,
            image: None,
        };
        let user = "{{question}}/{reference}/{answer}/{context}|{".to_owned();
        let template = Template { user, ..Template::default() };
        assert_eq!(template.user_message(&question, "{question}"), "{{answer}とは}/正解{x}/{question}/|{");
    }

    #[test]
    fn rules_come_by_category() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("rule.json");
        std::fs::write(
            &path,
            r#"{"conv": {"role": "Helper", "prompt": "会話の規則 {answer}"}, "detail": {"prompt": "細部の規則"}}"#,
        )?;
        let template = Template::builtin(Style::Pair(PairReply::TwoNumbers), &LanguagePack::embedded("ja")?)?
            .with_rules(&path)?;
        let question = |category: &str| Question {
            id: "1".into(),
            category: category.into(),
            question: "何色".into(),
            reference: "赤".into(),
            context: Some("夕焼け".into()),
            image: None,
        };
        let message = template.user_message(&question("conv"), "青");
        assert!(
            message.starts_with("[Context]\n夕焼け\n\n[Question]\n何色\n\n[Helper 1]\n赤\n"),
            "{message}"
        );
        assert!(message.ends_with("[System]\n会話の規則 {answer}\n\n"), "{message}");
        assert!(template.user_message(&question("detail"), "青").contains("[Assistant 2]\n青"));
        template.check(&[question("conv"), question("detail")])?;
        let error = template.check(&[question("complex")]).err().map(|e| e.to_string());
        assert!(error.is_some_and(|e| e.contains("complex") && e.contains("`rules`")));
        Ok(())
    }

    #[test]
    fn builtin_templates_hold_what_the_judge_needs() -> Result<(), Error> {
        for code in LanguagePack::codes() {
            let pack = LanguagePack::embedded(code)?;
            for style in [
                Style::Pair(PairReply::TwoIntegers),
                Style::Pair(PairReply::TwoNumbers),
                Style::Pair(PairReply::Json),
                Style::Point(PointReply::Labelled),
                Style::Point(PointReply::FirstDigit),
            ] {
                let Template { system, user, .. } = Template::builtin(style, &pack)?;
                assert!(!system.is_empty());
                for field in ["{question}", "{reference}", "{answer}"] {
                    assert_eq!(user.matches(field).count(), 1, "{code} {style:?} {field}");
                }
                assert_eq!(user.contains("{context}"), matches!(style, Style::Pair(_)));
                assert_eq!(user.contains("Score: "), style == Style::Point(PointReply::Labelled));
            }
        }
        Ok(())
    }
}
