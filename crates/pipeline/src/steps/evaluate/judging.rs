//! The second phase: a judge gives points.

use std::collections::HashMap;
use std::sync::OnceLock;

use tsumugi_chat::Client;
use tsumugi_eval::bench::{Benchmark, Question};
use tsumugi_eval::judge::{FailureKind, Judge, JudgeSettings, Template, failure_kind};
use tsumugi_eval::profile::{Judging, Profile};
use tsumugi_record::Prediction;

use super::endpoint::{Endpoint, incomplete, runtime};
use super::{Evaluate, EvaluateConfig, JudgeConfig, failed, read_table};
use crate::Error;
use crate::runner::{Outputs, Work};
use crate::steps::once::once;

/// Answers of a shard.
const CHUNK: usize = 64;

/// The judge that is asked for.
pub(super) struct Judges {
    pub(super) config: JudgeConfig,
    pub(super) settings: JudgeSettings,
    pub(super) judging: Judging,
    client: OnceLock<Client>,
    predictions: OnceLock<Vec<Prediction>>,
}

impl Judges {
    /// Checks what is asked for against the benchmark and its profile.
    pub(super) fn new(
        config: &EvaluateConfig,
        judge: &JudgeConfig,
        benchmark: &Benchmark,
    ) -> Result<Judges, Error> {
        let profile = config.profile;
        let Some(by_profile) = profile.judging(benchmark.judge) else {
            let name = &benchmark.name;
            return Err(Error::config(
                "judge",
                format!(
                    "profile {profile} has no judge for {name}; take another profile, or leave the judge out"
                ),
            ));
        };
        if judge.model.is_empty() {
            return Err(Error::config("judge", "name the model that judges"));
        }
        let template = template(judge, profile, by_profile).map_err(failed("judge's prompt"))?;
        if let Some(template) = &template {
            template.check(&benchmark.questions).map_err(failed("judge's prompt"))?;
        }
        let (model, runs, language) = (judge.model.clone(), judge.runs, judge.language.clone());
        Ok(Judges {
            config: judge.clone(),
            settings: JudgeSettings { model, runs, language, template, ..JudgeSettings::default() },
            judging: Judging { runs: judge.runs.unwrap_or(by_profile.runs).max(1), ..by_profile },
            client: OnceLock::new(),
            predictions: OnceLock::new(),
        })
    }
}

/// The judge's prompt where it is not the profile's own.
fn template(
    judge: &JudgeConfig,
    profile: Profile,
    judging: Judging,
) -> Result<Option<Template>, tsumugi_eval::Error> {
    let template = judge.template.as_deref().map(Template::read).transpose()?;
    let Some(rules) = &judge.rules else { return Ok(template) };
    let template = match template {
        Some(template) => template,
        None => JudgeSettings { language: judge.language.clone(), ..JudgeSettings::default() }
            .builtin_template(profile, judging.style)?,
    };
    template.with_rules(rules).map(Some)
}

impl Evaluate {
    pub(super) fn judge_shards(&self, _: &Work) -> Result<usize, Error> {
        let Some(judges) = &self.judges else { return Ok(0) };
        self.judging_client(judges)?;
        let chunks = self.answered(judges)?.len().div_ceil(CHUNK);
        Ok(judges.judging.runs as usize * chunks)
    }

    pub(super) fn judging_client<'a>(&self, judges: &'a Judges) -> Result<&'a Client, Error> {
        let cache = self.settings.out.join("cache/judge");
        once(&judges.client, || Endpoint::of_judge(&self.settings, &judges.config).client(&cache))
    }

    /// The answers of the first phase.
    fn answered<'a>(&self, judges: &'a Judges) -> Result<&'a [Prediction], Error> {
        once(&judges.predictions, || read_table(&self.settings.out)).map(Vec::as_slice)
    }

    /// Judges some answers in one of the runs: shards are ordered by run.
    pub(super) fn judge(&self, _: &Work, shard: usize, outputs: &mut Outputs) -> Result<(), Error> {
        let Some(judges) = &self.judges else { return Ok(()) };
        let predictions = self.answered(judges)?;
        let chunks = predictions.len().div_ceil(CHUNK).max(1);
        let (run, chunk) = ((shard / chunks) as u32, shard % chunks);
        let questions: HashMap<&str, &Question> =
            self.benchmark.questions.iter().map(|question| (question.id.as_str(), question)).collect();
        let asked = predictions.iter().skip(chunk * CHUNK).take(CHUNK).filter_map(|prediction| {
            Some((*questions.get(prediction.question_id.as_str())?, prediction.answer.as_str(), run))
        });
        let asked: Vec<_> = asked.collect();
        let client = self.judging_client(judges)?;
        let judge = Judge::new(
            client,
            judges.settings.clone(),
            &self.benchmark.name,
            self.settings.profile,
            judges.judging,
        )
        .map_err(failed("judge's prompt"))?;
        let judgements = runtime(&self.runtime)?.block_on(judge.judge(&asked)).map_err(failed("judge"))?;
        let missing: Vec<&str> = judgements
            .iter()
            .filter_map(|judgement| judgement.error.as_deref())
            .filter(|error| failure_kind(error) == FailureKind::Unanswered)
            .collect();
        if let Some(why) = missing.first() {
            let (missing, all) = (missing.len(), judgements.len());
            return Err(incomplete(&format!("{missing} of {all} judgements are missing: {why}")));
        }
        outputs.write_all("judgements", judgements)
    }
}
