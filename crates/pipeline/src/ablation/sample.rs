//! The embedded sample as an ablation's data: its tables, and a second set of instructions that a machine translated.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;
use tsumugi_record::{Pair, Record, ShardReader, write_atomic};
use tsumugi_synth::Task;

use super::config::{AblationConfig, Sample};
use crate::full_run::{FullRunConfig, Until};
use crate::runner::input_table;
use crate::steps::synthesize::{Synthesize, SynthesizeConfig};
use crate::{Context, Error, Progress, full_run, runner};
use tsumugi_demo::{MODEL, StandIn};

/// Makes the tables `pairs`, `interleaved`, `conversations` and `translated` in the folder `data`, and says where the
/// sample's benchmark is.
pub(super) fn write(
    sample: &Sample,
    config: &AblationConfig,
    data: &Path,
    progress: &Progress,
) -> Result<PathBuf, Error> {
    let recipe = fs::read_to_string(&config.recipe).map_err(Error::io("read", &config.recipe))?;
    let steps = FullRunConfig {
        out: data.to_owned(),
        pages: sample.pages,
        recipe,
        until: Until::Synthesize,
        ..FullRunConfig::default()
    };
    full_run::run(&steps, &Context::new().with_progress(progress.clone()))?;
    translate(data, progress)?;
    let folder = data.join("sample");
    tsumugi_demo::write_benchmark(&folder, "ja").map_err(Error::step("sample", folder.display().to_string()))
}

/// Instructions in English about the images of the pairs, translated. The stand-in translates nothing: it puts a
/// sentence in the place of each, as data of a poor translation would have it.
fn translate(data: &Path, progress: &Progress) -> Result<(), Error> {
    let english = data.join("english");
    let file = english.join("instructions.json");
    if !file.is_file() {
        write_english(&data.join("pairs"), &english, &file)?;
    }
    let server = StandIn::start().map_err(Error::step("sample", "stand-in"))?;
    let step = SynthesizeConfig {
        images: Some(english),
        instructions: Some(file),
        out: data.join("translated"),
        tasks: vec![Task::Translate],
        base_url: Some(server.base_url().to_owned()),
        model: MODEL.to_owned(),
        ..SynthesizeConfig::default()
    };
    let context = Context::new().with_progress(progress.clone());
    runner::run::<Synthesize>(step, &context).map(drop)
}

fn write_english(pairs: &Path, folder: &Path, file: &Path) -> Result<(), Error> {
    let mut rows = Vec::new();
    for shard in input_table(pairs, Pair::KIND)?.shards {
        for pair in ShardReader::<Pair>::open(&shard)?.read_all()? {
            let Some(bytes) = &pair.image.bytes else { continue };
            let name = format!("{:05}", rows.len());
            let path = folder.join(&name);
            write_atomic(&path, |file| file.write_all(bytes))?;
            let shape = match pair.width.cmp(&pair.height) {
                std::cmp::Ordering::Less => "taller than it is wide",
                std::cmp::Ordering::Equal => "as wide as it is tall",
                std::cmp::Ordering::Greater => "wider than it is tall",
            };
            let answer = format!("A drawn picture that is {shape}, {} by {} dots.", pair.width, pair.height);
            rows.push(json!({"id": pair.id, "image": name, "conversations": [
                {"from": "human", "value": "<image>\nWhat kind of picture is this?"},
                {"from": "gpt", "value": answer},
            ]}));
        }
    }
    let text = serde_json::to_string(&rows).map_err(Error::step("ablate", "instructions"))?;
    Ok(write_atomic(file, |file| file.write_all(text.as_bytes()))?)
}
