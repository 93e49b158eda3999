//! Segments: groups of rows with a profile of their own.

/// The name of the segment of all rows.
pub const WHOLE: &str = "";

/// The segment's name, such as `country=NE`; `None`: the rows without a value, `country=(missing)`.
pub fn segment_name(column: &str, value: Option<&str>) -> String {
    format!("{column}={}", value.unwrap_or("(missing)"))
}
