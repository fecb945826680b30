//! `sanitize`: the programs of capi/tests/programs with the C library, under the address and the thread sanitizer.
//!
//! Library and programs are instrumented; the programs are linked with the sanitizer's runtime of the nightly tool chain,
//! as that of the C compiler may be another version. The thread sanitizer needs an instrumented standard library, too.
//! Programs that are wrong on purpose prove that the sanitizer looks, for leaks too. Everything is below
//! target/sanitize-*. With `--workspace` the Rust tests run so instead ([`rust_tests`]).

mod rust_tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell, cmd};

use crate::report::{Counts, Report, not_run};
use crate::{run, targets};

/// The programs that must be found fault with; only the address sanitizer looks for leaks.
const FAULTY: &str = "faulty";
const LEAKY: &str = "leaky";
/// Sanitized programs are slow, but not so slow.
const LIMIT: Duration = Duration::from_secs(300);

/// Options of `sanitize`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the programs whose names contain this; with `--workspace`, only the tests.
    filter: Option<String>,
    /// Runs the workspace's Rust tests instead of the C programs, with an instrumented standard library.
    ///
    /// It takes tens of minutes, so it is no step of `ci`; docs/RELIABILITY.md has the result. What cannot run so
    /// is named with its reason.
    #[arg(long)]
    workspace: bool,
    /// Only this sanitizer.
    #[arg(long, value_parser = ["address", "thread"])]
    only: Option<String>,
}

struct Sanitizer {
    name: &'static str,
    /// The runtime's name in the tool chain.
    runtime: &'static str,
    /// What it must find in the programs that are wrong on purpose, in its words.
    findings: &'static [(&'static str, &'static str)],
    /// The same of `capi/tests/faulty.rs`, by the fault's name.
    faults_in_rust: &'static [(&'static str, &'static str)],
    /// Arguments beside those of any build.
    build_arguments: &'static [&'static str],
}

static ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    runtime: "librustc-nightly_rt.asan.a",
    findings: &[(FAULTY, "heap-use-after-free"), (LEAKY, "detected memory leaks")],
    faults_in_rust: &[("freed", "heap-use-after-free"), ("leak", "detected memory leaks")],
    build_arguments: &[],
};
static THREAD: Sanitizer = Sanitizer {
    name: "thread",
    runtime: "librustc-nightly_rt.tsan.a",
    findings: &[(FAULTY, "data race")],
    faults_in_rust: &[("race", "data race")],
    build_arguments: &["-Zbuild-std"],
};

impl Sanitizer {
    /// How it calls what it must find in `program`.
    fn finding(&self, program: &str) -> Option<&'static str> {
        self.findings.iter().find(|(name, _)| *name == program).map(|(_, finding)| *finding)
    }
}

/// What `ci` runs.
pub(crate) const ALL: Options = Options { filter: None, workspace: false, only: None };

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let filter = options.filter.as_deref();
    for sanitizer in [&ADDRESS, &THREAD] {
        if options.only.as_ref().is_some_and(|only| only != sanitizer.name) {
            continue;
        }
        if options.workspace {
            report.step(&format!("Rust tests, {} sanitizer", sanitizer.name), |counts| {
                rust_tests::run_all(sh, sanitizer, filter, counts)
            });
        } else {
            report.step(&format!("C programs, {} sanitizer", sanitizer.name), |counts| {
                Bench::make(sh, sanitizer)?.run_all(filter, counts)
            });
        }
    }
}

/// An instrumented library and the runtime that belongs to it.
struct Bench {
    sanitizer: &'static Sanitizer,
    programs: PathBuf,
    include: PathBuf,
    runtime: PathBuf,
    /// In the folder of the library and of what is compiled.
    sh: Shell,
}

impl Bench {
    fn make(sh: &Shell, sanitizer: &'static Sanitizer) -> Result<Bench> {
        let toolchain = Toolchain::find(sh)?;
        let runtime = toolchain.rustlib.join(&toolchain.host).join("lib").join(sanitizer.runtime);
        ensure!(runtime.exists(), not_run("the nightly tool chain has no such sanitizer for this platform"));
        ensure!(run::has(sh, "cc"), not_run("there is no C compiler (cc)"));
        if !sanitizer.build_arguments.is_empty() {
            toolchain.need_std_source()?;
        }
        let folder = run::target(sh).join(format!("sanitize-{}", sanitizer.name));
        let library = build(sh, sanitizer, &toolchain.host, &folder)?;
        let (capi, sh) = (sh.current_dir().join("capi"), sh.clone());
        sh.change_dir(folder.join("programs"));
        fs::create_dir_all(sh.current_dir())?;
        fs::copy(&library, sh.current_dir().join("libzmq.so.5"))?;
        let (programs, include) = (capi.join("tests/programs"), capi.join("include"));
        Ok(Bench { sanitizer, programs, include, runtime, sh })
    }

