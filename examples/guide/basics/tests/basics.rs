//! The programs of chapter 1 as processes.
#![allow(clippy::unwrap_used)] // a test's helpers

use guide_running::{ANY, LONG, Program};
use zeroxide::{Context, SocketType};

#[test]
fn hello_client_gets_a_reply_to_each_request() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_hello_server"), &[ANY]);
    let at = server.line("bound ");
    let client = Program::start(env!("CARGO_BIN_EXE_hello_client"), &[&at]).end();
    assert!(client.success);
    assert_eq!(client.lines, [1, 2, 3, 4, 5].map(|number| format!("reply {number}: \"world\"")));
    assert_eq!(server.kill().count("received \"hello "), 5);
}

#[test]
fn hello_client_may_start_before_the_server() {
    let spare = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", spare.local_addr().unwrap());
    drop(spare);
    let client = Program::start(env!("CARGO_BIN_EXE_hello_client"), &[&at]);
    let _server = Program::start(env!("CARGO_BIN_EXE_hello_server"), &[&at]);
    assert!(client.end().has("reply 5"));
}

#[test]
fn weather_client_gets_the_reports_of_its_town_alone() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_weather_server"), &[ANY]);
    let at = server.line("bound ");
    let client = Program::start(env!("CARGO_BIN_EXE_weather_client"), &["cairo", &at]).end();
    assert!(client.success);
    assert_eq!((client.count("cairo "), client.lines.len()), (10, 11));
    let mean: f64 = client.after("mean of 10 reports: ").parse().unwrap();
    assert!((14.0..=30.0).contains(&mean), "{mean}");
}

/// Primes below 100, 200, ... 10000, summed.
const PRIMES: usize = 66_143;

#[test]
fn every_task_of_a_pipeline_is_done_once_and_each_worker_has_its_share() {
    let mut sink = Program::start(env!("CARGO_BIN_EXE_sink"), &[ANY, "60"]);
    let sink_at = sink.line("bound ");
    let mut ventilator = Program::start(env!("CARGO_BIN_EXE_ventilator"), &["2", ANY, &sink_at]);
    let tasks_at = ventilator.line("bound ");
    let worker = || Program::start(env!("CARGO_BIN_EXE_worker"), &[&tasks_at, &sink_at]);
    let _workers = [worker(), worker()];
    let sink = sink.end();
    assert!(sink.success && sink.has("100 results in "));
    assert_eq!(
        (sink.count(&format!(": {PRIMES} primes")), sink.count(": 50 tasks")),
        (1, 2),
        "{:?}",
        sink.lines
    );
    assert!(ventilator.end().has("100 tasks for 2 workers, 0 messages dropped"));
}

#[test]
fn the_tasks_of_a_worker_that_does_nothing_are_missing_and_the_sink_says_so() {
    let mut sink = Program::start(env!("CARGO_BIN_EXE_sink"), &[ANY, "2"]);
    let sink_at = sink.line("bound ");
    let mut ventilator = Program::start(env!("CARGO_BIN_EXE_ventilator"), &["2", ANY, &sink_at]);
    let tasks_at = ventilator.line("bound ");
    let context = Context::new();
    let idle = context.socket(SocketType::Pull).unwrap();
    idle.connect(&*tasks_at).unwrap();
    let _worker = Program::start(env!("CARGO_BIN_EXE_worker"), &[&tasks_at, &sink_at]);
    let sink = sink.end();
    assert_eq!((sink.code, sink.count("50 results of Some(100) came")), (Some(1), 1), "{:?}", sink.lines);
}

#[cfg(unix)]
#[test]
fn a_server_ends_well_on_ctrl_c() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_graceful_server"), &[ANY]);
    let at = server.line("bound ");
    let context = Context::new();
    let client = context.socket(SocketType::Req).unwrap();
    client.connect(&*at).unwrap();
    for _ in 0..3 {
        assert_eq!(client.request("anything", LONG).unwrap()[0], "anything");
    }
    let ended = server.interrupt();
    assert_eq!((ended.code, ended.after("3 replies, ")), (Some(0), "0 dropped"));
}
