//! The one declaration of a table: its Rust type, its Arrow columns and its place among the tables.

/// Declares a row type and its columns at once.
///
/// `struct Name { ... }` declares a type that can stand in a column, `struct Name = "kind", version { ... }` a table.
/// Several types may declare the same kind: a type with fewer fields is a *projection*, and reading a shard as a
/// projection reads only the columns of its fields. A field written `kind as "type"` has another name in the file than in
/// Rust, and `struct Image as { "_type": "Image" }` sets the feature by which Hugging Face's `datasets` decodes it.
///
/// ```
/// use tsumugi_record::{ImageRow, ShardReader, ShardWriter, record};
///
/// record! {
///     /// What is known of an image besides its bytes.
///     #[derive(Debug, Clone, PartialEq)]
///     pub struct Size = "images", 2 {
///         /// Width in pixels.
///         pub width: u32,
///         /// Height in pixels.
///         pub height: u32,
///     }
/// }
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("images-00000.parquet");
/// let mut writer = ShardWriter::create(&path)?;
/// writer.push(ImageRow { width: 640, height: 480, ..ImageRow::default() })?;
/// writer.finish()?;
/// assert_eq!(ShardReader::<Size>::open(&path)?.read_all()?, [Size { width: 640, height: 480 }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident $(= $kind:literal, $version:literal)? $(as $feature:tt)? {
            $($(#[$field_meta:meta])* $field_vis:vis $field:ident $(as $column:tt)? : $type:ty),* $(,)?
        }
    ) => {
        $(#[$meta])*
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }
        $crate::__columns!($name $(as $feature)? { $($field $(as $column)? : $type),* });
        $($crate::__table!($name, $kind, $version);)?
    };
}

/// Without the feature `parquet` a row is a plain type.
#[cfg(not(feature = "parquet"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __columns {
    ($($any:tt)*) => {};
}

/// Without the feature `parquet` a row is a plain type.
#[cfg(not(feature = "parquet"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __table {
    ($($any:tt)*) => {};
}

/// Implements `Record`.
#[cfg(feature = "parquet")]
#[doc(hidden)]
#[macro_export]
macro_rules! __table {
    ($name:ident, $kind:literal, $version:literal) => {
        impl $crate::Record for $name {
            const KIND: &'static str = $kind;
            const VERSION: u32 = $version;
        }
    };
}

/// Implements `Column` for a struct.
#[cfg(feature = "parquet")]
#[doc(hidden)]
#[macro_export]
macro_rules! __columns {
    ($name:ident $(as $feature:tt)? { $($field:ident $(as $column:tt)? : $type:ty),* }) => {
        impl $crate::Column for $name {
            fn data_type() -> $crate::macros::DataType {
                $crate::macros::struct_type([$((
                    $crate::__columns!(@name $field $($column)?),
                    <$type as $crate::Column>::data_type(),
                ),)*])
            }
            #[allow(unreachable_code)]
            fn feature() -> $crate::macros::Value {
                $(return $crate::macros::json!($feature);)?
                $crate::macros::struct_feature([$((
                    $crate::__columns!(@name $field $($column)?),
                    <$type as $crate::Column>::feature(),
                ),)*])
            }
            fn encode(
                values: &[Option<&Self>],
            ) -> ::std::result::Result<$crate::macros::ArrayRef, $crate::macros::ArrowError> {
                let columns = vec![$(
                    <$type as $crate::Column>::encode(
                        &values.iter().map(|v| v.map(|v| &v.$field)).collect::<Vec<_>>(),
                    )?,
                )*];
                $crate::macros::struct_array(<Self as $crate::Column>::data_type(), columns, values)
            }
            fn decode(array: &dyn $crate::macros::Array) -> ::std::result::Result<Vec<Option<Self>>, $crate::Error> {
                let parent = $crate::macros::as_struct::<Self>(array)?;
                $(let mut $field = $crate::macros::decode_field::<$type>(
                    &parent, $crate::__columns!(@name $field $($column)?))?.into_iter();)*
                let rows = $crate::macros::length(&parent);
                let mut decoded = Vec::with_capacity(rows);
                for row in 0..rows {
                    $(let $field = $field.next().flatten();)*
                    if $crate::macros::is_null(&parent, row) {
                        decoded.push(None);
                        continue;
                    }
                    decoded.push(Some($name {$(
                        $field: $field.ok_or($crate::Error::Null {
                            column: $crate::__columns!(@name $field $($column)?).to_owned(),
                            row,
                        })?,
                    )*}));
                }
                Ok(decoded)
            }
            fn weight(&self) -> usize {
                0 $(+ $crate::Column::weight(&self.$field))*
            }
        }
    };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $column:tt) => { $column };
}
