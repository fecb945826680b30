//! Sender and receiver as processes that are killed at random moments (SIGKILL): no message is lost, and none is processed twice.

use std::time::{Duration, Instant};

use fastrand::Rng;
use guide_running::{ANY, Ended, Program};
use tempfile::TempDir;

const SENDER: &str = env!("CARGO_BIN_EXE_persist_sender");
const RECEIVER: &str = env!("CARGO_BIN_EXE_persist_receiver");

/// Both programs' files, and where they meet.
struct Place {
    folder: TempDir,
    endpoint: String,
}

/// What a run has shown.
struct Outcome {
    messages: u64,
    duplicates: u64,
}

impl Place {
    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn sender(&self, arguments: &[&str]) -> Program {
        let file = self.file("outbox.redb");
        Program::start(SENDER, &[&["--file", &file, "--connect", &self.endpoint], arguments].concat())
    }

    fn receiver(&self, endpoint: &str, batch: usize) -> (Program, String) {
        let (file, batch) = (self.file("inbox.redb"), batch.to_string());
        let mut receiver =
            Program::start(RECEIVER, &["--file", &file, "--bind", endpoint, "--batch", &batch]);
        let bound = receiver.line("bound ");
        (receiver, bound)
    }
}

/// Kills one of the two so often, and starts it again. Then all is sent to the end, and counted.
fn run(kills: usize) -> Outcome {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = Rng::with_seed(seed);
    let mut place = Place { folder: tempfile::tempdir().expect("a folder"), endpoint: String::new() };
    let (mut receiver, endpoint) = place.receiver(ANY, 20);
    place.endpoint = endpoint;
    let mut sender = place.sender(&["--batch", "3"]);
    let mut duplicates = 0;
    for _ in 0..kills {
        let batch = random.usize(1..50);
        let lines = random.usize(1..30);
        let kills_sender = random.bool();
        let (victim, word) =
            if kills_sender { (&mut sender, "stored ") } else { (&mut receiver, "processed ") };
        (0..lines).for_each(|_| drop(victim.line(word)));
        pass(Duration::from_micros(random.u64(0..3000)), &mut random);
        if kills_sender {
            sender.kill();
            sender = place.sender(&["--batch", &batch.to_string()]);
        } else {
            duplicates += came_again(&receiver.kill());
            (receiver, _) = place.receiver(&place.endpoint, batch);
        }
    }
    sender.kill();
    let ended = place.sender(&["--more", "0"]).end();
    assert!(ended.success, "{ended:?}");
    let messages = ended.after("all ").split(' ').next().expect("a number").parse().expect("a number");
    duplicates += came_again(&receiver.kill());

    let report = Program::start(RECEIVER, &["--file", &place.file("inbox.redb"), "--report"]).end();
    let counts = format!(": {messages} processed, 0 missing, 0 more than once");
    assert!(report.lines.len() == 1 && report.has(&counts), "{messages} sent, {report:?}");
    Outcome { messages, duplicates }
}

/// How many messages a receiver has dropped because they came again.
fn came_again(receiver: &Ended) -> u64 {
    let last = receiver.lines.iter().rev().find_map(|line| line.strip_suffix(" came again"));
    let count = last.and_then(|line| line.rsplit(' ').next());
    count.map_or(0, |count| count.parse().expect("a number"))
}

/// Works for so long, so that the kill comes at any moment of a transaction.
fn pass(time: Duration, random: &mut Rng) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::black_box(random.u64(..));
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_processed_twice_whoever_is_killed() {
    let outcome = run(5);
    assert!(outcome.messages > 0);
}

/// `cargo test --release -p zeroxide-persist --test kill -- --ignored --nocapture`
#[test]
#[ignore = "100 kills take a minute or more"]
fn a_hundred_kills_lose_nothing_and_double_nothing() {
    let Outcome { messages, duplicates } = run(100);
    println!("100 kills, {messages} messages, {duplicates} came again");
    assert!(duplicates > 0, "no message came again: the kills were too gentle");
}
