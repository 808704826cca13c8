//! Prompts of judges.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

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
    /// This project's template for a judge, equal in meaning to the reference tool's.
    #[must_use]
    pub fn builtin(style: Style) -> Self {
        let (system, user) = match style {
            Style::Pair(PairReply::TwoIntegers | PairReply::TwoNumbers) => (SYSTEM, PAIR_LINE),
            Style::Pair(PairReply::Json) => (SYSTEM, PAIR_JSON),
            Style::Point(PointReply::Labelled) => (SYSTEM, POINT_LABELLED),
            Style::Point(PointReply::FirstDigit) => (SYSTEM, POINT_DIGIT),
        };
        Self { system: system.to_owned(), user: user.to_owned(), rules: BTreeMap::new() }
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

const SYSTEM: &str = "あなたは、回答の質を丁寧かつ正確に確かめる評価者です。";

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

const PAIR_LINE: &str = "\
[画像の説明]
{context}

[質問]
{question}

[回答者1の回答]
{reference}
[回答者1の回答ここまで]

[回答者2の回答]
{answer}
[回答者2の回答ここまで]

[評価の指示]
利用者は、ある画像を見ながら上の質問をしました。画像そのものの代わりに、その内容を述べた文を「画像の説明」に示しています。\
二人の回答者の回答について、役に立つか、質問に即しているか、正確か、十分に詳しいかを評価してください。\
それぞれの回答に1から10までの総合点を付けます。点が高いほど良い回答です。
最初の行には、回答者1の点と回答者2の点の二つの数だけを、この順に半角の空白一つで区切って書いてください。\
次の行からは、評価の理由を詳しく述べてください。回答が示された順序に左右されず、偏りのない判断をしてください。\
文章は日本語で書かれていますが、どの言語で書かれているかは点に影響しません。
画像の説明に即していない回答、質問に正面から答えていない回答、誤ったことを述べている回答には、低い点を付けてください。
";

const PAIR_JSON: &str = "\
あなたは熟練した評価者です。次の情報が与えられます。
- context: 画像の内容を述べた文
- question: 画像についての質問
- gpt4o_answer: 質問に対するGPT-4oの回答
- model_answer: 質問に対する評価対象のモデルの回答

contextに照らして質問にどれだけよく答えているかを、二つの回答それぞれについて独立に評価し、次の基準で1から10の点を付けてください。
- 10: 完璧。完全に正しく、質問に即し、contextに基づいて十分に答えている。
- 8から9: とても良い。ほぼ正しく、小さな誤りやわずかな不足があるだけである。
- 6から7: 良い。おおむね正しいが、目に付く誤りがあるか、大事な細部が欠けている。
- 4から5: 悪い。大きな誤りがあるか要点が欠けているが、関連する内容もいくらかある。
- 1から3: とても悪い。大部分または全部が誤りか、無関係か、意味をなさない。

出力は次の形のJSONとし、JSON以外は何も書かないでください。
```json
{
    \"score_gpt\": 整数,
    \"score\": 整数
}
```

入力:
{
    \"context\": {context},
    \"question\": {question},
    \"gpt4o_answer\": {reference},
    \"model_answer\": {answer}
}

出力:
";

const POINT_LABELLED: &str = "\
ある質問に対する回答を、正解例と比べて評価してください。正確か、質問に即しているか、十分に詳しいかを見て、1から5の整数で点を付けます。

- 5: 正解例と完全に一致する内容で、正確である。
- 4: ほぼ正しく、小さな誤りや不足があるだけである。
- 3: 部分的に正しいが、目に付く誤りや欠けた要点がある。
- 2: 大部分が誤りか無関係だが、正しい内容もわずかにある。
- 1: 全く誤っているか、無関係である。

質問: {question}
正解例: {reference}
回答: {answer}

まず評価の理由を短く述べ、最後の行に「Score: 」に続けて点だけを書いてください(例: Score: 3)。
";

const POINT_DIGIT: &str = "\
あなたは熟練した評価者です。質問、正解、予測の三つが与えられます。質問の文脈で、予測が正解とどれだけ合っているかを評価し、次の基準で1から5の点を付けてください。

5: 優れている。予測は正解と完全に合い、全く正しく、質問に即している。
4: 良い。予測はほぼ正しく、小さな誤りや不足があるだけである。
3: 普通。予測は部分的に正しいが、目に付く誤りがあるか要点が欠けている。
2: 悪い。予測は大部分が誤りか無関係だが、正しい断片がわずかにある。
1: とても悪い。予測は全く誤っているか、無関係である。
出力は点(1から5の整数)だけとし、説明は加えないでください。

質問: {question}
正解: {reference}
予測: {answer}

点:
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
        let template = Template::builtin(Style::Pair(PairReply::TwoNumbers)).with_rules(&path)?;
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
    fn builtin_templates_hold_what_the_judge_needs() {
        for style in [
            Style::Pair(PairReply::TwoIntegers),
            Style::Pair(PairReply::TwoNumbers),
            Style::Pair(PairReply::Json),
            Style::Point(PointReply::Labelled),
            Style::Point(PointReply::FirstDigit),
        ] {
            let user = Template::builtin(style).user;
            for field in ["{question}", "{reference}", "{answer}"] {
                assert_eq!(user.matches(field).count(), 1, "{style:?} {field}");
            }
            assert_eq!(user.contains("{context}"), matches!(style, Style::Pair(_)));
        }
    }
}