    fn run_all(&self, filter: Option<&str>, counts: &mut Counts) -> Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.programs)? {
            let file = entry?.file_name().to_string_lossy().into_owned();
            names.extend(file.strip_suffix(".c").map(str::to_owned));
        }
        let mut faults = Vec::new();
        for name in chosen(names, filter, self.sanitizer)? {
            match self.run_one(&name) {
                Ok(()) => {
                    println!("{name}: as it should");
                    counts.passed += 1;
                }
                Err(why) => {
                    println!("{name}: {why:#}");
                    counts.failed += 1;
                    faults.push(name);
                }
            }
        }
        ensure!(faults.is_empty(), faults.join(", "));
        Ok(())
    }

    fn run_one(&self, name: &str) -> Result<()> {
        let program = self.compile(name)?;
        let sh = self.sh.clone();
        let folder = self.sh.current_dir().join(format!("{name}-run"));
        fs::create_dir_all(&folder)?;
        sh.change_dir(&folder);
        let command = cmd!(sh, "{program}").env("LD_LIBRARY_PATH", self.sh.current_dir());
        let command = reporting_to(command, &folder);
        let ran = run::gathered(command, LIMIT);
        let reports = reports(&folder);
        let _ = fs::remove_dir_all(&folder);
        let ((text, status), reports) = (ran?, reports?);
        if let Some(finding) = self.sanitizer.finding(name) {
            ensure!(reports.contains(finding), "the sanitizer sees no fault where one is");
            return Ok(());
        }
        ensure!(reports.is_empty(), reports);
        let status = status.with_context(|| run::still_running(LIMIT))?;
        ensure!(status.success(), "{status}");
        ensure!(text == "well\n", "says {text:?}");
        Ok(())
    }

    fn compile(&self, name: &str) -> Result<PathBuf> {
        let Bench { sanitizer, programs, include, runtime, sh } = self;
        let (flag, source) = (format!("-fsanitize={}", sanitizer.name), programs.join(format!("{name}.c")));
        cmd!(sh, "cc -std=c11 -g -pthread -c {flag} -I {include} {source} -o {name}.o").quiet().run()?;
        let whole = ["-Wl,--whole-archive", &runtime.to_string_lossy(), "-Wl,--no-whole-archive"];
        let system = ["-ldl", "-lm", "-lrt", "-lresolv"];
        cmd!(sh, "cc -rdynamic -pthread {name}.o -o {name} {whole...} libzmq.so.5 {system...}")
            .quiet()
            .run()?;
        Ok(sh.current_dir().join(name))
    }
}

/// The programs to run, those that are wrong always among them: without them a sanitizer that does not look would find
/// nothing either.
fn chosen(mut all: Vec<String>, filter: Option<&str>, sanitizer: &'static Sanitizer) -> Result<Vec<String>> {
    all.sort();
    let wrong = sanitizer.findings;
    if let Some((name, _)) = wrong.iter().find(|(name, _)| all.iter().all(|other| other != name)) {
        bail!("there is no {name}.c, which proves that the sanitizer looks");
    }
    all.retain(|name| match sanitizer.finding(name) {
        Some(_) => true,
        // Another sanitizer's.
        None if name == LEAKY => false,
        None => filter.is_none_or(|part| name.contains(part)),
    });
    ensure!(all.len() > wrong.len(), "there is no such program");
    Ok(all)
}

/// The C library, instrumented.
fn build(sh: &Shell, sanitizer: &Sanitizer, host: &str, folder: &Path) -> Result<PathBuf> {
    let build = run::cargo_of(sh, "nightly").args(["build", "-p", "zeroxide-capi", "--target", host]);
    let build = build.args(sanitizer.build_arguments).env("CARGO_TARGET_DIR", folder);
    run::pass(build.env("RUSTFLAGS", format!("-Zsanitizer={} -Cdebuginfo=1", sanitizer.name)))?;
    Ok(folder.join(host).join("debug/libzmq.so"))
}

/// The nightly tool chain, which has the sanitizers.
struct Toolchain {
    rustlib: PathBuf,
    host: String,
}

impl Toolchain {
    fn find(sh: &Shell) -> Result<Toolchain> {
        ensure!(cfg!(target_os = "linux"), not_run("knows the sanitizers of Linux only"));
        let sysroot = PathBuf::from(targets::ask_nightly(sh, "sysroot")?);
        Ok(Toolchain { rustlib: sysroot.join("lib/rustlib"), host: targets::ask_nightly(sh, "host-tuple")? })
    }

    /// What instruments the standard library builds it anew.
    fn need_std_source(&self) -> Result<()> {
        let why = "no source of the standard library (rustup component add --toolchain nightly rust-src)";
        ensure!(self.rustlib.join("src/rust/library").exists(), not_run(why));
        Ok(())
    }
}

/// Makes the sanitizer write what it finds to a file of each process in `folder`, so that none is overlooked. A fork child
/// makes threads of its own, which the thread sanitizer allows when told to.
fn reporting_to<'a>(command: Cmd<'a>, folder: &Path) -> Cmd<'a> {
    let options = format!("log_path={}:exitcode=66", folder.join("report").display());
    let command = command.env("ASAN_OPTIONS", format!("{options}:detect_leaks=1"));
    command.env("TSAN_OPTIONS", format!("{options}:die_after_fork=0"))
}

/// What the sanitizer has written about the processes of one program.
fn reports(folder: &Path) -> Result<String> {
    let mut reports = String::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("report.") {
            reports += &String::from_utf8_lossy(&fs::read(entry.path())?);
        }
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_proved_without_the_programs_that_are_wrong() {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (address, thread) = (&ADDRESS, &THREAD);
        let here = || all(&["two", LEAKY, FAULTY, "one"]);
        assert_eq!(chosen(here(), Some("one"), address).unwrap(), all(&[FAULTY, LEAKY, "one"]));
        assert_eq!(chosen(here(), Some("one"), thread).unwrap(), all(&[FAULTY, "one"]));
        assert!(chosen(all(&["one", LEAKY]), None, address).is_err());
        assert!(chosen(all(&["one", FAULTY]), None, address).is_err());
        assert!(chosen(all(&["one"]), None, thread).is_err());
        for sanitizer in [address, thread] {
            assert!(chosen(here(), Some("three"), sanitizer).is_err());
        }
    }
}
