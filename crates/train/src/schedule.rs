//! The learning rate over time.

use crate::recipe::{ScheduleConfig, ScheduleKind};

/// The factor of the peak rate after `done` of `total` steps (or rows, if the stage's duration counts rows).
///
/// The forms are those of transformers: `ceil(warmup * total)` of warm-up from zero, then down to `floor` at `total`. As
/// there, the first step of a stage with warm-up has rate zero.
pub fn factor(config: &ScheduleConfig, done: f64, total: f64) -> f64 {
    let warmup = (config.warmup * total).ceil();
    if done < warmup {
        return done / warmup.max(1.0);
    }
    let fall = |part: f64| config.floor + (1.0 - config.floor) * part;
    let progress = ((done - warmup) / (total - warmup).max(1.0)).clamp(0.0, 1.0);
    match config.kind {
        ScheduleKind::Constant => 1.0,
        ScheduleKind::Linear => fall(1.0 - progress),
        ScheduleKind::Cosine => fall((0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)),
        ScheduleKind::Wsd => {
            let decay = (config.decay * total).ceil().max(1.0);
            fall(((total - done) / decay).clamp(0.0, 1.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(kind: ScheduleKind, done: f64) -> f64 {
        factor(&ScheduleConfig { kind, warmup: 0.03, decay: 0.2, floor: 0.0 }, done, 100.0)
    }

    /// Values of `transformers.get_cosine_schedule_with_warmup(opt, 3, 100)`, peak 1.
    #[test]
    fn cosine_is_that_of_transformers() {
        let known = [
            (0.0, 0.000000000),
            (1.0, 0.333333333),
            (2.0, 0.666666667),
            (3.0, 1.000000000),
            (4.0, 0.999737785),
            (50.0, 0.524281111),
            (99.0, 0.000262215),
        ];
        for (step, want) in known {
            let got = at(ScheduleKind::Cosine, step);
            assert!((got - want).abs() < 1e-6, "{step}: {got} is not {want}");
        }
    }

    #[test]
    fn other_forms() {
        assert_eq!(at(ScheduleKind::Constant, 99.0), 1.0);
        assert!((at(ScheduleKind::Linear, 51.5) - 0.5).abs() < 1e-12);
        assert_eq!(at(ScheduleKind::Wsd, 79.0), 1.0);
        assert!((at(ScheduleKind::Wsd, 90.0) - 0.5).abs() < 1e-12);
        let floor = ScheduleConfig { kind: ScheduleKind::Cosine, warmup: 0.0, decay: 0.0, floor: 0.1 };
        assert!((factor(&floor, 10.0, 10.0) - 0.1).abs() < 1e-12);
        assert_eq!(factor(&floor, 0.0, 10.0), 1.0);
    }
}
