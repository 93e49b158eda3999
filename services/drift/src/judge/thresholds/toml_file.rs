//! Thresholds as a TOML file that people edit.

use std::collections::BTreeMap;
use std::fmt::Write;

use millrace_topics::{parse_duration, show_duration};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Bound, Calibration, Key, Thresholds, ThresholdsError};
use crate::judge::measure::Measure;
use crate::window::WHOLE;

const HEAD: &str = "\
# Thresholds of effects: above its threshold a column has drifted. `millrace drift calibrate` writes this file; edit it
# freely. A threshold is a number, or a table with the rows of the windows that it was calibrated on (smaller windows get
# a larger one) and the share that an unchanged window has (new_values, outside). { not_judged = \"why\" } switches one off.
# [predictions] are of scores, [metrics] of labels: by how many standard errors a metric may be worse than when the model was
# deployed.
";

impl Thresholds {
    /// As TOML, with comments.
    pub fn to_toml(&self) -> String {
        let mut text = HEAD.to_owned();
        if let Some(calibration) = &self.calibration {
            text.push_str(&calibration_text(calibration));
        }
        if let Some(share) = self.drifted_share {
            let _ = write!(text, "\n[dataset]\ndrifted_share = {share:?}\n");
        }
        for (table, bounds) in [("columns", &self.bounds), ("predictions", &self.predictions)] {
            let mut place: Option<(&Option<String>, &str)> = None;
            for (key, bound) in bounds {
                let here = (&key.column, key.segment.as_str());
                if place != Some(here) {
                    place = Some(here);
                    text.push_str(&header(table, here, self.drifted_share.is_some()));
                }
                let _ = writeln!(text, "{} = {}", key.measure, show(bound));
            }
        }
        if !self.metrics.is_empty() {
            text.push_str("\n[metrics]\n");
        }
        for (metric, bound) in &self.metrics {
            let _ = writeln!(text, "{} = {}", quoted(metric), show(bound));
        }
        text
    }

    /// From TOML; `file` is named in errors.
    ///
    /// # Errors
    /// The first key that is wrong, with its line.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ThresholdsError> {
        let reader = Reader { file, text };
        let root = DeTable::parse(text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start);
            reader.error(at, "", e.message().replace('\n', ", "))
        })?;
        let mut thresholds = Self::default();
        for (name, value) in root.get_ref() {
            let path = name.get_ref().to_string();
            let table = reader.table(&path, value)?;
            match path.as_str() {
                "calibration" => thresholds.calibration = Some(reader.calibration(table)?),
                "dataset" => reader.dataset(&mut thresholds, table)?,
                "columns" => reader.columns(&path, &mut thresholds.bounds, table)?,
                "predictions" => reader.columns(&path, &mut thresholds.predictions, table)?,
                "metrics" => reader.metrics(&mut thresholds, table)?,
                _ => {
                    let message =
                        "unknown table; there are calibration, dataset, columns, predictions and metrics"
                            .to_owned();
                    return Err(reader.error(name.span().start, &path, message));
                }
            }
        }
        Ok(thresholds)
    }
}

fn calibration_text(calibration: &Calibration) -> String {
    format!(
        "\n[calibration]\nwindow = {}\nexpected_time_between_alarms = \"{}\"\nwindows = {}\n\
         independent_windows = {:?}\nsubjects = {}\nhorizon = \"{}\"\n",
        quoted(&calibration.window),
        show_duration(calibration.expected_time_between_alarms_ms),
        calibration.windows,
        calibration.independent_windows,
        calibration.subjects,
        show_duration(calibration.horizon_ms),
    )
}

fn header(table: &str, (column, segment): (&Option<String>, &str), dataset_is_open: bool) -> String {
    match (column, segment) {
        (None, _) if dataset_is_open => String::new(),
        (None, _) => "\n[dataset]\n".to_owned(),
        (Some(column), WHOLE) => format!("\n[{table}.{}]\n", quoted(column)),
        (Some(column), segment) => format!("\n[{table}.{}.segments.{}]\n", quoted(column), quoted(segment)),
    }
}

fn show(bound: &Bound) -> String {
    match bound {
        Bound::Effect { effect, rows: 0, expected: 0.0 } => format!("{effect:?}"),
        Bound::Effect { effect, rows, expected } => {
            let expected =
                if *expected == 0.0 { String::new() } else { format!(", expected = {expected:?}") };
            format!("{{ effect = {effect:?}, rows = {rows}{expected} }}")
        }
        Bound::NotJudged { reason } => format!("{{ not_judged = {} }}", quoted(reason)),
    }
}

