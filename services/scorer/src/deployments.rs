//! Which deployments of a prediction topic there are: the last one that can serve is in force.

use std::collections::VecDeque;

use millrace_schemas::envelope::Deployment;

/// How many of the last events are kept: so far back a scorer that starts looks for one that can serve.
const KEPT: usize = 100;

/// A deployment event with its offset.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its offset in the topic of deployments.
    pub offset: i64,
    /// The event.
    pub deployment: Deployment,
}

/// The last events of one prediction topic.
#[derive(Debug)]
pub struct History {
    predictions: String,
    events: VecDeque<Event>,
}

impl History {
    /// Of the prediction topic with this stem.
    pub fn new(predictions: &str) -> Self {
        Self { predictions: predictions.to_owned(), events: VecDeque::new() }
    }

    /// Takes the next event of the log.
    pub fn take(&mut self, offset: i64, deployment: Deployment) {
        if deployment.topic != self.predictions {
            return;
        }
        if self.events.len() == KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event { offset, deployment });
    }

    /// The events, the last one first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Event> {
        self.events.iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_events_of_the_topic_are_kept() {
        let mut history = History::new("predictions");
        for offset in 0..250 {
            let topic = ["predictions", "other"][usize::from(offset % 2 == 1)];
            history.take(offset, Deployment::champion(topic, "m", "1", offset));
        }
        let offsets: Vec<_> = history.newest_first().map(|event| event.offset).collect();
        assert_eq!(offsets, (25..125).rev().map(|n| 2 * n).collect::<Vec<_>>());
    }
}
