//! A table: rows with a name, a version and a schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};

use crate::Error;
use crate::column::Column;

/// Key of the schema metadata that names the table and its version.
pub(crate) const KIND_KEY: &str = "tsumugi.table";

/// A row of a table.
pub trait Record: Column + Clone + Send + 'static {
    /// Name of the table; its files are named `KIND-00000.parquet`.
    const KIND: &'static str;
    /// Version of its columns. Raised when an old reader could no longer read the new files.
    const VERSION: u32;

    /// The Arrow schema, with Hugging Face's `huggingface` metadata, by which `datasets` decodes images.
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
    ///
    /// # Errors
    /// Where the rows do not fit one batch, such as more than 2 GiB in one column.
    fn to_batch(rows: &[Self]) -> Result<RecordBatch, ArrowError> {
        let values: Vec<Option<&Self>> = rows.iter().map(Some).collect();
        let array = Self::encode(&values)?;
        let columns = array.as_struct_opt().map(|s| s.columns().to_vec()).unwrap_or_default();
        RecordBatch::try_new(Self::schema(), columns)
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
