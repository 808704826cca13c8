//! Operations of a step, and what the device could do at best: model FLOPs utilisation (MFU).

use std::time::Instant;

use tch::{Device, Kind, Tensor};
use tsumugi_vlm::{Part, Unit, Vlm, Work};

use crate::Result;
use crate::collate::Counts;
use crate::device::synchronize;

/// Powers of two of the sides of the square products that are measured. Larger ones come closer to the peak; the
/// measurement ends when one takes [`LONG`].
const SIDES: std::ops::RangeInclusive<u32> = 8..=13;
/// Products of each side, of which the fastest counts.
const TRIES: usize = 3;
/// Seconds of a product beyond which larger ones are not tried, so that slow kinds (bfloat16 without an instruction for
/// it) stay cheap to measure.
const LONG: f64 = 0.02;

/// Operations of a unit in a training step, as multiples of a forward pass: one forward, one more for the gradient of its
/// input, one more for that of its parameters. Recomputation does not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passes(pub(crate) f64);

/// Operations of a step on `counts` over all units.
pub(crate) fn step_flops<'a>(
    model: &Vlm,
    units: impl Iterator<Item = (Part, &'a dyn Unit, Passes)>,
    counts: &Counts,
) -> f64 {
    let images = counts.images as f64;
    let of_images = |positions: i64| {
        let positions = positions as f64;
        Work { positions: images * positions, pairs: images * positions * positions, targets: 0.0 }
    };
    let work = |part: Part| match part {
        Part::Vision => of_images(model.family().vision_positions(model.config())),
        Part::Projector => of_images(model.image_tokens()),
        Part::Language => Work {
            positions: counts.tokens as f64,
            pairs: counts.pairs as f64,
            targets: counts.targets as f64,
        },
    };
    units.map(|(part, unit, passes)| passes.0 * unit.flops(&work(part))).sum()
}

/// Operations per second of a large matrix product on this device, with the current number of threads.
pub(crate) fn measured_peak(device: Device, kind: Kind) -> Result<f64> {
    let mut peak: f64 = 0.0;
    for side in SIDES.map(|power| 1_i64 << power) {
        let seconds = product_seconds(side, device, kind)?;
        peak = peak.max(2.0 * (side as f64).powi(3) / seconds);
        if seconds > LONG {
            break;
        }
    }
    Ok(peak)
}

fn product_seconds(side: i64, device: Device, kind: Kind) -> Result<f64> {
    let matrix = Tensor::f_ones([side, side], (kind, device))?;
    let mut best = f64::MAX;
    for _ in 0..TRIES {
        synchronize(device);
        let began = Instant::now();
        let _ = matrix.f_matmul(&matrix)?;
        synchronize(device);
        best = best.min(began.elapsed().as_secs_f64());
    }
    Ok(best.max(1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tsumugi_vlm::{ImageTokenId, LlamaConfig, VlmConfig};

    #[test]
    fn operations_of_a_decoder_are_those_counted_by_hand() {
        let language = LlamaConfig {
            hidden_size: 16,
            intermediate_size: 40,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            num_key_value_heads: 2,
            vocab_size: 50,
            ..LlamaConfig::default()
        };
        let config = VlmConfig { language, image_token_id: ImageTokenId(49), ..VlmConfig::default() };
        let model = Vlm::new(config).unwrap();
        let units = model.units().iter().map(|(part, unit)| (*part, unit.as_ref(), Passes(3.0)));
        let counts = Counts { tokens: 30, pairs: 10 * 10 + 20 * 20, targets: 7, ..Counts::default() };
        let layer = 16 * 16 * 2 + 2 * 16 * 8 + 3 * 16 * 40;
        let forward = 2 * 30 * 2 * layer + 2 * 4 * 500 * 16 + 2 * 7 * 50 * 16;
        assert_eq!(step_flops(&model, units, &counts), 3.0 * f64::from(forward));
    }

    #[test]
    fn the_measured_peak_is_plausible() {
        let peak = measured_peak(Device::Cpu, Kind::Float).unwrap();
        assert!((1e8..1e14).contains(&peak), "{peak}");
    }
}
