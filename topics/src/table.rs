//! A TOML table read key by key: what is wrong is noted with its line, and reading goes on.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Datetime;

use crate::Problem;
use crate::duration::parse_duration;
use crate::near::{did_you_mean, listed};

/// One TOML file and what is wrong in it.
pub(crate) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
    lines: RefCell<BTreeMap<String, usize>>,
}

impl<'a> Document<'a> {
    pub(crate) fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text, problems: RefCell::default(), lines: RefCell::default() }
    }

    /// The top of the document; `None` where it is no TOML, which is noted.
    pub(crate) fn parse(&self) -> Option<DeTable<'a>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let line = error.span().map(|span| self.line(span.start));
            let message = error.message().replace('\n', ", ");
            self.note(line, None, format!("no valid TOML: {message}"));
        }
        errors.is_empty().then(|| root.into_inner())
    }

    /// What was noted, and the line of each key that was found.
    pub(crate) fn finish(self) -> (Vec<Problem>, BTreeMap<String, usize>) {
        (self.problems.into_inner(), self.lines.into_inner())
    }

    pub(crate) fn note(&self, line: Option<usize>, key: Option<&str>, message: String) {
        self.problems.borrow_mut().push(Problem::new(self.path, line, key, message));
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().iter().take(offset);
        1 + before.filter(|byte| **byte == b'\n').count()
    }
}

/// A table of a document. Reading a key makes it known; what is not known at the end is an error.
pub(crate) struct Table<'d, 'a> {
    document: &'d Document<'a>,
    entries: &'d DeTable<'a>,
    prefix: String,
    known: RefCell<Vec<&'static str>>,
}

impl<'d, 'a> Table<'d, 'a> {
    pub(crate) fn root(document: &'d Document<'a>, entries: &'d DeTable<'a>) -> Self {
        Self::of(document, entries, String::new())
    }

    fn of(document: &'d Document<'a>, entries: &'d DeTable<'a>, prefix: String) -> Self {
        let table = Self { document, entries, prefix, known: RefCell::default() };
        let lines = entries.keys().map(|key| (table.path(key.get_ref()), document.line(key.span().start)));
        document.lines.borrow_mut().extend(lines.collect::<Vec<_>>());
        table
    }

    /// Notes that something is wrong with a key, at its line if the file has it.
    pub(crate) fn problem(&self, key: &str, message: impl Into<String>) {
        let line = self.entries.get_key_value(key).map(|(key, _)| self.document.line(key.span().start));
        self.document.note(line, Some(&self.path(key)), message.into());
    }

    /// Whether the file has the key; asking makes it known.
    pub(crate) fn has(&self, key: &'static str) -> bool {
        self.known(key);
        self.entries.contains_key(key)
    }

    pub(crate) fn string(&self, key: &'static str, example: &str) -> Option<&'d str> {
        let value = self.value(key)?;
        value
            .as_str()
            .or_else(|| self.wrong(key, value, &format!("a string, for example {key} = \"{example}\"")))
    }

    pub(crate) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        value
            .as_bool()
            .or_else(|| self.wrong(key, value, &format!("true or false, for example {key} = true")))
    }

