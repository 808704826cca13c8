//! Typed records of the Tsumugi pipeline and their Parquet tables.
