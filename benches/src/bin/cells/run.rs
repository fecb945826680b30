//! One run: processes started, measured for a while, and killed.

use std::path::Path;
use std::time::Duration;

use cell::{Curve, Outcome, Spec, Transport};

use crate::process::Processes;
use crate::row::{Measure, Row, Side};
use crate::sample::Sample;

/// Connections are made, handshakes and subscriptions are over.
const SETTLE: Duration = Duration::from_millis(100);
/// Queues fill, pages are in memory.
const WARM_UP: Duration = Duration::from_millis(200);
/// How a flood begins is known after this.
const START: Duration = Duration::from_millis(200);

/// Why there is no sample.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The library cannot do it, and says why.
    Refused(String),
    /// It went wrong.
    Broken(String),
}

/// Measures one library in one row for about `window`.
pub(crate) fn run(
    row: &Row,
    size: usize,
    program: &Path,
    mode: &str,
    window: Duration,
) -> Result<Sample, Failure> {
    let mut processes = Processes::new();
    let (first, second) = start(&mut processes, row, size, program, mode)?;
    processes.let_work(SETTLE)?;
    // Whoever receives is there before anything is sent.
    let all = || second.clone().chain(first.clone());
    if row.measure == Measure::Start {
        processes.tell(all(), "start")?;
        processes.tell(all(), "go")?;
        processes.let_work(START)?;
    } else {
        processes.tell(all(), "go")?;
        processes.let_work(WARM_UP)?;
        processes.tell(all(), "start")?;
        processes.let_work(window)?;
    }
    processes.tell(all(), "stop")?;
    let mut outcomes = vec![None; first.len() + second.len()];
    while outcomes.iter().any(Option::is_none) {
        let (at, line) = processes.line()?;
        let outcome: Outcome =
            serde_json::from_str(&line).map_err(|error| Failure::Broken(format!("{line:?}: {error}")))?;
        outcomes[at] = Some(outcome);
    }
    let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
    Sample::of(&outcomes[first], &outcomes[second])
        .ok_or_else(|| Failure::Broken("no message was received".into()))
}

/// Starts all processes; returns which are of the first and of the second side, when all are connected. Over inproc there is one
/// process, of the first side.
fn start(
    processes: &mut Processes,
    row: &Row,
    size: usize,
    program: &Path,
    mode: &str,
) -> Result<(std::ops::Range<usize>, std::ops::Range<usize>), Failure> {
    let spec = |side: &Side, other: &Side, endpoint: Option<String>| Spec {
        kind: side.kind,
        task: side.task,
        transport: row.transport,
        endpoint,
        size,
        peers: other.count,
        curve: row.curve.then(Curve::of_the_manual),
        mode: mode.to_owned(),
    };
    let (binder, other) =
        if row.first_binds() { (&row.first, &row.second) } else { (&row.second, &row.first) };
    let mut ready = 0;
    if row.transport == Transport::Inproc {
        let bound = spec(binder, other, None);
        let connected = spec(other, binder, Some(bound.bind_endpoint()));
        processes.start(program, &[bound, connected])?;
        while ready < 2 {
            ready += usize::from(processes.line()?.1 == "ready");
        }
        return Ok((0..1, 1..1));
    }
    processes.start(program, &[spec(binder, other, None)])?;
    let endpoint = loop {
        match processes.line()?.1 {
            line if line == "ready" => ready += 1,
            line => match line.strip_prefix("bound ") {
                Some(endpoint) => break endpoint.to_owned(),
                None => return Err(Failure::Broken(format!("a process says {line:?}"))),
            },
        }
    };
    processes.bound(&endpoint);
    for _ in 0..other.count {
        processes.start(program, &[spec(other, binder, Some(endpoint.clone()))])?;
    }
    while ready < 1 + other.count {
        ready += usize::from(processes.line()?.1 == "ready");
    }
    let others = 1..1 + other.count;
    Ok(if row.first_binds() { (0..1, others) } else { (others, 0..1) })
}
