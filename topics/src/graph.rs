//! The dataflow of an application, drawn: as text, for Graphviz, for Mermaid.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::{Application, KafkaTopic, Role, Topic, show_duration};

/// One step of a service: topics in, topics and store keys out. Names are Kafka names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// The service and what it works on: `features/customer_id`.
    pub name: String,
    /// The topics it reads.
    pub reads: Vec<String>,
    /// The topics it writes, dead letters aside.
    pub writes: Vec<String>,
    /// What it keeps in the online store: `millrace:fraud:features:customer_id:*`.
    pub stores: Vec<String>,
}

/// The dataflow of one application.
#[derive(Debug, Clone)]
pub struct Graph<'a> {
    application: &'a Application,
    internal: &'a [KafkaTopic],
    steps: Vec<Step>,
}

impl<'a> Graph<'a> {
    /// The graph of an application. What feature views read and write stands in their SQL, so their steps come from
    /// the planner, in the order of the flow, with the internal topics between them.
    pub fn new(application: &'a Application, views: Vec<Step>, internal: &'a [KafkaTopic]) -> Self {
        let mut steps = views;
        steps.extend(application.topics.iter().filter_map(|topic| scoring(application, topic)));
        Self { application, internal, steps }
    }

    /// With steps that read what the others write.
    #[must_use]
    pub fn followed_by(mut self, steps: Vec<Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// For a terminal: the topics in columns, then the steps, what they read on the left.
    pub fn text(&self) -> String {
        let topics = self
            .application
            .topics
            .iter()
            .map(|t| [t.kafka.name.clone(), role(t).into(), layout(&t.kafka), t.title.clone()]);
        let internal =
            self.internal.iter().map(|t| [t.name.clone(), "internal".into(), layout(t), String::new()]);
        let mut text = format!("{}\n\nTopics\n", self.application.name);
        text += &columns(&topics.chain(internal).collect::<Vec<_>>());
        text += "\nFlow\n";
        text += &columns(&self.steps.iter().flat_map(flow).collect::<Vec<_>>());
        if let Some(dead_letters) = self.application.dead_letters() {
            let _ = writeln!(text, "\nEvery step writes what it rejects to {}.", dead_letters.kafka.name);
        }
        text
    }

    /// For Graphviz: `dot -Tsvg`.
    pub fn dot(&self) -> String {
        let mut dot = format!("digraph {} {{\n  rankdir=LR;\n", quoted(&self.application.name));
        for (name, shape) in self.nodes() {
            let style = match shape {
                Shape::Source => "shape=box, style=bold",
                Shape::Topic => "shape=box",
                Shape::Internal => "shape=box, style=dashed",
                Shape::Step => "shape=ellipse",
                Shape::Store => "shape=cylinder",
            };
            let _ = writeln!(dot, "  {} [{style}];", quoted(name));
        }
        for (from, to, rejects) in self.edges() {
            let style = if rejects { " [style=dotted]" } else { "" };
            let _ = writeln!(dot, "  {} -> {}{style};", quoted(from), quoted(to));
        }
        dot + "}\n"
    }

    /// For Mermaid, as Markdown pages show it.
    pub fn mermaid(&self) -> String {
        let nodes = self.nodes();
        let ids: BTreeMap<&str, usize> = nodes.keys().enumerate().map(|(i, name)| (*name, i)).collect();
        let mut text = "flowchart LR\n".to_owned();
        for (name, shape) in &nodes {
            let (open, close) = match shape {
                Shape::Source => ("[[", "]]"),
                Shape::Topic | Shape::Internal => ("[", "]"),
                Shape::Step => ("([", "])"),
                Shape::Store => ("[(", ")]"),
            };
            let _ = writeln!(text, "  n{}{open}\"{name}\"{close}", ids[name]);
        }
        for (from, to, rejects) in self.edges() {
            let arrow = if rejects { "-.->" } else { "-->" };
            let _ = writeln!(text, "  n{} {arrow} n{}", ids[from], ids[to]);
        }
        text
    }

    fn nodes(&self) -> BTreeMap<&str, Shape> {
        let mut nodes = BTreeMap::new();
        for step in &self.steps {
            nodes
                .extend(step.reads.iter().chain(&step.writes).map(|topic| (topic.as_str(), Shape::Internal)));
            nodes.extend(step.stores.iter().map(|key| (key.as_str(), Shape::Store)));
            nodes.insert(step.name.as_str(), Shape::Step);
        }
        nodes.extend(self.internal.iter().map(|topic| (topic.name.as_str(), Shape::Internal)));
        nodes.extend(self.application.topics.iter().map(|topic| {
            let source = matches!(topic.role, Role::Source);
            (topic.kafka.name.as_str(), if source { Shape::Source } else { Shape::Topic })
        }));
        nodes
    }

    /// From, to, and whether only rejected records go that way.
    fn edges(&self) -> Vec<(&str, &str, bool)> {
        let dead_letters = self.application.dead_letters().map(|topic| topic.kafka.name.as_str());
        let mut all = Vec::new();
        for step in &self.steps {
            let name = step.name.as_str();
            all.extend(step.reads.iter().map(|topic| (topic.as_str(), name, false)));
            all.extend(step.writes.iter().chain(&step.stores).map(|out| (name, out.as_str(), false)));
            all.extend(dead_letters.map(|topic| (name, topic, true)));
        }
        all
    }
}

#[derive(Debug, Clone, Copy)]
enum Shape {
    Source,
    Topic,
    Internal,
    Step,
    Store,
}

fn scoring(application: &Application, topic: &Topic) -> Option<Step> {
    let scored = match &topic.role {
        Role::Predictions(table) => &table.features,
        Role::Rankings(table) => &table.requests,
        _ => return None,
    };
    let reads = application
        .topic(scored)
        .into_iter()
        .chain(application.deployments())
        .map(|read| read.kafka.name.clone());
    let beside = application.scorer_stats().into_iter().chain(application.alerts());
    Some(Step {
        name: format!("scorer/{}", topic.stem),
        reads: reads.collect(),
        writes: std::iter::once(topic).chain(beside).map(|written| written.kafka.name.clone()).collect(),
        stores: Vec::new(),
    })
}

fn role(topic: &Topic) -> &'static str {
    match topic.role {
        Role::Source => "source",
        Role::Features(_) => "features",
        Role::Predictions(_) => "predictions",
        Role::Deployments(_) => "deployments",
        Role::Drift(_) => "drift",
        Role::Retrain(_) => "retrain requests",
        Role::DriftCommands => "drift commands",
        Role::Rankings(_) => "rankings",
        Role::ClickFeedback(_) => "click feedback",
        Role::Experiments(_) => "experiment results",
        Role::ExperimentCommands => "experiment commands",
        Role::Alerts => "alerts",
        Role::ScorerStats => "scorer stats",
        Role::DeadLetters => "dead letters",
    }
}

