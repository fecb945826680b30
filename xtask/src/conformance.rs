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
//! | `header` | our `zmq.h` beside libzmq's, macro by macro |
//! | `program` | one program run, and what it says of its cases |
//! | `expected` | the list, and the comparison |
//! | `pyzmq` | pyzmq, from its source package to what its tests report |

mod build;
mod expected;
mod header;
mod program;
mod pyzmq;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use xshell::Shell;

use crate::report::{Counts, Report, not_run};
use build::Tree;
pub(crate) use expected::Expected;
pub(crate) use program::{Case, Verdict, whole};

/// More than all programs take together, with those that hang. What has not begun by then is a fault.
const LIMIT: Duration = Duration::from_secs(40 * 60);

/// The lists of the cases that do not pass.
const PROGRAMS: &str = "capi/conformance/expected.toml";
const PYZMQ: &str = "capi/conformance/pyzmq.toml";

const JOBS: usize = 4;

/// Options of `conformance`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the programs whose names contain this.
    filter: Option<String>,
    /// How many programs are compiled and run at once. Most of their time they wait.
    #[arg(long, default_value_t = JOBS)]
    jobs: usize,
    /// Runs programs that the list leaves out, too.
    #[arg(long)]
    all: bool,
    /// Instead: pyzmq's own tests; `filter` chooses as pytest's -k does.
    #[arg(long)]
    pyzmq: bool,
}

/// What `cargo xtask test` runs.
const PROGRAMS_WHOLE: Options = Options { filter: None, jobs: JOBS, all: false, pyzmq: false };
pub(crate) const WHOLE: [Options; 2] = [PROGRAMS_WHOLE, Options { pyzmq: true, ..PROGRAMS_WHOLE }];

/// What became of one program.
pub(crate) struct Row {
    name: String,
    cases: Vec<Case>,
    faults: Vec<String>,
    left_out: Option<String>,
    /// What this machine lacks to compile it.
    lacks: Option<String>,
    time: Duration,
}

impl Row {
    fn lacking(&self) -> Option<(String, String)> {
        Some((self.name.clone(), self.lacks.clone()?))
    }

    /// One that has not run.
    fn idle(name: &str) -> Row {
        let (cases, faults) = (Vec::new(), Vec::new());
        Row { name: name.to_owned(), cases, faults, left_out: None, lacks: None, time: Duration::ZERO }
    }

    fn hangs(&self) -> bool {
        self.cases.iter().any(|case| matches!(case.verdict, Verdict::Hung(_)))
    }
}

/// Runs libzmq's programs or pyzmq's tests. `demanded` judges what cannot run here.
pub(crate) fn steps(
    sh: &Shell,
    report: &mut Report,
    options: &Options,
    demanded: impl Fn(Result<()>) -> Result<()>,
) {
    let mut lacking = Vec::new();
    report.step(if options.pyzmq { "pyzmq's own tests" } else { "libzmq's own tests" }, |counts| {
        let (list, rows) =
            if options.pyzmq { (PYZMQ, pyzmq::rows(sh, options)) } else { (PROGRAMS, rows(sh, options)) };
        let rows = match rows {
            Ok(rows) => rows,
            Err(error) => return demanded(Err(error)),
        };
        lacking.extend(rows.iter().filter_map(Row::lacking));
        close(&rows, list, counts)
    });
    // The rest has run: a row of its own in the closing table.
    for (program, why) in lacking {
        report.step(&program, |_| Err(not_run(why)));
    }
}

