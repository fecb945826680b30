//! Zeroxide beside another build of itself, or beside libzmq, on this machine, in the same minutes: for the before and after of
//! a change. The comparison with all other libraries is `cells`.
//!
//! Every run is a pair of fresh processes (one for inproc) at default options: one sends, or asks, the other receives,
//! or answers. Runs of the two libraries alternate, so that what else the machine does strikes both; what is printed is
//! the median. A ratio above 1 is in zeroxide's favour, and those below are printed just the same.
//!
//! | module | holds |
//! |---|---|
//! | `case` | what is compared: patterns, transports, sizes |
//! | `library` | what a library must be able to do to be compared |
//! | `ours`, `theirs` | zeroxide; libzmq, with feature `libzmq` |
//! | `child` | one end of a run: the process that the clock runs in |
//! | `parent` | starts the two ends of a run and collects what they measured |
//! | `boxes` | what CURVE's cryptography alone costs |
//! | `usage` | processor time and context switches |
//! | `budget`, `table` | the counters that a message may cost; the report |

#[cfg(feature = "curve")]
mod boxes;
mod budget;
mod case;
mod child;
mod library;
mod ours;
mod parent;
mod table;
#[cfg(feature = "libzmq")]
mod theirs;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use case::{Case, Implementation, Mechanism, Pattern, Transport};

/// Compares zeroxide with libzmq.
#[derive(Parser)]
struct Options {
    /// What to compare.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "throughput,latency")]
    patterns: Vec<Pattern>,
    #[arg(long, value_enum, value_delimiter = ',', default_value = "tcp,ipc")]
    transports: Vec<Transport>,
    /// Mechanisms; CURVE is there with feature `curve` or `curve-simd`.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "null")]
    mechanisms: Vec<Mechanism>,
    /// Sizes of a message's body in bytes.
    #[arg(long, value_delimiter = ',', default_value = "64,1024,16384,262144")]
    sizes: Vec<usize>,
    /// Runs of each library; the median counts.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// About how long one run lasts.
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Another build of this program, whose zeroxide is measured beside this one's.
    #[arg(long, value_name = "PROGRAM")]
    other: Option<PathBuf>,
    /// Runs one of them only, for a profiler.
    #[arg(long, value_enum)]
    only: Option<Implementation>,
    /// One end of a run: set by the program itself for the processes that it starts.
    #[arg(long, hide = true)]
    child: Option<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(order) = &options.child {
        return child::run(order);
    }
    let sides: Vec<Implementation> = Implementation::available(options.other.is_some())
        .into_iter()
        .filter(|side| options.only.is_none_or(|only| only == *side))
        .collect();
    if sides.is_empty() {
        eprintln!("libzmq is not built in: cargo run --release -p benches --features libzmq --bin pair");
        return ExitCode::FAILURE;
    }
    #[cfg(all(feature = "libzmq", feature = "curve"))]
    if options.mechanisms.contains(&Mechanism::Curve) && !theirs::has_curve() {
        eprintln!("this libzmq is without CURVE: install libsodium with its headers and build again");
        return ExitCode::FAILURE;
    }
    table::legend(&options);
    let mut failed = false;
    for case in cases(&options) {
        match parent::compare(case, &sides, &options) {
            Ok(results) => table::print(case, &results),
            Err(error) => {
                failed = true;
                println!("{case}: {error}");
            }
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Every combination that was asked for.
fn cases(options: &Options) -> Vec<Case> {
    let mut cases = Vec::new();
    for &mechanism in &options.mechanisms {
        for &pattern in &options.patterns {
            for &transport in &options.transports {
                let case = |&size| Case { pattern, transport, mechanism, size };
                cases.extend(options.sizes.iter().map(case));
            }
        }
    }
    cases
}
