//! The feature `serde`: typed values in messages, endpoints and counters as values.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use common::{LONG, Soon};
use serde::{Deserialize, Serialize};
use zeroxide::{Context, Endpoint, Format, Message, SocketType, opt};

struct Json;

impl Format for Json {
    type Error = serde_json::Error;

    fn write<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>, Self::Error> {
        serde_json::to_vec(value)
    }

    fn read<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, Self::Error> {
        serde_json::from_slice(bytes)
    }
}

struct Postcard;

impl Format for Postcard {
    type Error = postcard::Error;

    fn write<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>, Self::Error> {
        postcard::to_allocvec(value)
    }

    fn read<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, Self::Error> {
        postcard::from_bytes(bytes)
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reading<'a> {
    station: &'a str,
    degrees: f32,
    history: Vec<i16>,
}

fn travels<F: Format<Error: std::fmt::Debug>>(format: &F) {
    let cx = Context::new();
    let publisher = cx.socket(SocketType::Pub).unwrap();
    let sub = cx.socket(SocketType::Sub).unwrap();
    sub.subscribe("weather").unwrap();
    sub.connect(publisher.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    publisher.wait_for_subscribers("weather", 1, LONG).unwrap();
    let sent = Reading { station: "North", degrees: 12.5, history: vec![-3, 0, 7] };
    let mut message = Message::from("weather");
    message.push_value(format, &sent).unwrap();
    publisher.send(message).unwrap();
    let received = sub.recv_soon();
    let value: Reading<'_> = received.value(format).unwrap();
    assert_eq!((received.len(), value), (2, sent));
}

#[test]
fn values_travel_in_the_format_that_the_application_chooses() {
    travels(&Json);
    travels(&Postcard);
}

#[test]
fn bytes_of_a_peer_that_are_no_such_value_are_an_error() {
    assert!(Message::from("{").value::<_, Reading<'_>>(&Json).is_err());
    assert!(Message::from("").value::<_, Reading<'_>>(&Postcard).is_err());
    assert!(Message::new().value::<_, u32>(&Json).is_err());
}

#[test]
fn an_endpoint_is_its_text_and_a_wrong_one_tells_why() {
    for text in ["tcp://127.0.0.1:5555", "ipc:///tmp/a", "inproc://b"] {
        let endpoint = Endpoint::parse_connect(text).unwrap();
        let json = serde_json::to_string(&endpoint).unwrap();
        assert_eq!(json, format!("{text:?}"));
        assert_eq!(serde_json::from_str::<Endpoint>(&json).unwrap(), endpoint);
        let bytes = postcard::to_allocvec(&endpoint).unwrap();
        assert_eq!(postcard::from_bytes::<Endpoint>(&bytes).unwrap(), endpoint);
    }
    let error = serde_json::from_str::<Endpoint>("\"localhost:5555\"").unwrap_err().to_string();
    assert!(error.contains("no transport"), "{error}");
}

#[test]
fn counters_are_values_with_their_names() {
    let cx = Context::new();
    let router = cx.socket(SocketType::Router).unwrap();
    router.set(opt::ROUTER_MANDATORY, false).unwrap();
    router.send(["nobody", "x"]).unwrap();
    let dealer = cx.socket(SocketType::Dealer).unwrap();
    dealer.connect(router.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    dealer.send("four").unwrap();
    router.recv_soon();
    let stats = serde_json::to_value(router.stats()).unwrap();
    assert_eq!((&stats["accepted"], &stats["dropped"]["unroutable"]), (&1.into(), &1.into()), "{stats}");
    assert_eq!(
        (&stats["received"]["bytes"], &stats["received"]["delivered"]),
        (&4.into(), &1.into()),
        "{stats}"
    );
    assert!(stats["pipes"][0]["peer"].as_str().unwrap().contains("DEALER 127.0.0.1"), "{stats}");
    assert!(stats["io"]["bytes_read"].as_u64().unwrap() > 0, "{stats}");
}
