//! How sure a number is: bootstrap intervals, paired differences, judge variance, power.
//!
//! All resampling is seeded, so that the same scores give the same intervals.

use serde::{Deserialize, Serialize};

use crate::number;

/// Bootstrap samples of an interval.
pub const SAMPLES: usize = 1000;
/// Part of the bootstrap distribution that an interval holds.
pub const LEVEL: f64 = 0.95;
const SEED: u64 = 0x7473_756d_7567_6921;

/// A percentile interval at 95 %.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    #[serde(with = "number")]
    pub low: f64,
    /// Upper end.
    #[serde(with = "number")]
    pub high: f64,
}

/// SplitMix64: small, good enough for resampling, and the same on every platform.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }
}

/// What is drawn with replacement: clusters of questions, within strata.
#[derive(Debug, Clone, Default)]
pub struct Resampling {
    strata: Vec<Vec<Vec<usize>>>,
}

impl Resampling {
    /// Each question on its own, within its category.
    #[must_use]
    pub fn by_question<'a>(categories: impl Iterator<Item = &'a str>) -> Self {
        let mut names: Vec<&str> = Vec::new();
        let mut strata: Vec<Vec<Vec<usize>>> = Vec::new();
        for (index, category) in categories.enumerate() {
            let at = names.iter().position(|name| *name == category).unwrap_or_else(|| {
                names.push(category);
                strata.push(Vec::new());
                names.len() - 1
            });
            strata[at].push(vec![index]);
        }
        Self { strata }
    }

    /// Draws all questions about one image together, since they are not independent. Questions without an image stand
    /// alone.
    #[must_use]
    pub fn by_image<'a>(images: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut places: std::collections::HashMap<&str, usize> = std::collections::HashMap::new();
        let mut clusters: Vec<Vec<usize>> = Vec::new();
        for (index, image) in images.enumerate() {
            let next = clusters.len();
            let at = image.map_or(next, |image| *places.entry(image).or_insert(next));
            if at == next {
                clusters.push(Vec::new());
            }
            clusters[at].push(index);
        }
        Self { strata: vec![clusters] }
    }

    fn draw(&self, random: &mut Random, out: &mut Vec<usize>) {
        out.clear();
        for clusters in &self.strata {
            for _ in 0..clusters.len() {
                out.extend(&clusters[random.below(clusters.len())]);
            }
        }
    }

    /// Values of a statistic over bootstrap samples, sorted.
    #[must_use]
    pub fn distribution(&self, statistic: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let mut random = Random(SEED);
        let mut indices = Vec::new();
        let mut values: Vec<f64> = (0..SAMPLES)
            .map(|_| {
                self.draw(&mut random, &mut indices);
                statistic(&indices)
            })
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }

    /// The percentile interval of a statistic.
    #[must_use]
    pub fn interval(&self, statistic: impl Fn(&[usize]) -> f64) -> Interval {
        interval_of(&self.distribution(statistic))
    }
}

fn interval_of(sorted: &[f64]) -> Interval {
    let tail = (1.0 - LEVEL) / 2.0;
    Interval { low: percentile(sorted, tail), high: percentile(sorted, 1.0 - tail) }
}

/// Percentile of sorted values, linear between neighbours (NumPy's default).
#[must_use]
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = q * last as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    let high = sorted[(low + 1).min(last)];
    sorted[low] + (high - sorted[low]) * part
}

/// The median of bootstrap means, which some references report in place of the mean.
#[must_use]
pub fn bootstrap_median(scores: &[f64]) -> f64 {
    if scores.is_empty() {
        return 0.0;
    }
    let all = Resampling::by_question(scores.iter().map(|_| ""));
    percentile(&all.distribution(|drawn| mean_at(scores, drawn)), 0.5)
}

/// The mean of the values, or `None` where there are none.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

pub(crate) fn mean_at(scores: &[f64], drawn: &[usize]) -> f64 {
    mean(drawn.iter().map(|i| scores[*i])).unwrap_or(0.0)
}

