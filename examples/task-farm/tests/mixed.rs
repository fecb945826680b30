//! Workers in Rust and in Python on one broker. `cargo run -p interop` sets the Python up.
#![cfg(unix)]

mod common;

use common::{Broker, Kind, kills, survive};

#[test]
fn no_task_is_lost_or_doubled_by_mixed_workers_whoever_is_killed() {
    survive(kills(), &[Kind::Rust, Kind::Python, Kind::Rust, Kind::Python]);
}

#[test]
fn a_worker_in_python_does_what_one_in_rust_does() {
    let broker = Broker::start();
    let _worker = broker.worker(Kind::Python);
    let ended = broker.submit("job", 3, &["--primes", "100"]).end();
    let results: Vec<&String> = ended.lines.iter().filter(|line| line.starts_with("job/")).collect();
    assert!(ended.success, "{ended:?}");
    assert_eq!(results, ["job/000000 25", "job/000001 25", "job/000002 25"]);
    assert!(broker.dashboard(&["--plain"]).iter().any(|line| line.starts_with("worker python ")));
}
