//! A worker's producer: what it sends, what became of it, and its transactions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_topics::cluster;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext, PurgeConfig};
use rdkafka::topic_partition_list::TopicPartitionList;

use super::apart::Apart;
use super::set_limits::SetLimits;
use crate::error::{Error, is_transient};
use crate::kafka::consumer::log;

/// A record that did not arrive: the number it was sent with, and why.
pub type Failure = (usize, RDKafkaErrorCode);

/// What the client reports while it is polled.
#[derive(Default)]
pub struct Reports {
    failures: Mutex<Vec<Failure>>,
    disturbed: AtomicBool,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, fac: &str, message: &str) {
        log("producer", level, fac, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "producer");
        if is_transient(&error) {
            self.disturbed.store(true, Ordering::Release);
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        if let Err((error, _)) = result {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            self.failures.lock().unwrap_or_else(PoisonError::into_inner).push((number, code));
        }
    }
}

/// A record to send.
pub struct OutRecord<'a> {
    /// The topic.
    pub topic: &'a str,
    /// Its partition.
    pub partition: i32,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The payload.
    pub payload: &'a [u8],
    /// Headers.
    pub headers: OwnedHeaders,
}

/// How a call of the transaction ended that did not succeed.
#[derive(Debug)]
pub enum Fault {
    /// The transaction is to be aborted; its effects can be produced again.
    Abort(KafkaError),
    /// The client is of no more use; one that replaces it can go on.
    Replace(KafkaError),
    /// Another process took the transactional id over.
    Fenced,
}

/// How long one blocking call of the client may take before it is made again.
const CALL: Duration = Duration::from_secs(5);
/// How long calls of one transaction are made again before it is aborted.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a transaction's records may take to arrive: it must end before Kafka ends it.
pub const FLUSH: Duration = Duration::from_secs(7);

/// The client's option for how large a set of records may be, counted before it is compressed, and its default.
pub const SET_BYTES: &str = "batch.size";
const SET_BYTES_DEFAULT: usize = 1_000_000;

/// A worker's producer.
pub struct Outlet {
    config: ClientConfig,
    producer: BaseProducer<Reports>,
    /// Which records are not sent before all earlier ones arrived.
    pub apart: Apart,
    /// Of the topics written; not with transactions, where an abort takes a set back that was refused as a whole.
    limits: Option<SetLimits>,
    /// Of the open transaction.
    begun: Option<Instant>,
}

impl Outlet {
    /// Creates the client; it is not ready before [`initialise`](Self::initialise). `limits`: of the topics written, for a
    /// client without transactions.
    pub fn open(config: ClientConfig, limits: Option<SetLimits>) -> Result<Self, Error> {
        let producer = create(&config)?;
        Ok(Self { config, producer, apart: Apart::default(), limits, begun: None })
    }

    /// The transactional id, where there is one.
    pub fn transactional_id(&self) -> Option<&str> {
        self.config.get("transactional.id")
    }

    /// Ends what an earlier client of the same transactional id left open; without one, learns what the topics take.
    /// `false`: Kafka does not answer yet.
    pub fn initialise(&mut self) -> Result<bool, Error> {
        if self.transactional_id().is_none() {
            return self.fit_sets();
        }
        match self.producer.init_transactions(CALL) {
            Ok(()) => Ok(true),
            Err(e) if is_transient(&e) => {
                tracing::warn!(error = %e, "transactions cannot be initialised yet");
                Ok(false)
            }
            Err(e) => Err(Error::Kafka { what: "cannot initialise transactions".into(), source: e }),
        }
    }

    /// Makes sets of records no larger than any topic takes, so that a set which the broker refuses is one record. Without
    /// transactions it must be: what was refused cannot be sent again behind what came after it, since readers drop a row
    /// that comes after a later one as a repeat. To be called while nothing is in flight; `false`: Kafka does not answer.
    pub fn fit_sets(&mut self) -> Result<bool, Error> {
        let Some(limits) = &self.limits else { return Ok(true) };
        let now = self.set_bytes();
        let fit = match limits.smallest() {
            Ok(Some(limit)) => limit.min(now),
            Ok(None) => now,
            Err(cluster::Error::Kafka { what, source }) if is_transient(&source) => {
                tracing::warn!(error = %source, "Kafka does not {what} yet, or set --kafka {SET_BYTES}=<bytes>");
                return Ok(false);
            }
            Err(error) => {
                tracing::warn!(%error, "a record too large for its topic may cost others that are sent with it");
                now
            }
        };
        if fit < now {
            self.config.set(SET_BYTES, fit.to_string());
            self.producer = create(&self.config)?;
        }
        Ok(true)
    }

    fn set_bytes(&self) -> usize {
        self.config.get(SET_BYTES).and_then(|bytes| bytes.parse().ok()).unwrap_or(SET_BYTES_DEFAULT)
    }

    /// Whether the connection was disturbed since the last call: a request of a past transaction may still be on its way.
    pub fn take_disturbed(&self) -> bool {
        self.producer.client().context().disturbed.swap(false, Ordering::AcqRel)
    }

