//! Several sources as one endless stream.

use serde::{Deserialize, Serialize};

use super::order::{below, random};
use super::source::{DataSource, Place};
use crate::{Drawn, Error, Result};

/// A source of a mixture.
pub struct Member {
    /// Its name in messages and counts.
    pub name: String,
    /// Its probability to be drawn, relative to the others. All members have a weight, or none has.
    pub weight: Option<f64>,
    /// The rows.
    pub source: Box<dyn DataSource>,
}

/// An endless stream of rows from several sources, as a function of a seed.
///
/// With weights, each draw chooses a source at random, and each source has its own epochs. Without, every row of every
/// source comes exactly once in each epoch.
pub struct Mixture {
    members: Vec<Member>,
    seed: u64,
    cursor: MixtureCursor,
}

/// Position of a mixture: all that is needed to continue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixtureCursor {
    /// Rows drawn so far.
    pub draws: u64,
    /// The next position in each source.
    pub sources: Vec<SourceCursor>,
}

/// Position of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCursor {
    /// The pass, from 0.
    pub epoch: u64,
    /// The next position in it.
    pub position: u64,
}

impl Mixture {
    /// A mixture at its beginning.
    ///
    /// # Errors
    /// [`Error::Recipe`] if no member has both a row and a positive weight.
    pub fn new(members: Vec<Member>, seed: u64) -> Result<Self> {
        let drawable = members.iter().any(|m| !m.source.is_empty() && m.weight.is_none_or(|w| w > 0.0));
        if !drawable {
            return Err(Error::recipe("data: no source has any rows"));
        }
        let sources = vec![SourceCursor::default(); members.len()];
        Ok(Self { members, seed, cursor: MixtureCursor { draws: 0, sources } })
    }

    /// Rows of all sources together: an epoch.
    pub fn rows(&self) -> u64 {
        self.members.iter().map(|m| m.source.len()).sum()
    }

    /// The name of each source, and the share of the rows that it is asked for.
    pub fn asked(&self) -> Vec<(String, f64)> {
        let weighted = self.members.iter().all(|m| m.weight.is_some());
        let amount = |m: &Member| match (m.source.is_empty(), m.weight.filter(|_| weighted)) {
            (true, _) => 0.0,
            (false, Some(weight)) => weight,
            (false, None) => m.source.len() as f64,
        };
        let total: f64 = self.members.iter().map(amount).sum();
        self.members.iter().map(|m| (m.name.clone(), amount(m) / total)).collect()
    }

    /// Name of a source.
    pub(crate) fn name(&self, source: usize) -> &str {
        &self.members[source].name
    }

    /// The current position.
    pub fn cursor(&self) -> &MixtureCursor {
        &self.cursor
    }

    /// Moves to a position.
    ///
    /// # Errors
    /// [`Error::Recipe`] if the number of sources differs, or a source has fewer rows than before.
    pub fn seek(&mut self, cursor: &MixtureCursor) -> Result<()> {
        if cursor.sources.len() != self.members.len() {
            return Err(Error::recipe("data: the checkpoint was made with another number of sources"));
        }
        for (member, at) in self.members.iter().zip(&cursor.sources) {
            if at.position > member.source.len() {
                return Err(Error::recipe(format!(
                    "data: {} has fewer rows than when the run began",
                    member.name
                )));
            }
        }
        self.cursor = cursor.clone();
        Ok(())
    }

    /// The next row, and the index of its source.
    ///
    /// # Errors
    /// Those of the source.
    pub fn next_row(&mut self) -> Result<(usize, Drawn)> {
        let chance = random(self.seed, 2, self.cursor.draws);
        let chosen = if self.members.iter().all(|m| m.weight.is_some()) {
            self.choose_by_weight(chance)
        } else {
            self.choose_by_rows_left(chance)
        };
        let at = &mut self.cursor.sources[chosen];
        let member = &mut self.members[chosen];
        if at.position >= member.source.len() {
            *at = SourceCursor { epoch: at.epoch + 1, position: 0 };
        }
        let seed = random(self.seed, 3, chosen as u64);
        let row = member.source.draw(Place { seed, epoch: at.epoch, position: at.position })?;
        at.position += 1;
        self.cursor.draws += 1;
        Ok((chosen, row))
    }

