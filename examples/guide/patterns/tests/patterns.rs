//! The programs of chapter 2 as processes.
#![allow(clippy::unwrap_used)] // a test's helpers

use guide_running::{ANY, LONG, Program};
use zeroxide::{Context, SocketType};

/// Sends a task and a report by turns; each must be read at once.
#[track_caller]
fn reads_two_sources(path: &str) {
    let context = Context::new();
    let (tasks, reports) =
        (context.socket(SocketType::Push).unwrap(), context.socket(SocketType::Pub).unwrap());
    let (tasks_at, reports_at) = (tasks.bind(ANY).unwrap(), reports.bind(ANY).unwrap());
    let mut reader = Program::start(path, &[&tasks_at.to_string(), &reports_at.to_string()]);
    reports.wait_for_subscribers("bergen", 1, LONG).unwrap();
    for round in ["1", "2", "3"] {
        reports.send(["cairo", round]).unwrap();
        reports.send(["bergen", round]).unwrap();
        assert_eq!(reader.line("report "), format!("{round:?}"));
        tasks.send(round).unwrap();
        assert_eq!(reader.line("task "), format!("{round:?}"));
    }
    assert_eq!(reader.kill().lines.len(), 6, "no report of another town");
}

#[test]
fn a_poller_reads_whichever_source_has_something() {
    reads_two_sources(env!("CARGO_BIN_EXE_two_sources"));
}

#[test]
fn futures_read_whichever_source_has_something() {
    reads_two_sources(env!("CARGO_BIN_EXE_two_sources_async"));
}

#[test]
fn a_request_broker_gives_requests_to_the_workers_in_turn() {
    let mut broker = Program::start(env!("CARGO_BIN_EXE_request_broker"), &[ANY, ANY]);
    let (clients_at, workers_at) = (broker.line("clients at "), broker.line("workers at "));
    let worker = || {
        let mut worker = Program::start(env!("CARGO_BIN_EXE_request_worker"), &[&workers_at]);
        worker.line("ready");
        worker
    };
    let workers = [worker(), worker()];
    let client = Program::start(env!("CARGO_BIN_EXE_request_client"), &[&clients_at]).end();
    assert!(client.success);
    assert_eq!((client.lines.len(), client.count("\"request 10\" \"from worker ")), (10, 1));
    let first = client.lines[0].split_once("worker ").unwrap().1;
    assert_eq!(client.count(first), 5, "each has half: {:?}", client.lines);
    drop(workers);
}

#[test]
fn a_news_proxy_brings_each_subscriber_its_topic_from_every_publisher() {
    let mut proxy = Program::start(env!("CARGO_BIN_EXE_news_proxy"), &[ANY, ANY]);
    let (publishers_at, subscribers_at) = (proxy.line("publishers at "), proxy.line("subscribers at "));
    let publisher = |topic| Program::start(env!("CARGO_BIN_EXE_news_publisher"), &[topic, &publishers_at]);
    let subscriber = |topic| Program::start(env!("CARGO_BIN_EXE_news_subscriber"), &[topic, &subscribers_at]);
    let subscribers = [subscriber("sports"), subscriber("arts")];
    let _publishers = [publisher("sports"), publisher("arts")];
    for (subscriber, topic) in subscribers.into_iter().zip(["sports", "arts"]) {
        let ended = subscriber.end();
        assert_eq!(
            (ended.lines.len(), ended.count(&format!("{topic:?} \"news "))),
            (5, 5),
            "{:?}",
            ended.lines
        );
    }
}

#[test]
fn a_service_spreads_requests_over_its_threads() {
    let mut service = Program::start(env!("CARGO_BIN_EXE_threaded_service"), &[ANY]);
    let at = service.line("bound ");
    let context = Context::new();
    let client = context.socket(SocketType::Req).unwrap();
    client.connect(&*at).unwrap();
    let mut replies: Vec<String> =
        (0..8).map(|_| client.request("four", LONG).unwrap()[0].as_str().unwrap().to_owned()).collect();
    replies.sort();
    let expected: Vec<String> = (2..10).map(|half| format!("4 from thread {}", half / 2)).collect();
    assert_eq!(replies, expected, "each has two of eight");
}

#[test]
fn a_relay_passes_the_signal_from_thread_to_thread() {
    let relay = Program::start(env!("CARGO_BIN_EXE_relay"), &[]).end();
    assert!(relay.success);
    assert_eq!(relay.lines, ["step 1 is done", "step 2 is done", "the end has received \"ready 1 2\""]);
}

#[test]
fn a_synchronised_publisher_reaches_all_subscribers_from_its_first_message_on() {
    let mut publisher = Program::start(env!("CARGO_BIN_EXE_synchronised_publisher"), &["3", ANY]);
    let at = publisher.line("bound ");
    let subscriber = || Program::start(env!("CARGO_BIN_EXE_synchronised_subscriber"), &[&at]);
    for subscriber in [subscriber(), subscriber(), subscriber()] {
        assert_eq!(subscriber.end().lines, ["10000 messages, 0 missing"]);
    }
    assert!(publisher.end().has("10000 messages published, 0 dropped"));
}

#[test]
fn an_envelope_decides_who_gets_a_letter() {
    let ended = Program::start(env!("CARGO_BIN_EXE_envelopes"), &[]).end();
    assert!(ended.success);
    assert_eq!(ended.lines[0], "\"B\" from \"publisher 1\": 19 bytes, \"we like to see this\"");
    assert_eq!(ended.lines[1], "\"BC\" from \"publisher 2\": 18 bytes, \"a prefix is enough\"");
    assert!(ended.lines[2].starts_with("\"B\" from \"\": 100000 bytes, 0000"), "{:?}", ended.lines);
    assert_eq!(ended.after("1 published without"), " a subscriber");
}

#[test]
fn at_the_high_water_mark_push_waits_and_pub_drops() {
    let ended = Program::start(env!("CARGO_BIN_EXE_marks"), &[]).end();
    assert!(ended.success);
    assert!(ended.has("PUSH: 15 sent, then task came back: "), "{:?}", ended.lines);
    assert!(ended.has("PUB: 100 accepted, 85 dropped at the mark"), "{:?}", ended.lines);
    assert!(ended.has("SUB: 15 received, the last is Some([\"news 15\"])"), "{:?}", ended.lines);
}