/// As a basic string: a key or a value.
fn quoted(text: &str) -> String {
    toml::Value::String(text.replace(['\n', '\r'], " ")).to_string()
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn error(&self, at: usize, key: &str, message: String) -> ThresholdsError {
        let line = 1 + self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        ThresholdsError { file: self.file.to_owned(), line, key: key.to_owned(), message }
    }

    fn wrong(&self, key: &str, value: &Value<'_>, message: &str) -> ThresholdsError {
        self.error(value.span().start, key, message.to_owned())
    }

    fn table<'d, 'a>(&self, key: &str, value: &'d Value<'a>) -> Result<&'d DeTable<'a>, ThresholdsError> {
        value.get_ref().as_table().ok_or_else(|| self.wrong(key, value, "must be a table"))
    }

    fn number(&self, key: &str, value: &Value<'_>) -> Result<f64, ThresholdsError> {
        let written = match value.get_ref() {
            DeValue::Float(float) => float.as_str().parse().ok(),
            DeValue::Integer(whole) => whole.as_str().parse().ok(),
            _ => None,
        };
        let good = written.filter(|number: &f64| number.is_finite() && *number >= 0.0);
        good.ok_or_else(|| self.wrong(key, value, "must be a number of at least 0"))
    }

    fn whole(&self, key: &str, value: &Value<'_>) -> Result<u64, ThresholdsError> {
        let written = value.get_ref().as_integer().and_then(|whole| whole.as_str().parse().ok());
        written.ok_or_else(|| self.wrong(key, value, "must be a whole number of at least 0"))
    }

    fn text(&self, key: &str, value: &Value<'_>) -> Result<String, ThresholdsError> {
        let text = value.get_ref().as_str().map(str::to_owned);
        text.ok_or_else(|| self.wrong(key, value, "must be a string"))
    }

    fn duration(&self, key: &str, value: &Value<'_>) -> Result<i64, ThresholdsError> {
        parse_duration(&self.text(key, value)?).map_err(|message| self.wrong(key, value, &message))
    }

    fn calibration(&self, table: &DeTable<'_>) -> Result<Calibration, ThresholdsError> {
        let mut calibration = Calibration::default();
        for (name, value) in table {
            let key = format!("calibration.{}", name.get_ref());
            match name.get_ref().as_ref() {
                "window" => calibration.window = self.text(&key, value)?,
                "expected_time_between_alarms" => {
                    calibration.expected_time_between_alarms_ms = self.duration(&key, value)?;
                }
                "windows" => calibration.windows = self.whole(&key, value)?,
                "independent_windows" => calibration.independent_windows = self.number(&key, value)?,
                "subjects" => calibration.subjects = self.whole(&key, value)?,
                "horizon" => calibration.horizon_ms = self.duration(&key, value)?,
                _ => return Err(self.error(name.span().start, &key, "unknown key".into())),
            }
        }
        Ok(calibration)
    }

    fn dataset(&self, thresholds: &mut Thresholds, table: &DeTable<'_>) -> Result<(), ThresholdsError> {
        for (name, value) in table {
            let path = format!("dataset.{}", name.get_ref());
            if name.get_ref() == "drifted_share" {
                thresholds.drifted_share = Some(self.number(&path, value)?);
                continue;
            }
            let at = (name.span().start, path.as_str());
            let measure = self.measure(at, name.get_ref(), true)?;
            let key = Key { column: None, segment: WHOLE.to_owned(), measure };
            thresholds.bounds.insert(key, self.bound(&path, value)?);
        }
        Ok(())
    }

    fn metrics(&self, thresholds: &mut Thresholds, table: &DeTable<'_>) -> Result<(), ThresholdsError> {
        for (name, value) in table {
            let bound = self.bound(&format!("metrics.{}", name.get_ref()), value)?;
            thresholds.metrics.insert(name.get_ref().to_string(), bound);
        }
        Ok(())
    }

    fn columns(
        &self,
        path: &str,
        bounds: &mut BTreeMap<Key, Bound>,
        table: &DeTable<'_>,
    ) -> Result<(), ThresholdsError> {
        for (column, value) in table {
            let path = format!("{path}.{}", column.get_ref());
            let table = self.table(&path, value)?;
            self.measures(bounds, (column.get_ref(), WHOLE), &path, table)?;
            let Some(segments) = table.get("segments") else { continue };
            let path = format!("{path}.segments");
            for (segment, value) in self.table(&path, segments)? {
                let path = format!("{path}.{}", segment.get_ref());
                let place = (column.get_ref().as_ref(), segment.get_ref().as_ref());
                self.measures(bounds, place, &path, self.table(&path, value)?)?;
            }
        }
        Ok(())
    }

    fn measures(
        &self,
        bounds: &mut BTreeMap<Key, Bound>,
        (column, segment): (&str, &str),
        path: &str,
        table: &DeTable<'_>,
    ) -> Result<(), ThresholdsError> {
        for (name, value) in table {
            if segment == WHOLE && name.get_ref() == "segments" {
                continue;
            }
            let path = format!("{path}.{}", name.get_ref());
            let measure = self.measure((name.span().start, &path), name.get_ref(), false)?;
            let key = Key { column: Some(column.to_owned()), segment: segment.to_owned(), measure };
            bounds.insert(key, self.bound(&path, value)?);
        }
        Ok(())
    }

    fn measure(&self, at: (usize, &str), name: &str, joint: bool) -> Result<Measure, ThresholdsError> {
        let measure: Measure =
            name.parse().map_err(|e: crate::judge::UnknownMeasure| self.error(at.0, at.1, e.to_string()))?;
        if measure.is_joint() == joint {
            return Ok(measure);
        }
        let of = if joint { "of one column" } else { "of all columns together" };
        Err(self.error(at.0, at.1, format!("{measure} is {of}")))
    }

    fn bound(&self, path: &str, value: &Value<'_>) -> Result<Bound, ThresholdsError> {
        let Some(table) = value.get_ref().as_table() else {
            return self.positive(path, value, (0, 0.0));
        };
        let (mut effect, mut rows, mut expected) = (None, 0, 0.0);
        for (name, value) in table {
            let key = format!("{path}.{}", name.get_ref());
            match name.get_ref().as_ref() {
                "not_judged" => return Ok(Bound::NotJudged { reason: self.text(&key, value)? }),
                "effect" => effect = Some(value),
                "rows" => rows = self.whole(&key, value)?,
                "expected" => expected = self.number(&key, value)?,
                _ => {
                    let message = "unknown key; there are effect, rows, expected, not_judged";
                    return Err(self.error(name.span().start, &key, message.into()));
                }
            }
        }
        let effect = effect.ok_or_else(|| self.wrong(path, value, "has no effect"))?;
        self.positive(path, effect, (rows, expected))
    }

    fn positive(
        &self,
        path: &str,
        value: &Value<'_>,
        (rows, expected): (u64, f64),
    ) -> Result<Bound, ThresholdsError> {
        let effect = self.number(path, value)?;
        if effect > 0.0 {
            return Ok(Bound::Effect { effect, rows, expected });
        }
        Err(self.wrong(path, value, "must be a number above 0, or a table with `effect`"))
    }
}

