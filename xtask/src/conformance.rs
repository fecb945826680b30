//! `conformance`: libzmq's own test programs, unchanged, on our libzmq.so.
//!
//! They are in the package `zeromq-src` (libzmq 4.3.5). They are compiled against our header and linked to our library,
//! each runs in a process of its own, and every case that its output reports is compared with the list in
//! capi/conformance/expected.toml: a listed case that passes is a fault, as is an unlisted one that fails.
//!
//! | module | holds |
//! |---|---|
//! | `build` | from the package to executables |
//! | `program` | one program run, and what it says of its cases |
//! | `expected` | the list, and the comparison |

mod build;
mod expected;
mod program;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use build::Tree;
use expected::Expected;
use program::{Case, Verdict};

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
}

/// What became of one program.
struct Row {
    name: String,
    cases: Vec<Case>,
    faults: Vec<String>,
    left_out: Option<String>,
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    match rows(root, options) {
        Ok(rows) => close(&rows),
        Err(why) => {
            println!("NOT RUN: {why}");
            ExitCode::FAILURE
        }
    }
}

fn rows(root: &Path, options: &Options) -> Result<Vec<Row>, String> {
    let expected = Expected::read(&root.join("capi/conformance/expected.toml"))?;
    let tree = Tree::make(root)?;
    let names: Vec<String> = tree
        .programs()?
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
        return Row { name: name.to_owned(), cases: Vec::new(), faults: Vec::new(), left_out };
    }
    let cases = match tree.compile(name) {
        Ok(executable) => program::run(&executable, tree.library_folder()),
        Err(why) => vec![Case { name: program::WHOLE.to_owned(), verdict: Verdict::Failed(why) }],
    };
    let faults = if left_out.is_some() { Vec::new() } else { expected.faults(name, &cases) };
    Row { name: name.to_owned(), cases, faults, left_out }
}

fn print(row: &Row) {
    let passed = count(row, |verdict| matches!(verdict, Verdict::Passed));
    let ignored = count(row, |verdict| matches!(verdict, Verdict::Ignored));
    match &row.left_out {
        Some(why) if row.cases.is_empty() => println!("{:36} left out: {why}", row.name),
        _ => println!("{:36} {passed:3} of {:3} passed, {ignored} ignored", row.name, row.cases.len()),
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

fn close(rows: &[Row]) -> ExitCode {
    let ran: Vec<&Row> = rows.iter().filter(|row| !row.cases.is_empty()).collect();
    let failed = |row: &&&Row| count(row, |verdict| matches!(verdict, Verdict::Failed(_))) == 0;
    let whole = ran.iter().filter(failed).count();
    let passed: usize = ran.iter().map(|row| count(row, |verdict| matches!(verdict, Verdict::Passed))).sum();
    let cases: usize = ran.iter().map(|row| row.cases.len()).sum();
    let left_out = rows.iter().filter(|row| row.left_out.is_some()).count();
    let idle = rows.len() - ran.len() - left_out;
    println!(
        "\nprograms: {whole} of {} pass whole, {left_out} left out, {idle} have nothing to run here; \
         cases: {passed} of {cases} pass",
        ran.len()
    );
    let faults: usize = rows.iter().map(|row| row.faults.len()).sum();
    println!("{faults} differ from capi/conformance/expected.toml");
    if faults == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
