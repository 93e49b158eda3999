//! Predictions, as they lie in their topic.

use std::collections::HashMap;

use anyhow::Result;
use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};
use millrace_tests::reader;
use millrace_tests::rows::{column, ids};

use super::course::{Course, LONG};

/// A prediction.
#[derive(Debug, Clone)]
pub struct Predicted {
    pub unit: String,
    pub version: String,
    pub arm: String,
    pub decision: String,
    pub score: f64,
    pub propensity: f64,
    pub deployment: i64,
}

/// Of each event, by its id, the answer, and what the shadow said.
pub type ByEvent = HashMap<String, (Predicted, Option<Predicted>)>;

/// Waits until so many events have a prediction, and reads all.
pub fn wait_for(course: &Course, events: usize) -> Result<ByEvent> {
    reader::wait_for_origins(course.stack, &course.app.topic("scores"), events, LONG)?;
    read(course)
}

/// All that are there.
pub fn read(course: &Course) -> Result<ByEvent> {
    let topic = course.app.topic("scores");
    let rows = reader::decode(course.stack, &topic, &reader::read_all(course.stack, &topic)?)?;
    let text = |name: &str| ids(&rows, name);
    let (of, roles, units, versions) = (text("id")?, text("role")?, text("unit")?, text("version")?);
    let (arms, decisions) = (text("arm")?, text("decision")?);
    let number =
        |name: &str| Ok::<_, anyhow::Error>(column(&rows, name)?.as_primitive::<Float64Type>().values());
    let (scores, propensities) = (number("score")?, number("propensity")?);
    let deployments = column(&rows, "deployment")?.as_primitive::<Int64Type>().values();
    let (mut answers, mut shadows) = (HashMap::new(), HashMap::new());
    for row in 0..rows.num_rows() {
        let one = Predicted {
            unit: units[row].clone(),
            version: versions[row].clone(),
            arm: arms[row].clone(),
            decision: decisions[row].clone(),
            score: scores[row],
            propensity: propensities[row],
            deployment: deployments[row],
        };
        let of_role = if roles[row] == "serving" { &mut answers } else { &mut shadows };
        let before = of_role.insert(of[row].clone(), one);
        anyhow::ensure!(before.is_none(), "{} has two predictions with the role {}", of[row], roles[row]);
    }
    Ok(answers
        .into_iter()
        .map(|(id, answer)| {
            let shadow = shadows.remove(&id);
            (id, (answer, shadow))
        })
        .collect())
}
