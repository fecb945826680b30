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

use super::Sanitizer;
use crate::harness::NAMED;
use crate::report::{Counts, not_run};
use crate::{run, targets};

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

/// What is left out, and why. What is no test's name is a package or a test program that no line of [`RUNS`] has.
struct LeftOut {
    /// The sanitizer under which it cannot run; `None` means both.
    sanitizer: Option<&'static str>,
    what: What,
    why: &'static str,
}

enum What {
    Test(&'static str),
    Others(&'static str),
}

const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        sanitizer: None,
        what: What::Test("one_connection_and_its_neighbour_is_served"),
        why: "limits its address space (ulimit -v), of which a sanitizer's shadow takes terabytes",
    },
    LeftOut {
        sanitizer: Some("address"),
        what: What::Test("a_panic_of_user_code_ends_here_and_everything_else_is_run"),
        why: "what the drop of a panic's payload panics with is forgotten on purpose (src/user_code), which is a leak",
    },
    LeftOut {
        sanitizer: Some("address"),
        what: What::Test("whatever_of_an_authenticator_panics_fails_closed"),
        why: "drops that panic while what they belong to is dropped leak the rest of it, as anywhere in Rust",
    },
    LeftOut {
        sanitizer: None,
        what: What::Others("zeroxide-capi: c_programs, exports"),
        why: "need C programs with the sanitizer's runtime, which `cargo xtask sanitize` builds, and a library that exports \
              nothing of the sanitizer's",
    },
    LeftOut {
        sanitizer: None,
        what: What::Others("loom_pipe and models of loom"),
        why: "loom has one thread at a time",
    },
    LeftOut {
        sanitizer: None,
        what: What::Others("zeroxide-simulator"),
        why: "has one thread, and a `cfg` of its own; `cargo xtask simulate` runs it",
    },
    LeftOut {
        sanitizer: None,
        what: What::Others("benches"),
        why: "links libzmq, which is not instrumented, and counts allocations, which a sanitizer adds to",
    },
    LeftOut {
        sanitizer: None,
        what: What::Others("interop, zeroxide-cli, zeroxide-hostile, xtask"),
        why: "are tools that start programs, and their tests are about the tools",
    },
];

impl LeftOut {
    fn name(&self) -> &'static str {
        match self.what {
            What::Test(name) | What::Others(name) => name,
        }
    }
}

/// Runs the tests whose names contain `filter`.
pub(super) fn run_all(
    sh: &Shell,
    sanitizer: &Sanitizer,
    filter: Option<&str>,
    counts: &mut Counts,
) -> Result<()> {
    let bench = Bench::make(sh, sanitizer)?;
    bench.finds_what_is_wrong()?;
    let left: Vec<&LeftOut> = left_out(sanitizer).collect();
    left.iter().for_each(|left| println!("left out: {}: {}", left.name(), left.why));
    let reports = bench.folder("reports")?;
    let (mut faults, before) = (Vec::new(), *counts);
    for arguments in RUNS {
        let skipped = left.iter().filter_map(|left| match left.what {
            What::Test(name) => Some(["--skip", name]),
            What::Others(_) => None,
        });
        let test = bench.cargo_test(arguments, &reports).arg("--no-fail-fast");
        let test = test.arg("--").args(filter).args(skipped.flatten());
        faults.extend(run::count_within(test, LIMIT, counts).err().map(|fault| format!("{fault:#}")));
    }
    let reports = super::reports(&reports)?;
    ensure!(reports.is_empty(), "the {} sanitizer reports:\n{reports}", sanitizer.name);
    ensure!(faults.is_empty(), faults.join("; "));
    ensure!(*counts != before, "there is no such test");
    Ok(())
}

/// The reasons that hold for `sanitizer`.
fn left_out(sanitizer: &Sanitizer) -> impl Iterator<Item = &'static LeftOut> {
    let name = sanitizer.name;
    LEFT_OUT.iter().filter(move |left| left.sanitizer.is_none_or(|only| only == name))
}

/// Where instrumented tests are built and run.
struct Bench<'a> {
    sh: &'a Shell,
    sanitizer: &'a Sanitizer,
    host: String,
    target: PathBuf,
}

impl<'a> Bench<'a> {
    fn make(sh: &'a Shell, sanitizer: &'a Sanitizer) -> Result<Bench<'a>> {
        ensure!(cfg!(target_os = "linux"), not_run("knows the sanitizers of Linux only"));
        let sysroot = PathBuf::from(targets::ask_nightly(sh, "sysroot")?);
        ensure!(
            sysroot.join("lib/rustlib/src/rust/library").exists(),
            not_run("no source of the standard library (rustup component add --toolchain nightly rust-src)")
        );
        let host = targets::ask_nightly(sh, "host-tuple")?;
        let target = run::target(sh).join(format!("sanitize-tests-{}", sanitizer.name));
        Ok(Bench { sh, sanitizer, host, target })
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
        let (variable, more) = match self.sanitizer.name {
            // A fork child makes threads of its own, which the sanitizer allows when told to.
            "thread" => ("TSAN_OPTIONS", "die_after_fork=0"),
            _ => ("ASAN_OPTIONS", "detect_leaks=1"),
        };
        let told = format!("log_path={}:exitcode=66:{more}", reports.join("report").display());
        let flags = format!("-Zsanitizer={} --cfg sanitized", self.sanitizer.name);
        run::cargo_of(self.sh, "nightly")
            .args(["test", "--config", NAMED, "-Zbuild-std", "--target", &self.host])
            .args(arguments.split_whitespace())
            .env("RUSTFLAGS", flags)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            // Panics are expected in many tests; to find the names of their stacks takes a minute each.
            .env("RUST_BACKTRACE", "0")
            .env(variable, told)
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
