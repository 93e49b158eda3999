//! Which deployment of a prediction topic is in force.

use millrace_schemas::envelope::Deployment;
use millrace_topics::ModelRef;

/// A deployment event with its offset.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its offset in the topic of deployments.
    pub offset: i64,
    /// The champion.
    pub champion: ModelRef,
}

/// Follows the events of one prediction topic: the last one that this scorer understands is in force.
#[derive(Debug)]
pub struct InForce {
    predictions: String,
    last: Option<Event>,
}

impl InForce {
    /// For the prediction topic with this stem.
    pub fn new(predictions: &str) -> Self {
        Self { predictions: predictions.to_owned(), last: None }
    }

    /// Takes the next event of the log. Fails, and leaves the one before in force, if it is of a mode that this version
    /// does not know, or names no model version.
    pub fn take(&mut self, offset: i64, deployment: &Deployment) -> Result<(), String> {
        if deployment.topic != self.predictions {
            return Ok(());
        }
        if deployment.mode != Deployment::CHAMPION {
            return Err(format!(
                "deployment {offset} of {} has the mode `{}`, which this version of the scorer does not know; what \
                 served before goes on serving",
                self.predictions, deployment.mode
            ));
        }
        // The names become a path of the repository: what leads out of it is none.
        let champion =
            ModelRef::parse(&format!("{}/{}", deployment.model, deployment.version)).ok_or_else(|| {
                format!(
                    "deployment {offset} of {} names no model version: `{}`, `{}`",
                    self.predictions, deployment.model, deployment.version
                )
            })?;
        self.last = Some(Event { offset, champion });
        Ok(())
    }

    /// The one in force, if any.
    pub fn last(&self) -> Option<&Event> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(topic: &str, mode: &str, version: &str) -> Deployment {
        Deployment { mode: mode.into(), ..Deployment::champion(topic, "m", version, 0) }
    }

    #[test]
    fn the_last_event_of_the_topic_that_is_understood_is_in_force() {
        let mut in_force = InForce::new("predictions");
        assert_eq!(in_force.last(), None);
        in_force.take(0, &event("predictions", "champion", "1")).unwrap();
        in_force.take(1, &event("other", "champion", "9")).unwrap();
        in_force.take(2, &event("predictions", "champion", "2")).unwrap();
        let error = in_force.take(3, &event("predictions", "interleave", "3")).unwrap_err();
        assert!(error.contains("interleave"), "{error}");
        assert!(in_force.take(4, &event("predictions", "champion", "../../secrets")).is_err());
        let last = in_force.last().unwrap();
        assert_eq!((last.offset, last.champion.to_string()), (2, "m/2".to_owned()));
    }
}