    fn choose_by_weight(&self, chance: u64) -> usize {
        let weight = |m: &Member| if m.source.is_empty() { 0.0 } else { m.weight.unwrap_or(0.0) };
        let total: f64 = self.members.iter().map(weight).sum();
        let mut target = (chance >> 11) as f64 / (1_u64 << 53) as f64 * total;
        let mut last = 0;
        for (i, member) in self.members.iter().enumerate() {
            let weight = weight(member);
            if weight > 0.0 {
                last = i;
                if target < weight {
                    return i;
                }
                target -= weight;
            }
        }
        last
    }

    fn choose_by_rows_left(&mut self, chance: u64) -> usize {
        let left = |s: &Self| -> Vec<u64> {
            s.members.iter().zip(&s.cursor.sources).map(|(m, at)| m.source.len() - at.position).collect()
        };
        let mut rows = left(self);
        if rows.iter().sum::<u64>() == 0 {
            for at in &mut self.cursor.sources {
                *at = SourceCursor { epoch: at.epoch + 1, position: 0 };
            }
            rows = left(self);
        }
        let mut target = below(chance, rows.iter().sum());
        for (i, &rows) in rows.iter().enumerate() {
            if target < rows {
                return i;
            }
            target -= rows;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;
    use crate::data::ListSource;

    fn mixture(weights: [Option<f64>; 3]) -> Mixture {
        let sizes = [5, 0, 12];
        let members = sizes
            .iter()
            .zip(weights)
            .map(|(&size, weight)| Member {
                name: size.to_string(),
                weight,
                source: Box::new(ListSource::new(
                    (0..size).map(|i| Sample::new(format!("{size}.{i}"))).collect(),
                )),
            })
            .collect();
        Mixture::new(members, 9).unwrap()
    }

    fn take(mixture: &mut Mixture, n: usize) -> Vec<String> {
        let id = |row| match row {
            Drawn::Sample(s) => s.id,
            Drawn::Dropped { id, .. } => id,
        };
        (0..n).map(|_| id(mixture.next_row().unwrap().1)).collect()
    }

    #[test]
    fn without_weights_an_epoch_holds_each_row_once() {
        let mut m = mixture([None; 3]);
        assert_eq!(m.rows(), 17);
        assert_eq!(m.asked()[2], ("12".to_owned(), 12.0 / 17.0));
        let (mut first, mut second) = (take(&mut m, 17), take(&mut m, 17));
        assert_ne!(first, second);
        first.sort();
        second.sort();
        first.dedup();
        assert_eq!(first.len(), 17);
        assert_eq!(first, second);
    }

    #[test]
    fn weights_are_kept_and_streams_resume_anywhere() {
        let weights = [Some(3.0), Some(9.0), Some(1.0)];
        let mut m = mixture(weights);
        // A source without rows is never drawn.
        assert_eq!(m.asked(), [("5".to_owned(), 0.75), ("0".into(), 0.0), ("12".into(), 0.25)]);
        let all = take(&mut m, 4000);
        let share = all.iter().filter(|id| id.starts_with("5.")).count() as f64 / 4000.0;
        assert!((share - 0.75).abs() < 0.03, "{share}");
        for cut in [0, 1, 17, 999] {
            let mut one = mixture(weights);
            take(&mut one, cut);
            let cursor = one.cursor().clone();
            let mut two = mixture(weights);
            two.seek(&cursor).unwrap();
            assert_eq!(take(&mut two, 40), all[cut..cut + 40]);
        }
    }

    #[test]
    fn empty_mixtures_are_refused() {
        assert!(Mixture::new(vec![], 0).is_err());
    }
}
