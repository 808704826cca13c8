//! The lab's model family: its encoder in a VILA, and its own layout of checkpoints.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tsumugi::vlm::{
    Contents, Error, ImageProcessor, ModelFamily, Normalization, Opened, Outgoing, Result, StoredTensors,
    Units, VisionConfig, VlmConfig,
};

use crate::encoder::LabVit;

/// `lab_vlm` checkpoints, and `lab_vit` checkpoints of the pretrained encoder alone.
#[derive(Debug)]
pub struct LabVlm;

impl ModelFamily for LabVlm {
    fn name(&self) -> &str {
        "lab_vlm"
    }

    fn architectures(&self) -> Vec<String> {
        vec!["lab_vlm".to_owned(), "lab_vit".to_owned()]
    }

    fn vision(&self, config: &VlmConfig) -> Result<Units> {
        Ok(LabVit::units(&config.vision))
    }

    fn vision_positions(&self, config: &VlmConfig) -> i64 {
        LabVit::tokens(&config.vision)
    }

    fn image_tokens(&self, config: &VlmConfig) -> i64 {
        LabVit::tokens(&config.vision)
    }

    /// Pixels centred on each image's own mean.
    fn image_processor(&self, config: &VlmConfig) -> ImageProcessor {
        let normalize = Normalization::Custom(Arc::new(|rgb, values| {
            let mean = rgb.data.iter().map(|&x| f32::from(x)).sum::<f32>() / rgb.data.len() as f32;
            for channel in 0..3 {
                values.extend(
                    rgb.data.iter().skip(channel).step_by(3).map(|&x| (f32::from(x) - mean) / 64.0),
                );
            }
        }));
        ImageProcessor::new(config.vision.image_size).normalization(normalize)
    }

    fn open(&self, folder: &Path, config: Value) -> Result<Opened> {
        let mut tensors = StoredTensors::default();
        let invalid = |error: serde_json::Error| Error::config(format!("{}: {error}", folder.display()));
        if config["model_type"] == "lab_vit" {
            tensors.add(folder, "weights", |name| format!("vision_tower.{name}"))?;
            let size = |key: &str| {
                let missing = || Error::config(format!("{}: no {key}", folder.display()));
                config[key].as_i64().ok_or_else(missing)
            };
            let vision = VisionConfig {
                hidden_size: size("width")?,
                intermediate_size: 2 * size("width")?,
                num_hidden_layers: size("depth")? as usize,
                num_attention_heads: size("heads")?,
                image_size: size("image")?,
                patch_size: size("patch")?,
                ..VisionConfig::default()
            };
            return Ok(Opened::new(Contents::Vision(vision), tensors));
        }
        tensors.add(&folder.join("tensors"), "model", |name| name.replacen("lab:", "", 1))?;
        let sizes: VlmConfig = serde_json::from_value(config["sizes"].clone()).map_err(invalid)?;
        Ok(Opened::new(Contents::Vlm(sizes), tensors))
    }

    fn write(&self, folder: &Path, model: &Outgoing<'_>) -> Result<()> {
        let io = |path: &Path, source| Error::Io { path: path.to_owned(), source };
        let (home, file) = (folder.join("tensors"), folder.join("config.json"));
        std::fs::create_dir(&home).map_err(|error| io(&home, error))?;
        let renamed = model.tensors.iter().map(|(name, t)| (format!("lab:{name}"), t.shallow_clone()));
        model.write_shards(&home, &renamed.collect())?;
        let config = json!({ "model_type": "lab_vlm", "sizes": model.config });
        std::fs::write(&file, format!("{config:#}\n")).map_err(|error| io(&file, error))?;
        model.write_processors(folder, folder)
    }
}
