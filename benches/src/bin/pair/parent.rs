//! Starts the ends of a run as processes of their own and collects what they measured.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::Options;
use crate::case::{Case, End, Implementation, Order, Transport};
use crate::child::Report;
use crate::library::PATIENCE;

/// One run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) count: u64,
    pub(crate) first: Report,
    pub(crate) second: Report,
}

impl Run {
    /// What the judging end measured.
    pub(crate) fn judged(&self, case: Case) -> &Report {
        if case.pattern.judge() == End::First { &self.first } else { &self.second }
    }

    /// Messages, or round trips, in a second.
    pub(crate) fn rate(&self, case: Case) -> f64 {
        self.count as f64 / self.judged(case).elapsed.as_secs_f64()
    }
}

/// The runs of one library, slowest first.
pub(crate) struct Results {
    pub(crate) implementation: Implementation,
    pub(crate) runs: Vec<Run>,
}

impl Results {
    /// The run in the middle.
    pub(crate) fn median(&self) -> &Run {
        &self.runs[self.runs.len() / 2]
    }
}

/// Runs the libraries in turn, [`Options::runs`] times each.
///
/// # Errors
/// A run that failed: what it was and how it ended.
pub(crate) fn compare(case: Case, sides: &[Implementation], options: &Options) -> io::Result<Vec<Results>> {
    let this = std::env::current_exe()?;
    let program = |side| match (side, &options.other) {
        (Implementation::Other, Some(other)) => other.as_path(),
        _ => this.as_path(),
    };
    let mut counts = Vec::new();
    for &side in sides {
        let trial = once(program(side), case, side, case.pattern.trial(case.size))?;
        counts.push(((trial.rate(case) * options.seconds) as u64).max(trial.count));
    }
    let mut results: Vec<Results> =
        sides.iter().map(|&implementation| Results { implementation, runs: Vec::new() }).collect();
    for _ in 0..options.runs.max(1) {
        for (side, count) in results.iter_mut().zip(&counts) {
            side.runs.push(once(program(side.implementation), case, side.implementation, *count)?);
        }
    }
    for side in &mut results {
        side.runs.sort_by(|a, b| a.rate(case).total_cmp(&b.rate(case)));
    }
    Ok(results)
}

fn once(program: &Path, case: Case, implementation: Implementation, count: u64) -> io::Result<Run> {
    let order = |end, endpoint| Order { implementation, end, case, count, endpoint };
    if case.transport == Transport::Inproc {
        let mut both = Process::start(program, &order(End::Both, String::new()))?;
        both.expect("bound")?;
        both.expect("done")?;
        both.tell()?;
        return Ok(Run { count, first: both.report()?, second: both.report()? });
    }
    let binder = case.pattern.binder();
    let other = if binder == End::First { End::Second } else { End::First };
    let mut bound = Process::start(program, &order(binder, String::new()))?;
    let endpoint = bound.expect("bound")?;
    let mut connected = Process::start(program, &order(other, endpoint))?;
    let (first, second) =
        if binder == End::First { (&mut bound, &mut connected) } else { (&mut connected, &mut bound) };
    let judge = if case.pattern.judge() == End::First { &mut *first } else { &mut *second };
    judge.expect("done")?;
    first.tell()?;
    second.tell()?;
    Ok(Run { count, first: first.report()?, second: second.report()? })
}

/// A child, killed when it is dropped: by then it has nothing more to say.
struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
    order: Order,
}

impl Process {
    fn start(program: &Path, order: &Order) -> io::Result<Process> {
        let mut child = Command::new(program)
            // libzmq puts the file of `ipc://*` into the current folder, unless it is told of another.
            .env("TMPDIR", std::env::temp_dir())
            .args(["--child", &order.text()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || pass_on(BufReader::new(stdout).lines(), &sender));
        Ok(Process { child, lines, order: order.clone() })
    }

    /// Waits for a line that begins with `word`; answers the rest of it.
    fn expect(&mut self, word: &str) -> io::Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.ok()
            .and_then(|line| Some(line.strip_prefix(word)?.trim_start().to_owned()))
            .ok_or_else(|| io::Error::other(format!("no {word:?} from {:?}", self.order)))
    }

    fn tell(&mut self) -> io::Result<()> {
        self.child.stdin.as_mut().map_or(Ok(()), |stdin| stdin.write_all(b"report\n"))
    }

    fn report(&mut self) -> io::Result<Report> {
        let text = self.expect("report")?;
        Report::parse(&text).ok_or_else(|| io::Error::other(format!("not a report: {text:?}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pass_on(lines: Lines<BufReader<ChildStdout>>, to: &mpsc::Sender<String>) {
    for line in lines.map_while(Result::ok) {
        if to.send(line).is_err() {
            return;
        }
    }
}
