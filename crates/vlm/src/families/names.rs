//! Names of tensors: those that different writers use for the same parameter.

/// Contents of a file, or of one folder of VILA's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A LLaVA, under any of the names that transformers has used.
    Llava,
    /// A language model alone.
    Llama,
    /// A vision tower alone.
    Siglip,
    /// VILA's projector, whose layers have numbers.
    VilaProjector,
}

/// The name of a tensor in Hugging Face's first LLaVA, which this project uses throughout.
pub(crate) fn canonical(source: Source, name: &str) -> String {
    match source {
        Source::Llava => llava(name),
        Source::Llama => format!("language_model.{name}"),
        Source::Siglip => format!("vision_tower.{}", siglip(name)),
        Source::VilaProjector => format!("multi_modal_projector.{}", vila_projector(name)),
    }
}

fn llava(name: &str) -> String {
    // transformers 5 has everything but the head below `model.`, and some versions wrote these names to files.
    if name == "lm_head.weight" {
        return "language_model.lm_head.weight".to_owned();
    }
    if let Some(rest) = name.strip_prefix("model.language_model.") {
        return format!("language_model.model.{rest}");
    }
    let name = name.strip_prefix("model.").unwrap_or(name);
    match name.strip_prefix("vision_tower.") {
        Some(rest) => format!("vision_tower.{}", siglip(rest)),
        None => name.to_owned(),
    }
}

fn siglip(name: &str) -> String {
    // Files of complete SigLIPs (text and vision) have `vision_model.` too; transformers 5 omits it.
    let own = ["embeddings.", "encoder.", "post_layernorm.", "head."];
    if own.iter().any(|start| name.starts_with(start)) {
        format!("vision_model.{name}")
    } else {
        name.to_owned()
    }
}

fn vila_projector(name: &str) -> String {
    let places = [
        ("layers.0.", "linear_1."),
        ("layers.1.", "norm."),
        ("layers.4.", "linear_2."),
        ("layers.weight", "linear_1.weight"),
        ("layers.bias", "linear_1.bias"),
    ];
    for (from, to) in places {
        if let Some(rest) = name.strip_prefix(from) {
            return format!("{to}{rest}");
        }
    }
    name.to_owned()
}

/// Renames the tensors of VILA's projector folder. `layers.2` is the second matrix of `mlp2x_gelu` but the first one
/// of `mlp_downsample`, which has a `layers.4`.
pub(crate) fn vila_projector_names(names: &[String]) -> Vec<(String, String)> {
    let downsample = names.iter().any(|name| name.starts_with("layers.4."));
    let second = if downsample { "linear_1." } else { "linear_2." };
    let rename = |name: &String| match name.strip_prefix("layers.2.") {
        Some(rest) => format!("multi_modal_projector.{second}{rest}"),
        None => canonical(Source::VilaProjector, name),
    };
    names.iter().map(|name| (rename(name), name.clone())).collect()
}

/// VILA's name of a projector's tensor (without `multi_modal_projector.`).
pub(crate) fn to_vila_projector(name: &str, downsample: bool, single: bool) -> String {
    let (first, second) = match (single, downsample) {
        (true, _) => ("layers.", ""),
        (_, true) => ("layers.2.", "layers.4."),
        _ => ("layers.0.", "layers.2."),
    };
    name.replace("linear_1.", first).replace("linear_2.", second).replace("norm.", "layers.1.")
}

/// True for tensors that files may contain but the model does not use: SigLIP's last norm, pooling head and text tower,
/// layers above the one whose output is used, and buffers of old versions.
pub(crate) fn is_unused(name: &str, vision_layers: usize, tied: bool) -> bool {
    const VISION: &str = "vision_tower.vision_model.";
    if let Some(rest) = name.strip_prefix(VISION) {
        let layer =
            rest.strip_prefix("encoder.layers.").and_then(|r| r.split('.').next()?.parse::<usize>().ok());
        return rest.starts_with("post_layernorm.")
            || rest.starts_with("head.")
            || rest.ends_with("position_ids")
            || layer.is_some_and(|layer| layer >= vision_layers);
    }
    name.ends_with("rotary_emb.inv_freq")
        || (tied && name == "language_model.lm_head.weight")
        || ["vision_tower.text_model.", "vision_tower.logit_"].iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_writers() {
        let q = "vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight";
        let cases = [
            (Source::Llava, q, q),
            (Source::Llava, "vision_tower.encoder.layers.0.self_attn.q_proj.weight", q),
            (Source::Llava, "model.vision_tower.vision_model.encoder.layers.0.self_attn.q_proj.weight", q),
            (Source::Llava, "lm_head.weight", "language_model.lm_head.weight"),
            (Source::Llava, "model.language_model.norm.weight", "language_model.model.norm.weight"),
            (Source::Llava, "language_model.model.norm.weight", "language_model.model.norm.weight"),
            (
                Source::Llava,
                "model.multi_modal_projector.linear_1.bias",
                "multi_modal_projector.linear_1.bias",
            ),
            (Source::Llama, "model.norm.weight", "language_model.model.norm.weight"),
            (Source::Siglip, "vision_model.encoder.layers.0.self_attn.q_proj.weight", q),
            (Source::Siglip, "encoder.layers.0.self_attn.q_proj.weight", q),
        ];
        for (source, name, expected) in cases {
            assert_eq!(canonical(source, name), expected);
        }
    }

    #[test]
    fn vila_projectors_there_and_back() {
        for (downsample, single, names) in [
            (false, false, vec!["linear_1.weight", "linear_2.bias"]),
            (true, false, vec!["linear_1.weight", "linear_2.bias", "norm.weight"]),
            (false, true, vec!["linear_1.weight", "linear_1.bias"]),
        ] {
            let written: Vec<String> =
                names.iter().map(|n| to_vila_projector(n, downsample, single)).collect();
            let read: Vec<String> = vila_projector_names(&written).into_iter().map(|(to, _)| to).collect();
            let expected: Vec<String> = names.iter().map(|n| format!("multi_modal_projector.{n}")).collect();
            assert_eq!(read, expected);
        }
    }

    #[test]
    fn unused_tensors_are_recognised() {
        let layer = "vision_tower.vision_model.encoder.layers.3.mlp.fc1.weight";
        assert!(is_unused(layer, 3, false) && !is_unused(layer, 4, false));
        assert!(is_unused("vision_tower.vision_model.head.probe", 1, false));
        assert!(is_unused("language_model.lm_head.weight", 1, true));
        assert!(!is_unused("language_model.lm_head.weight", 1, false));
    }
}
