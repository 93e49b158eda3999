use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use super::*;

const AVRO: &str = r#"{"type":"record","name":"R","fields":[{"name":"x","type":"long"}]}"#;

/// A server that gives each request the next answer (status and body), the last one for ever, and keeps what was asked.
struct Scripted {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn start(answers: Vec<(u16, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://jane:s%40cret@{}/api", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for (i, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while reader.read_line(&mut request).unwrap() > 2 {}
                let length = request
                    .to_lowercase()
                    .split_once("content-length: ")
                    .map_or(0, |(_, rest)| rest.lines().next().unwrap_or_default().parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                request.push_str(&String::from_utf8(body).unwrap());
                log.lock().unwrap().push(request);
                let (status, body) = &answers[i.min(answers.len() - 1)];
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn schema_answer() -> (u16, String) {
    (200, serde_json::json!({"schema": AVRO, "id": 5}).to_string())
}

fn error_answer(status: u16, code: u32) -> (u16, String) {
    (status, serde_json::json!({"error_code": code, "message": "m"}).to_string())
}

#[test]
fn a_failing_registry_is_asked_again_with_the_credentials_and_then_cached() {
    let server = Scripted::start(vec![error_answer(500, 50_001), (503, "busy".into()), schema_answer()]);
    let registry = ConfluentRegistry::new(&server.url).unwrap();
    for _ in 0..3 {
        assert_eq!(registry.schema(7).unwrap().as_deref(), Some(AVRO));
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked[0].starts_with("GET /api/schemas/ids/7"), "{}", asked[0]);
    // jane:s@cret
    assert!(asked.iter().all(|r| r.contains("Basic amFuZTpzQGNyZXQ=")), "{}", asked[0]);
}

#[test]
fn an_unknown_id_is_none_and_not_asked_for_again_at_once() {
    let server = Scripted::start(vec![error_answer(404, 40_403)]);
    let registry = ConfluentRegistry::new(&server.url).unwrap();
    for _ in 0..3 {
        assert_eq!(registry.schema(7).unwrap(), None);
    }
    assert_eq!(server.asked().len(), 1);
    assert_eq!(registry.latest("t-value").unwrap(), None);
    let mut cache = Cache::default();
    let now = Instant::now();
    cache.put(1, None, now);
    assert_eq!(cache.get(1, now), Some(None));
    assert_eq!(cache.get(1, now + UNKNOWN_FOR), None);
    for id in 0..2 * MAX_CACHED as u32 {
        cache.put(id, None, now);
        cache.put(id, Some(AVRO), now);
    }
    assert!(cache.known.len() <= MAX_CACHED && cache.unknown.len() <= MAX_CACHED);
}

#[test]
fn a_refusal_is_not_tried_again() {
    for answer in [error_answer(401, 401), error_answer(422, 42_201), (404, "no page".into())] {
        let server = Scripted::start(vec![answer]);
        let registry = ConfluentRegistry::new(&server.url).unwrap();
        let error = registry.register("t-value", AVRO).unwrap_err();
        assert!(matches!(error, RegistryError::Refused(_)), "{error}");
        assert!(matches!(registry.schema(1), Err(RegistryError::Refused(_))));
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn who_loses_the_race_to_register_gets_the_winners_id() {
    let taken = serde_json::json!({
        "error_code": 409,
        "message": "An artifact with ID 'x-value' in group 'null' already exists.",
    });
    let server = Scripted::start(vec![(409, taken.to_string()), (200, r#"{"id":5}"#.into())]);
    let registry = ConfluentRegistry::new(&server.url).unwrap();
    assert_eq!(registry.register("x-value", AVRO).unwrap(), 5);
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|r| r.starts_with("POST /api/subjects/x-value/versions")), "{asked:?}");
}

#[test]
fn an_incompatible_schema_stays_refused_with_the_registrys_text() {
    for code in [409, 40_901] {
        let body = serde_json::json!({"error_code": code, "message": "READER_FIELD_MISSING_DEFAULT at /x"});
        let server = Scripted::start(vec![(409, body.to_string())]);
        let registry = ConfluentRegistry::new(&server.url).unwrap();
        let error = registry.register("t-value", AVRO).unwrap_err();
        assert!(matches!(error, RegistryError::Refused(_)), "{error}");
        assert!(error.to_string().contains("READER_FIELD_MISSING_DEFAULT at /x"), "{error}");
        assert_eq!(server.asked().len(), BACKOFF.len() + 1);
    }
}

#[test]
fn registering_posts_the_text_and_keeps_the_id() {
    let server = Scripted::start(vec![(200, r#"{"id":5}"#.into())]);
    let registry = ConfluentRegistry::new(&server.url).unwrap();
    assert_eq!(registry.register("a/b-value", AVRO).unwrap(), 5);
    assert_eq!(registry.schema(5).unwrap().as_deref(), Some(AVRO));
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("POST /api/subjects/a%2Fb-value/versions"), "{}", asked[0]);
    assert!(asked[0].contains(&serde_json::json!(AVRO).to_string()), "{}", asked[0]);
}

#[test]
fn a_registry_that_is_not_there_is_unavailable_and_no_secret_is_shown() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let registry = ConfluentRegistry::new(&format!("http://jane:topsecret@127.0.0.1:{port}")).unwrap();
    for error in [
        registry.schema(1).map(|_| ()).unwrap_err(),
        registry.register("t", AVRO).map(|_| ()).unwrap_err(),
        registry.latest("t").map(|_| ()).unwrap_err(),
    ] {
        let text = format!("{error} {error:?}");
        assert!(matches!(error, RegistryError::Unavailable(_)), "{text}");
        assert!(text.contains("Connection refused") && !text.contains("topsecret"), "{text}");
    }
    assert!(!format!("{registry:?}").contains("topsecret"));
    assert!(format!("{registry:?}").contains("127.0.0.1"));
}

/// Against a real registry, where one is named.
#[test]
fn a_real_registry_gives_back_what_was_registered() {
    let Ok(url) = std::env::var("SCHEMA_REGISTRY_URL") else { return };
    let registry = ConfluentRegistry::new(&url).unwrap();
    let subject = format!("millrace-test-{}-value", std::process::id());
    assert_eq!(registry.latest(&subject).unwrap(), None);
    assert_eq!(registry.schema(987_654_321).unwrap(), None);
    let id = registry.register(&subject, AVRO).unwrap();
    assert_eq!(registry.register(&subject, AVRO).unwrap(), id);
    let fresh = ConfluentRegistry::new(&url).unwrap();
    assert_eq!(fresh.schema(id).unwrap().as_deref(), Some(AVRO));
    assert_eq!(fresh.latest(&subject).unwrap(), Some((id, AVRO.to_owned())));
    assert!(matches!(registry.register(&subject, "{\"type\":\"bogus\"}"), Err(RegistryError::Refused(_))));
}