    /// Replaces the client by one of the same transactional id, which fences whatever the old one left on its way.
    pub fn replace(&mut self) -> Result<(), Error> {
        tracing::info!(transactional_id = self.transactional_id(), "the producer is replaced");
        self.purge();
        self.begun = None;
        self.producer = create(&self.config)?;
        Ok(())
    }

    /// Queues a record; waits for room where the client's queue is full. `Ok(false)`: the open transaction failed and
    /// takes no more.
    pub fn send(&self, record: OutRecord<'_>, number: usize) -> Result<bool, KafkaError> {
        if self.apart.begins(number) && !self.flush(FLUSH) {
            return Ok(false);
        }
        let mut next = BaseRecord::with_opaque_to(record.topic, number)
            .partition(record.partition)
            .payload(record.payload)
            .headers(record.headers);
        if let Some(key) = record.key {
            next = next.key(key);
        }
        loop {
            match self.producer.send(next) {
                Ok(()) => return Ok(true),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    self.producer.poll(Duration::from_millis(1));
                    next = back;
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::State), _)) if self.begun.is_some() => {
                    return Ok(false);
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until every record was acknowledged or failed, `bound` at most; whether none is left. Does not wait for more
    /// than the first failure of a transaction: the client keeps what it has not sent yet until the transaction is aborted.
    pub fn flush(&self, bound: Duration) -> bool {
        self.serve(bound, || self.begun.is_some() && !self.failures().is_empty())
    }

    fn serve(&self, bound: Duration, in_vain: impl Fn() -> bool) -> bool {
        let deadline = Instant::now() + bound;
        // The binding's own flush polls for 100 ms at a time, however early the last acknowledgement comes.
        while self.producer.in_flight_count() > 0 {
            if in_vain() || Instant::now() >= deadline {
                return false;
            }
            self.producer.poll(Duration::from_millis(1));
        }
        true
    }

    /// What failed since the last call.
    pub fn take_failures(&self) -> Vec<Failure> {
        std::mem::take(&mut *self.failures())
    }

    fn failures(&self) -> MutexGuard<'_, Vec<Failure>> {
        self.producer.client().context().failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction.
    pub fn begin(&mut self) -> Result<(), Fault> {
        self.producer.begin_transaction().map_err(|e| self.fault(e))?;
        self.begun = Some(Instant::now());
        Ok(())
    }

    /// Adds offsets to the open transaction and commits it.
    pub fn commit(
        &mut self,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), Fault> {
        self.again(|producer| producer.send_offsets_to_transaction(offsets, group, CALL))?;
        self.again(|producer| producer.commit_transaction(CALL))?;
        self.begun = None;
        Ok(())
    }

    /// Aborts the open transaction. The client does not serve deliveries while it aborts: they are served first.
    pub fn abort(&mut self) -> Result<(), Fault> {
        if self.begun.is_none() {
            return Ok(());
        }
        self.purge();
        self.again(|producer| producer.abort_transaction(CALL))?;
        self.begun = None;
        Ok(())
    }

    /// Makes a call again for as long as that may help.
    fn again(
        &self,
        mut call: impl FnMut(&BaseProducer<Reports>) -> Result<(), KafkaError>,
    ) -> Result<(), Fault> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match call(&self.producer) {
                Ok(()) => return Ok(()),
                Err(e) if is_transient(&e) && !requires_abort(&e) && Instant::now() < deadline => {
                    tracing::warn!(error = %e, "a transactional request is made again");
                    self.producer.client().context().disturbed.store(true, Ordering::Release);
                    self.producer.poll(Duration::from_millis(50));
                }
                Err(e) => return Err(self.fault(e)),
            }
        }
    }

    fn fault(&self, error: KafkaError) -> Fault {
        use RDKafkaErrorCode as Code;
        let fatal = matches!(&error, KafkaError::Transaction(e) if e.is_fatal());
        let code =
            self.producer.client().fatal_error().map(|(code, _)| code).or_else(|| error.rdkafka_error_code());
        let fenced = matches!(code, Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch));
        if fenced && (fatal || self.producer.client().fatal_error().is_some()) {
            // A transaction that outlived its time was ended by the coordinator, not by another process.
            let outlived = self.begun.is_some_and(|b| {
                b.elapsed() + Duration::from_secs(1) > Duration::from_millis(super::options::SILENCE_MS)
            });
            return if outlived { Fault::Replace(error) } else { Fault::Fenced };
        }
        if fatal || self.producer.client().fatal_error().is_some() || !requires_abort(&error) {
            Fault::Replace(error)
        } else {
            Fault::Abort(error)
        }
    }

    fn purge(&self) {
        self.producer.purge(PurgeConfig::default().queue().inflight());
        self.serve(CALL, || false);
        self.take_failures();
    }
}

fn create(config: &ClientConfig) -> Result<BaseProducer<Reports>, Error> {
    config.create_with_context(Reports::default()).map_err(Error::kafka("cannot create a producer"))
}

fn requires_abort(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(e) if e.txn_requires_abort())
}
