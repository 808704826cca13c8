//! What a judge is asked.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bench::Question;
use crate::profile::{PairReply, PointReply, Style};

/// A judge's prompt. In `user` the words `{context}`, `{question}`, `{reference}` and `{answer}` are replaced, once
/// each time they occur and never inside what was put in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Standing instructions; empty for none.
    #[serde(default)]
    pub system: String,
    /// The message.
    pub user: String,
}

impl Template {
    /// Our own template for a judge, equal in meaning to the reference's.
    #[must_use]
    pub fn builtin(style: Style) -> Self {
        let (system, user) = match style {
            Style::Pair(PairReply::TwoIntegers | PairReply::TwoNumbers) => (SYSTEM, PAIR_LINE),
            Style::Pair(PairReply::Json) => (SYSTEM, PAIR_JSON),
            Style::Point(PointReply::Labelled) => (SYSTEM, POINT_LABELLED),
            Style::Point(PointReply::FirstDigit) => (SYSTEM, POINT_DIGIT),
        };
        Self { system: system.to_owned(), user: user.to_owned() }
    }

    /// Reads a template from a TOML file with the keys `system` and `user`, such as a reference's own wording.
    ///
    /// # Errors
    /// Where the file cannot be read or has other keys.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        toml::from_str(&text).map_err(|e| Error::Config(format!("{}: {e}", path.display())))
    }

    /// The message about one answer.
    #[must_use]
    pub fn user_message(&self, question: &Question, answer: &str) -> String {
        let fields = [
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
            picture: None,
        };
        let template =
            Template { system: String::new(), user: "{{question}}/{reference}/{answer}/{context}|{".into() };
        assert_eq!(template.user_message(&question, "{question}"), "{{answer}とは}/正解{x}/{question}/|{");
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
