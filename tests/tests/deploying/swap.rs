//! How long payments wait for their prediction while versions are swapped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::*;

const SWAPS: usize = 10;
/// Of a swap and of the time before it: from the moment at which the command has written.
const WINDOW: Duration = Duration::from_secs(3);

/// The moment at which a prediction arrived, and how long after its payment, in seconds.
type Arrival = (Instant, f64);

#[test]
#[ignore = "a measurement: cargo test --release -p millrace-tests -- --ignored --nocapture swap"]
fn the_p99_of_the_wait_during_a_swap_is_within_twice_that_before() {
    let course = Course::new().unwrap();
    let millrace = course.millrace();
    let services = [
        millrace.start(&["features", "{app}"]).unwrap(),
        millrace.start(&["scorer", "{app}", "--workers", "2"]).unwrap(),
    ];
    let done = AtomicBool::new(false);
    let payments = 60_000;
    let (arrivals, swaps) = std::thread::scope(|scope| {
        let watching = scope.spawn(|| course.arrivals(&done));
        let params = fraud::Params { customers: 1_000, terminals: 500, days: 60, ..Default::default() };
        let stream = fraud::stream(&params).limit(payments);
        let publishing = scope.spawn(|| course.publish(stream, 1_000.0));
        course.wait(5_000).unwrap();
        let mut swaps = Vec::new();
        for swap in 0..SWAPS {
            std::thread::sleep(2 * WINDOW);
            course.deploy(&["--champion", ["2", "3"][swap % 2]]).unwrap();
            swaps.push(Instant::now());
        }
        publishing.join().unwrap().unwrap();
        course.wait(payments).unwrap();
        done.store(true, Ordering::Release);
        (watching.join().unwrap().unwrap(), swaps)
    });
    for service in services {
        service.stop().unwrap();
    }
    let within = |from: Instant, to: Instant| -> Vec<f64> {
        arrivals.iter().filter(|(at, _)| (from..to).contains(at)).map(|(_, wait)| *wait).collect()
    };
    let before: Vec<f64> = swaps.iter().flat_map(|at| within(*at - 2 * WINDOW, *at - WINDOW)).collect();
    let during: Vec<f64> = swaps.iter().flat_map(|at| within(*at - WINDOW / 3, *at + WINDOW)).collect();
    for (what, waits) in [("before", &before), ("during", &during)] {
        let ms = |part| 1e3 * quantile(waits, part);
        println!("{what}: {} payments, p50 {:.0} ms, p99 {:.0} ms", waits.len(), ms(0.5), ms(0.99));
    }
    assert!(quantile(&during, 0.99) <= 2.0 * quantile(&before, 0.99));
}

fn quantile(waits: &[f64], part: f64) -> f64 {
    let mut sorted = waits.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part) as usize]
}

impl Course {
    /// Follows the predictions until `done`.
    fn arrivals(&self, done: &AtomicBool) -> Result<Vec<Arrival>> {
        let consumer: BaseConsumer = self
            .stack
            .kafka
            .client_config()
            .set("group.id", "tests-do-not-join")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .create()?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..4 {
            assignment.add_partition_offset(&self.app.topic("predictions"), partition, Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        let mut arrivals = Vec::new();
        while !done.load(Ordering::Acquire) {
            let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message?;
            let (at, now) = (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH)?);
            let headers = message.headers().context("a prediction without headers")?;
            let stamp = headers.iter().find(|header| header.key == "origin-timestamp");
            let stamp = stamp.and_then(|header| header.value).context("no origin-timestamp")?;
            let produced_ms: f64 = std::str::from_utf8(stamp)?.parse()?;
            arrivals.push((at, now.as_secs_f64() - produced_ms / 1e3));
        }
        Ok(arrivals)
    }
}
