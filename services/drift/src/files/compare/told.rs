//! What two files say, as JSON and as a page.

use std::collections::BTreeMap;

use millrace_report::text::{short, thousands};
use millrace_schemas::envelope::DriftEvent;
use serde::Serialize;

use super::Comparison;
use crate::judge::Measure;
use crate::profile::Profile;
use crate::report::{Cause, ColumnCard, Page, bins};
use crate::window::WHOLE;

/// A comparison as JSON: figures in the order of the file's columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Told {
    /// The reference file.
    pub reference: String,
    /// Its rows.
    pub reference_rows: u64,
    /// The current file.
    pub current: String,
    /// Its rows.
    pub rows: u64,
    /// Columns that were compared.
    pub watched: usize,
    /// Whether any column, or all together, exceeds its threshold.
    pub drifted: bool,
    /// Columns of which any figure exceeds its threshold.
    pub drifted_columns: Vec<String>,
    /// One per column, segment and method.
    pub columns: Vec<Figure>,
    /// Of all columns together.
    pub dataset: Vec<Figure>,
    /// What could not be judged.
    pub not_judged: Vec<NotJudged>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figure {
    /// The column; null: all together.
    pub column: Option<String>,
    /// The segment; null: all rows.
    pub segment: Option<String>,
    /// The method: `ks`.
    pub method: String,
    /// The statistic.
    pub statistic: Option<f64>,
    /// The effect size.
    pub effect: Option<f64>,
    /// Its threshold; null: the effect is shown and decides nothing.
    pub threshold: Option<f64>,
    /// The p-value, of independent rows.
    pub p_value: Option<f64>,
    /// The p-value corrected over all figures (Benjamini and Hochberg).
    pub p_adjusted: Option<f64>,
    /// By how much the effect may be off; null: it is exact.
    pub error: Option<f64>,
    /// Whether the effect exceeds the threshold.
    pub drifted: bool,
    /// The effect in units of its threshold.
    pub severity: f64,
    /// Rows compared.
    pub rows: i64,
    /// Reference rows compared.
    pub reference_rows: i64,
    /// A sentence for a person.
    pub detail: String,
    /// Whether it compares the shares of one kind of rows: missing ones, new values, values out of range.
    #[serde(skip)]
    pub is_share: bool,
}

/// What could not be judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotJudged {
    /// The column; null: all together.
    pub column: Option<String>,
    /// The segment; null: all rows.
    pub segment: Option<String>,
    /// The method; null: any.
    pub method: Option<String>,
    /// Why.
    pub reason: String,
}

impl Figure {
    /// Whether a person wants to see it: shares say nothing while no value is missing, new or out of range.
    pub fn is_telling(&self) -> bool {
        self.drifted || !self.is_share || self.severity >= 0.5
    }

    fn of(event: &DriftEvent) -> Self {
        Self {
            column: event.column.clone(),
            segment: event.segment.clone(),
            method: event.method.clone(),
            statistic: event.statistic,
            effect: event.effect,
            threshold: event.threshold,
            p_value: event.p_value,
            p_adjusted: event.p_adjusted,
            error: event.error,
            drifted: event.drifted,
            severity: event.severity,
            rows: event.rows,
            reference_rows: event.reference_rows,
            detail: event.detail.clone(),
            is_share: event.method.parse().is_ok_and(Measure::is_share),
        }
    }
}

impl Told {
    /// What drifted, the gravest first: one per column and segment, by its gravest figure.
    pub fn causes(&self) -> Vec<Cause> {
        let mut found: Vec<Cause> = Vec::new();
        let mut drifted: Vec<&Figure> =
            self.columns.iter().chain(&self.dataset).filter(|figure| figure.drifted).collect();
        drifted.sort_by(|a, b| b.severity.total_cmp(&a.severity));
        for figure in drifted {
            let what = figure.column.as_deref().unwrap_or("all columns together");
            let title = match &figure.segment {
                Some(segment) => format!("{what} in {segment}"),
                None => what.to_owned(),
            };
            if found.iter().all(|cause| cause.title != title) {
                let (severity, sentence) = (figure.severity, figure.detail.clone());
                found.push(Cause { title, severity, sentence, ..Cause::default() });
            }
        }
        found
    }
}

