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

/// The model with the adapters of a stage.
pub(super) fn adapted(model: &Vlm, stage: &StageConfig, of: &[String], adapter: Adapter) -> Result<Vlm> {
    let chosen = |part: Part, def: &ParamDef| of.iter().any(|p| names(p, part, &def.name));
    let in_stage = |reason: String| Error::recipe(format!("stage {}: lora: {reason}", stage.name));
    let both = model
        .parameters()
        .into_iter()
        .find(|(part, _, def)| chosen(*part, def) && stage.tune.iter().any(|p| names(p, *part, &def.name)));
    if let Some((.., def)) = both {
        return Err(in_stage(format!("{} is also matched by tune; remove it there", def.name)));
    }
    model.adapted(adapter, chosen).map_err(|e| in_stage(e.with_causes()))
}

/// Checks that every pattern of a stage matches a parameter.
///
/// # Errors
/// [`Error::Recipe`] with the first pattern that does not.
pub fn check_patterns(stage: &StageConfig, parameters: &[(Part, String)]) -> Result<()> {
    let adapters = stage.lora.iter().flat_map(|lora| &lora.of);
    let multiplied = stage.optimizer.multipliers.iter().map(|m| &m.of);
    let given = stage.tune.iter().chain(adapters).chain(multiplied);
    for pattern in given {
        if !parameters.iter().any(|(part, name)| names(pattern, *part, name)) {
            let example = parameters.first().map_or("", |(_, name)| name);
            return Err(Error::recipe(format!(
                "stage {}: \"{pattern}\" matches no parameter; use vision, projector, language or a pattern on names such as {example}",
                stage.name
            )));
        }
    }
    Ok(())
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
}
