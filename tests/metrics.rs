//! The feature `metrics`: what the example serves, and what a registry of the application contains.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;
#[path = "../examples/metrics.rs"]
#[allow(dead_code, unreachable_pub)] // its main is not called
mod example;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use common::Soon;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use zeroxide::{Context, SocketType};

#[test]
fn the_example_serves_the_counters_of_all_sockets() {
    let context = Context::new();
    let (push, pull) = (context.socket(SocketType::Push).unwrap(), context.socket(SocketType::Pull).unwrap());
    push.connect(pull.bind("tcp://127.0.0.1:*").unwrap()).unwrap();
    for n in 0..3 {
        push.send(format!("job {n}")).unwrap();
        pull.recv_soon();
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || example::serve(&context, &listener, 1));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    server.join().unwrap().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("application/openmetrics-text"), "{head}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    let value = |name: &str, kind: &str| {
        let wanted = |line: &&str| {
            line.starts_with(&format!("{name}{{")) && line.contains(&format!("type=\"{kind}\""))
        };
        let line = body.lines().find(wanted).unwrap_or_else(|| panic!("{name} of {kind}: {body}"));
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(value("zeroxide_accepted_total", "PUSH"), 3);
    assert_eq!(value("zeroxide_delivered_total", "PULL"), 3);
    assert_eq!(value("zeroxide_received_bytes_total", "PULL"), 15);
    assert_eq!(value("zeroxide_waiting", "PULL"), 0);
    assert_eq!(value("zeroxide_peers", "PULL"), 1);
    assert!(
        body.contains("# TYPE zeroxide_dropped counter") && body.contains("cause=\"peer_lost\""),
        "{body}"
    );
}

#[test]
fn a_registry_has_them_beside_metrics_of_its_own_and_keeps_no_context_open() {
    let mut registry = Registry::default();
    registry.register("own", "A metric of the application", Counter::<u64>::default());
    let context = Context::new();
    let _push = context.socket(SocketType::Push).unwrap();
    registry.register_collector(Box::new(context.collector()));
    let text = |registry: &Registry| {
        let mut text = String::new();
        encode(&mut text, registry).unwrap();
        text
    };
    let both = text(&registry);
    assert!(both.contains("own_total 0") && both.contains("zeroxide_accepted_total{"), "{both}");
    drop((context, _push));
    common::until("the context is gone", || !text(&registry).contains("zeroxide_accepted_total{"));
}
