//! What `[rankings]` and `[click_feedback]` name, checked against the topics and columns that there are.

use arrow::datatypes::DataType;

use crate::columns::{check_column, is_text};
use crate::near::{did_you_mean, listed};
use crate::{Application, ClickFeedbackTable, Problem, RankingsTable, Role, Topic, show_duration};

/// The topics and columns that a `[rankings]` or `[click_feedback]` topic names: they exist, and fit. Topics of other
/// roles have no problem; nor has what names a file that `unread` says could not be read.
pub(crate) fn check(app: &Application, topic: &Topic, unread: &dyn Fn(&str) -> bool) -> Vec<Problem> {
    let named = Named { app, topic, unread };
    match &topic.role {
        Role::Rankings(table) => check_rankings(&named, table),
        Role::ClickFeedback(table) => check_click_feedback(&named, table),
        _ => Vec::new(),
    }
}

/// The topic whose file names others.
struct Named<'a> {
    app: &'a Application,
    topic: &'a Topic,
    unread: &'a dyn Fn(&str) -> bool,
}

type Fits = fn(&DataType) -> bool;
const TEXT: (Fits, &str) = (is_text, "a string or an integer");

impl<'a> Named<'a> {
    /// The topic of a stem, if it is what it should be; a stem that is empty was told already.
    fn find(
        &self,
        key: &str,
        stem: &str,
        (is, what): (fn(&Role) -> bool, &str),
        problems: &mut Vec<Problem>,
    ) -> Option<&'a Topic> {
        if stem.is_empty() || (self.unread)(stem) {
            return None;
        }
        let found = self.app.topic(stem).filter(|found| is(&found.role));
        if found.is_none() {
            let of_role = self.app.topics.iter().filter(|topic| is(&topic.role));
            let all: Vec<&str> = of_role.map(|topic| topic.stem.as_str()).collect();
            let hint = did_you_mean(stem, all.iter().copied());
            let all = listed(all.iter().copied());
            problems.push(self.topic.problem(key, format!("there is no {what} `{stem}`, only {all}{hint}")));
        }
        found
    }

    /// That a topic has an id and a time, as what is made of its rows needs.
    fn needs(&self, source: &Topic, keys: &[&str]) -> Vec<Problem> {
        let lacks = |key: &&&str| match **key {
            "id" => source.id.is_none(),
            _ => source.time.is_none(),
        };
        let say = |key: &&str| {
            let message =
                format!("is missing; {}.toml reads it from these rows, so name that column", self.topic.stem);
            source.problem(key, message)
        };
        keys.iter().filter(lacks).map(say).collect()
    }

    /// That a column is there and fits.
    fn column(
        &self,
        key: &str,
        source: &Topic,
        column: &str,
        (fits, wanted): (Fits, &str),
    ) -> Option<Problem> {
        let rows = source.kafka.schema.as_ref().filter(|_| !column.is_empty())?;
        let message = check_column(rows.arrow(), column, fits, wanted)?;
        Some(self.topic.problem(key, format!("{}: {message}", source.stem)))
    }
}

fn check_rankings(named: &Named<'_>, table: &RankingsTable) -> Vec<Problem> {
    let mut problems = Vec::new();
    let source: (fn(&Role) -> bool, &str) = (|role| matches!(role, Role::Source), "source topic");
    let Some(requests) = named.find("rankings.requests", &table.requests, source, &mut problems) else {
        return problems;
    };
    problems.extend(named.needs(requests, &["id", "time"]));
    let columns = [
        ("rankings.unit", &table.unit, TEXT),
        ("rankings.items", &table.items, (texts as Fits, "an array of strings")),
    ];
    problems
        .extend(columns.into_iter().filter_map(|(key, name, fits)| named.column(key, requests, name, fits)));
    let key =
        table.list_key.iter().filter_map(|name| named.column("rankings.list_key", requests, name, TEXT));
    problems.extend(key);
    let any: (Fits, &str) = (|kind| !kind.is_nested(), "no list or map");
    let context =
        table.context.iter().filter_map(|name| named.column("rankings.context", requests, name, any));
    problems.extend(context);
    problems
}