/// `4 partitions by customer_id, 60d`.
fn layout(topic: &KafkaTopic) -> String {
    let s = if topic.partitions == 1 { "" } else { "s" };
    let key = topic.key.as_deref().map(|key| format!(" by {key}")).unwrap_or_default();
    let kept = topic.retention_ms.map_or("kept forever".into(), |ms| format!("kept {}", show_duration(ms)));
    format!("{} partition{s}{key}, {kept}", topic.partitions)
}

/// A step's lines: what it reads, itself, what it writes.
fn flow(step: &Step) -> Vec<[String; 3]> {
    let outs: Vec<String> =
        step.writes.iter().cloned().chain(step.stores.iter().map(|key| format!("Redis {key}"))).collect();
    let arrow = |text: Option<&String>| text.map(|text| format!("-> {text}")).unwrap_or_default();
    let line = |i: usize| {
        let own = (i == 0).then_some(&step.name);
        [step.reads.get(i).cloned().unwrap_or_default(), arrow(own), arrow(outs.get(i))]
    };
    (0..step.reads.len().max(outs.len()).max(1)).map(line).collect()
}

fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}", width = *width)).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
    }
    text
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DeploymentsTable, Partitioner, PredictionsTable};
    use millrace_schemas::Format;
    use std::path::PathBuf;

    fn kafka(name: &str, key: Option<&str>) -> KafkaTopic {
        KafkaTopic {
            name: name.into(),
            format: Format::Avro,
            schema: None,
            key: key.map(str::to_owned),
            partitioner: Partitioner::Murmur2,
            partitions: 4,
            retention_ms: Some(604_800_000),
            settings: BTreeMap::new(),
        }
    }

    fn topic(stem: &str, key: Option<&str>, role: Role) -> Topic {
        Topic {
            stem: stem.into(),
            file: PathBuf::from(stem),
            title: format!("The {stem}"),
            kafka: kafka(&format!("shop.{stem}"), key),
            time: None,
            id: None,
            max_ahead_ms: 0,
            role,
            lines: BTreeMap::new(),
        }
    }

    fn shop() -> Application {
        let predictions = PredictionsTable {
            features: "view".into(),
            unit: "user".into(),
            context: Vec::new(),
            explore: None,
        };
        let topics = vec![
            topic("clicks", Some("user"), Role::Source),
            topic("dead-letters", None, Role::DeadLetters),
            topic("deployments", None, Role::Deployments(DeploymentsTable::default())),
            topic("scores", Some("unit"), Role::Predictions(predictions)),
            topic("view", None, Role::Source),
        ];
        Application {
            name: "shop".into(),
            folder: PathBuf::from("shop"),
            topics,
            definitions: Vec::new(),
            unsound: Vec::new(),
            draft_files: BTreeMap::new(),
        }
    }

    fn view() -> Vec<Step> {
        let (first, second) = ("features/user", "features/item");
        vec![
            Step {
                name: first.into(),
                reads: vec!["shop.clicks".into()],
                writes: vec!["shop.view.by-item.1f".into()],
                stores: vec!["millrace:shop:view:user:*".into()],
            },
            Step {
                name: second.into(),
                reads: vec!["shop.view.by-item.1f".into()],
                writes: vec!["shop.view".into()],
                stores: vec![],
            },
        ]
    }

    #[test]
    fn the_text_shows_topics_and_flow_in_columns() {
        let (shop, internal) = (shop(), [kafka("shop.view.by-item.1f", Some("item"))]);
        assert_eq!(
            Graph::new(&shop, view(), &internal).text(),
            "\
shop

Topics
  shop.clicks           source        4 partitions by user, kept 7d  The clicks
  shop.dead-letters     dead letters  4 partitions, kept 7d          The dead-letters
  shop.deployments      deployments   4 partitions, kept 7d          The deployments
  shop.scores           predictions   4 partitions by unit, kept 7d  The scores
  shop.view             source        4 partitions, kept 7d          The view
  shop.view.by-item.1f  internal      4 partitions by item, kept 7d

Flow
  shop.clicks           -> features/user  -> shop.view.by-item.1f
                                          -> Redis millrace:shop:view:user:*
  shop.view.by-item.1f  -> features/item  -> shop.view
  shop.view             -> scorer/scores  -> shop.scores
  shop.deployments

Every step writes what it rejects to shop.dead-letters.
"
        );
    }

    #[test]
    fn graphviz_and_mermaid_have_every_node_and_edge_once() {
        let (shop, internal) = (shop(), [kafka("shop.view.by-item.1f", Some("item"))]);
        let graph = Graph::new(&shop, view(), &internal);
        let dot = graph.dot();
        assert_eq!(
            dot.matches(" -> ").count(),
            5 + 3 + 3,
            "5 in and out of views, 3 of the scorer, 3 rejects: {dot}"
        );
        assert!(dot.contains("  \"shop.clicks\" [shape=box, style=bold];\n"), "{dot}");
        assert!(dot.contains("  \"shop.view.by-item.1f\" [shape=box, style=dashed];\n"), "{dot}");
        assert!(dot.contains("  \"features/item\" -> \"shop.dead-letters\" [style=dotted];\n"), "{dot}");

        let mermaid = graph.mermaid();
        assert_eq!(mermaid.matches("-->").count(), 8, "{mermaid}");
        assert_eq!(mermaid.matches("-.->").count(), 3, "{mermaid}");
        let node = |name: &str| mermaid.lines().filter(|line| line.contains(&format!("\"{name}\""))).count();
        for name in
            ["shop.clicks", "features/user", "millrace:shop:view:user:*", "scorer/scores", "shop.view"]
        {
            assert_eq!(node(name), 1, "{name} in {mermaid}");
        }
    }

    #[test]
    fn the_scorer_writes_alerts_and_stats_beside_its_predictions() {
        let mut shop = shop();
        shop.topics.push(topic("alerts", None, Role::Alerts));
        shop.topics.push(topic("scorer-stats", None, Role::ScorerStats));
        let text = Graph::new(&shop, view(), &[]).text();
        let flow = "  shop.view             -> scorer/scores  -> shop.scores\n  \
                    shop.deployments                        -> shop.scorer-stats\n";
        assert!(text.contains(flow) && text.contains("-> shop.alerts\n"), "{text}");
    }
}
