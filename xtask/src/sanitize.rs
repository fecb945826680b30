//! `sanitize`: the C programs of capi/tests/programs on the C library, or the Rust tests of the workspace (`--workspace`),
//! under the address and the thread sanitizer.
//!
//! Both are run by `cargo test`, with instrumented code. The test `c_programs` instruments its programs as well, and links
//! them with the runtime of the nightly tool chain. For the thread sanitizer, and for Rust tests, the standard library is
//! instrumented, too: the sanitizer must see what its locks and channels order. What a sanitizer reports goes to a file of
//! each process, so that a report of a child process fails the step, too. What cannot run so is left out by name, with its
//! reason. Programs that are wrong on purpose, built in the same way, prove first that the sanitizer looks, for leaks too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell};

use crate::harness::NAMED;
use crate::report::{Counts, Report, not_run};
use crate::{run, targets};

/// Options of `sanitize`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the programs, or the tests, whose names contain this.
    filter: Option<String>,
    /// Runs the workspace's Rust tests instead of the C programs.
    ///
    /// It takes tens of minutes, so it is no step of `ci`; docs/RELIABILITY.md has the result. What cannot run so
    /// is named with its reason.
    #[arg(long)]
    workspace: bool,
    /// Only this sanitizer.
    #[arg(long, value_parser = ["address", "thread"])]
    only: Option<String>,
}

/// What `ci` runs.
pub(crate) const ALL: Options = Options { filter: None, workspace: false, only: None };

struct Sanitizer {
    name: &'static str,
    /// The runtime's name in the tool chain.
    runtime: &'static str,
    /// What it must find in what is wrong on purpose, in its words.
    c_faults: &'static [(&'static str, &'static str)],
    rust_faults: &'static [(&'static str, &'static str)],
}

static SANITIZERS: [Sanitizer; 2] = [
    Sanitizer {
        name: "address",
        runtime: "librustc-nightly_rt.asan.a",
        c_faults: &[("faulty", "heap-use-after-free"), ("leaky", "detected memory leaks")],
        rust_faults: &[("freed", "heap-use-after-free"), ("leak", "detected memory leaks")],
    },
    Sanitizer {
        name: "thread",
        runtime: "librustc-nightly_rt.tsan.a",
        c_faults: &[("faulty", "data race")],
        rust_faults: &[("race", "data race")],
    },
];

/// What is run under the sanitizers.
struct Suite {
    name: &'static str,
    /// The beginning of the name of the folder where it is built.
    folder: &'static str,
    /// Arguments of each `cargo test`: packages and their test programs.
    runs: &'static [&'static str],
    /// Arguments of the `cargo test` of what is wrong on purpose; the name of a fault follows.
    wrong: &'static str,
    /// Further options of the address sanitizer, each behind a colon.
    address_options: &'static str,
    /// More than all tests of one line take.
    limit: Duration,
    /// Tests that cannot run, each with the sanitizers under which it cannot, and why.
    left_out: &'static [(&'static str, &'static [&'static str], &'static str)],
    /// What no line of `runs` has, and why.
    others: &'static [(&'static str, &'static str)],
}

static C_PROGRAMS: Suite = Suite {
    name: "C programs",
    folder: "sanitize",
    runs: &["-p zeroxide-capi --test c_programs"],
    wrong: "-p zeroxide-capi --test c_programs -- --ignored --exact",
    // Threads share a quarantine of freed memory, whose lock the runtime does not take over a fork: a child made while a
    // thread had it hung (fork_child, 3 of 343). What a program frees stays in its threads' own.
    address_options: ":thread_local_quarantine_size_kb=4194304:quarantine_size_mb=8192",
    limit: Duration::from_secs(60 * 60),
    left_out: &[],
    others: &[],
};

static RUST_TESTS: Suite = Suite {
    name: "Rust tests",
    folder: "sanitize-tests",
    runs: &[
        "-p zeroxide-zmtp -p zeroxide-patterns -p zeroxide-transports -p zeroxide --tests \
         --features zeroxide/plain,zeroxide/curve,zeroxide/face",
        "-p zeroxide-capi -p fuzz --lib --test messages",
    ],
    wrong: "-p zeroxide-capi --test faulty --",
    address_options: "",
    limit: Duration::from_secs(3 * 60 * 60),
    left_out: &[
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
    ],
    others: &[
        ("zeroxide-capi: c_programs", "`cargo xtask sanitize` runs them"),
        ("zeroxide-capi: exports", "needs a library that exports nothing of the sanitizer's"),
        ("loom_pipe and models of loom", "loom has one thread at a time"),
        ("zeroxide-simulator", "has one thread, and a `cfg` of its own; `cargo xtask simulate` runs it"),
        (
            "benches",
            "links libzmq, which is not instrumented, and counts allocations, which a sanitizer adds to",
        ),
        (
            "interop, zeroxide-cli, zeroxide-hostile, xtask",
            "are tools that start programs, and their tests are about the tools",
        ),
    ],
};

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let suite = if options.workspace { &RUST_TESTS } else { &C_PROGRAMS };
    let is_wanted = |sanitizer: &&Sanitizer| options.only.as_ref().is_none_or(|only| only == sanitizer.name);
    for sanitizer in SANITIZERS.iter().filter(is_wanted) {
        report.step(&format!("{}, {} sanitizer", suite.name, sanitizer.name), |counts| {
            Bench::make(sh, suite, sanitizer)?.run_all(options.filter.as_deref(), counts)
        });
    }
}

