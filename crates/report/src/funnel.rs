use serde::{Serialize, Serializer};

use crate::format::number;

/// A stage of a [`Funnel`]: what came in, what was kept, and what was dropped by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    name: String,
    unit: String,
    input: u64,
    kept: u64,
    dropped: Vec<(String, u64)>,
}

impl Stage {
    /// A stage that dropped nothing yet.
    #[must_use]
    pub fn new(name: impl Into<String>, input: u64, kept: u64) -> Self {
        Self { name: name.into(), input, kept, ..Self::default() }
    }

    /// What is counted, such as `pages`.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Adds the number of items dropped for a reason. Reasons are shown by number, the most frequent first.
    #[must_use]
    pub fn dropped(mut self, reason: impl Into<String>, items: u64) -> Self {
        self.dropped.push((reason.into(), items));
        self
    }
}

/// The stages of a filter as bars of what was kept and dropped, with the reasons.
///
/// ```
/// use tsumugi_report::{Funnel, Stage};
///
/// let quality = Stage::new("quality", 49, 47).unit("documents").dropped("opt_out", 2);
/// let funnel = Funnel::new().with(quality);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Funnel(Vec<Stage>);

impl Funnel {
    /// A funnel without stages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stage.
    pub fn push(&mut self, stage: Stage) {
        self.0.push(stage);
    }

    /// Adds a stage and returns the funnel.
    #[must_use]
    pub fn with(mut self, stage: Stage) -> Self {
        self.push(stage);
        self
    }
}

#[derive(Serialize)]
struct StageView<'a> {
    name: &'a str,
    unit: &'a str,
    input: String,
    kept: String,
    dropped: String,
    /// Per cent of the input.
    kept_share: f64,
    dropped_share: f64,
    kept_text: String,
    reasons: Vec<(&'a str, String)>,
}

impl Stage {
    fn view(&self) -> StageView<'_> {
        let dropped: u64 = self.dropped.iter().map(|(_, items)| items).sum();
        let share = |items: u64| if self.input == 0 { 0.0 } else { items as f64 * 100.0 / self.input as f64 };
        let mut reasons: Vec<&(String, u64)> = self.dropped.iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let count = |items: u64| number(items as f64, Some(0));
        StageView {
            name: &self.name,
            unit: &self.unit,
            input: count(self.input),
            kept: count(self.kept),
            dropped: count(dropped),
            kept_share: round(share(self.kept)),
            dropped_share: round(share(dropped)),
            kept_text: if self.input == 0 { String::new() } else { format!("{:.1}", share(self.kept)) },
            reasons: reasons.iter().map(|(reason, items)| (reason.as_str(), count(*items))).collect(),
        }
    }
}

/// To hundredths: finer than a bar can show.
fn round(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}

impl Serialize for Funnel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Stage::view))
    }
}