fn check_click_feedback(named: &Named<'_>, table: &ClickFeedbackTable) -> Vec<Problem> {
    let mut problems = Vec::new();
    let rankings: (fn(&Role) -> bool, &str) =
        (|role| matches!(role, Role::Rankings(_)), "topic with [rankings]");
    let source: (fn(&Role) -> bool, &str) = (|role| matches!(role, Role::Source), "source topic");
    let lists = named.find("click_feedback.rankings", &table.rankings, rankings, &mut problems);
    let clicks = named.find("click_feedback.clicks", &table.clicks, source, &mut problems);
    let impressions = table
        .impressions
        .as_ref()
        .and_then(|stem| named.find("click_feedback.impressions", stem, source, &mut problems));
    if let Some(clicks) = clicks {
        problems.extend(named.needs(clicks, &["id", "time"]));
        problems.extend(named.column("click_feedback.request", clicks, &table.request, TEXT));
        problems.extend(named.column("click_feedback.item", clicks, &table.item, TEXT));
    }
    if let Some(impressions) = impressions {
        let numbers = (positions as Fits, "an array of whole numbers");
        problems.extend(named.needs(impressions, &["time"]));
        problems.extend(named.column("click_feedback.request", impressions, &table.request, TEXT));
        problems.extend(named.column("click_feedback.positions", impressions, &table.positions, numbers));
    }
    let Some(lists) = lists else { return problems };
    problems.extend(clicks.into_iter().chain(impressions).flat_map(|other| check_meets(lists, other)));
    let joined = [Some(lists), clicks, impressions].into_iter().flatten();
    problems.extend(joined.filter_map(|topic| check_kept(named.topic, topic, table.remembered_ms())));
    problems
}

/// That rows of a user lie in partitions of one number: those of a list are keyed by the unit's text.
fn check_meets(lists: &Topic, other: &Topic) -> Vec<Problem> {
    let Role::Rankings(table) = &lists.role else { return Vec::new() };
    let why = "clicks and impressions are joined with lists of their partition: make them equal";
    let mut problems = Vec::new();
    if other.kafka.key.as_ref() != Some(&table.unit) {
        let own = other.kafka.key.as_deref().map_or("none".to_owned(), |key| listed([key]));
        let message = format!("is {own}, and lists are keyed by the unit, `{}`; {why}", table.unit);
        problems.push(other.problem("key", message));
    }
    if other.kafka.partitioner != lists.kafka.partitioner {
        problems.push(other.problem("partitioner", format!("is another than in {}.toml; {why}", lists.stem)));
    }
    if other.kafka.partitions != lists.kafka.partitions {
        let (own, theirs) = (other.kafka.partitions, lists.kafka.partitions);
        let message = format!("is {own}, and {theirs} in {}.toml; {why}", lists.stem);
        problems.push(other.problem("partitions", message));
    }
    problems
}

/// That the log keeps what the join is rebuilt from.
fn check_kept(feedback: &Topic, topic: &Topic, needed_ms: i64) -> Option<Problem> {
    let kept_ms = topic.kafka.retention_ms.filter(|kept_ms| *kept_ms < needed_ms)?;
    let (kept, needed) = (show_duration(kept_ms), show_duration(needed_ms));
    let message = format!(
        "is {kept}, and {}.toml joins clicks with the lists of the last {needed} (three horizons and the lateness), from the log; write at least retention = \"{needed}\"",
        feedback.stem
    );
    Some(topic.problem("retention", message))
}

fn texts(kind: &DataType) -> bool {
    matches!(kind, DataType::List(item) if matches!(item.data_type(), DataType::Utf8))
}

fn positions(kind: &DataType) -> bool {
    matches!(kind, DataType::List(item) if item.data_type().is_integer())
}
