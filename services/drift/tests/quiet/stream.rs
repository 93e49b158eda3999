//! A stream of payments with rolling features, made day by day.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::compute::concat_batches;
use millrace_drift::hash::of_text;
use millrace_drift::profile::{Cells, Profile, Rows};
use millrace_drift::reference::{BuildOptions, Reference, build};
use millrace_drift::window::{WHOLE, segment_name};
use parquet::arrow::ArrowWriter;

pub const DAY: i64 = 86_400_000;
/// Monday 2024-01-01.
pub const START: i64 = 1_704_067_200_000;
const COUNTRIES: [&str; 4] = ["NE", "NW", "SE", "SW"];
const CUSTOMERS: usize = 2_000;

/// What is wrong with a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    None,
    /// Amounts x 1.3 in one country.
    AmountsInOneCountry,
    /// A fifth of the payments are made at terminals that nobody knew.
    NewTerminals,
    /// A fifth of the amounts are missing.
    MissingAmounts,
}

/// A small generator of repeatable numbers (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.unit()).ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

struct Customer {
    mean: f64,
    rate: f64,
    country: usize,
    last: VecDeque<(i64, f64)>,
}

pub struct Stream {
    dice: Dice,
    customers: Vec<Customer>,
    /// A level that all amounts share and that wanders slowly.
    level: f64,
    day: i64,
}

#[derive(Default)]
struct Columns {
    id: Vec<String>,
    time: Vec<i64>,
    terminal: Vec<String>,
    country: Vec<&'static str>,
    amount: Vec<Option<f64>>,
    weekend: Vec<i64>,
    avg_7d: Vec<f64>,
    tx_7d: Vec<f64>,
    terminal_age: Vec<f64>,
}

impl Stream {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let customers = (0..CUSTOMERS)
            .map(|i| Customer {
                mean: 5.0 + 95.0 * dice.unit(),
                rate: 4.0 * dice.unit(),
                country: i % COUNTRIES.len(),
                last: VecDeque::new(),
            })
            .collect();
        let mut stream = Self { dice, customers, level: 0.0, day: -8 };
        // Rolling windows are full when the first day is told.
        (0..8).for_each(|_| drop(stream.next_day(Change::None)));
        stream
    }

    /// The day's first instant, in ms, and its rows.
    pub fn next_day(&mut self, change: Change) -> (i64, RecordBatch) {
        let start_ms = START + self.day * DAY;
        self.level = 0.9 * self.level + 0.003 * self.dice.normal();
        let mut columns = Columns::default();
        let mut customers = std::mem::take(&mut self.customers);
        for customer in &mut customers {
            while customer.last.front().is_some_and(|(day, _)| *day <= self.day - 7) {
                customer.last.pop_front();
            }
            let mut left = customer.rate;
            while left > 0.0 && self.dice.unit() < left {
                left -= 1.0;
                self.payment(customer, change, start_ms, &mut columns);
            }
        }
        self.customers = customers;
        self.day += 1;
        (start_ms, columns.batch())
    }

    fn payment(&mut self, customer: &mut Customer, change: Change, start_ms: i64, columns: &mut Columns) {
        let country = COUNTRIES[customer.country];
        let mut amount = (customer.mean * (1.0 + 0.5 * self.dice.normal())).abs() * (1.0 + self.level);
        if change == Change::AmountsInOneCountry && country == "NE" {
            amount *= 1.3;
        }
        customer.last.push_back((self.day, amount));
        let new = change == Change::NewTerminals && self.dice.unit() < 0.2;
        let terminal = (self.dice.unit() * 250.0) as u64 + if new { 1_000 } else { 0 };
        let missing = change == Change::MissingAmounts && self.dice.unit() < 0.2;
        let sum: f64 = customer.last.iter().map(|(_, amount)| amount).sum();
        columns.id.push(format!("{}-{}", self.day, columns.id.len()));
        columns.time.push(start_ms + (self.dice.unit() * DAY as f64) as i64);
        columns.terminal.push(format!("T{terminal}"));
        columns.country.push(country);
        columns.amount.push((!missing).then_some(amount));
        columns.weekend.push(i64::from((self.day).rem_euclid(7) >= 5));
        columns.avg_7d.push(sum / customer.last.len() as f64);
        columns.tx_7d.push(customer.last.len() as f64);
        columns.terminal_age.push(if new { 0.0 } else { (1.0 - self.dice.unit()).ln() * -10.0 });
    }
}

impl Columns {
    fn batch(self) -> RecordBatch {
        let texts = |texts: Vec<String>| Arc::new(StringArray::from(texts)) as ArrayRef;
        let numbers = |numbers: Vec<f64>| Arc::new(Float64Array::from(numbers)) as ArrayRef;
        RecordBatch::try_from_iter_with_nullable([
            ("tx_id", texts(self.id), true),
            ("tx_time", Arc::new(TimestampMillisecondArray::from(self.time)) as ArrayRef, true),
            ("terminal_id", texts(self.terminal), true),
            ("country", Arc::new(StringArray::from(self.country)) as ArrayRef, true),
            ("amount", Arc::new(Float64Array::from(self.amount)) as ArrayRef, true),
            ("weekend", Arc::new(Int64Array::from(self.weekend)) as ArrayRef, true),
            ("customer_avg_7d", numbers(self.avg_7d), true),
            ("customer_tx_7d", numbers(self.tx_7d), true),
            ("terminal_age", numbers(self.terminal_age), true),
        ])
        .unwrap()
    }
}

/// A reference of so many days of the stream.
pub fn reference(stream: &mut Stream, days: usize, folder: &Path) -> Reference {
    let batches: Vec<RecordBatch> = (0..days).map(|_| stream.next_day(Change::None).1).collect();
    let all = concat_batches(&batches[0].schema(), &batches).unwrap();
    let path = folder.join("train.parquet");
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), all.schema(), None).unwrap();
    writer.write(&all).unwrap();
    writer.close().unwrap();
    let options = BuildOptions {
        time: Some("tx_time".into()),
        id: Some("tx_id".into()),
        segments: vec!["country".into()],
        ..BuildOptions::default()
    };
    build(&[path], &options).unwrap()
}

/// The profiles of a day, by segment.
pub fn profiles(reference: &Reference, day: &RecordBatch) -> BTreeMap<String, Profile> {
    let text = |name: &str| {
        day.column_by_name(name).unwrap().as_any().downcast_ref::<StringArray>().unwrap().clone()
    };
    let (ids, countries) = (text("tx_id"), text("country"));
    let ids: Vec<u64> = (0..ids.len()).map(|i| of_text(ids.value(i))).collect();
    let cells = Cells::of(&reference.plan, day);
    let mut segments = BTreeMap::new();
    let mut whole = Profile::new(&reference.plan);
    whole.add(&cells, &ids, Rows::All);
    segments.insert(WHOLE.to_owned(), whole);
    for country in COUNTRIES {
        let rows: Vec<u32> =
            (0..countries.len()).filter(|i| countries.value(*i) == country).map(|i| i as u32).collect();
        let mut profile = Profile::new(&reference.plan);
        profile.add(&cells, &ids, Rows::These(&rows));
        segments.insert(segment_name("country", Some(country)), profile);
    }
    segments
}
