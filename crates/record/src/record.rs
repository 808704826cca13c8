//! A table: rows with a name, a version and a schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{DataType, Schema, SchemaRef};

use crate::Error;
use crate::column::Column;
use crate::rows::*;

/// Key of the schema metadata that names the table and its version.
pub(crate) const KIND_KEY: &str = "tsumugi.table";

/// A row of a table.
pub trait Record: Column + Clone + Send + 'static {
    /// Name of the table; its files are named `KIND-00000.parquet`.
    const KIND: &'static str;
    /// Version of its columns. Raised when an old reader could no longer read the new files.
    const VERSION: u32;

    /// The Arrow schema, with Hugging Face's `huggingface` metadata, by which `datasets` decodes pictures.
    fn schema() -> SchemaRef {
        let fields = match Self::data_type() {
            DataType::Struct(fields) => fields,
            other => unreachable_fields(other),
        };
        let info = serde_json::json!({ "info": { "features": Self::feature() } });
        let metadata = HashMap::from([
            ("huggingface".to_owned(), info.to_string()),
            (KIND_KEY.to_owned(), format!("{} {}", Self::KIND, Self::VERSION)),
        ]);
        Arc::new(Schema::new_with_metadata(fields, metadata))
    }

    /// Lays rows out as columns.
    fn to_batch(rows: &[Self]) -> RecordBatch {
        let values: Vec<Option<&Self>> = rows.iter().map(Some).collect();
        let array = Self::encode(&values);
        let columns = array.as_struct_opt().map(|s| s.columns().to_vec()).unwrap_or_default();
        // The columns were built from the very fields of the schema, so that joining them cannot fail.
        RecordBatch::try_new(Self::schema(), columns)
            .unwrap_or_else(|_| RecordBatch::new_empty(Self::schema()))
    }

    /// Reads rows from columns.
    ///
    /// # Errors
    /// Where a required column is missing, of another type, or null.
    fn from_batch(batch: &RecordBatch) -> Result<Vec<Self>, Error> {
        let array = StructArray::from(batch.clone());
        let rows = Self::decode(&array as &dyn Array)?;
        rows.into_iter()
            .enumerate()
            .map(|(row, value)| value.ok_or(Error::Null { column: String::new(), row }))
            .collect()
    }
}

/// A record's columns are those of a struct by construction; another type has no fields.
fn unreachable_fields(_: DataType) -> arrow_schema::Fields {
    arrow_schema::Fields::empty()
}

macro_rules! record {
    ($($type:ident => $kind:literal, $version:literal;)*) => {$(
        impl Record for $type {
            const KIND: &'static str = $kind;
            const VERSION: u32 = $version;
        }
    )*};
}

record! {
    Document => "documents", 1;
    ImageRow => "images", 1;
    Fetch => "fetches", 1;
    Pair => "pairs", 1;
    Interleaved => "interleaved", 1;
    Conversation => "conversations", 1;
    Excluded => "excluded", 1;
    Prediction => "predictions", 1;
    Judgement => "judgements", 1;
}
