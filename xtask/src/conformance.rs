//! `conformance`: other people's tests, unchanged, on our libzmq.so: libzmq's own programs, and pyzmq's test suite.
//!
//! The programs are in the package `zeromq-src` (libzmq 4.3.5). They are compiled against our header and linked to our
//! library, and each runs in a process of its own. pyzmq is compiled against our library from its source package. Every
//! case that is reported is compared with a list, capi/conformance/expected.toml or pyzmq.toml: a listed case that
//! passes is a fault, as is an unlisted one that fails.
//!
//! | module | holds |
//! |---|---|
//! | `build` | from the package to executables |
//! | `program` | one program run, and what it says of its cases |
//! | `expected` | the list, and the comparison |
//! | `pyzmq` | pyzmq, from its source package to what its tests report |

mod build;
mod expected;
mod program;
mod pyzmq;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::report::{Counts, Outcome, Report};
use build::Tree;
use expected::Expected;
use program::{Case, Verdict};

pub(crate) use program::output_within;

/// The lists of the cases that do not pass.
const PROGRAMS: &str = "capi/conformance/expected.toml";
const PYZMQ: &str = "capi/conformance/pyzmq.toml";

/// Options of `conformance`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the programs whose names contain this.
    filter: Option<String>,
    /// How many programs are compiled and run at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
    /// Runs programs that the list leaves out, too.
    #[arg(long)]
    all: bool,
    /// Instead: pyzmq's own tests; `filter` chooses as pytest's -k does.
    #[arg(long)]
    pyzmq: bool,
}

impl Options {
    /// Everything that `cargo xtask test` runs.
    fn whole(pyzmq: bool) -> Options {
        Options { filter: None, jobs: 2, all: false, pyzmq }
    }
}

/// What became of one program.
struct Row {
    name: String,
    cases: Vec<Case>,
    faults: Vec<String>,
    left_out: Option<String>,
    time: Duration,
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    report.step("conformance", |counts| judged(root, options, counts));
    report.close()
}

/// libzmq's programs, as a step of `test`.
pub(crate) fn programs_step(root: &Path, counts: &mut Counts) -> Outcome {
    judged(root, &Options::whole(false), counts)
}

/// pyzmq's tests, as a step of `test`.
pub(crate) fn pyzmq_step(root: &Path, counts: &mut Counts) -> Outcome {
    judged(root, &Options::whole(true), counts)
}

fn judged(root: &Path, options: &Options, counts: &mut Counts) -> Outcome {
    let (list, rows) = match options.pyzmq {
        true => (PYZMQ, pyzmq::rows(root, options)),
        false => (PROGRAMS, rows(root, options)),
    };
    match rows {
        Ok(rows) => close(&rows, list, counts),
        Err(why) => why,
    }
}

fn rows(root: &Path, options: &Options) -> Result<Vec<Row>, Outcome> {
    let expected = Expected::read(&root.join(PROGRAMS)).map_err(Outcome::Failed)?;
    let tree = Tree::make(root)?;
    let names = tree.programs().map_err(Outcome::Failed)?;
    let names: Vec<String> = names
        .into_iter()
        .filter(|name| options.filter.as_ref().is_none_or(|part| name.contains(part.as_str())))
        .collect();
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = one(&tree, &expected, name, options.all);
                    print(&row);
                    rows.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

fn one(tree: &Tree, expected: &Expected, name: &str, all: bool) -> Row {
    let left_out = expected.left_out(name).map(str::to_owned);
    if left_out.is_some() && !all {
        let (cases, faults, time) = (Vec::new(), Vec::new(), Duration::ZERO);
        return Row { name: name.to_owned(), cases, faults, left_out, time };
    }
    let start = Instant::now();
    let cases = match tree.compile(name) {
        Ok(executable) => program::run(&executable, tree.folder()),
        Err(why) => vec![Case { name: program::WHOLE.to_owned(), verdict: Verdict::Failed(why) }],
    };
    let faults = if left_out.is_some() { Vec::new() } else { expected.faults(name, &cases) };
    Row { name: name.to_owned(), cases, faults, left_out, time: start.elapsed() }
}

fn print(row: &Row) {
    let passed = count(row, |verdict| matches!(verdict, Verdict::Passed));
    let ignored = count(row, |verdict| matches!(verdict, Verdict::Ignored));
    match &row.left_out {
        Some(why) if row.cases.is_empty() => println!("{:36} left out: {why}", row.name),
        _ => println!(
            "{:36} {passed:3} of {:3} passed, {ignored} ignored, {:.1} s",
            row.name,
            row.cases.len(),
            row.time.as_secs_f32()
        ),
    }
    for case in &row.cases {
        if let Verdict::Failed(why) = &case.verdict {
            println!("    {}: {why}", case.name);
        }
    }
    row.faults.iter().for_each(|fault| println!("    FAULT {fault}"));
}

fn count(row: &Row, which: impl Fn(&Verdict) -> bool) -> usize {
    row.cases.iter().filter(|case| which(&case.verdict)).count()
}

fn close(rows: &[Row], list: &str, counts: &mut Counts) -> Outcome {
    let ran: Vec<&Row> = rows.iter().filter(|row| !row.cases.is_empty()).collect();
    let sum = |which: fn(&Verdict) -> bool| -> usize { ran.iter().map(|row| count(row, which)).sum() };
    let whole = ran.iter().filter(|row| count(row, |verdict| matches!(verdict, Verdict::Failed(_))) == 0);
    let left_out = rows.iter().filter(|row| row.left_out.is_some()).count();
    let passed = sum(|verdict| matches!(verdict, Verdict::Passed));
    let ignored = sum(|verdict| matches!(verdict, Verdict::Ignored));
    println!(
        "\nprograms: {} of {} pass whole, {left_out} left out, {} have nothing to run here; \
         cases: {passed} of {} pass, {ignored} ignored",
        whole.count(),
        ran.len(),
        rows.len() - ran.len() - left_out,
        ran.iter().map(|row| row.cases.len()).sum::<usize>(),
    );
    let faults: usize = rows.iter().map(|row| row.faults.len()).sum();
    counts.passed += passed as u64;
    counts.failed += faults as u64;
    match faults {
        0 => Outcome::Passed,
        _ => Outcome::Failed(format!("{faults} differ from {list}")),
    }
}
