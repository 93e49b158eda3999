//! What is generated for an application: events of several topics.

use std::fmt::Debug;

use arrow::record_batch::RecordBatch;

use crate::fraud::{Event, Label, Payment, labels_batch, payments_batch};
use crate::ranking::{self, World};

/// A kind of events, each a row of one of several topics.
pub trait Source {
    /// One event.
    type Event: Debug;

    /// The stems of the topics.
    fn topics(&self) -> &'static [&'static str];

    /// Which topic an event is of, by its index.
    fn topic(&self, event: &Self::Event) -> usize;

    /// Its record time, in ms since 1970.
    fn record_time_ms(&self, event: &Self::Event) -> i64;

    /// The text of its record's key.
    fn key(&self, event: &Self::Event) -> String;

    /// The events as rows: a batch per topic, in the order of the events.
    fn batches(&self, events: &[Self::Event]) -> anyhow::Result<Vec<RecordBatch>>;
}

/// Card payments and their labels.
#[derive(Debug, Clone, Copy)]
pub struct Payments;

impl Source for Payments {
    type Event = Event;

    fn topics(&self) -> &'static [&'static str] {
        &["transactions", "labels"]
    }

    fn topic(&self, event: &Event) -> usize {
        match event {
            Event::Payment(_) => 0,
            Event::Label(_) => 1,
        }
    }

    fn record_time_ms(&self, event: &Event) -> i64 {
        event.record_time_ms()
    }

    fn key(&self, event: &Event) -> String {
        event.customer().to_string()
    }

    fn batches(&self, events: &[Event]) -> anyhow::Result<Vec<RecordBatch>> {
        let (mut payments, mut labels): (Vec<Payment>, Vec<Label>) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Payment(payment) => payments.push(*payment),
                Event::Label(label) => labels.push(*label),
            }
        }
        Ok(vec![payments_batch(&payments)?, labels_batch(&labels)?])
    }
}

/// Requests, impressions and clicks of a world.
#[derive(Debug, Clone)]
pub struct Visits(pub std::sync::Arc<World>);

impl Source for Visits {
    type Event = ranking::Event;

    fn topics(&self) -> &'static [&'static str] {
        &["requests", "impressions", "clicks"]
    }

    fn topic(&self, event: &ranking::Event) -> usize {
        match event {
            ranking::Event::Request(_) => 0,
            ranking::Event::Impression(_) => 1,
            ranking::Event::Click(_) => 2,
        }
    }

    fn record_time_ms(&self, event: &ranking::Event) -> i64 {
        event.record_time_ms()
    }

    fn key(&self, event: &ranking::Event) -> String {
        event.user_id()
    }

    fn batches(&self, events: &[ranking::Event]) -> anyhow::Result<Vec<RecordBatch>> {
        let (mut requests, mut impressions, mut clicks) = (Vec::new(), Vec::new(), Vec::new());
        for event in events {
            match event {
                ranking::Event::Request(request) => requests.push(request.clone()),
                ranking::Event::Impression(impression) => impressions.push(impression.clone()),
                ranking::Event::Click(click) => clicks.push(click.clone()),
            }
        }
        Ok(vec![
            ranking::requests_batch(&self.0, &requests)?,
            ranking::impressions_batch(&impressions)?,
            ranking::clicks_batch(&clicks)?,
        ])
    }
}