/// Difference of two runs over the same questions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// Second minus first.
    pub difference: f64,
    /// Interval of the difference.
    pub interval: Interval,
    /// How likely a difference at least this large would be if neither run were better (two-sided).
    pub p_value: f64,
    /// Questions of this kind that would tell the two apart at 5 % with 80 % power, were the difference as observed.
    pub questions_needed: Option<u64>,
}

/// Compares the scores of two runs, question by question. The p-value is that of 10,000 random sign changes.
#[must_use]
pub fn paired(first: &[f64], second: &[f64], resampling: &Resampling) -> Paired {
    const FLIPS: u32 = 10_000;
    let differences: Vec<f64> = second.iter().zip(first).map(|(b, a)| b - a).collect();
    let n = differences.len();
    let difference = mean(differences.iter().copied()).unwrap_or(0.0);
    let interval = resampling.interval(|drawn| mean_at(&differences, drawn));
    let sums: Vec<f64> = resampling
        .strata
        .iter()
        .flatten()
        .map(|cluster| cluster.iter().map(|i| differences[*i]).sum())
        .collect();
    let observed = difference.abs() * n as f64;
    let mut random = Random(SEED);
    let as_large = (0..FLIPS)
        .filter(|_| {
            let sum: f64 = sums.iter().map(|sum| if random.next() >> 63 == 0 { *sum } else { -sum }).sum();
            sum.abs() >= observed - 1e-12 * observed.max(1.0)
        })
        .count();
    let p_value = (as_large as f64 + 1.0) / (f64::from(FLIPS) + 1.0);
    Paired { difference, interval, p_value, questions_needed: questions_needed(&differences) }
}

/// Compares two runs by a statistic that is not a mean. The p-value is that of the bootstrap distribution.
#[must_use]
pub fn paired_statistic(difference: impl Fn(&[usize]) -> f64, n: usize, resampling: &Resampling) -> Paired {
    let all: Vec<usize> = (0..n).collect();
    let values = resampling.distribution(&difference);
    let below = values.iter().filter(|value| **value <= 0.0).count() + 1;
    let above = values.iter().filter(|value| **value >= 0.0).count() + 1;
    let p_value = (2.0 * below.min(above) as f64 / (values.len() + 1) as f64).min(1.0);
    let observed = difference(&all);
    let spread = deviation(&values) * (n as f64).sqrt();
    let questions_needed = needed(observed, spread);
    Paired { difference: observed, interval: interval_of(&values), p_value, questions_needed }
}

/// Questions needed to see a mean difference as large as the one observed, at 5 % (two-sided) with 80 % power.
#[must_use]
pub fn questions_needed(differences: &[f64]) -> Option<u64> {
    needed(mean(differences.iter().copied())?, deviation(differences))
}

fn needed(difference: f64, deviation: f64) -> Option<u64> {
    // Normal quantiles of 97.5 % and 80 %.
    const QUANTILES: f64 = 1.959_963_985 + 0.841_621_234;
    let needed = (QUANTILES * deviation / difference).powi(2).ceil();
    (difference != 0.0 && needed.is_finite()).then_some((needed as u64).max(2))
}

fn deviation(values: &[f64]) -> f64 {
    let Some(center) = mean(values.iter().copied()).filter(|_| values.len() > 1) else { return 0.0 };
    (values.iter().map(|v| (v - center).powi(2)).sum::<f64>() / (values.len() - 1) as f64).sqrt()
}

/// Where the variance of a judge's mean comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    /// Variance between questions, the judge's own taken out.
    pub question: f64,
    /// Variance of one question between judge runs.
    pub judge: f64,
    /// Standard error of the mean that more questions would shrink.
    pub error_from_questions: f64,
    /// Standard error of the mean that more judge runs would shrink.
    pub error_from_judge: f64,
}

