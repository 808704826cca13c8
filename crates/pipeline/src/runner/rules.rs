//! Stages of a funnel, and declared comparisons.

use tsumugi_tables::Operator;

/// A table of key columns.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// Folder inside the step's output folder.
    pub folder: &'static str,
    /// Kind of the table.
    pub kind: &'static str,
}

/// What of a funnel an item is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Name, such as `language`.
    pub name: &'static str,
    /// What is counted, such as `documents`.
    pub unit: &'static str,
}

/// A declared comparison: the rows that its operator drops are counted in a stage of the funnel.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where its drops are counted.
    pub stage: Stage,
    /// Why a row is dropped.
    pub reason: &'static str,
    /// What drops it.
    pub operator: Operator,
}
