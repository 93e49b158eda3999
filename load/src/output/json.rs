//! A stream as lines of JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::fraud::{Country, Event};

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
    let write = || {
        for event in events {
            serde_json::to_writer(&mut out, &Line::from(event))?;
            out.write_all(b"\n")?;
        }
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