/// Splits the variance of points (`points[question][run]`, failures left out) into that between questions and that
/// between judge runs (one-way analysis of variance, random effects). `None` with fewer than two questions or runs.
#[must_use]
pub fn variance(points: &[Vec<f64>]) -> Option<Variance> {
    let points: Vec<&Vec<f64>> = points.iter().filter(|runs| !runs.is_empty()).collect();
    let total: usize = points.iter().map(|runs| runs.len()).sum();
    if points.len() < 2 || total <= points.len() {
        return None;
    }
    let n = points.len() as f64;
    let grand = mean(points.iter().flat_map(|runs| runs.iter().copied()))?;
    let (mut within, mut between) = (0.0, 0.0);
    for runs in &points {
        let center = mean(runs.iter().copied())?;
        within += runs.iter().map(|v| (v - center).powi(2)).sum::<f64>();
        between += runs.len() as f64 * (center - grand).powi(2);
    }
    let judge = within / (total - points.len()) as f64;
    let squares: f64 = points.iter().map(|runs| (runs.len() as f64).powi(2)).sum();
    let runs = (total as f64 - squares / total as f64) / (n - 1.0);
    let question = ((between / (n - 1.0) - judge) / runs).max(0.0);
    Some(Variance {
        question,
        judge,
        error_from_questions: (question / n).sqrt(),
        error_from_judge: (judge / total as f64).sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_the_mean_and_repeat() {
        let scores: Vec<f64> = (0..200).map(|i| f64::from(i % 10)).collect();
        let resampling = Resampling::by_question(scores.iter().map(|_| ""));
        let interval = resampling.interval(|drawn| mean_at(&scores, drawn));
        assert!(interval.low < 4.5 && 4.5 < interval.high && interval.high - interval.low < 1.2);
        assert_eq!(interval, resampling.interval(|drawn| mean_at(&scores, drawn)));
        // Ten equal questions a image carry no more than one: the interval is wider.
        let names: Vec<String> = (0..200).map(|i| (i % 10).to_string()).collect();
        let wide = Resampling::by_image(names.iter().map(|name| Some(name.as_str())))
            .interval(|d| mean_at(&scores, d));
        assert!(wide.high - wide.low > 2.0 * (interval.high - interval.low));
        assert!((bootstrap_median(&scores) - 4.5).abs() < 0.1);
        assert_eq!(bootstrap_median(&[70.0]), 70.0);
    }

    #[test]
    fn paired_runs() {
        let first: Vec<f64> = (0..60).map(|i| f64::from(i % 7)).collect();
        let better: Vec<f64> =
            first.iter().enumerate().map(|(i, v)| v + if i % 5 == 0 { 0.0 } else { 1.0 }).collect();
        let resampling = Resampling::by_question(first.iter().map(|_| ""));
        let result = paired(&first, &better, &resampling);
        assert!(
            (result.difference - 0.8).abs() < 1e-12 && result.p_value < 0.001 && result.interval.low > 0.5
        );
        assert!(result.questions_needed.is_some_and(|n| n < 10));
        let same = paired(&first, &first, &resampling);
        assert!(same.p_value > 0.99 && same.questions_needed.is_none());
        let by_statistic = paired_statistic(|d| mean_at(&better, d) - mean_at(&first, d), 60, &resampling);
        assert!((by_statistic.difference - 0.8).abs() < 1e-12 && by_statistic.p_value < 0.01);
    }

    #[test]
    fn judge_noise_is_told_from_questions() {
        let points: Vec<Vec<f64>> =
            (0..50).map(|q| (0..5).map(|r| f64::from(q % 5) + f64::from((q + r) % 2)).collect()).collect();
        let variance = variance(&points).unwrap();
        assert!((variance.judge - 0.3).abs() < 0.02, "{variance:?}");
        assert!((variance.question - 2.0).abs() < 0.3, "{variance:?}");
        assert!(super::variance(&[vec![1.0], vec![2.0]]).is_none());
    }
}
