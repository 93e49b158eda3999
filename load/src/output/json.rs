//! A stream as lines of JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::fraud::{Country, Event};
use crate::ranking::request::item_id;
use crate::ranking::world::Candidate;
use crate::ranking::{Request, World};

#[derive(Serialize)]
#[serde(tag = "topic", rename_all = "lowercase")]
enum Line {
    Transactions {
        tx_id: String,
        tx_time: i64,
        customer_id: String,
        terminal_id: String,
        amount: f64,
        country: Option<&'static str>,
    },
    Labels {
        tx_id: String,
        label_time: i64,
        tx_time: i64,
        customer_id: String,
        terminal_id: String,
        fraud: bool,
    },
    Requests {
        request_id: String,
        request_time: i64,
        user_id: String,
        session_id: String,
        query: String,
        hour: u32,
        items: Vec<String>,
        text_match: Vec<f64>,
        popularity: Vec<f64>,
        freshness: Vec<f64>,
        price: Vec<f64>,
        affinity: Vec<f64>,
    },
}

impl From<Event> for Line {
    fn from(event: Event) -> Self {
        match event {
            Event::Payment(payment) => Line::Transactions {
                tx_id: payment.tx_id.to_string(),
                tx_time: payment.tx_time_ms,
                customer_id: payment.customer.to_string(),
                terminal_id: payment.terminal.to_string(),
                amount: payment.amount,
                country: payment.country.map(Country::code),
            },
            Event::Label(label) => Line::Labels {
                tx_id: label.tx_id.to_string(),
                label_time: label.label_time_ms,
                tx_time: label.tx_time_ms,
                customer_id: label.customer.to_string(),
                terminal_id: label.terminal.to_string(),
                fraud: label.fraud,
            },
        }
    }
}

/// Writes one object per event, in the stream's order: `topic` (`transactions` or `labels`), then the columns of that
/// topic; times in ms since 1970. A reader that closes the pipe ends the stream without an error.
pub fn write(events: impl Iterator<Item = Event>, mut out: impl Write) -> io::Result<()> {
    write_lines(events.map(Line::from), &mut out)
}

/// Writes one object per request, in the stream's order: `topic` (`requests`), then its columns.
pub fn write_requests(
    world: &World,
    requests: impl Iterator<Item = Request>,
    mut out: impl Write,
) -> io::Result<()> {
    let line = |request: Request| {
        let candidates: Vec<Candidate> = request.features(world).collect();
        let of = |value: fn(&Candidate) -> f64| candidates.iter().map(value).collect();
        Line::Requests {
            request_id: request.id(),
            request_time: request.time_ms,
            user_id: request.user_id(),
            session_id: request.session_id(),
            query: format!("q{}", request.query),
            hour: request.hour,
            items: request.items.iter().map(|item| item_id(*item)).collect(),
            text_match: of(|candidate| candidate.text_match),
            popularity: of(|candidate| candidate.popularity),
            freshness: of(|candidate| candidate.freshness),
            price: of(|candidate| candidate.price),
            affinity: of(|candidate| candidate.affinity),
        }
    };
    write_lines(requests.map(line), &mut out)
}

fn write_lines(mut lines: impl Iterator<Item = Line>, mut out: impl Write) -> io::Result<()> {
    let mut write = || {
        lines.try_for_each(|line| {
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")
        })?;
        out.flush()
    };
    match write() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::{Label, Payment};

    #[test]
    fn a_line_names_its_topic_and_has_the_topics_columns() {
        let mut payment = Payment {
            tx_id: 7,
            tx_time_ms: 1_522_540_801_000,
            customer: 3,
            terminal: 12,
            amount: 61.7,
            country: Some(Country::Fr),
            fraud: true,
            scenario: 3,
        };
        let mut out = Vec::new();
        let label = Event::Label(Label::of(&payment, 1000));
        let first = Event::Payment(payment);
        payment.country = None;
        write([first, Event::Payment(payment), label].into_iter(), &mut out).unwrap();
        let expected = concat!(
            r#"{"topic":"transactions","tx_id":"7","tx_time":1522540801000,"customer_id":"3","terminal_id":"12","amount":61.7,"country":"FR"}"#,
            "\n",
            r#"{"topic":"transactions","tx_id":"7","tx_time":1522540801000,"customer_id":"3","terminal_id":"12","amount":61.7,"country":null}"#,
            "\n",
            r#"{"topic":"labels","tx_id":"7","label_time":1522540802000,"tx_time":1522540801000,"customer_id":"3","terminal_id":"12","fraud":true}"#,
            "\n",
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn a_closed_pipe_is_the_end_and_not_an_error() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let events = crate::fraud::stream(&crate::fraud::Params { days: 2, ..Default::default() }).take(3);
        write(events, Closed).unwrap();
    }
}
