//! Samples that are longer than a row.

use crate::prepare::{Prepared, Preparer};
use crate::recipe::TooLong;
use crate::{Part, Sample};

/// Prepares a sample, and says whether it was cut.
///
/// # Errors
/// The reason for dropping it, as [`Preparer::prepare`].
pub(crate) fn fit(
    preparer: &Preparer,
    sample: &Sample,
    too_long: TooLong,
) -> Result<(Prepared, bool), &'static str> {
    match preparer.prepare(sample) {
        Err("too_long") if too_long == TooLong::Cut => {
            let shorter = cut(preparer, sample).ok_or("too_long")?;
            preparer.prepare(&shorter).map(|prepared| (prepared, true))
        }
        result => result.map(|prepared| (prepared, false)),
    }
}

/// The sample up to the last answer that fits; nothing where not even the first does.
fn cut(preparer: &Preparer, sample: &Sample) -> Option<Sample> {
    let ends = answer_ends(&sample.parts);
    // Only the number of images matters for the length.
    let light = sample.parts.iter().map(|part| match part {
        Part::Image(_) => Part::Image(Vec::new()),
        other => other.clone(),
    });
    let light = Sample { id: String::new(), parts: light.collect(), chat: sample.chat.clone() };
    let fits = |end: &usize| {
        let beginning = Sample { parts: light.parts[..*end].to_vec(), ..light.clone() };
        preparer.tokens(&beginning).is_ok_and(|(ids, _)| ids.len() <= preparer.length())
    };
    let end = ends.partition_point(fits).checked_sub(1).map(|last| ends[last])?;
    Some(Sample { parts: sample.parts[..end].to_vec(), id: sample.id.clone(), chat: sample.chat.clone() })
}

/// The numbers of parts after which an answer has ended and a question follows. A text that has loss throughout, such as an
/// interleaved document, has no answers.
fn answer_ends(parts: &[Part]) -> Vec<usize> {
    if !parts.iter().any(|part| matches!(part, Part::Text { loss: false, .. })) {
        return Vec::new();
    }
    let has_loss = |part: &Part| matches!(part, Part::Text { loss: true, .. } | Part::End { loss: true });
    let ends = parts.windows(2).enumerate().filter(|(_, pair)| has_loss(&pair[0]) && !has_loss(&pair[1]));
    ends.map(|(number, _)| number + 1).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tch::Tensor;

    use super::*;
    use crate::prepare::SpecialIds;

    fn preparer(length: usize) -> Preparer {
        let tokenizer = tsumugi_vlm::build_tokenizer(&["問答"], 300).unwrap();
        let ids = SpecialIds { eos: 2, pad: 3, image: 4, image_tokens: 5 };
        Preparer::new(tokenizer, Arc::new(|_| Ok(Tensor::from_slice(&[1.0_f32]))), ids, length)
    }

    /// Three turns, the second and third with an image.
    fn conversation() -> Sample {
        (0..3).fold(Sample::new("c"), |sample, turn| {
            let sample = sample.text("問", false);
            let sample = if turn > 0 { sample.image(vec![9]) } else { sample };
            sample.text("問", false).text("答", true).end(true)
        })
    }

    #[test]
    fn conversations_are_cut_behind_an_answer() {
        let whole = preparer(1000).prepare(&conversation()).unwrap().ids;
        for length in 1..=whole.len() {
            let fitted = fit(&preparer(length), &conversation(), TooLong::Cut);
            let Ok((prepared, cut)) = fitted else {
                assert_eq!(fitted.unwrap_err(), "too_long");
                continue;
            };
            assert_eq!(cut, length < whole.len());
            assert!(prepared.ids.len() <= length);
            assert_eq!(prepared.ids, whole[..prepared.ids.len()]);
            assert_eq!(prepared.ids.last(), Some(&2), "it ends with an answer");
            let features = prepared.ids.iter().filter(|&&id| id == 4).count();
            assert_eq!(features, 5 * prepared.pixels.len());
            // One token more than fits would begin another turn.
            let answers = prepared.ids.iter().filter(|&&id| id == 2).count();
            let next = whole.iter().enumerate().filter(|(_, id)| **id == 2).nth(answers);
            assert!(next.is_none_or(|(at, _)| at + 1 > length), "{length}");
        }
        assert_eq!(fit(&preparer(12), &conversation(), TooLong::Drop).unwrap_err(), "too_long");
    }

    #[test]
    fn what_has_no_answers_is_not_cut() {
        let document = Sample::new("d").text("答", true).image(vec![9]).text("答", true).end(true);
        assert_eq!(fit(&preparer(6), &document, TooLong::Cut).unwrap_err(), "too_long");
    }
}
