//! Asks the judge.

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tsumugi_chat::{ChatMessage, Client, Request};
use tsumugi_record::Judgement;
use tsumugi_text::LanguagePack;

use super::parse::{Verdict, parse};
use super::template::Template;
use crate::Error;
use crate::bench::Question;
use crate::profile::{Judging, Profile, Style};

/// How a judge is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct JudgeSettings {
    /// Name of the judge's model at its endpoint. The paper's judge was `gpt-4o-2024-05-13`.
    pub model: String,
    /// Maximum length of a reply in tokens. Default: 1,024, as in all reference tools.
    pub max_tokens: u32,
    /// Sampling temperature. Default: 0, as in all reference tools.
    pub temperature: f32,
    /// Seed of the sampling. Default: 0, as in llm-jp-eval-mm.
    pub seed: i64,
    /// Runs over the same answers whose mean is the score. Default: the benchmark's number (5 for Heron Bench and
    /// JA-VLM-Bench-In-the-Wild, as in the paper).
    pub runs: Option<u32>,
    /// Language of this project's prompt: the code of a language pack, or the folder of one. Default: the profile's (`ja`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The prompt. Default: this project's prompt for the profile's kind of reply.
    pub template: Option<Template>,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            max_tokens: 1024,
            temperature: 0.0,
            seed: 0,
            runs: None,
            language: None,
            template: None,
        }
    }
}

impl JudgeSettings {
    /// This project's prompt for a judge of this style, in the language that the settings or else the profile name.
    ///
    /// # Errors
    /// [`Error::Text`] where there is no prompt in the language.
    pub fn builtin_template(&self, profile: Profile, style: Style) -> Result<Template, Error> {
        let language = self.language.as_deref().unwrap_or(profile.settings().language);
        Template::builtin(style, &LanguagePack::open(language)?)
    }
}

/// A judge of one benchmark under one profile.
#[derive(Debug)]
pub struct Judge<'a> {
    client: &'a Client,
    settings: JudgeSettings,
    template: Template,
    profile: Profile,
    style: Style,
    benchmark: String,
}

/// Why a judgement has no points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The reply could not be read, and the reference puts a fixed value in its place.
    Default,
    /// The reply could not be read, and the reference stops with an exception.
    Crash,
    /// The server refused to answer this one item.
    Refused,
    /// There was no answer, but there may be one at another time.
    Unanswered,
}

impl FailureKind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Default, "unreadable"),
        (Self::Crash, "crash"),
        (Self::Refused, "refused"),
        (Self::Unanswered, "unanswered"),
    ];

    fn write(self, reason: &str) -> String {
        let word = Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word);
        format!("{word}: {reason}")
    }
}

/// The kind of a judgement's failure, from the text in its column `error`.
#[must_use]
pub fn failure_kind(error: &str) -> FailureKind {
    let word = error.split(':').next().unwrap_or_default();
    FailureKind::ALL.iter().find(|(_, name)| *name == word).map_or(FailureKind::Unanswered, |(kind, _)| *kind)
}

impl<'a> Judge<'a> {
    /// Prepares a judge of one benchmark under one profile.
    ///
    /// # Errors
    /// [`Error::Text`] where there is no prompt in the language.
    pub fn new(
        client: &'a Client,
        settings: JudgeSettings,
        benchmark: &str,
        profile: Profile,
        judging: Judging,
    ) -> Result<Self, Error> {
        let template = match &settings.template {
            Some(template) => template.clone(),
            None => settings.builtin_template(profile, judging.style)?,
        };
        Ok(Self {
            client,
            settings,
            template,
            profile,
            style: judging.style,
            benchmark: benchmark.to_owned(),
        })
    }

    /// Judges the given answers, each in the given run, and returns the judgements in the same order.
    ///
    /// # Errors
    /// Only what ends a run: a refused connection or key, a used-up quota or budget. All else is in the judgements.
    pub async fn judge(&self, items: &[(&Question, &str, u32)]) -> Result<Vec<Judgement>, Error> {
        let tasks = items.iter().map(|(question, answer, run)| self.judge_one(question, answer, *run));
        let mut replies = futures::stream::iter(tasks).buffered(self.client.config().concurrency.max(1));
        let mut judgements = Vec::with_capacity(items.len());
        while let Some(reply) = replies.next().await {
            judgements.push(reply?);
        }
        Ok(judgements)
    }

    async fn judge_one(&self, question: &Question, answer: &str, run: u32) -> Result<Judgement, Error> {
        let mut judgement = Judgement {
            benchmark: self.benchmark.clone(),
            question_id: question.id.clone(),
            run,
            judge: self.settings.model.clone(),
            profile: self.profile.as_str().to_owned(),
            ..Judgement::default()
        };
        if self.profile.settings().empty_is_zero && answer.is_empty() && matches!(self.style, Style::Point(_))
        {
            judgement.score = Some(0.0);
            return Ok(judgement);
        }
        match self.client.send(&self.request(question, answer, run)).await {
            Ok(reply) => {
                let answer = reply.answer();
                let words = reply.refusal.filter(|_| answer.is_empty()).unwrap_or(answer);
                match parse(&words, self.style) {
                    Verdict::Score { score, reference } => {
                        judgement.score = Some(score);
                        judgement.reference_score = reference;
                    }
                    Verdict::Default { reason } => {
                        judgement.error = Some(FailureKind::Default.write(&reason))
                    }
                    Verdict::Crash { reason } => judgement.error = Some(FailureKind::Crash.write(&reason)),
                }
                judgement.reply = words;
            }
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => {
                let kind = if is_passing(&error) { FailureKind::Unanswered } else { FailureKind::Refused };
                judgement.error = Some(kind.write(&error.to_string()));
            }
        }
        Ok(judgement)
    }

    fn request(&self, question: &Question, answer: &str, run: u32) -> Request {
        let mut messages = Vec::new();
        if !self.template.system.is_empty() {
            messages.push(ChatMessage::system(self.template.system.as_str()));
        }
        messages.push(ChatMessage::user(self.template.user_message(question, answer)));
        Request {
            model: self.settings.model.clone(),
            messages,
            max_tokens: Some(self.settings.max_tokens),
            temperature: Some(self.settings.temperature),
            seed: Some(self.settings.seed),
            json_schema: None,
            sample: run,
        }
    }
}

/// Tells whether the same request may succeed at another time.
pub(crate) fn is_passing(error: &tsumugi_chat::Error) -> bool {
    matches!(error, tsumugi_chat::Error::GaveUp { .. } | tsumugi_chat::Error::Deadline { .. })
}
