//! One test for each rule of the broker, on values and a clock of its own.

use std::time::{Duration, Instant};

use tempfile::TempDir;
use zeroxide::{Frame, Message, RoutingId};

use crate::{Count, Farm, Status, Store};

const LEASE: Duration = Duration::from_secs(10);

struct Bench {
    farm: Farm,
    store: Store,
    now: Instant,
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("tasks")).unwrap();
        Bench { farm: Farm::new(&store, LEASE).unwrap(), store, now: Instant::now(), folder }
    }

    /// Returns what the broker sends after `sender` has sent these frames, as `receiver word frame frame`.
    fn take(&mut self, sender: &str, frames: &[&str]) -> Vec<String> {
        let message: Message = frames.iter().copied().map(Frame::from).collect();
        let sent = self.farm.receive(&self.store, vec![(id(sender), message)], self.now).unwrap();
        sent.into_iter().map(|(to, message)| text(&to, &message)).collect()
    }

    fn wait(&mut self, time: Duration) -> Vec<String> {
        self.now += time;
        let sent = self.farm.receive(&self.store, Vec::new(), self.now).unwrap();
        sent.into_iter().map(|(to, message)| text(&to, &message)).collect()
    }

    /// The broker is killed and started again.
    fn restart(self) -> Bench {
        let Bench { farm, store, now, folder } = self;
        drop((farm, store));
        let store = Store::open(folder.path().join("tasks")).unwrap();
        Bench { farm: Farm::new(&store, LEASE).unwrap(), store, now, folder }
    }

    fn status(&mut self) -> Status {
        let sent = self.take("watcher", &["STATUS"]);
        serde_json::from_str(sent.last().unwrap().strip_prefix("watcher STATUS ").unwrap()).unwrap()
    }

    fn count(&mut self, count: Count) -> u64 {
        self.status().count(count)
    }
}

fn id(name: &str) -> RoutingId {
    RoutingId::new(name).unwrap()
}

