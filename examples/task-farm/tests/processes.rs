//! The task farm as processes, with workers in Rust.
#![cfg(unix)]

mod common;

use common::{Broker, Kind, kills, survive};

#[test]
fn no_task_is_lost_or_doubled_whoever_is_killed() {
    survive(kills(), &[Kind::Rust; 3]);
}

#[test]
fn the_task_of_a_worker_that_stops_answering_goes_to_another() {
    let broker = Broker::with_heartbeat("200");
    let stopped = broker.worker(Kind::Rust);
    broker.wait_for("workers", 1);
    stopped.stop();
    let submit = broker.submit("job", 1, &[]);
    broker.wait_for("submitted", 1);
    broker.wait_for("returned", 1);
    let _worker = broker.worker(Kind::Rust);
    let ended = submit.end();
    assert!(ended.success && ended.has("job/000000 168"), "{ended:?}");
    // It goes on, and its result, if it has received the task, changes nothing.
    stopped.resume();
    broker.wait_for("workers", 2);
    let numbers = broker.numbers();
    assert_eq!((numbers["done"], numbers["collected"], numbers["uncollected"]), (1, 1, 0));
}

#[test]
fn a_job_that_is_submitted_again_is_not_done_again() {
    let broker = Broker::start();
    let _worker = broker.worker(Kind::Rust);
    assert!(broker.submit("job", 3, &[]).end().success);
    let again = broker.submit("job", 5, &[]).end();
    assert_eq!(again.count("its result was collected before"), 3, "{again:?}");
    assert!(again.code == Some(1) && again.has("2 results, 0 repeated, 3 refused"), "{again:?}");
    assert_eq!(broker.numbers()["submitted"], 5);
}

#[test]
fn a_submitter_that_is_killed_gets_its_results_at_its_next_start() {
    let broker = Broker::start();
    let submit = broker.submit("job", 4, &[]);
    broker.wait_for("submitted", 4);
    submit.kill();
    let _worker = broker.worker(Kind::Rust);
    broker.wait_for("uncollected", 4);
    // A window smaller than what waits for it.
    let again = broker.submit("job", 4, &["--window", "1"]).end();
    assert!(
        again.success && again.count("job/00000") == 4 && again.has("4 results, 0 repeated, 0 refused"),
        "{again:?}"
    );
    assert_eq!(broker.numbers()["done"], 4);
}

#[test]
fn the_dashboard_shows_workers_and_tasks() {
    let broker = Broker::start();
    let _worker = broker.worker(Kind::Rust);
    broker.wait_for("workers", 1);
    assert!(broker.submit("job", 7, &[]).end().success);
    let screen = broker.dashboard(&[]).join("\n");
    for part in
        ["0 waiting, 0 with workers", "7 collected, 0 returned", "7 of 7 done", " 1 workers ", "│rust "]
    {
        assert!(screen.contains(part), "{part} is missing:\n{screen}");
    }
}
