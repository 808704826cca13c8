//! Questions as Parquet: the layouts of Heron Bench and JA-VG-VQA-500, and the plain one.

use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::columns::{Fault, Found, Layout, bytes, column, field, structs, texts};
use super::question::{Image, Question};
use crate::Error;

const FORMAT: &str = "Parquet";

/// Adds the questions of a file to `questions`. `before` rows were in the files before it.
pub(super) fn read(
    path: &Path,
    layout: &Layout<'_>,
    before: usize,
    questions: &mut Vec<Question>,
) -> Result<(), Error> {
    let (mut row, first) = (0, questions.len());
    let folder = path.parent().unwrap_or(Path::new(""));
    for batch in batches(path)? {
        let batch = batch.map_err(|source| Error::unreadable(path, FORMAT, source))?;
        let found = layout(&batch, folder, before + questions.len() - first)
            .map_err(|fault| fault.at(path, row + 1))?;
        questions.extend(found);
        row += batch.num_rows();
    }
    Ok(())
}

fn batches(path: &Path) -> Result<ParquetRecordBatchReader, Error> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    let reader =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| Error::unreadable(path, FORMAT, e))?;
    reader.with_batch_size(64).build().map_err(|e| Error::unreadable(path, FORMAT, e))
}

/// A text column that must be there and must not hold nulls.
fn required(batch: &RecordBatch, names: &[&str]) -> Found<Vec<String>> {
    let name = names.first().copied().unwrap_or_default();
    let array = column(batch, names).ok_or_else(|| format!("column `{name}` is missing"))?;
    let values = texts(&array, name)?;
    values
        .into_iter()
        .map(|value| value.ok_or_else(|| format!("column `{name}` holds a null").into()))
        .collect()
}

fn optional(batch: &RecordBatch, names: &[&str]) -> Found<Vec<Option<String>>> {
    match column(batch, names) {
        Some(array) => texts(&array, names[0]),
        None => Ok(vec![None; batch.num_rows()]),
    }
}

/// The column `image`: bytes, Hugging Face's struct of bytes and path, or a path beside the file.
fn images(batch: &RecordBatch, folder: &Path) -> Found<Vec<Option<Image>>> {
    let Some(array) = column(batch, &["image"]) else { return Ok(vec![None; batch.num_rows()]) };
    let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let none = || vec![None; batch.num_rows()];
    let (bytes, paths) = if is_text {
        (vec![None; batch.num_rows()], texts(&array, "image")?)
    } else {
        let paths = array.as_struct_opt().and_then(|image| field(image, "path"));
        (bytes(&array, "image")?, paths.map_or_else(|| Ok(none()), |paths| texts(&paths, "image.path"))?)
    };
    let read = |path: String| {
        let path = folder.join(path);
        std::fs::read(&path)
            .map(Image::new)
            .map_err(|e| Fault::caused(format!("cannot read the image {}", path.display()), e))
    };
    bytes
        .into_iter()
        .zip(paths)
        .map(|(bytes, path)| {
            bytes.map(Image::new).map_or_else(|| path.map(read).transpose(), |p| Ok(Some(p)))
        })
        .collect()
}

/// The reference answer is that of one model among several.
const HERON_REFERENCE: &str = "gpt-4-0125-preview";

pub(super) fn heron(batch: &RecordBatch, folder: &Path) -> Found<Vec<Question>> {
    let answers = column(batch, &["answer"]).ok_or("column `answer` is missing")?;
    let answers = structs(&answers, "answer")?;
    let answers =
        field(&answers, HERON_REFERENCE).ok_or(format!("`answer` has no field `{HERON_REFERENCE}`"))?;
    let answers = texts(&answers, HERON_REFERENCE)?;
    let ids = required(batch, &["question_id"])?;
    let categories = required(batch, &["category"])?;
    let questions = required(batch, &["text", "question"])?;
    let contexts = optional(batch, &["context"])?;
    let images = images(batch, folder)?;
    Ok((0..batch.num_rows())
        .map(|i| Question {
            id: ids[i].clone(),
            category: categories[i].clone(),
            question: questions[i].clone(),
            reference: answers[i].clone().unwrap_or_default(),
            context: contexts[i].clone(),
            image: images[i].clone(),
        })
        .collect())
}

pub(super) fn visual_genome(batch: &RecordBatch, folder: &Path, first_only: bool) -> Found<Vec<Question>> {
    let images = images(batch, folder)?;
    let lists = column(batch, &["qas"]).ok_or("column `qas` is missing")?;
    // Other writers choose lists with 64-bit offsets.
    let item = match lists.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => item.clone(),
        _ => return Err("column `qas` is not a list".into()),
    };
    let lists = arrow_cast::cast(&lists, &DataType::List(item))
        .map_err(|e| Fault::caused("column `qas` is not a list", e))?;
    let lists = lists.as_list::<i32>();
    let mut out = Vec::new();
    for (i, image) in images.iter().enumerate() {
        let qas = structs(&lists.value(i), "qas")?;
        let texts_of = |name: &str| -> Found<Vec<Option<String>>> {
            let array = field(&qas, name).ok_or_else(|| format!("`qas` has no field `{name}`"))?;
            texts(&array, name)
        };
        let (ids, questions, answers) = (texts_of("qa_id")?, texts_of("question")?, texts_of("answer")?);
        let count = if first_only { qas.len().min(1) } else { qas.len() };
        out.extend((0..count).map(|j| Question {
            id: ids[j].clone().unwrap_or_default(),
            category: String::new(),
            question: questions[j].clone().unwrap_or_default(),
            reference: answers[j].clone().unwrap_or_default(),
            context: None,
            image: image.clone(),
        }));
    }
    Ok(out)
}

/// The layout of JA-VLM-Bench-In-the-Wild, and of files of one's own. Missing ids are row numbers.
pub(super) fn plain(batch: &RecordBatch, folder: &Path, before: usize) -> Found<Vec<Question>> {
    let ids = optional(batch, &["question_id", "id"])?;
    let categories = optional(batch, &["category"])?;
    let questions = required(batch, &["question", "input_text", "text"])?;
    let references = required(batch, &["reference", "answer"])?;
    let contexts = optional(batch, &["context"])?;
    let images = images(batch, folder)?;
    Ok((0..batch.num_rows())
        .map(|i| Question {
            id: ids[i].clone().unwrap_or_else(|| (before + i).to_string()),
            category: categories[i].clone().unwrap_or_default(),
            question: questions[i].clone(),
            reference: references[i].clone(),
            context: contexts[i].clone(),
            image: images[i].clone(),
        })
        .collect())
}
