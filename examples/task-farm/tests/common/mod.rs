//! A broker and its workers as processes, and the test that kills them.
#![allow(clippy::unwrap_used, dead_code)] // each test program uses a part

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use guide_running::{ANY, LONG, Program, pyzmq};
use task_farm::work::work;
use tempfile::TempDir;

/// What a test's programs take for silence, in milliseconds.
const SILENCE: &str = "200";
/// What each task is: to count the primes up to this. It takes some milliseconds.
const PRIMES: &str = "5000";
/// At most so many results are between two kills.
const GAP: usize = 10;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Rust,
    Python,
}

/// A broker that may be killed and started again.
pub(crate) struct Broker {
    folder: TempDir,
    endpoint: String,
    heartbeat: &'static str,
    /// `None` while it is killed.
    process: Option<Program>,
}

impl Broker {
    pub(crate) fn start() -> Broker {
        Broker::with_heartbeat("1000")
    }

    /// Starts a broker that expects a sign of life three times as late as this, in milliseconds.
    pub(crate) fn with_heartbeat(heartbeat: &'static str) -> Broker {
        let folder = tempfile::tempdir().unwrap();
        let mut broker = Broker { folder, endpoint: ANY.into(), heartbeat, process: None };
        broker.begin();
        broker
    }

    fn begin(&mut self) {
        let file = self.folder.path().join("tasks.redb");
        let arguments = [&self.endpoint, file.to_str().unwrap(), "--heartbeat", self.heartbeat];
        let mut process = Program::start(env!("CARGO_BIN_EXE_broker"), &arguments);
        self.endpoint = process.line("bound ");
        self.process = Some(process);
    }

    /// Kills it and starts it again on its endpoint and its file.
    pub(crate) fn restart(&mut self) {
        self.process.take().unwrap().kill();
        self.begin();
    }

    pub(crate) fn worker(&self, kind: Kind) -> Program {
        match kind {
            Kind::Rust => {
                Program::start(env!("CARGO_BIN_EXE_task_worker"), &[&self.endpoint, "--silence", SILENCE])
            }
            Kind::Python => {
                let worker = concat!(env!("CARGO_MANIFEST_DIR"), "/worker.py");
                Program::start(pyzmq(), &[worker, &self.endpoint, SILENCE])
            }
        }
    }

    /// Starts a submitter of `tasks` tasks.
    pub(crate) fn submit(&self, job: &str, tasks: usize, more: &[&str]) -> Program {
        let tasks = tasks.to_string();
        let mut arguments = vec![&self.endpoint, "--job", job, "--tasks", &tasks, "--silence", SILENCE];
        arguments.extend(more);
        Program::start(env!("CARGO_BIN_EXE_submit"), &arguments)
    }

    /// Returns what the dashboard prints with these arguments.
    pub(crate) fn dashboard(&self, arguments: &[&str]) -> Vec<String> {
        let arguments = [&[self.endpoint.as_str(), "--once"], arguments].concat();
        let ended = Program::start(env!("CARGO_BIN_EXE_dashboard"), &arguments).end();
        assert!(ended.success, "{ended:?}");
        ended.lines
    }

    /// Returns the numbers of the dashboard by their names.
    pub(crate) fn numbers(&self) -> BTreeMap<String, u64> {
        let lines = self.dashboard(&["--plain"]);
        let number = |line: &String| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        lines.iter().filter_map(number).collect()
    }

    /// Waits until a number of the dashboard has this value.
    pub(crate) fn wait_for(&self, name: &str, value: u64) {
        let end = Instant::now() + LONG;
        while self.numbers().get(name) != Some(&value) {
            assert!(Instant::now() < end, "{name} is not {value}: {:?}", self.numbers());
        }
    }
}

/// Returns how many kills there are: `TASK_FARM_KILLS`, or few.
pub(crate) fn kills() -> usize {
    std::env::var("TASK_FARM_KILLS").map_or(5, |text| text.parse().expect("TASK_FARM_KILLS is a number"))
}

/// Kills the broker or a worker, and starts it again, so many times while tasks are done. Then each task must have one result, and
/// the submitter must have printed it once.
pub(crate) fn survive(kills: usize, kinds: &[Kind]) {
    let seed = RandomState::new().hash_one(kills);
    let mut random = fastrand::Rng::with_seed(seed);
    let begin = Instant::now();
    let tasks = kills * GAP;
    let mut broker = Broker::start();
    let mut workers: Vec<(Kind, Program)> = kinds.iter().map(|kind| (*kind, broker.worker(*kind))).collect();
    // A small window, so that tasks are submitted until the end.
    let mut submit = broker.submit("job", tasks, &["--window", "20", "--primes", PRIMES]);
    let mut killed = BTreeMap::new();
    for kill in 0..kills {
        for _ in 0..random.usize(1..=GAP) {
            submit.line("job/");
        }
        // The broker each third time; never by chance only, or a short run might spare it.
        let victim = if kill % 3 == 1 {
            broker.restart();
            "the broker".to_owned()
        } else {
            let (kind, worker) = workers.swap_remove(random.usize(..workers.len()));
            worker.kill();
            workers.push((kind, broker.worker(kind)));
            format!("workers in {kind:?}")
        };
        *killed.entry(victim).or_insert(0) += 1;
    }
    let ended = submit.end();
    let numbers = broker.numbers();
    println!("seed {seed}, {:.1} s, killed {killed:?}; {numbers:?}", begin.elapsed().as_secs_f64());
    assert!(ended.success, "seed {seed}: {ended:?}");
    println!("submitter: {}", ended.lines.iter().find(|line| line.contains(" repeated")).unwrap());

    let mut printed: Vec<&String> = ended.lines.iter().filter(|line| line.starts_with("job/")).collect();
    printed.sort();
    let result = work(PRIMES.as_bytes());
    let expected: Vec<String> = (0..tasks).map(|number| format!("job/{number:06} {result}")).collect();
    assert!(printed.into_iter().eq(&expected), "seed {seed}: {:?}", ended.lines);
    for (name, value) in [("submitted", tasks), ("done", tasks), ("collected", tasks)] {
        assert_eq!(numbers.get(name), Some(&(value as u64)), "{name}, seed {seed}: {numbers:?}");
    }
    for name in ["waiting", "running", "uncollected"] {
        assert_eq!(numbers[name], 0, "{name}, seed {seed}: {numbers:?}");
    }
}
