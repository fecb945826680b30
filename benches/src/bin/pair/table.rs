//! The report.

use crate::Options;
use crate::budget;
use crate::case::{Case, Implementation, Mechanism, Pattern, Transport, word};
use crate::parent::{Results, Run};

/// How to read what follows.
pub(crate) fn legend(options: &Options) {
    let mut load = String::new();
    if let Ok(text) = std::fs::read_to_string("/proc/loadavg") {
        load = format!(", load {}", text.split(' ').take(3).collect::<Vec<_>>().join(" "));
    }
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "median of {} runs of about {} s each; {processors} processors{load}",
        options.runs, options.seconds
    );
    if cfg!(feature = "curve") {
        let boxes = if cfg!(feature = "curve-simd") { "dryoc (curve-simd)" } else { "RustCrypto (curve)" };
        println!("zeroxide's boxes under CURVE: {boxes}");
    }
    if let Some(other) = &options.other {
        println!("other: {}", other.display());
    }
    println!(
        "ns: processor time per message of the sending (asking) and the receiving (answering) process, all their"
    );
    println!(
        "threads, user+system; sleeps, writes, …: per 1000 messages or round trips; spread: fastest/slowest run\n"
    );
}

/// One case.
pub(crate) fn print(case: Case, results: &[Results]) {
    println!("== {case}");
    for side in results {
        let run = side.median();
        let name = word(&side.implementation);
        let spread = match (side.runs.first(), side.runs.last()) {
            (Some(slowest), Some(fastest)) => fastest.rate(case) / slowest.rate(case),
            _ => 1.0,
        };
        let speed = if case.pattern == Pattern::Latency {
            let judged = run.judged(case);
            format!("p50 {:>8.1?}  p99 {:>8.1?}", judged.p50, judged.p99)
        } else {
            format!("{:>11.0}/s {:>7.3} GB/s", run.rate(case), run.rate(case) * case.size as f64 / 1e9)
        };
        println!("{name:>9}: {speed}  spread {spread:.2}  {}", costs(case, run));
    }
    if let Some((theirs, all)) = results.split_last().filter(|(_, all)| !all.is_empty()) {
        let (beside, theirs) = (word(&theirs.implementation), theirs.median());
        for side in all {
            let (name, ours) = (word(&side.implementation), side.median());
            println!(
                "    ratio: {:.2} in speed, {:.2} in processor time (above 1: {name} is better than {beside})",
                ours.rate(case) / theirs.rate(case),
                processor(case, theirs) / processor(case, ours)
            );
        }
    }
    if case.mechanism != Mechanism::Null {
        results.iter().for_each(|side| outside(case, side));
    }
    for side in results.iter().filter(|side| side.implementation == Implementation::Zeroxide) {
        counters(case, side.median());
    }
    println!();
}

/// Processor time per message, in ns, user and system, of one end.
fn cost(run: &Run, second: bool) -> (f64, f64) {
    let usage = if second { run.second.usage } else { run.first.usage };
    let per = |time: std::time::Duration| time.as_nanos() as f64 / run.count as f64;
    (per(usage.user), per(usage.system))
}

/// Processor time per message, in ns, of both ends.
fn processor(case: Case, run: &Run) -> f64 {
    let sum = |(user, system): (f64, f64)| user + system;
    // One process is both ends of inproc, and is counted once.
    if case.transport == Transport::Inproc {
        sum(cost(run, true))
    } else {
        sum(cost(run, false)) + sum(cost(run, true))
    }
}

fn costs(case: Case, run: &Run) -> String {
    let thousands = run.count as f64 / 1000.0;
    let end = |second| {
        let (user, system) = cost(run, second);
        let sleeps = if second { run.second.usage.sleeps } else { run.first.usage.sleeps };
        format!("{user:.0}+{system:.0} ns {:.2} sleeps", sleeps as f64 / thousands)
    };
    match case.transport {
        Transport::Inproc => format!("both {}", end(true)),
        _ => format!("first {}, second {}", end(false), end(true)),
    }
}

/// What a message costs beside its cryptography.
fn outside(case: Case, side: &Results) {
    let run = side.median();
    let ends = [(false, run.first), (true, run.second)].map(|(second, report)| {
        let ((user, system), boxes) = (cost(run, second), report.boxes.as_nanos() as f64);
        format!("{boxes:.0} ns, outside it {:.0}+{system:.0} ns", user - boxes)
    });
    let name = word(&side.implementation);
    let who = if case.pattern == Pattern::Latency { ["first", "second"] } else { ["seals", "opens"] };
    println!("{name:>9}: the box alone: {} {}; {} {}", who[0], ends[0], who[1], ends[1]);
}

fn counters(case: Case, run: &Run) {
    let thousands = run.count as f64 / 1000.0;
    let budgets = budget::of(case);
    for (name, report, budget) in [("first", run.first, budgets[0]), ("second", run.second, budgets[1])] {
        let c = report.counters;
        let [writes, reads, wakes, deferrals, busy] =
            [c.writes, c.reads, c.wakes, c.deferrals, c.busy].map(|n| n as f64 / thousands);
        println!(
            "{name:>9}: writes {writes:.2} reads {reads:.2} wakes {wakes:.3} deferrals {deferrals:.3} \
             engine busy {busy:.3}{}",
            budget.excess(c, thousands)
        );
    }
}
