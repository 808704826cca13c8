//! Which parameters are trained: parts and patterns on names.

use tsumugi_vlm::lora::{Adapter, is_adapter};
use tsumugi_vlm::{ParamDef, Part, Vlm};

use crate::recipe::StageConfig;
use crate::{Error, Result};

use super::flat::Treatment;

/// True if `pattern` matches this parameter: `vision`, `projector`, `language`, or a name in which `*` matches any text
/// and `?` one character.
pub fn names(pattern: &str, part: Part, parameter: &str) -> bool {
    match pattern {
        "vision" => part == Part::Vision,
        "projector" => part == Part::Projector,
        "language" => part == Part::Language,
        _ => fits(pattern.as_bytes(), parameter.as_bytes()),
    }
}

fn fits(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=text.len()).any(|skip| fits(rest, &text[skip..])),
        (Some((b'?', rest)), Some((_, text))) => fits(rest, text),
        (Some((p, rest)), Some((t, text))) if p == t => fits(rest, text),
        _ => false,
    }
}

/// How a stage treats a parameter.
pub(super) fn treatment(stage: &StageConfig, part: Part, parameter: &str, decay: bool) -> Treatment {
    let trained = is_adapter(parameter) || stage.tune.iter().any(|p| names(p, part, parameter));
    let rate =
        stage.optimizer.multipliers.iter().find(|m| names(&m.of, part, parameter)).map_or(1.0, |m| m.factor);
    Treatment { trained, decay, rate }
}

/// The model that a stage trains: with the stage's adapters (`lora`), if it has any.
///
/// # Errors
/// [`Error::Recipe`] if a pattern of `tune`, `lora` or `multipliers` matches nothing, `tune` and `lora` match the same parameter,
/// or a matrix cannot be adapted.
pub(crate) fn planned(model: &Vlm, stage: &StageConfig) -> Result<(Vlm, Option<Adapter>)> {
    check_patterns(stage, model)?;
    let Some(lora) = &stage.lora else { return Ok((model.clone(), None)) };
    let adapter = Adapter { rank: lora.rank, alpha: lora.alpha };
    let chosen = |part: Part, def: &ParamDef| lora.of.iter().any(|p| names(p, part, &def.name));
    let in_stage = |reason: String| Error::recipe(format!("stage {}: lora: {reason}", stage.name));
    let both = model
        .parameters()
        .into_iter()
        .find(|(part, _, def)| chosen(*part, def) && stage.tune.iter().any(|p| names(p, *part, &def.name)));
    if let Some((.., def)) = both {
        return Err(in_stage(format!("{} is also matched by tune; remove it there", def.name)));
    }
    let adapted = model.adapted(adapter, chosen).map_err(|e| in_stage(e.with_causes()))?;
    Ok((adapted, Some(adapter)))
}

/// Checks that every pattern of a stage matches a parameter, and those of `lora` a matrix.
fn check_patterns(stage: &StageConfig, model: &Vlm) -> Result<()> {
    let all: Vec<(Part, ParamDef)> =
        model.parameters().into_iter().map(|(part, _, def)| (part, def)).collect();
    let matrices: Vec<(Part, ParamDef)> =
        all.iter().filter(|(_, def)| def.shape.len() == 2).cloned().collect();
    let of_tune = stage.tune.iter().map(|pattern| ("tune", "parameter", pattern, &all));
    let adapters = stage.lora.iter().flat_map(|lora| &lora.of);
    let of_lora = adapters.map(|pattern| ("lora.of", "matrix", pattern, &matrices));
    let multiplied = stage.optimizer.multipliers.iter().map(|m| &m.of);
    let of_rates = multiplied.map(|pattern| ("optimizer.multipliers", "parameter", pattern, &all));
    for (key, what, pattern, among) in of_tune.chain(of_lora).chain(of_rates) {
        if !among.iter().any(|(part, def)| names(pattern, *part, &def.name)) {
            let candidates = among.iter().map(|(_, def)| def.name.as_str());
            let meant = nearest(pattern, PARTS.into_iter().chain(candidates)).unwrap_or_default();
            return Err(Error::recipe(format!(
                "stage {}: {key}: \"{pattern}\" matches no {what}; the nearest name is {meant} (use vision, projector, language or a pattern on names)",
                stage.name
            )));
        }
    }
    Ok(())
}

/// Patterns that name a part of the model.
const PARTS: [&str; 3] = ["vision", "projector", "language"];

/// The name that a pattern misses by the fewest characters; the first of several.
fn nearest<'a>(pattern: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    among.min_by_key(|name| distance(pattern.as_bytes(), name.as_bytes()))
}

/// Fewest characters to insert, delete or replace in a pattern so that it matches a text.
fn distance(pattern: &[u8], text: &[u8]) -> usize {
    let mut before: Vec<usize> = (0..=text.len()).collect();
    for &p in pattern {
        let mut now = vec![before[0] + usize::from(p != b'*'); text.len() + 1];
        for (at, &t) in text.iter().enumerate() {
            now[at + 1] = match p {
                b'*' => before[at + 1].min(now[at]),
                _ => (before[at] + usize::from(p != b'?' && p != t)).min(before[at + 1] + 1).min(now[at] + 1),
            };
        }
        before = now;
    }
    before[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let name = "language_model.model.layers.12.mlp.up_proj.weight";
        for (pattern, want) in [
            ("language", true),
            ("vision", false),
            ("*.layers.1?.*", true),
            ("*.layers.1.*", false),
            ("*mlp*", true),
            ("language_model.*.weight", true),
            ("language_model", false),
        ] {
            assert_eq!(names(pattern, Part::Language, name), want, "{pattern}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let names = [
            "vision_tower.layers.0.self_attn.q_proj.weight",
            "multi_modal_projector.linear_1.weight",
            "language_model.model.layers.0.self_attn.q_proj.weight",
            "language_model.model.layers.0.mlp.up_proj.weight",
            "language_model.lm_head.weight",
        ];
        for (pattern, want) in [
            ("langauge", "language"),
            ("Vision", "vision"),
            ("projecter", "projector"),
            ("*.q_prj.*", names[0]),
            ("language_model.*.upproj.weight", names[3]),
            ("*lmhead*", names[4]),
            ("mm_projector.linear_1.*", names[1]),
            ("languagemodel.model.layers.?.self_attn.q_proj.weight", names[2]),
        ] {
            assert_eq!(nearest(pattern, PARTS.into_iter().chain(names)), Some(want), "{pattern}");
        }
        assert_eq!(distance(b"a*c", b"abbbc"), 0);
        assert_eq!(distance(b"a?d", b"abc"), 1);
    }
}
