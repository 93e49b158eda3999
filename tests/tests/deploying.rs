//! Model versions change while payments flow through real servers: no gap, no lost or doubled answer.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};
use millrace_experiments::assignment::hash::bucket;
use millrace_load::fraud;
use millrace_load::output::kafka;
use millrace_load::output::source::Payments;
use millrace_schemas::envelope::Deployment;
use millrace_schemas::{ConfluentRegistry, SchemaRegistry};
use millrace_tests::application::Application;
use millrace_tests::millrace::Millrace;
use millrace_tests::reader;
use millrace_tests::rows::{column, ids};
use millrace_tests::stack::Stack;
use millrace_topics::deployments::Deployments;
use serde_json::Value;

const PAYMENTS: usize = 20_000;
/// Payments and labels together, a second.
const RATE: f64 = 600.0;
/// Six changes, and what comes after the last.
const PARTS: usize = 7;
const WITHIN: Duration = Duration::from_secs(180);
const SHORT: Duration = Duration::from_secs(60);

/// The fraud application with the versions 1, 2 and 3 of its model, which decide at other thresholds, and `broken`.
struct Course {
    stack: &'static Stack,
    app: Application,
}

#[test]
fn while_versions_come_and_go_each_payment_has_one_answer_under_the_deployment_that_it_names() {
    let course = Course::new().unwrap();
    let millrace = course.millrace();
    course.refuses().unwrap();
    let features = millrace.start(&["features", "{app}", "--workers", "2"]).unwrap();
    let kept = millrace.start(&["scorer", "{app}"]).unwrap();
    let mut killed = millrace.start(&["scorer", "{app}"]).unwrap();
    let mut flow = course.flow();
    flow.during(|| course.deploy(&["--champion", "2"])).unwrap();
    flow.during(|| course.deploy(&["--shadow", "watch=3"])).unwrap();
    let (broken, again) = flow
        .during(|| {
            killed.process.kill()?;
            Ok((course.deploy_broken()?, millrace.start(&["scorer", "{app}"])?))
        })
        .unwrap();
    flow.during(|| course.deploy(&["--champion", "3"])).unwrap();
    flow.during(|| course.deploy(&["--champion", "3", "--arm", "b=1:0.3", "--reason", "cheaper"])).unwrap();
    // Back to the deployment of the second champion, the second event of the log.
    let second = course.history().unwrap().keys().copied().nth(1).unwrap().to_string();
    flow.during(|| course.deploy(&["--rollback", &second])).unwrap();
    flow.during(|| Ok(())).unwrap();
    course.wait(PAYMENTS).unwrap();
    for service in [features, kept, again] {
        service.stop().unwrap();
    }
    course.check(broken).unwrap();
}

/// The payments of the generated stream and their labels, in parts that flow at a steady rate.
struct Flow<'a> {
    course: &'a Course,
    stream: fraud::Stream,
}

impl Flow<'_> {
    /// Changes something while the next part flows: what it deploys is in force for the part after that, however long
    /// a command takes here.
    fn during<T>(&mut self, change: impl FnOnce() -> Result<T>) -> Result<T> {
        let part = self.next_part();
        std::thread::scope(|scope| {
            let flowing = scope.spawn(|| self.course.publish(part.into_iter(), RATE));
            let changed = change()?;
            flowing.join().map_err(|_| anyhow::anyhow!("publishing panicked"))??;
            Ok(changed)
        })
    }
}

impl Flow<'_> {
    /// As many payments as every part has, with the labels between them: most labels come after the last payment.
    fn next_part(&mut self) -> Vec<fraud::Event> {
        let (mut part, mut payments) = (Vec::new(), 0);
        while payments <= PAYMENTS / PARTS {
            let Some(event) = self.stream.next() else { break };
            payments += usize::from(matches!(event, fraud::Event::Payment(_)));
            part.push(event);
        }
        part
    }
}

