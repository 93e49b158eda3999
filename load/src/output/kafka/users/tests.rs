//! Against librdkafka's own cluster in memory.

use std::time::Instant;

use millrace_schemas::{Encoder, InProcessRegistry};
use rdkafka::ClientConfig;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer as _};

use super::*;
use crate::ranking::{Params, Request, User, World, stream};

const SCHEMAS: [(&str, &str); 4] = [
    ("ranking.rankings", AVRO),
    ("ranking.requests", include_str!("../../../../../schemas/ranking/requests.avsc")),
    ("ranking.impressions", include_str!("../../../../../schemas/ranking/impressions.avsc")),
    ("ranking.clicks", include_str!("../../../../../schemas/ranking/clicks.avsc")),
];

struct Bus {
    cluster: MockCluster<'static, DefaultProducerContext>,
    registry: Arc<dyn SchemaRegistry>,
}

impl Bus {
    fn start() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        let registry = InProcessRegistry::default();
        for (topic, avro) in SCHEMAS {
            cluster.create_topic(topic, 2, 1).unwrap();
            registry.register(&format!("{topic}-value"), avro).unwrap();
        }
        Self { cluster, registry: Arc::new(registry) }
    }

    /// Writes a list of each request.
    fn rank(&self, requests: &[Request]) {
        let row = |request: &Request| {
            serde_json::json!({
                "id": request.id(), "time": request.time_ms, "unit": request.user_id(), "list_key": "", "arm": "champion",
                "role": "serving", "rankers": ["m/1"], "method": "single",
                "items": request.items.iter().map(|item| format!("i{item}")).collect::<Vec<_>>(),
                "teams": vec![0; request.items.len()], "scores": [], "ranks": [], "credits": [], "common_prefix": 0,
                "propensity": 1.0, "deployment": 0, "context": {},
            })
        };
        let schema = Arc::new(TopicSchema::parse(AVRO).unwrap());
        let mut rows = arrow::json::ReaderBuilder::new(schema.arrow().clone()).build_decoder().unwrap();
        rows.serialize(&requests.iter().map(row).collect::<Vec<_>>()).unwrap();
        let id = self.registry.register("ranking.rankings-value", schema.avro()).unwrap();
        let mut encoder = Encoder::new(Format::Avro, schema, id).unwrap();
        let lists = encoder.encode(&rows.flush().unwrap().unwrap()).unwrap();
        let mut config = ClientConfig::new();
        let producer: BaseProducer =
            config.set("bootstrap.servers", self.cluster.bootstrap_servers()).create().unwrap();
        for (at, request) in requests.iter().enumerate() {
            let (key, payload) = (request.user_id(), lists.get(at).unwrap());
            producer.send(BaseRecord::to("ranking.rankings").key(&key).payload(payload)).unwrap();
        }
        producer.flush(TIMEOUT).unwrap();
    }

    /// How many requests a reader answers that waits for so many lists.
    fn answered(&self, from: From, params: &Params, lists: u64) -> usize {
        let options = Options::new(&self.cluster.bootstrap_servers(), "ranking");
        let world = Arc::new(World::new(params));
        let answers = Answers::new(User::new(world.clone(), params));
        let mut until = Until { lists, by: Instant::now() + TIMEOUT };
        let ledger =
            answer_from(from, &Visits(world), answers, &options, &self.registry, &mut until).unwrap();
        ledger.requests().len()
    }
}

struct Until {
    lists: u64,
    by: Instant,
}

impl Watch<Event> for Until {}

impl Attend for Until {
    fn go_on(&mut self, lists: u64) -> bool {
        lists < self.lists && Instant::now() < self.by
    }
}

#[test]
fn a_second_run_answers_what_the_first_one_left() {
    let params = Params { sessions: 20, ..Params::default() };
    let requests: Vec<Request> = stream(Arc::new(World::new(&params)), &params).collect();
    let (first, second) = requests.split_at(12);
    let bus = Bus::start();
    bus.rank(first);
    assert_eq!(bus.answered(From::LeftOff, &params, 12), 12, "the first one answers all");
    bus.rank(second);
    assert_eq!(bus.answered(From::LeftOff, &params, second.len() as u64), second.len());
    assert_eq!(bus.answered(From::Beginning, &params, requests.len() as u64), requests.len());
    // Lists of other visits are nobody's.
    let other = Params { seed: 7, ..params };
    assert_eq!(bus.answered(From::Beginning, &other, requests.len() as u64), 0);
}
