//! The page of a dry run.

use tsumugi_report::{Bar, Block, Chart, Facts, Page, Section};

use super::{DryRun, DryStage};
use crate::page::{drop_table, mixture_table};

/// Bars of a histogram, about.
const BARS: usize = 12;

impl DryRun {
    /// The page: for each stage its figures, histograms, mixture and dropped rows.
    pub fn page(&self) -> Page {
        let lead = format!(
            "What training would see of its data. Samples were drawn, prepared and laid out as in training, in {:.1} s; \
             nothing was trained.",
            self.seconds
        );
        self.stages.iter().fold(Page::new(format!("{}: data", self.run)).lead(lead), |page, stage| {
            page.with(stage.section())
        })
    }
}

impl DryStage {
    fn section(&self) -> Section {
        let mut facts = Facts::new().with("rows drawn", format!("{} of {}", self.drawn, self.rows));
        for (name, value) in self.figures() {
            facts.push(name, value);
        }
        let charts = [
            lengths(&self.lengths, &self.too_long, self.length),
            histogram("Images of a sample", "samples", &self.images),
        ];
        let mut section = Section::new(&self.name).with(facts).with(Block::grid(charts));
        section.push(mixture_table(&self.mixture));
        if !self.dropped.is_empty() {
            section.push(drop_table(&self.dropped, &self.dropped_ids));
        }
        section
    }
}

/// Lengths of samples, and apart from them those that were too long.
fn lengths(kept: &[usize], too_long: &[usize], length: usize) -> Chart {
    let mut chart = Chart::bar("Tokens of a sample").unit("samples");
    for (label, count) in bins(kept) {
        chart.push(Bar::new(label, count as f64));
    }
    for factor in [2, 4] {
        let (above, upto) = (length * factor / 2, length * factor);
        let count = too_long.iter().filter(|&&tokens| tokens > above && tokens <= upto).count();
        if count > 0 {
            chart.push(Bar::new(format!("{}-{upto} (dropped)", above + 1), count as f64));
        }
    }
    let count = too_long.iter().filter(|&&tokens| tokens > length * 4).count();
    if count > 0 {
        chart.push(Bar::new(format!("over {} (dropped)", length * 4), count as f64));
    }
    chart.into()
}

fn histogram(caption: &str, unit: &str, values: &[usize]) -> Chart {
    let bars = bins(values).into_iter().map(|(label, count)| Bar::new(label, count as f64));
    bars.fold(Chart::bar(caption).unit(unit), |chart, bar| chart.with(bar)).into()
}

/// Counts of values in at most about [`BARS`] ranges of a round width, without empty ranges before the first value.
fn bins(values: &[usize]) -> Vec<(String, usize)> {
    let (Some(&least), Some(&most)) = (values.iter().min(), values.iter().max()) else { return Vec::new() };
    let width = round_up((most - least + 1).div_ceil(BARS));
    let range = |number: usize| match width {
        1 => number.to_string(),
        _ => format!("{}-{}", number * width, (number + 1) * width - 1),
    };
    (least / width..=most / width)
        .map(|number| (range(number), values.iter().filter(|&&value| value / width == number).count()))
        .collect()
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round_up(value: usize) -> usize {
    let mut power = 1;
    loop {
        for factor in [1, 2, 5] {
            if factor * power >= value {
                return factor * power;
            }
        }
        power *= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_round_edges_and_lose_nothing() {
        let shown = |values: &[usize]| -> Vec<String> {
            bins(values).into_iter().map(|(label, count)| format!("{label}: {count}")).collect()
        };
        assert!(shown(&[]).is_empty());
        assert_eq!(shown(&[1, 0, 1, 3]), ["0: 1", "1: 2", "2: 0", "3: 1"]);
        assert_eq!(shown(&[41, 59, 60]).first().unwrap(), "40-41: 1");
        let many: Vec<usize> = (100..4000).step_by(7).collect();
        assert!(bins(&many).len() <= BARS + 1);
        assert_eq!(bins(&many).iter().map(|(_, count)| count).sum::<usize>(), many.len());
    }
}
