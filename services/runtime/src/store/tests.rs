//! What every online store does, tried on each of them; and what only Redis does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::redis;

use super::redis_server::{RedisServer, start_cluster};
use super::*;

pub(super) fn write(
    key: &str,
    version: (i64, i64),
    fields: &[(&str, &str)],
    ttl_ms: Option<i64>,
) -> VersionedWrite {
    let fields = fields.iter().map(|(name, value)| (Arc::from(*name), (*value).to_owned())).collect();
    let write = KeyWrite { key: key.to_owned(), fields, ttl_ms };
    VersionedWrite { write, version: Version { epoch_ms: version.0, offsets: version.1 } }
}

fn read(store: &mut dyn OnlineStore, key: &str) -> Vec<(String, String)> {
    let mut fields: Vec<_> = store.read(&[key.to_owned()]).unwrap().remove(0).into_iter().collect();
    fields.sort();
    fields
}

fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut fields: Vec<_> = fields.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    fields.sort();
    fields
}

/// Keys of their own for every test on a store that is shared.
fn key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("millrace:test:view:id:{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn a_write_replaces_the_whole_hash(store: &mut dyn OnlineStore) {
    let key = key();
    assert_eq!(read(store, &key), []);
    store.write(&[write(&key, (7, 1), &[("n", "1"), ("gone", "x"), ("empty", "")], None)]).unwrap();
    assert_eq!(read(store, &key), pairs(&[("n", "1"), ("gone", "x"), ("empty", ""), ("_version", "7.1")]));
    store.write(&[write(&key, (7, 2), &[("n", "2")], None)]).unwrap();
    assert_eq!(read(store, &key), pairs(&[("n", "2"), ("_version", "7.2")]));
}

fn versions_compare_by_epoch_then_sum_and_exactly(store: &mut dyn OnlineStore) {
    // Around 2^53 neighbours are one and the same double.
    const BIG: i64 = 1 << 53;
    let ascending = [
        (0, 0),
        (0, 9),
        (0, 10),
        (1, 0),
        (9, 5),
        (10, 4),
        (10, BIG),
        (10, BIG + 1),
        (BIG, 0),
        (BIG + 1, 0),
        (BIG + 1, i64::MAX),
    ];
    for (i, &there) in ascending.iter().enumerate() {
        for (j, &comes) in ascending.iter().enumerate() {
            let key = key();
            store.write(&[write(&key, there, &[("n", "there")], None)]).unwrap();
            store.write(&[write(&key, comes, &[("n", "comes")], None)]).unwrap();
            let (n, version) = if j >= i { ("comes", comes) } else { ("there", there) };
            let text = format!("{}.{}", version.0, version.1);
            assert_eq!(
                read(store, &key),
                pairs(&[("n", n), ("_version", &text)]),
                "{there:?} then {comes:?}"
            );
        }
    }
}

fn the_time_to_live_counts_from_the_last_write(store: &mut dyn OnlineStore) {
    let (brief, kept) = (key(), key());
    store.write(&[write(&brief, (1, 1), &[], Some(40)), write(&kept, (1, 1), &[], Some(40))]).unwrap();
    store.write(&[write(&kept, (1, 2), &[("n", "1")], None)]).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !read(store, &brief).is_empty() {
        assert!(Instant::now() < deadline, "the key does not expire");
    }
    assert_eq!(read(store, &kept), pairs(&[("n", "1"), ("_version", "1.2")]));
    // What expired has no version left to compare with.
    store.write(&[write(&brief, (0, 0), &[("n", "2")], Some(60_000))]).unwrap();
    assert_eq!(read(store, &brief), pairs(&[("n", "2"), ("_version", "0.0")]));
}

fn a_batch_of_any_size_is_written_and_read_in_order(store: &mut dyn OnlineStore) {
    store.write(&[]).unwrap();
    assert!(store.read(&[]).unwrap().is_empty());
    let keys: Vec<String> = (0..2_500).map(|_| key()).collect();
    let writes: Vec<_> =
        keys.iter().enumerate().map(|(i, key)| write(key, (1, 1), &[("n", &i.to_string())], None)).collect();
    store.write(&writes).unwrap();
    // Repeating is harmless.
    store.write(&writes).unwrap();
    for (i, hash) in store.read(&keys).unwrap().into_iter().enumerate() {
        assert_eq!(hash["n"], i.to_string());
    }
}

fn any_text_comes_back_as_it_was(store: &mut dyn OnlineStore) {
    let key = key() + " with spaces, \r\n and ünïcode";
    let many: Vec<(String, String)> =
        (0..3_000).map(|i| (format!("field {i}"), "v".repeat(i % 90))).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    store.write(&[write(&key, (1, 1), &many, None)]).unwrap();
    let expected: Vec<_> = many.iter().copied().chain([("_version", "1.1")]).collect();
    assert_eq!(read(store, &key), pairs(&expected));
}

