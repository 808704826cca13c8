//! Global operators over record tables, declared once and run locally or as SQL.
