//! Reads the constraints' TOML; errors name file, line and key.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{ColumnQuality, Quality};

/// Why a quality file is not one: names file, line and key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct QualityError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with which key.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QualityFile {
    max_duplicate_share: Option<Spanned<f64>>,
    max_silence_ms: Option<Spanned<i64>>,
    min_rows_per_day: Option<Spanned<f64>>,
    max_rows_per_day: Option<Spanned<f64>>,
    #[serde(default)]
    columns: BTreeMap<String, ColumnFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnFile {
    max_missing_share: Option<Spanned<f64>>,
    max_mistyped_share: Option<Spanned<f64>>,
    min: Option<Spanned<f64>>,
    max: Option<Spanned<f64>>,
    max_outside_share: Option<Spanned<f64>>,
    categories: Option<Vec<String>>,
    max_new_share: Option<Spanned<f64>>,
}

/// Where in the text errors are.
struct Text<'a> {
    file: &'a str,
    text: &'a str,
}

impl Quality {
    /// From TOML; `file` is named in errors.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, QualityError> {
        let at = Text { file, text };
        let read: QualityFile = toml::from_str(text).map_err(|error| at.refused(&error))?;
        let mut columns = BTreeMap::new();
        for (name, column) in read.columns {
            columns.insert(name, at.column(column)?);
        }
        let quality = Self {
            max_duplicate_share: at.share(read.max_duplicate_share)?,
            max_silence_ms: at.checked(read.max_silence_ms, |ms| *ms > 0, "must be above 0")?,
            min_rows_per_day: at.checked(
                read.min_rows_per_day,
                |rows| *rows >= 0.0,
                "must not be below 0",
            )?,
            max_rows_per_day: at.checked(
                read.max_rows_per_day.clone(),
                |rows| *rows >= 0.0,
                "must not be below 0",
            )?,
            columns,
        };
        let ends = (quality.min_rows_per_day, quality.max_rows_per_day, read.max_rows_per_day);
        at.ordered(ends, "min_rows_per_day")?;
        Ok(quality)
    }
}

impl Text<'_> {
    fn column(&self, read: ColumnFile) -> Result<ColumnQuality, QualityError> {
        let (min, max) = (read.min.map(Spanned::into_inner), read.max.as_ref().map(|max| *max.get_ref()));
        self.ordered((min, max, read.max), "min")?;
        Ok(ColumnQuality {
            max_missing_share: self.share(read.max_missing_share)?,
            max_mistyped_share: self.share(read.max_mistyped_share)?,
            min,
            max,
            max_outside_share: self.share(read.max_outside_share)?,
            categories: read.categories,
            max_new_share: self.share(read.max_new_share)?,
        })
    }

    fn error(&self, span: Range<usize>, message: &str) -> QualityError {
        let start = span.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.matches('\n').count();
        let key = self.text.lines().nth(line).and_then(|text| text.split_once('='));
        let message = match key {
            Some((key, _)) => format!("`{}`: {message}", key.trim()),
            None => message.to_owned(),
        };
        QualityError { file: self.file.to_owned(), line: line + 1, message }
    }

    fn refused(&self, error: &toml::de::Error) -> QualityError {
        self.error(error.span().unwrap_or_default(), error.message().lines().next().unwrap_or_default())
    }

    fn checked<T>(
        &self,
        value: Option<Spanned<T>>,
        holds: impl Fn(&T) -> bool,
        must: &str,
    ) -> Result<Option<T>, QualityError> {
        match value {
            Some(value) if !holds(value.get_ref()) => Err(self.error(value.span(), must)),
            value => Ok(value.map(Spanned::into_inner)),
        }
    }

    fn share(&self, value: Option<Spanned<f64>>) -> Result<Option<f64>, QualityError> {
        self.checked(value, |share| (0.0..=1.0).contains(share), "is a share: between 0 and 1")
    }

    fn ordered(
        &self,
        (low, high, at): (Option<f64>, Option<f64>, Option<Spanned<f64>>),
        low_key: &str,
    ) -> Result<(), QualityError> {
        match (low, high, at) {
            (Some(low), Some(high), Some(at)) if low > high => {
                Err(self.error(at.span(), &format!("is below `{low_key}` ({low})")))
            }
            _ => Ok(()),
        }
    }
}