fn an_older_version_never_overwrites(open: &OpenStore) {
    const WRITERS: i64 = 4;
    const ROUNDS: i64 = 200;
    let key = key();
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let key = &key;
            scope.spawn(move || {
                let mut store = open().unwrap();
                for i in 0..ROUNDS {
                    let n = (i * WRITERS + writer).to_string();
                    store.write(&[write(key, (1, i * WRITERS + writer), &[("n", &n)], None)]).unwrap();
                }
            });
        }
        scope.spawn(|| {
            let mut store = open().unwrap();
            let mut last = -1_i64;
            while last < ROUNDS * WRITERS - 1 {
                let hash = store.read(std::slice::from_ref(&key)).unwrap().remove(0);
                let Some(n) = hash.get("n") else { continue };
                assert_eq!(hash["_version"], format!("1.{n}"), "a reader saw half a write");
                let n: i64 = n.parse().unwrap();
                assert!(n >= last, "{n} came after {last}");
                last = n;
            }
        });
    });
}

fn behaves_as_an_online_store(open: &OpenStore) {
    let mut store = open().unwrap();
    a_write_replaces_the_whole_hash(store.as_mut());
    versions_compare_by_epoch_then_sum_and_exactly(store.as_mut());
    the_time_to_live_counts_from_the_last_write(store.as_mut());
    a_batch_of_any_size_is_written_and_read_in_order(store.as_mut());
    any_text_comes_back_as_it_was(store.as_mut());
    an_older_version_never_overwrites(open);
}

#[test]
fn the_store_in_memory_behaves_as_an_online_store() {
    behaves_as_an_online_store(&open("memory:").unwrap());
}

#[test]
fn redis_behaves_as_an_online_store() {
    let server = RedisServer::start(&[]);
    behaves_as_an_online_store(&open(&server.url()).unwrap());
}

#[test]
fn a_redis_cluster_behaves_as_an_online_store() {
    let nodes = start_cluster(3);
    let hosts: Vec<String> = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
    behaves_as_an_online_store(&open(&format!("redis://{}", hosts.join(","))).unwrap());
    for node in &nodes {
        let keys: u64 = redis::cmd("DBSIZE").query(&mut node.client()).unwrap();
        assert!(keys > 100, "a node holds {keys} keys only");
    }
}

#[test]
fn a_slot_that_moves_to_another_node_of_the_cluster_is_followed() {
    let nodes = start_cluster(2);
    let open = open(&format!("{}?cluster=true", nodes[0].url())).unwrap();
    let mut store = open().unwrap();
    store.write(&[write("{a}", (1, 1), &[("n", "1")], None)]).unwrap();
    let mut clients = [nodes[0].client(), nodes[1].client()];
    let slot: u16 = redis::cmd("CLUSTER").arg("KEYSLOT").arg("{a}").query(&mut clients[0]).unwrap();
    let (from, to) = if slot < 8192 { (0, 1) } else { (1, 0) };
    redis::cmd("DEL").arg("{a}").exec(&mut clients[from]).unwrap();
    let id: String = redis::cmd("CLUSTER").arg("MYID").query(&mut clients[to]).unwrap();
    for i in [to, from] {
        let client = &mut clients[i];
        redis::cmd("CLUSTER").arg("SETSLOT").arg(slot).arg("NODE").arg(&id).exec(client).unwrap();
    }
    store.write(&[write("{a}", (1, 2), &[("n", "2")], None)]).unwrap();
    assert_eq!(read(store.as_mut(), "{a}"), pairs(&[("n", "2"), ("_version", "1.2")]));
    let there: u64 = redis::cmd("EXISTS").arg("{a}").query(&mut clients[to]).unwrap();
    assert_eq!(there, 1);
}

#[test]
fn redis_over_tls_with_a_user_of_its_own_rights_works() {
    let server = RedisServer::start_tls();
    let url = |user: &str| format!("rediss://{user}127.0.0.1:{}/#insecure", server.port);
    let mut admin = redis::Client::open(url("")).unwrap().get_connection().unwrap();
    let user = ["SETUSER", "millrace", "on", ">a,b/c", "~millrace:*", "+@all", "-flushall"];
    redis::cmd("ACL").arg(&user).exec(&mut admin).unwrap();
    let mut store = open(&url("millrace:a%2Cb%2Fc@")).unwrap()().unwrap();
    a_write_replaces_the_whole_hash(store.as_mut());
    let denied = store.write(&[write("other:1", (1, 1), &[], None)]);
    assert!(matches!(denied, Err(StoreError::Refused(_))), "{denied:?}");
    let wrong = open(&url("millrace:wrong@")).unwrap()().map(drop);
    assert!(matches!(wrong, Err(StoreError::Refused(_))), "{wrong:?}");
}