/// Where instrumented tests are built and run.
struct Bench<'a> {
    sh: &'a Shell,
    suite: &'static Suite,
    sanitizer: &'static Sanitizer,
    host: String,
    runtime: PathBuf,
    target: PathBuf,
}

impl<'a> Bench<'a> {
    fn make(sh: &'a Shell, suite: &'static Suite, sanitizer: &'static Sanitizer) -> Result<Bench<'a>> {
        ensure!(cfg!(target_os = "linux"), not_run("knows the sanitizers of Linux only"));
        let rustlib = PathBuf::from(targets::ask_nightly(sh, "sysroot")?).join("lib/rustlib");
        let host = targets::ask_nightly(sh, "host-tuple")?;
        let runtime = rustlib.join(&host).join("lib").join(sanitizer.runtime);
        ensure!(runtime.exists(), not_run("the nightly tool chain has no such sanitizer for this platform"));
        ensure!(run::has(sh, "cc"), not_run("there is no C compiler (cc)"));
        let target = run::target(sh).join(format!("{}-{}", suite.folder, sanitizer.name));
        let bench = Bench { sh, suite, sanitizer, host, runtime, target };
        ensure!(
            !bench.builds_std() || rustlib.join("src/rust/library").exists(),
            not_run("no source of the standard library (rustup component add --toolchain nightly rust-src)")
        );
        Ok(bench)
    }

    fn builds_std(&self) -> bool {
        self.suite.name == RUST_TESTS.name || self.sanitizer.name == "thread"
    }

    /// Runs the tests whose names contain `filter`.
    fn run_all(&self, filter: Option<&str>, counts: &mut Counts) -> Result<()> {
        self.finds_what_is_wrong()?;
        let name = self.sanitizer.name;
        let left = || self.suite.left_out.iter().filter(|(_, under, _)| under.contains(&name));
        let others = self.suite.others.iter().map(|(what, why)| (what, why));
        let told = left().map(|(test, _, why)| (test, why)).chain(others);
        told.for_each(|(what, why)| println!("left out: {what}: {why}"));
        let reports = self.folder("reports")?;
        let (mut faults, before) = (Vec::new(), *counts);
        for arguments in self.suite.runs {
            let test = self.cargo_test(arguments, &reports).args(["--no-fail-fast", "--"]);
            let test = test.args(filter).args(left().flat_map(|(test, ..)| ["--skip", test]));
            let ran = run::count_within(test, self.suite.limit, counts);
            faults.extend(ran.err().map(|fault| format!("{fault:#}")));
        }
        let reports = read(&reports)?;
        ensure!(reports.is_empty(), "the {name} sanitizer reports:\n{reports}");
        ensure!(faults.is_empty(), faults.join("; "));
        ensure!(*counts != before, "there is no such test");
        Ok(())
    }

    /// Proves that the sanitizer looks.
    fn finds_what_is_wrong(&self) -> Result<()> {
        let Sanitizer { c_faults, rust_faults, .. } = self.sanitizer;
        let faults = if self.suite.name == RUST_TESTS.name { rust_faults } else { c_faults };
        for (fault, finding) in *faults {
            let reports = self.folder("reports-wrong")?;
            let wrong = self.cargo_test(self.suite.wrong, &reports).arg(fault).quiet().ignore_status();
            wrong.ignore_stdout().run()?;
            let reports = read(&reports)?;
            ensure!(reports.contains(finding), "the sanitizer sees no {finding} where one is:\n{reports}");
        }
        Ok(())
    }

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
        let options = format!("log_path={}:exitcode=66", reports.join("report").display());
        run::cargo_of(self.sh, "nightly")
            .args(["test", "--config", NAMED, "--target", &self.host])
            .args(self.builds_std().then_some("-Zbuild-std"))
            .args(arguments.split_whitespace())
            .env("RUSTFLAGS", format!("-Zsanitizer={} --cfg sanitized", self.sanitizer.name))
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            // Panics are expected in many tests; to find the names of their stacks takes a minute each.
            .env("RUST_BACKTRACE", "0")
            .env("ZEROXIDE_SANITIZER", self.sanitizer.name)
            .env("ZEROXIDE_SANITIZER_RUNTIME", &self.runtime)
            .env("ASAN_OPTIONS", format!("{options}:detect_leaks=1{}", self.suite.address_options))
            // A fork child makes threads of its own, which the sanitizer allows when told to.
            .env("TSAN_OPTIONS", format!("{options}:die_after_fork=0"))
    }
}

/// What the sanitizer has written about the processes of one run.
fn read(folder: &Path) -> Result<String> {
    let mut reports = String::new();
    for entry in fs::read_dir(folder)? {
        reports += &String::from_utf8_lossy(&fs::read(entry?.path())?);
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_on_purpose_is_there_for_each_sanitizer() {
        let tests = crate::workspace_root().join("capi/tests");
        let has = |file: &str, text: String| fs::read_to_string(tests.join(file)).unwrap().contains(&text);
        for Sanitizer { name, c_faults, rust_faults, .. } in &SANITIZERS {
            assert!(!c_faults.is_empty() && !rust_faults.is_empty(), "{name}");
            assert!(
                c_faults.iter().all(|(fault, _)| has("c_programs.rs", format!("fn {fault}()"))),
                "{name}"
            );
            assert!(
                rust_faults.iter().all(|(fault, _)| has("faulty.rs", format!("Some({fault:?})"))),
                "{name}"
            );
        }
    }
}