impl Comparison {
    /// Everything that was measured.
    pub fn told(&self) -> Told {
        let place: BTreeMap<&str, usize> =
            self.plan.columns.iter().enumerate().map(|(i, c)| (c.name.as_str(), i)).collect();
        let (mut columns, dataset): (Vec<Figure>, Vec<Figure>) =
            self.judgement.findings.iter().map(Figure::of).partition(|figure| figure.column.is_some());
        columns.sort_by_key(|figure| {
            let column = figure.column.as_deref().and_then(|name| place.get(name)).copied();
            (column, figure.segment.clone())
        });
        let mut drifted_columns: Vec<String> =
            columns.iter().filter(|figure| figure.drifted).filter_map(|f| f.column.clone()).collect();
        drifted_columns.dedup();
        let not_judged = self.judgement.undefined.iter().map(|one| NotJudged {
            column: one.column.clone(),
            segment: (one.segment != WHOLE).then(|| one.segment.clone()),
            method: one.measure.map(|measure| measure.name().to_owned()),
            reason: one.reason.clone(),
        });
        Told {
            reference: self.files[0].display().to_string(),
            reference_rows: self.reference_whole().map_or(0, Profile::rows),
            current: self.files[1].display().to_string(),
            rows: self.current.get(WHOLE).map_or(0, |profile| profile.rows()),
            watched: self.plan.columns.len(),
            drifted: !drifted_columns.is_empty() || dataset.iter().any(|figure| figure.drifted),
            not_judged: not_judged.collect(),
            drifted_columns,
            columns,
            dataset,
        }
    }

    fn reference_whole(&self) -> Option<&Profile> {
        self.reference.get(WHOLE)?.as_ref().ok()
    }

    /// As a page for people.
    pub fn page(&self) -> Page {
        let told = self.told();
        let watched = told.watched;
        let verdict = match told.drifted_columns.len() {
            0 if told.drifted => "No column drifted by itself; all together did.".to_owned(),
            0 => format!("Nothing drifted among {watched} columns."),
            some => format!("{some} of {watched} columns drifted."),
        };
        let fact = |name: &str, value: String| (name.to_owned(), value);
        Page {
            title: "Two files compared".into(),
            verdict,
            facts: vec![
                fact("reference", rows_of(&told.reference, told.reference_rows)),
                fact("current", rows_of(&told.current, told.rows)),
            ],
            causes: told.causes().into_iter().map(|cause| self.drawn(cause)).collect(),
            columns: self.cards(&told),
            notes: notes(&told),
            ..Page::default()
        }
    }

    /// With the distributions that the cause is about.
    fn drawn(&self, cause: Cause) -> Cause {
        let (name, segment) = cause.title.split_once(" in ").unwrap_or((&cause.title, WHOLE));
        let profiles = [self.reference.get(segment).and_then(|p| p.as_ref().ok()), self.current.get(segment)];
        match (self.plan.index(name), profiles) {
            (Some(index), [Some(a), Some(b)]) => {
                Cause { chart: bins(a.column(index), b.column(index)).chart(), ..cause }
            }
            _ => cause,
        }
    }

    fn cards(&self, told: &Told) -> Vec<ColumnCard> {
        let (Some(reference), Some(current)) = (self.reference_whole(), self.current.get(WHOLE)) else {
            return Vec::new();
        };
        let mut cards: Vec<ColumnCard> = reference
            .columns()
            .zip(current.columns())
            .map(|(a, b)| {
                let name = a.plan().name.clone();
                let of =
                    |figure: &&Figure| figure.column.as_deref() == Some(&name) && figure.segment.is_none();
                let figures: Vec<&Figure> = told.columns.iter().filter(of).collect();
                let judged = figures.iter().filter(|figure| figure.threshold.is_some());
                ColumnCard {
                    severity: judged.map(|figure| figure.severity).reduce(f64::max),
                    facts: figures
                        .iter()
                        .filter(|figure| figure.is_telling())
                        .map(|figure| (figure.method.clone(), shown(figure)))
                        .collect(),
                    chart: bins(a, b).chart(),
                    name,
                }
            })
            .collect();
        cards.sort_by(|a, b| b.severity.unwrap_or(-1.0).total_cmp(&a.severity.unwrap_or(-1.0)));
        cards
    }
}

fn rows_of(file: &str, rows: u64) -> String {
    format!("{file} ({} rows)", thousands(rows))
}

fn shown(figure: &Figure) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
    let effect = format!("{} of {}", number(figure.effect), number(figure.threshold));
    match figure.p_value {
        Some(p) if p < 0.001 => format!("{effect}, p < 0.001"),
        Some(p) => format!("{effect}, p {p:.3}"),
        None => effect,
    }
}

fn notes(told: &Told) -> Vec<String> {
    let line = |one: &NotJudged| {
        let what = one.column.as_deref().unwrap_or("all columns");
        let place = one.segment.as_ref().map(|segment| format!(" in {segment}")).unwrap_or_default();
        let method = one.method.as_ref().map(|method| format!(", {method}")).unwrap_or_default();
        format!("{what}{place}{method}: {}", one.reason)
    };
    told.not_judged.iter().map(line).collect()
}