#[test]
fn a_killed_and_restarted_server_is_found_again_without_the_script_it_knew() {
    let mut server = RedisServer::start(&[]);
    let mut store = open(&server.url()).unwrap()().unwrap();
    let one = [write("k", (1, 1), &[("n", "1")], None)];
    store.write(&one).unwrap();
    server.kill();
    for _ in 0..2 {
        assert!(matches!(store.write(&one), Err(StoreError::Unavailable(_))));
        assert!(matches!(store.read(&["k".into()]), Err(StoreError::Unavailable(_))));
    }
    assert!(open(&server.url()).unwrap()().is_ok(), "a store may be opened while it is down");
    server.restart();
    store.write(&one).unwrap();
    assert_eq!(read(store.as_mut(), "k"), pairs(&[("n", "1"), ("_version", "1.1")]));
    redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server.client()).unwrap();
    store.write(&[write("k", (1, 2), &[("n", "2")], None)]).unwrap();
    assert_eq!(read(store.as_mut(), "k"), pairs(&[("n", "2"), ("_version", "1.2")]));
}

#[test]
fn a_server_that_hangs_is_given_up_within_a_bound_and_its_late_replies_are_not_taken_for_others() {
    let server = RedisServer::start(&[]);
    let mut store = open(&server.url()).unwrap()().unwrap();
    let writes: Vec<_> =
        (0..500).map(|i| write(&format!("k{i}"), (1, 1), &[("n", &i.to_string())], None)).collect();
    store.write(&writes).unwrap();
    server.signal("STOP");
    let start = Instant::now();
    let keys: Vec<String> = (0..500).map(|i| format!("k{i}")).collect();
    assert!(matches!(store.read(&keys), Err(StoreError::Unavailable(_))));
    assert!(matches!(store.write(&writes), Err(StoreError::Unavailable(_))));
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    server.signal("CONT");
    assert_eq!(read(store.as_mut(), "k7"), pairs(&[("n", "7"), ("_version", "1.1")]));
}

#[test]
fn what_is_no_hash_is_refused_left_alone_and_costs_no_other_key() {
    let server = RedisServer::start(&[]);
    let mut client = server.client();
    redis::cmd("SET").arg("foreign").arg("text").exec(&mut client).unwrap();
    let mut store = open(&server.url()).unwrap()().unwrap();
    let result = store.write(&[write("foreign", (1, 1), &[], None), write("k", (1, 1), &[("n", "1")], None)]);
    let Err(StoreError::Refused(text)) = result else { panic!("{result:?}") };
    assert!(text.contains("foreign") && text.contains("WRONGTYPE"), "{text}");
    assert!(matches!(store.read(&["foreign".into()]), Err(StoreError::Refused(_))));
    assert_eq!(read(store.as_mut(), "k"), pairs(&[("n", "1"), ("_version", "1.1")]));
    let kept: String = redis::cmd("GET").arg("foreign").query(&mut client).unwrap();
    assert_eq!(kept, "text");
}

#[test]
fn a_full_server_is_an_outage_and_takes_the_same_write_later() {
    let server = RedisServer::start(&["--maxmemory", "1", "--maxmemory-policy", "noeviction"]);
    let mut store = open(&server.url()).unwrap()().unwrap();
    let one = [write("k", (1, 1), &[("n", "1")], None)];
    let full = store.write(&one);
    assert!(matches!(full, Err(StoreError::Unavailable(_))), "{full:?}");
    redis::cmd("CONFIG").arg(&["SET", "maxmemory", "0"]).exec(&mut server.client()).unwrap();
    store.write(&one).unwrap();
}

#[test]
fn hgetall_shows_the_fields_in_their_order_and_the_version_last() {
    let server = RedisServer::start(&[]);
    let mut store = open(&server.url()).unwrap()().unwrap();
    let fields = [("customer_tx_1d", "3"), ("customer_avg_1d", "57.16"), ("_time", "1522540800000")];
    for version in [(1_522_540_800_000, 1), (1_522_540_800_000, 2)] {
        store.write(&[write("k", version, &fields, Some(90_000))]).unwrap();
    }
    let shown: Vec<String> = redis::cmd("HGETALL").arg("k").query(&mut server.client()).unwrap();
    let expected = "customer_tx_1d 3 customer_avg_1d 57.16 _time 1522540800000 _version 1522540800000.2";
    assert_eq!(shown.join(" "), expected);
    let left: i64 = redis::cmd("PTTL").arg("k").query(&mut server.client()).unwrap();
    assert!((1..=90_000).contains(&left), "{left}");
}
