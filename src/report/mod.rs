//! What a run leaves behind: CSV rows (the struct is the schema), charts, tables, the manifest.

pub mod chart;
pub mod rows;