    /// A string that is one of `choices`.
    pub(crate) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string(key, choices.first()?.0)?;
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        if found.is_none() {
            let names = || choices.iter().map(|(name, _)| *name);
            let hint = did_you_mean(text, names());
            self.problem(key, format!("there is no {key} `{text}`, only {}{hint}", listed(names())));
        }
        found
    }

    pub(crate) fn integer(&self, key: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let value = self.value(key)?;
        let Some(written) = value.as_integer() else {
            return self.wrong(key, value, &format!("a whole number, for example {key} = 4"));
        };
        let number =
            i64::from_str_radix(written.as_str(), written.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let (from, to) = range.into_inner();
            self.problem(key, format!("{written} is out of range; write a number from {from} to {to}"));
        }
        number
    }

    /// A number, whole or not, within `range`.
    pub(crate) fn number(&self, key: &'static str, range: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let value = self.value(key)?;
        let written = match value {
            DeValue::Float(number) => number.as_str().replace('_', "").parse().ok(),
            DeValue::Integer(number) => number.as_str().replace('_', "").parse().ok(),
            other => return self.wrong(key, other, &format!("a number, for example {key} = 0.5")),
        };
        let number = written.filter(|number| range.contains(number));
        if number.is_none() {
            let (from, to) = range.into_inner();
            let bounds = match to.is_finite() {
                true => format!("from {from} to {to}"),
                false => format!("of at least {from}"),
            };
            self.problem(key, format!("is out of range; write a number {bounds}"));
        }
        number
    }

    /// A list of whole numbers from 1 to 2^32 - 1.
    pub(crate) fn counts(&self, key: &'static str, example: &str) -> Option<Vec<u32>> {
        let value = self.value(key)?;
        let count = |one: &Spanned<DeValue<'a>>| {
            let written = one.get_ref().as_integer()?;
            u32::from_str_radix(written.as_str(), written.radix()).ok().filter(|n| *n > 0)
        };
        let counts = value.as_array().and_then(|all| all.iter().map(count).collect());
        counts.or_else(|| {
            self.wrong(
                key,
                value,
                &format!("a list of whole numbers above zero, for example {key} = {example}"),
            )
        })
    }

    /// A duration in ms, at least `least_ms`.
    pub(crate) fn duration(&self, key: &'static str, least_ms: i64) -> Option<i64> {
        let text = self.string(key, "12h")?;
        match parse_duration(text) {
            Ok(ms) if ms >= least_ms => Some(ms),
            Ok(_) => {
                self.problem(
                    key,
                    format!("\"{text}\" is too short; write a duration above zero, for example \"12h\""),
                );
                None
            }
            Err(message) => {
                self.problem(key, message);
                None
            }
        }
    }

    /// A time, bare (`2018-04-01T00:00:00Z`), or a string that may also hold something else.
    pub(crate) fn time_or_string(
        &self,
        key: &'static str,
        wanted: &str,
    ) -> Option<Result<&'d Datetime, &'d str>> {
        match self.value(key)? {
            DeValue::Datetime(time) => Some(Ok(time)),
            DeValue::String(text) => Some(Err(text)),
            other => self.wrong(key, other, wanted),
        }
    }

    pub(crate) fn strings(&self, key: &'static str, example: &str) -> Option<Vec<&'d str>> {
        let value = self.value(key)?;
        let strings = value.as_array().and_then(|all| all.iter().map(|one| one.get_ref().as_str()).collect());
        strings.or_else(|| {
            self.wrong(key, value, &format!("a list of strings, for example {key} = [\"{example}\"]"))
        })
    }

    pub(crate) fn table(&self, key: &'static str) -> Option<Table<'d, 'a>> {
        let value = self.value(key)?;
        match value.as_table() {
            Some(entries) => Some(Table::of(self.document, entries, self.path(key))),
            None => {
                self.wrong(key, value, &format!("a table; write [{}] and its keys below", self.path(key)))
            }
        }
    }

    /// Entries whose keys are names of the user's own, each a table.
    pub(crate) fn named_tables(&self) -> Vec<(&'d str, Table<'d, 'a>)> {
        let entry = |(key, value): (&'d Spanned<_>, &'d Spanned<DeValue<'a>>)| {
            let key: &'d std::borrow::Cow<'a, str> = key.get_ref();
            let path = self.path(key);
            match value.get_ref().as_table() {
                Some(entries) => Some((key.as_ref(), Table::of(self.document, entries, path))),
                None => {
                    self.wrong(key, value.get_ref(), &format!("a table; write [{path}] and its keys below"))
                }
            }
        };
        self.entries.iter().filter_map(entry).collect()
    }

    /// Entries whose keys are names of the user's own, each with a string.
    pub(crate) fn named_strings(&self, example: &str) -> Vec<(&'d str, &'d str)> {
        let entry = |(key, value): (&'d Spanned<_>, &'d Spanned<DeValue<'a>>)| {
            let key: &'d std::borrow::Cow<'a, str> = key.get_ref();
            match value.get_ref().as_str() {
                Some(text) => Some((key.as_ref(), text)),
                None => {
                    let found = kind(value.get_ref());
                    self.problem(
                        key,
                        format!("is {found}, and must be a string; write for example {key} = \"{example}\""),
                    );
                    None
                }
            }
        };
        self.entries.iter().filter_map(entry).collect()
    }

    /// Entries whose keys are names of others' own, each with a string, a number or a flag, as text.
    pub(crate) fn named_values(&self) -> Vec<(String, String)> {
        let entry = |(key, value): (&'d Spanned<_>, &'d Spanned<DeValue<'a>>)| {
            let key: &'d std::borrow::Cow<'a, str> = key.get_ref();
            let text = match value.get_ref() {
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.as_str().to_owned(),
                DeValue::Float(number) => number.as_str().to_owned(),
                DeValue::Boolean(flag) => flag.to_string(),
                other => {
                    let found = kind(other);
                    self.problem(key, format!("is {found}, and must be a number, a string or true or false"));
                    return None;
                }
            };
            Some((key.to_string(), text))
        };
        self.entries.iter().filter_map(entry).collect()
    }

    /// Notes every key that was never asked for; `allowed` are others that would have been.
    pub(crate) fn refuse_unknown(&self) {
        let known = self.known.borrow();
        let unknown = self.entries.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref()));
        for (key, value) in unknown {
            let name = key.get_ref().as_ref();
            let hint = did_you_mean(name, known.iter().copied());
            let what = if value.get_ref().is_table() { "table" } else { "key" };
            let all =
                if hint.is_empty() { format!("; known are {}", listed(known.iter().copied())) } else { hint };
            self.problem(name, format!("unknown {what}{all}"));
        }
    }

    fn value(&self, key: &'static str) -> Option<&'d DeValue<'a>> {
        self.known(key);
        self.entries.get(key).map(Spanned::get_ref)
    }

    fn known(&self, key: &'static str) {
        let mut known = self.known.borrow_mut();
        if !known.contains(&key) {
            known.push(key);
        }
    }

    fn wrong<T>(&self, key: &str, value: &DeValue<'_>, wanted: &str) -> Option<T> {
        self.problem(key, format!("is {}, and must be {wanted}", kind(value)));
        None
    }

    fn path(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}.{key}", self.prefix) }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