#[cfg(test)]
mod tests {
    use millrace_statistics::two_sample::Method;

    use super::*;

    #[test]
    fn thresholds_survive_their_file() {
        let ks = Measure::Distribution(Method::KolmogorovSmirnov);
        let key = |column: Option<&str>, segment: &str, measure| Key {
            column: column.map(str::to_owned),
            segment: segment.to_owned(),
            measure,
        };
        let calibration = Calibration {
            window: "1 day".into(),
            expected_time_between_alarms_ms: 180 * 86_400_000,
            windows: 60,
            independent_windows: 31.5,
            subjects: 95,
            horizon_ms: 5_400_000,
        };
        let bounds = [
            (key(None, "", Measure::Mmd), Bound::Effect { effect: 0.1 + 0.2, rows: 900, expected: 0.0 }),
            (key(Some("a.b \"c\""), "", ks), Bound::Effect { effect: 0.03, rows: 0, expected: 0.0 }),
            (
                key(Some("amount"), "", Measure::NewValues),
                Bound::Effect { effect: 1e-7, rows: 9, expected: 0.01 },
            ),
            (key(Some("amount"), "country=NE", ks), Bound::NotJudged { reason: "seasonal \u{e9}".into() }),
        ];
        for (drifted_share, calibration) in [(None, None), (Some(0.3), Some(calibration))] {
            let score = [(key(Some("score"), "country=NE", ks), bounds[1].1.clone())];
            let metrics = [("recall_100".to_owned(), bounds[0].1.clone())];
            let given = Thresholds {
                calibration,
                drifted_share,
                bounds: bounds.clone().into(),
                predictions: score.into(),
                metrics: metrics.into(),
            };
            let text = given.to_toml();
            assert_eq!(Thresholds::from_toml("t", &text).as_ref(), Ok(&given), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_key() {
        for (text, line, key, hint) in [
            ("\n[columns.amount]\nkss = 1.0", 3, "columns.amount.kss", "ks"),
            ("[columns.amount]\nks = \"a\"", 2, "columns.amount.ks", "number"),
            ("[columns.amount]\nks = 0", 2, "columns.amount.ks", "above 0"),
            ("[columns.amount]\nks = {rows = 1}", 2, "columns.amount.ks", "no effect"),
            ("[columns.amount]\nmmd = 1.0", 2, "columns.amount.mmd", "all columns"),
            ("[dataset]\nks = 1.0", 2, "dataset.ks", "one column"),
            ("[dataset]\n\nmmd = { effekt = 1 }", 3, "dataset.mmd.effekt", "effect"),
            ("[calibration]\nhorizon = \"7\"", 2, "calibration.horizon", "unit"),
            ("[columns.a.segments]\nx = 4", 2, "columns.a.segments.x", "table"),
            ("[column]", 1, "column", "columns"),
            ("[columns", 1, "", ""),
        ] {
            let error = Thresholds::from_toml("f.toml", text).unwrap_err();
            assert_eq!((error.line, error.key.as_str()), (line, key), "{error}");
            assert!(error.message.contains(hint), "{error}");
        }
    }
}