fn text(to: &RoutingId, message: &Message) -> String {
    let words = message.iter().map(|frame| String::from_utf8_lossy(frame).into_owned());
    std::iter::once(String::from_utf8_lossy(to.as_bytes()).into_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_task_goes_to_a_worker_and_its_result_to_the_submitter() {
    let mut b = Bench::new();
    assert!(b.take("s", &["COLLECT", "a/"]).is_empty());
    assert_eq!(b.take("s", &["SUBMIT", "a/1", "7"]), ["s OK SUBMIT a/1"]);
    assert_eq!(b.take("w", &["READY", "rust", "1"]), ["w TASK a/1 7"]);
    assert_eq!(b.take("w", &["DONE", "a/1", "4"]), ["w OK DONE a/1", "s RESULT a/1 4"]);
    assert_eq!(b.take("s", &["SEEN", "a/1"]), ["s OK SEEN a/1"]);
    let status = b.status();
    assert_eq!((status.waiting, status.running, status.uncollected), (0, 0, 0));
    assert_eq!([Count::Submitted, Count::Done, Count::Collected].map(|count| status.count(count)), [1, 1, 1]);
}

#[test]
fn a_worker_has_as_many_tasks_as_its_credit() {
    let mut b = Bench::new();
    assert!(b.take("w", &["READY", "w", "2"]).is_empty());
    for (number, sent) in [("1", true), ("2", true), ("3", false)] {
        let out = b.take("s", &["SUBMIT", number, ""]);
        assert_eq!(out.iter().any(|line| line.starts_with("w TASK")), sent, "{out:?}");
    }
    assert_eq!(b.take("w", &["DONE", "2", "r"]), ["w OK DONE 2", "w TASK 3 "]);
    // To say it again changes nothing.
    assert!(b.take("w", &["READY", "w", "2"]).is_empty());
}

#[test]
fn workers_take_turns() {
    let mut b = Bench::new();
    b.take("v", &["READY", "v", "9"]);
    b.take("w", &["READY", "w", "9"]);
    let to = ["1", "2", "3", "4"].map(|task| b.take("s", &["SUBMIT", task, ""])[1][..1].to_owned());
    assert_eq!(to, ["v", "w", "v", "w"]);
}

#[test]
fn the_tasks_of_a_worker_that_is_gone_go_to_another() {
    let mut b = Bench::new();
    b.take("v", &["READY", "v", "1"]);
    b.take("s", &["SUBMIT", "1", ""]);
    b.take("s", &["SUBMIT", "2", ""]);
    assert!(b.take("v", &["GONE"]).is_empty());
    // What has been tried comes first.
    assert_eq!(b.take("w", &["READY", "w", "2"]), ["w TASK 1 ", "w TASK 2 "]);
    assert_eq!(b.count(Count::Returned), 1);
}

#[test]
fn a_lease_that_is_over_gives_the_task_to_another() {
    let mut b = Bench::new();
    b.take("v", &["READY", "v", "1"]);
    b.take("s", &["SUBMIT", "1", ""]);
    b.take("w", &["READY", "w", "1"]);
    assert!(b.wait(LEASE - Duration::from_secs(1)).is_empty());
    assert_eq!(b.wait(Duration::from_secs(1)), ["w TASK 1 "]);
    // The slow worker has no credit, so it gets nothing before its result is there.
    assert_eq!(b.take("s", &["SUBMIT", "2", ""]), ["s OK SUBMIT 2"]);
    assert_eq!(b.take("v", &["DONE", "1", "slow"]), ["v OK DONE 1", "v TASK 2 "]);
    assert_eq!(b.count(Count::Returned), 1);
}

#[test]
fn a_second_result_is_dropped_and_counted() {
    let mut b = Bench::new();
    b.take("s", &["COLLECT", ""]);
    b.take("s", &["SUBMIT", "1", ""]);
    assert_eq!(b.take("v", &["DONE", "1", "first"]), ["v OK DONE 1", "s RESULT 1 first"]);
    assert_eq!(b.take("w", &["DONE", "1", "second"]), ["w OK DONE 1"]);
    assert_eq!(b.take("s", &["COLLECT", ""]), ["s RESULT 1 first"]);
    b.take("s", &["SEEN", "1"]);
    assert_eq!(b.take("w", &["DONE", "1", "third"]), ["w OK DONE 1"]);
    assert!(b.take("s", &["COLLECT", ""]).is_empty());
    assert_eq!((b.count(Count::Done), b.count(Count::Doubled), b.count(Count::Collected)), (1, 2, 1));
}

#[test]
fn a_result_of_no_task_is_dropped_and_counted() {
    let mut b = Bench::new();
    assert_eq!(b.take("w", &["DONE", "1", "r"]), ["w OK DONE 1"]);
    assert_eq!((b.count(Count::Unknown), b.count(Count::Doubled)), (1, 0));
}

#[test]
fn a_task_that_is_submitted_again_is_stored_once() {
    let mut b = Bench::new();
    for _ in 0..2 {
        assert_eq!(b.take("s", &["SUBMIT", "1", "x"]), ["s OK SUBMIT 1"]);
    }
    assert_eq!(b.take("s", &["SUBMIT", "1", "y"]), ["s NO 1 another task has this id"]);
    assert_eq!(b.take("w", &["READY", "w", "9"]), ["w TASK 1 x"]);
    b.take("w", &["DONE", "1", "r"]);
    assert_eq!(b.take("s", &["SUBMIT", "1", "x"]), ["s OK SUBMIT 1"]);
    b.take("s", &["SEEN", "1"]);
    assert_eq!(b.take("s", &["SUBMIT", "1", "x"]), ["s NO 1 its result was collected before"]);
    assert_eq!(b.count(Count::Submitted), 1);
}

#[test]
fn a_restarted_broker_has_every_task_and_result() {
    let mut b = Bench::new();
    b.take("w", &["READY", "w", "2"]);
    for task in ["1", "2", "3"] {
        b.take("s", &["SUBMIT", task, "x"]);
    }
    b.take("w", &["DONE", "1", "r"]);
    let mut b = b.restart();
    let status = b.status();
    assert_eq!((status.waiting, status.running, status.uncollected, status.workers.len()), (2, 0, 1, 0));
    assert_eq!(b.take("s", &["COLLECT", ""]), ["s RESULT 1 r"]);
    // A result of the time before is as good as any, and its task is not given out.
    assert_eq!(b.take("w", &["DONE", "2", "r"]), ["w OK DONE 2", "s RESULT 2 r"]);
    assert_eq!(b.take("w", &["READY", "w", "9"]), ["w TASK 3 x"]);
    assert_eq!((b.count(Count::Submitted), b.count(Count::Done)), (3, 2));
}

#[test]
fn a_submitter_gets_its_own_results_only() {
    let mut b = Bench::new();
    b.take("s", &["COLLECT", "a/"]);
    b.take("t", &["COLLECT", "b/"]);
    b.take("s", &["SUBMIT", "a/1", ""]);
    assert_eq!(b.take("w", &["DONE", "a/1", "r"]), ["w OK DONE a/1", "s RESULT a/1 r"]);
    b.take("s", &["GONE"]);
    b.take("s", &["SUBMIT", "a/2", ""]);
    assert_eq!(b.take("w", &["DONE", "a/2", "r"]), ["w OK DONE a/2"]);
    // It connects again. The results have waited.
    assert_eq!(b.take("u", &["COLLECT", "a/"]), ["u RESULT a/1 r", "u RESULT a/2 r"]);
}

#[test]
fn a_task_that_cannot_be_sent_waits_again() {
    let mut b = Bench::new();
    b.take("v", &["READY", "v", "1"]);
    b.take("s", &["SUBMIT", "1", ""]);
    b.farm.take_back(&id("v"), "1");
    assert_eq!(b.take("w", &["READY", "w", "1"]), ["w TASK 1 "]);
}

#[test]
fn what_means_nothing_is_refused_with_a_reason() {
    let mut b = Bench::new();
    assert_eq!(b.take("x", &["HELLO"]), ["x NO  the first frame is no word of the task farm"]);
    assert_eq!(b.take("x", &["READY", "w", "0"]), ["x NO  the credit is a number from 1 to 1000"]);
}
