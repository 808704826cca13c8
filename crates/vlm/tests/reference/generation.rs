//! Greedy, penalised and beam search against transformers; batches against single rows.

use tch::Tensor;
use tsumugi_vlm::{GenerateOptions, Vlm, generate};

use super::{device, llava, rows, tensors};

/// The prompts of the fixture without their padding, and all images.
fn prompts() -> (Vec<Vec<i64>>, Tensor) {
    (stripped(""), tensors("llava_batch.safetensors")["pixel_values"].to_device(device()))
}

fn stripped(prefix: &str) -> Vec<Vec<i64>> {
    let given = tensors("llava_generate.safetensors");
    let masks = rows(&given[&format!("{prefix}attention_mask")]);
    let strip = |(ids, mask): (Vec<i64>, Vec<i64>)| {
        ids.into_iter().zip(mask).filter(|(_, m)| *m == 1).map(|(i, _)| i).collect()
    };
    rows(&given[&format!("{prefix}input_ids")]).into_iter().zip(masks).map(strip).collect()
}

fn options() -> GenerateOptions {
    GenerateOptions { max_new_tokens: 10, stop: false, ..GenerateOptions::default() }
}

#[test]
fn greedy_tokens_are_those_of_transformers() {
    let (vlm, weights) = llava();
    let (prompts, pixels) = prompts();
    let expected = tensors("llava_generate.safetensors");
    for (name, repetition_penalty) in [("greedy", 1.0), ("penalised", 1.3)] {
        let options = GenerateOptions { repetition_penalty, ..options() };
        let found = generate(&vlm, &weights, &prompts, Some(&pixels), &options, &mut |_, _| true).unwrap();
        assert_eq!(found, rows(&expected[name]), "{name}");
    }
}

#[test]
fn beams_are_those_of_transformers() {
    let (vlm, weights) = llava();
    let mut config = vlm.config().clone();
    config.language.eos_token_ids = std::iter::once(2).chain((5..40).step_by(4)).collect();
    let vlm = Vlm::new(config).unwrap();
    let prompts = stripped("beams.");
    let pixels = tensors("llava_batch.safetensors")["pixel_values"].narrow(0, 0, 2).to_device(device());
    let expected = tensors("llava_generate.safetensors");
    for (name, num_beams, repetition_penalty, length_penalty) in [
        ("beams", 3, 1.0, 1.0),
        ("beams_penalised", 4, 1.3, 1.0),
        ("beams_short", 3, 1.0, -1.0),
        ("beams_long", 2, 1.0, 2.0),
    ] {
        let options =
            GenerateOptions { num_beams, repetition_penalty, length_penalty, stop: true, ..options() };
        let found = generate(&vlm, &weights, &prompts, Some(&pixels), &options, &mut |_, _| true).unwrap();
        let ends = &vlm.config().language.eos_token_ids;
        let until = |row: Vec<i64>| {
            row.into_iter().take_while(|id| *id != 3 && !ends.contains(id)).collect::<Vec<_>>()
        };
        let expected: Vec<Vec<i64>> = rows(&expected[name]).into_iter().map(until).collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn answers_do_not_depend_on_the_batch() {
    let (vlm, weights) = llava();
    let (prompts, pixels) = prompts();
    for options in [options(), GenerateOptions { temperature: 0.8, seed: 5, ..options() }] {
        let together = generate(&vlm, &weights, &prompts, Some(&pixels), &options, &mut |_, _| true).unwrap();
        let first =
            generate(&vlm, &weights, &prompts[..1], Some(&pixels.narrow(0, 0, 2)), &options, &mut |_, _| {
                true
            });
        assert_eq!(first.unwrap()[0], together[0]);
    }
}

#[test]
fn a_listener_hears_all_tokens_and_can_stop() {
    let (vlm, weights) = llava();
    let (prompts, pixels) = prompts();
    let mut heard: Vec<Vec<i64>> = vec![Vec::new(); 2];
    let found = generate(&vlm, &weights, &prompts, Some(&pixels), &options(), &mut |row, token| {
        heard[row].push(token);
        row == 1 || heard[0].len() < 3
    })
    .unwrap();
    assert_eq!(found, heard);
    assert_eq!((found[0].len(), found[1].len()), (3, 10));
    let none = generate(&vlm, &weights, &[], None, &options(), &mut |_, _| true).unwrap();
    assert!(none.is_empty());
    let wrong = GenerateOptions { top_p: 0.0, ..options() };
    assert!(generate(&vlm, &weights, &prompts, Some(&pixels), &wrong, &mut |_, _| true).is_err());
}
