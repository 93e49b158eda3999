//! Rankings as JSON lines to interleaved lists as JSON lines.

use std::io::{BufRead, Write};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::interleave::credit::{Ledger, Rules};
use crate::interleave::{Method, Rankings, interleave};
use crate::random::Random;

/// A line of input: `{"key": "q1", "rankings": [["a", "b"], ["b", "a"]], "rankers": ["v1", "v2"], "clicks": ["b"]}`;
/// rankers and clicks may be left out, items are texts or whole numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    key: String,
    rankings: Vec<Vec<Item>>,
    #[serde(default)]
    rankers: Option<Vec<String>>,
    #[serde(default)]
    clicks: Option<Vec<Item>>,
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Item {
    Number(i64),
    Text(String),
}

#[derive(Serialize)]
struct Response<'a> {
    key: &'a str,
    items: Vec<Shown<'a>>,
    /// Credit per ranker of the clicks given.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<Vec<f64>>,
    /// Clicks given on items that the list does not hold: they earn nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_in_list: Option<u64>,
}

#[derive(Serialize)]
struct Shown<'a> {
    item: &'a Item,
    /// From 1.
    position: usize,
    /// Whose pick it is: the ranker's name, or its number from 0.
    team: Option<serde_json::Value>,
    /// What a click on it alone earns each ranker.
    credit: Vec<f64>,
}

/// How lines are interleaved.
#[derive(Debug, Clone, PartialEq)]
pub struct InterleaveOptions {
    /// By which method.
    pub method: Method,
    /// The experiment's salt.
    pub salt: String,
    /// The length of lists; by default all items.
    pub length: Option<usize>,
    /// Whether the common prefix credits nobody.
    pub skip_common_prefix: bool,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Lists.
    pub lists: u64,
    /// Clicks on items that their list does not hold.
    pub not_in_list: u64,
    /// The line of the first of them, from 1.
    pub first_stray: Option<u64>,
}

/// Interleaves every line of `reader`; empty lines are passed over.
///
/// # Errors
/// The first line that does not fit, with its number; what reading or writing gives.
pub fn interleave_lines(
    reader: impl BufRead,
    mut writer: impl Write,
    options: &InterleaveOptions,
) -> Result<Written, Error> {
    let mut written = Written::default();
    let mut last = 0;
    for (at, text) in reader.lines().enumerate() {
        let line = at as u64 + 1;
        last = line;
        let text = text.map_err(|source| Error::Io { line, source })?;
        if text.trim().is_empty() {
            continue;
        }
        let problem = |problem: String| Error::Line { line, problem };
        let request: Request = serde_json::from_str(&text).map_err(|error| problem(error.to_string()))?;
        let (mut response, strays) = respond(&request, options).map_err(problem)?;
        response.push(b'\n');
        writer.write_all(&response).map_err(|source| Error::Io { line, source })?;
        written.lists += 1;
        if strays > 0 {
            written.not_in_list += strays;
            written.first_stray.get_or_insert(line);
        }
    }
    writer.flush().map_err(|source| Error::Io { line: last, source })?;
    Ok(written)
}

/// The line of a request, and how many of its clicks are on nothing of the list.
fn respond(request: &Request, options: &InterleaveOptions) -> Result<(Vec<u8>, u64), String> {
    let rankings = Rankings::of(&request.rankings).map_err(|error| error.to_string())?;
    if let Some(names) = &request.rankers
        && names.len() != rankings.rankers()
    {
        return Err(format!("{} rankers are named, {} rankings given", names.len(), rankings.rankers()));
    }
    let seed = Random::keyed(&options.salt, &request.key);
    let list = interleave(options.method, &rankings, options.length.unwrap_or(usize::MAX), seed)
        .map_err(|error| error.to_string())?;
    let name = |team: u32| match &request.rankers {
        Some(names) => serde_json::Value::from(names[team as usize].as_str()),
        None => serde_json::Value::from(team),
    };
    let shown = |(position, slot): (usize, &crate::interleave::Slot)| Shown {
        item: rankings.items()[slot.item as usize],
        position: position + 1,
        team: slot.team.map(name),
        credit: list.credit_at(position),
    };
    let items: Vec<Shown<'_>> = list.slots().iter().enumerate().map(shown).collect();
    let not_in_list = |click: &&Item| items.iter().all(|shown| shown.item != *click);
    let strays = request.clicks.iter().flatten().filter(not_in_list).count() as u64;
    let credit = request.clicks.as_ref().map(|clicks| {
        let rules = Rules { horizon_ms: 0, skip_common_prefix: options.skip_common_prefix };
        let mut ledger = Ledger::new(list.clone(), 0, rules);
        for (at, click) in clicks.iter().enumerate() {
            ledger.click(&at.to_string(), items.iter().position(|shown| shown.item == click), 0);
        }
        ledger.close().credit
    });
    let text = serde_json::to_vec(&Response {
        key: &request.key,
        items,
        credit,
        not_in_list: Some(strays).filter(|clicks| *clicks > 0),
    })
    .map_err(|error| error.to_string())?;
    Ok((text, strays))
}
