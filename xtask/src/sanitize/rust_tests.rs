//! `sanitize --workspace`: the Rust tests of the workspace under a sanitizer.
//!
//! The standard library is instrumented as well: the thread sanitizer must see what its locks and channels order. What a
//! sanitizer reports goes to a file of each process, so that a report of a child process fails the step, too. What cannot
//! run so is left out by name, with its reason ([`LEFT_OUT`]). A program that is wrong on purpose (`capi/tests/faulty.rs`),
//! built in the same way, proves that the sanitizer looks.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell};

use super::{Sanitizer, Toolchain};
use crate::harness::NAMED;
use crate::report::Counts;
use crate::run;

/// Arguments of each `cargo test`: packages and their test programs.
const RUNS: &[&str] = &[
    "-p zeroxide-zmtp -p zeroxide-patterns -p zeroxide-transports -p zeroxide --tests \
     --features zeroxide/plain,zeroxide/curve,zeroxide/face",
    "-p zeroxide-capi -p fuzz --lib --test messages",
];

/// The program that is wrong on purpose.
const FAULTY: &str = "-p zeroxide-capi --test faulty";

/// More than all tests of one line take.
const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

/// Tests that cannot run, each with the sanitizers under which it cannot, and why.
const LEFT_OUT: &[(&str, &[&str], &str)] = &[
    (
        "one_connection_and_its_neighbour_is_served",
        &["address", "thread"],
        "limits its address space (ulimit -v), of which a sanitizer's shadow takes terabytes",
    ),
    (
        "a_panic_of_user_code_ends_here_and_everything_else_is_run",
        &["address"],
        "what the drop of a panic's payload panics with is forgotten on purpose (src/user_code), which is a leak",
    ),
    (
        "whatever_of_an_authenticator_panics_fails_closed",
        &["address"],
        "drops that panic while what they belong to is dropped leak the rest of it, as anywhere in Rust",
    ),
];

/// Packages and test programs that no line of [`RUNS`] has, and why.
const OTHERS: &[(&str, &str)] = &[
    (
        "zeroxide-capi: c_programs, exports",
        "need C programs with the sanitizer's runtime, which `cargo xtask sanitize` builds, and a library that exports \
         nothing of the sanitizer's",
    ),
    ("loom_pipe and models of loom", "loom has one thread at a time"),
    ("zeroxide-simulator", "has one thread, and a `cfg` of its own; `cargo xtask simulate` runs it"),
    ("benches", "links libzmq, which is not instrumented, and counts allocations, which a sanitizer adds to"),
    (
        "interop, zeroxide-cli, zeroxide-hostile, xtask",
        "are tools that start programs, and their tests are about the tools",
    ),
];

/// Runs the tests whose names contain `filter`.
pub(super) fn run_all(
    sh: &Shell,
    sanitizer: &Sanitizer,
    filter: Option<&str>,
    counts: &mut Counts,
) -> Result<()> {
    let toolchain = Toolchain::find(sh)?;
    toolchain.need_std_source()?;
    let target = run::target(sh).join(format!("sanitize-tests-{}", sanitizer.name));
    let bench = Bench { sh, sanitizer, host: toolchain.host, target };
    bench.finds_what_is_wrong()?;
    let left = || LEFT_OUT.iter().filter(|(_, under, _)| under.contains(&sanitizer.name));
    let told = left().map(|(test, _, why)| (test, why)).chain(OTHERS.iter().map(|(what, why)| (what, why)));
    told.for_each(|(what, why)| println!("left out: {what}: {why}"));
    let reports = bench.folder("reports")?;
    let (mut faults, before) = (Vec::new(), *counts);
    for arguments in RUNS {
        let test = bench.cargo_test(arguments, &reports).arg("--no-fail-fast");
        let test = test.arg("--").args(filter).args(left().flat_map(|(test, ..)| ["--skip", test]));
        faults.extend(run::count_within(test, LIMIT, counts).err().map(|fault| format!("{fault:#}")));
    }
    let reports = super::reports(&reports)?;
    ensure!(reports.is_empty(), "the {} sanitizer reports:\n{reports}", sanitizer.name);
    ensure!(faults.is_empty(), faults.join("; "));
    ensure!(*counts != before, "there is no such test");
    Ok(())
}

/// Where instrumented tests are built and run.
struct Bench<'a> {
    sh: &'a Shell,
    sanitizer: &'a Sanitizer,
    host: String,
    target: PathBuf,
}

impl<'a> Bench<'a> {
    /// A folder in which there are no reports yet.
    fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// `cargo test` with instrumented code, whose reports go to a folder.
    fn cargo_test(&self, arguments: &str, reports: &Path) -> Cmd<'a> {
        let flags = format!("-Zsanitizer={} --cfg sanitized", self.sanitizer.name);
        let test = run::cargo_of(self.sh, "nightly")
            .args(["test", "--config", NAMED, "-Zbuild-std", "--target", &self.host])
            .args(arguments.split_whitespace())
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            // Panics are expected in many tests; to find the names of their stacks takes a minute each.
            .env("RUST_BACKTRACE", "0");
        super::reporting_to(test, reports)
    }

    /// Proves that the sanitizer looks.
    fn finds_what_is_wrong(&self) -> Result<()> {
        for (fault, finding) in self.sanitizer.faults_in_rust {
            let reports = self.folder("reports-wrong")?;
            let wrong = self.cargo_test(FAULTY, &reports).args(["--", fault]).quiet().ignore_status();
            wrong.ignore_stdout().run()?;
            let reports = super::reports(&reports)?;
            ensure!(reports.contains(finding), "the sanitizer sees no {finding} where one is:\n{reports}");
        }
        Ok(())
    }
}