fn rows(sh: &Shell, options: &Options) -> Result<Vec<Row>> {
    let expected = Expected::read(&sh.current_dir().join(PROGRAMS))?;
    let tree = Tree::make(sh)?;
    let names = tree.programs()?;
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    if let [first, ..] = expected.unknown(&known)[..] {
        bail!("{PROGRAMS} lists {first}, which is no program");
    }
    let wanted = |name: &str| options.filter.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let names: Vec<&str> = known.into_iter().filter(|name| wanted(name)).collect();
    let header = wanted(header::NAME).then(|| header::row(sh, &tree));
    ensure!(!names.is_empty() || header.is_some(), "there is no such program");
    header.iter().for_each(print);
    let (next, rows, start) = (AtomicUsize::new(0), Mutex::new(Vec::from_iter(header)), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let in_time = start.elapsed() < LIMIT;
                    let row = if in_time { one(&tree, &expected, name, options.all) } else { late(name) };
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
    let lacks = tree.lacks(name);
    if left_out.is_some() && !all || lacks.is_some() {
        return Row { left_out, lacks, ..Row::idle(name) };
    }
    let start = Instant::now();
    let played = || match tree.compile(name) {
        Ok(executable) => program::run(&executable, tree.folder()),
        Err(why) => vec![program::whole(Verdict::Failed(why.to_string()))],
    };
    let mut cases = played();
    if expected.may_hang(name) && cases.iter().any(|case| matches!(case.verdict, Verdict::Hung(_))) {
        println!("{name:36} hangs, as it may: once more");
        cases = played();
    }
    let mut faults = expected.faults(name, &cases);
    // One that has ended badly has not told of all its cases.
    if cases.iter().all(|case| case.name != program::WHOLE) {
        faults.extend(expected.absent(name, &cases));
    }
    if left_out.is_some() {
        faults.clear();
    }
    Row { cases, faults, left_out, time: start.elapsed(), ..Row::idle(name) }
}

/// Rows from the cases of several files or programs, each with the name of its own. All of them ran if `all` says so: then
/// what is listed must be among them.
pub(crate) fn by_file(
    mut cases: Vec<(String, Case)>,
    expected: &Expected,
    time: Duration,
    all: bool,
) -> Vec<Row> {
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    let row = |file: &[(String, Case)]| {
        let name = &file[0].0;
        let cases: Vec<Case> = file.iter().map(|(_, case)| case.clone()).collect();
        let mut faults = expected.faults(name, &cases);
        if all {
            faults.extend(expected.absent(name, &cases));
        }
        Row { cases, faults, time, ..Row::idle(name) }
    };
    let mut rows: Vec<Row> = cases.chunk_by(|a, b| a.0 == b.0).map(row).collect();
    if all {
        let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
        let absent = |name| Row { faults: vec!["is listed and did not run".to_owned()], ..Row::idle(name) };
        let absent: Vec<Row> = expected.unknown(&names).into_iter().map(absent).collect();
        rows.extend(absent);
    }
    rows.iter().for_each(print);
    rows
}

/// One whose turn came when time was up.
fn late(name: &str) -> Row {
    let why = format!("not begun after {} s", LIMIT.as_secs());
    Row { cases: vec![program::whole(Verdict::Hung(why.clone()))], faults: vec![why], ..Row::idle(name) }
}

fn print(row: &Row) {
    let passed = count(row, |verdict| matches!(verdict, Verdict::Passed));
    let ignored = count(row, |verdict| matches!(verdict, Verdict::Ignored));
    match (&row.left_out, &row.lacks) {
        (_, Some(why)) => println!("{:36} NOT RUN: {why}", row.name),
        (Some(why), _) if row.cases.is_empty() => println!("{:36} left out: {why}", row.name),
        _ => println!(
            "{:36} {passed:3} of {:3} passed, {ignored} ignored, {:.1} s",
            row.name,
            row.cases.len(),
            row.time.as_secs_f32()
        ),
    }
    for case in &row.cases {
        if let Some(why) = case.verdict.fault() {
            println!("    {}: {why}", case.name);
        }
    }
    row.faults.iter().for_each(|fault| println!("    FAULT {fault}"));
}

fn count(row: &Row, which: impl Fn(&Verdict) -> bool) -> usize {
    row.cases.iter().filter(|case| which(&case.verdict)).count()
}

pub(crate) fn close(rows: &[Row], list: &str, counts: &mut Counts) -> Result<()> {
    let ran: Vec<&Row> = rows.iter().filter(|row| !row.cases.is_empty()).collect();
    let sum = |which: fn(&Verdict) -> bool| -> usize { ran.iter().map(|row| count(row, which)).sum() };
    let whole = ran.iter().filter(|row| count(row, |verdict| verdict.fault().is_some()) == 0);
    let left_out = rows.iter().filter(|row| row.left_out.is_some() || row.lacks.is_some()).count();
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
    let hung: Vec<&str> = ran.iter().filter(|row| row.hangs()).map(|row| row.name.as_str()).collect();
    // What passes nowhere proves nothing.
    ensure!(faults > 0 || passed > 0, "no case passes");
    ensure!(hung.is_empty() || faults == 0, "{faults} differ from {list}; hung: {}", hung.join(", "));
    ensure!(faults == 0, "{faults} differ from {list}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(verdict: Verdict, faults: usize) -> Row {
        let (cases, faults) = (vec![program::whole(verdict)], vec!["why".to_owned(); faults]);
        Row { cases, faults, ..Row::idle("test_one") }
    }

    #[test]
    fn one_that_hangs_is_named() {
        let rows = [row(Verdict::Hung("still running".to_owned()), 1)];
        let fault = close(&rows, "list", &mut Counts::default()).unwrap_err();
        assert_eq!(fault.to_string(), "1 differ from list; hung: test_one");
    }

    #[test]
    fn a_run_that_proves_nothing_fails() {
        let mut counts = Counts::default();
        assert!(close(&[], "list", &mut counts).is_err());
        assert!(close(&[row(Verdict::Ignored, 0)], "list", &mut counts).is_err());
        assert!(close(&[row(Verdict::Passed, 0)], "list", &mut counts).is_ok());
    }

    #[test]
    fn one_whose_turn_comes_too_late_is_a_fault() {
        let row = late("test_one");
        assert!(row.hangs() && row.faults.len() == 1);
    }

    #[test]
    fn what_differs_from_the_list_is_a_fault_both_ways() {
        let case = |name: &str, verdict| ("zmq".to_owned(), Case { name: name.to_owned(), verdict });
        let cases = vec![case("one", Verdict::Passed), case("two", Verdict::Failed("why".to_owned()))];
        let faults = |list: &str, all| -> usize {
            let list = Expected::parse(list).unwrap();
            by_file(cases.clone(), &list, Duration::ZERO, all).iter().map(|row| row.faults.len()).sum()
        };
        for (list, some, all) in [
            ("[zmq]\ntwo = \"why\"", 0, 0),
            ("", 1, 1),
            ("[zmq]\ntwo = \"why\"\none = \"why\"", 1, 1),
            ("[zmq]\ntwo = \"why\"\none = \"sometimes: a race\"", 0, 0),
            ("[zmq]\ntwo = \"why\"\ngone = \"why\"", 0, 1),
            ("[zmq]\ntwo = \"why\"\n[other]\none = \"why\"", 0, 1),
        ] {
            assert_eq!((faults(list, false), faults(list, true)), (some, all), "{list}");
        }
    }
}