impl Course {
    fn new() -> Result<Self> {
        let (stack, app) = (Stack::shared()?, Application::copy("fraud")?);
        let models = app.folder().join("models/fraud-gbdt");
        let text = std::fs::read_to_string(models.join("1/model.toml"))?;
        for (version, threshold) in [("2", "0.2"), ("3", "0.1"), ("broken", "0.5")] {
            std::fs::create_dir_all(models.join(version))?;
            std::fs::copy(models.join("1/model.onnx"), models.join(version).join("model.onnx"))?;
            let changed = text.replace("threshold = 0.3073", &format!("threshold = {threshold}"));
            ensure!(changed != text, "model.toml has another threshold by now");
            std::fs::write(models.join(version).join("model.toml"), changed)?;
        }
        std::fs::write(models.join("broken/model.onnx"), "half of a model")?;
        let course = Self { stack, app };
        course.millrace().succeed(&["topics", "apply", "{app}"], SHORT)?;
        Ok(course)
    }

    fn millrace(&self) -> Millrace<'_> {
        Millrace::new(self.stack, &self.app)
    }

    fn flow(&self) -> Flow<'_> {
        let params = fraud::Params { customers: 1_000, terminals: 500, days: 60, ..Default::default() };
        Flow { course: self, stream: fraud::stream(&params).limit(PAYMENTS) }
    }

    fn publish(&self, events: impl Iterator<Item = fraud::Event>, rate: f64) -> Result<()> {
        let options = kafka::Options {
            registry: self.stack.registry.url().to_owned(),
            rate: Some(rate),
            ..kafka::Options::new(self.stack.kafka.bootstrap(), self.app.name())
        };
        kafka::send(&Payments, events, &options).map(drop)
    }

    fn wait(&self, payments: usize) -> Result<()> {
        reader::wait_for_origins(self.stack, &self.app.topic("predictions"), payments, WITHIN)
    }

    fn deploy(&self, words: &[&str]) -> Result<String> {
        let all = [&["deploy", "{app}", "predictions", "--by", "ada"], words].concat();
        self.millrace().succeed(&all, SHORT)
    }

    /// Writes a deployment that the command refuses, as another client would.
    fn deploy_broken(&self) -> Result<i64> {
        let registry: Arc<dyn SchemaRegistry> = Arc::new(ConfluentRegistry::new(self.stack.registry.url())?);
        let app = millrace_topics::load(self.app.topics(), self.app.name())
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let client = self.stack.kafka.client_config();
        let deployments = Deployments::new(&client, registry, &app, true)?;
        let last = deployments.read()?.last().map(|(offset, _)| *offset);
        Ok(deployments.write(Deployment::champion("predictions", "fraud-gbdt", "broken", 0), last)?)
    }

    /// Nothing of this is written.
    fn refuses(&self) -> Result<()> {
        let refused = [
            (&["--champion", "9"][..], "there is no version fraud-gbdt/9; there is 1, 2, 3, broken"),
            (&["--champion", "broken"], "fraud-gbdt/broken cannot serve"),
            (&["--arm", "b=2:0.7", "--arm", "c=3:0.5"], "above 1"),
            (&["--interleave", "1,2"], "has no rankings"),
            (&["--champion", "2", "--seen", "77"], "was changed meanwhile"),
            (&["--rollback"], "none before it"),
        ];
        for (words, part) in refused {
            let all = [&["deploy", "{app}", "predictions"], words].concat();
            let run = self.millrace().run(&all, SHORT)?;
            ensure!(!run.status.success() && run.output.contains(part), "{words:?}: {}", run.output);
        }
        let shown = self.deploy(&["--canary", "v2", "--share", "0.05", "--dry-run"])?;
        ensure!(shown.contains("serves 5 %") && shown.contains("nothing was written"), "{shown}");
        ensure!(self.history()?.len() == 1, "a refused or dry run wrote");
        Ok(())
    }

    /// What `millrace deployments --json` tells, by offset.
    fn history(&self) -> Result<BTreeMap<i64, Value>> {
        let text = self.millrace().succeed(&["deployments", "{app}", "predictions", "--json"], SHORT)?;
        let lines = text.lines().filter(|line| line.starts_with('{'));
        let offset = |line: &Value| line["offset"].as_i64().context("a deployment without an offset");
        lines
            .map(|line| serde_json::from_str(line).map_err(Into::into).and_then(|v| Ok((offset(&v)?, v))))
            .collect()
    }

    fn check(&self, broken: i64) -> Result<()> {
        let history = self.history()?;
        let versions: Vec<_> = history.values().filter_map(|one| one["version"].as_str()).collect();
        ensure!(versions == ["1", "2", "2", "broken", "3", "3", "2"], "{versions:?}");
        let last = history.values().last().context("no deployment")?;
        ensure!(last["in_force"] == true && last["set_by"] == "ada" && last["restores"].is_i64(), "{last}");
        self.check_predictions(&history, broken)?;
        let alerts = self.rows("alerts")?;
        let told = column(&alerts, "deployment")?.as_primitive::<Int64Type>().values().to_vec();
        ensure!(told == [broken], "of two scorers and a restart one tells, once: {told:?}");
        self.check_stats()
    }

    fn check_predictions(&self, history: &BTreeMap<i64, Value>, broken: i64) -> Result<()> {
        let rows = self.rows("predictions")?;
        let (events, units, roles) = (ids(&rows, "id")?, ids(&rows, "unit")?, ids(&rows, "role")?);
        let (versions, arms) = (ids(&rows, "version")?, ids(&rows, "arm")?);
        let deployments = column(&rows, "deployment")?.as_primitive::<Int64Type>().values();
        let propensities = column(&rows, "propensity")?.as_primitive::<Float64Type>().values();
        let (mut answers, mut shadows) = (HashMap::new(), HashMap::new());
        for row in 0..rows.num_rows() {
            let deployment = &history[&deployments[row]];
            let of_role = if roles[row] == "serving" { &mut answers } else { &mut shadows };
            let before = of_role.insert(&events[row], deployments[row]);
            ensure!(before.is_none(), "{} has two {} predictions", events[row], roles[row]);
            let in_b = deployment["mode"] == "ab"
                && bucket(deployment["salt"].as_str().unwrap_or_default(), &units[row]) >= 7_000;
            let (arm, version, propensity) = match (roles[row].as_str(), &deployment["mode"]) {
                ("shadow", _) => ("watch", "3", 1.0),
                (_, mode) if mode == "champion" => {
                    ("champion", deployment["version"].as_str().unwrap_or_default(), 1.0)
                }
                _ if in_b => ("b", "1", 0.3),
                _ => ("control", "3", 0.7),
            };
            let seen = (arms[row].as_str(), versions[row].as_str(), propensities[row]);
            ensure!(seen == (arm, version, propensity), "{}: {seen:?} under {deployment}", events[row]);
        }
        ensure!(answers.len() == PAYMENTS, "{} answers", answers.len());
        let used: BTreeSet<i64> = answers.values().copied().collect();
        let good: BTreeSet<i64> = history.keys().copied().filter(|offset| *offset != broken).collect();
        ensure!(used == good, "payments under {used:?} of {good:?}");
        let watched = |deployment: i64| {
            let arms = history[&deployment]["arms"].as_array();
            arms.is_some_and(|arms| arms.iter().any(|arm| arm["role"] == "shadow"))
        };
        let expected: HashMap<_, _> =
            answers.into_iter().filter(|(_, deployment)| watched(*deployment)).collect();
        ensure!(shadows == expected, "each answer of a watched deployment has one shadow beside it");
        Ok(())
    }

    /// Not every record must be there, since one scorer was killed; what is there adds up.
    fn check_stats(&self) -> Result<()> {
        let rows = self.rows("scorer-stats")?;
        let counted = |name: &str| -> Result<Vec<i64>> {
            Ok(column(&rows, name)?.as_primitive::<Int64Type>().values().to_vec())
        };
        let (asked, scored, roles) = (counted("rows")?, counted("scored")?, ids(&rows, "role")?);
        ensure!(asked == scored, "every payment has all inputs");
        let sum = |role: &str| -> i64 {
            roles.iter().zip(&asked).filter(|(one, _)| *one == role).map(|(_, rows)| rows).sum()
        };
        let (serving, shadow) = (sum("serving"), sum("shadow"));
        ensure!(serving > 10_000 && shadow > 500, "{serving} served, {shadow} watched");
        Ok(())
    }

    fn rows(&self, stem: &str) -> Result<arrow::record_batch::RecordBatch> {
        let topic = self.app.topic(stem);
        reader::decode(self.stack, &topic, &reader::read_all(self.stack, &topic)?)
    }
}
