//! `sanitize`: the programs of capi/tests/programs with the C library, under the address and the thread sanitizer.
//!
//! Library and programs are instrumented; the programs are linked with the sanitizer's runtime of the nightly tool chain,
//! as that of the C compiler may be another version. The thread sanitizer needs an instrumented standard library, too.
//! Programs that are wrong on purpose prove that the sanitizer looks, for leaks too. Everything is below
//! target/sanitize-*.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::report::{Counts, Outcome, Report};
use crate::{run, targets};

/// The programs that must be found fault with; only the address sanitizer looks for leaks.
const FAULTY: &str = "faulty";
const LEAKY: &str = "leaky";
/// Sanitized programs are slow, but not so slow.
const LIMIT: Duration = Duration::from_secs(300);

/// Options of `sanitize`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the programs whose names contain this.
    filter: Option<String>,
}

struct Sanitizer {
    name: &'static str,
    /// The runtime's name in the tool chain.
    runtime: &'static str,
    /// What it must find in the programs that are wrong on purpose, in its words.
    findings: &'static [(&'static str, &'static str)],
    /// Arguments beside those of any build.
    build_arguments: &'static [&'static str],
}

static ADDRESS: Sanitizer = Sanitizer {
    name: "address",
    runtime: "librustc-nightly_rt.asan.a",
    findings: &[(FAULTY, "heap-use-after-free"), (LEAKY, "detected memory leaks")],
    build_arguments: &[],
};
static THREAD: Sanitizer = Sanitizer {
    name: "thread",
    runtime: "librustc-nightly_rt.tsan.a",
    findings: &[(FAULTY, "data race")],
    build_arguments: &["-Zbuild-std"],
};

impl Sanitizer {
    /// How it calls what it must find in `program`.
    fn finding(&self, program: &str) -> Option<&'static str> {
        self.findings.iter().find(|(name, _)| *name == program).map(|(_, finding)| *finding)
    }
}

pub(crate) fn run(root: &Path, options: &Options) -> ExitCode {
    let mut report = Report::default();
    steps(root, &mut report, options.filter.as_deref());
    report.close()
}

/// Runs the steps of `sanitize` into `report`.
pub(crate) fn steps(root: &Path, report: &mut Report, filter: Option<&str>) {
    for sanitizer in [&ADDRESS, &THREAD] {
        report.step(&format!("C programs, {} sanitizer", sanitizer.name), |counts| {
            match Bench::make(root, sanitizer) {
                Ok(bench) => bench.run_all(filter, counts),
                Err(why) => why,
            }
        });
    }
}

/// An instrumented library and the runtime that belongs to it.
struct Bench {
    sanitizer: &'static Sanitizer,
    programs: PathBuf,
    include: PathBuf,
    folder: PathBuf,
    runtime: PathBuf,
}

impl Bench {
    fn make(root: &Path, sanitizer: &'static Sanitizer) -> Result<Bench, Outcome> {
        let missing = |what: &str| Outcome::NotRun(what.to_owned());
        if !cfg!(target_os = "linux") {
            return Err(missing("knows the names of Linux's libraries only"));
        }
        let mut ask = run::command("rustup", root, &["run", "nightly", "rustc", "--print", "sysroot"]);
        let sysroot = run::output(&mut ask).ok_or_else(|| missing("no nightly tool chain"))?;
        let host = targets::host(root).ok_or_else(|| missing("rustc does not tell its host"))?;
        let sysroot = Path::new(&sysroot);
        let runtime = sysroot.join("lib/rustlib").join(&host).join("lib").join(sanitizer.runtime);
        if !runtime.exists() {
            return Err(missing("the nightly tool chain has no such sanitizer for this platform"));
        }
        if run::output(&mut run::command("cc", root, &["--version"])).is_none() {
            return Err(missing("there is no C compiler (cc)"));
        }
        let std_source = sysroot.join("lib/rustlib/src/rust/library");
        if !sanitizer.build_arguments.is_empty() && !std_source.exists() {
            return Err(missing("no source of the standard library (rustup component add rust-src)"));
        }
        let folder = run::target(root).join(format!("sanitize-{}", sanitizer.name));
        let library = build(root, sanitizer, &host, &folder)?;
        let capi = root.join("capi");
        let (programs, include) = (capi.join("tests/programs"), capi.join("include"));
        let bench = Bench { sanitizer, programs, include, folder: folder.join("programs"), runtime };
        let put = fs::create_dir_all(&bench.folder)
            .and_then(|()| fs::copy(&library, bench.folder.join("libzmq.so.5")));
        put.map_err(|error| Outcome::Failed(format!("{}: {error}", library.display())))?;
        Ok(bench)
    }

    fn run_all(&self, filter: Option<&str>, counts: &mut Counts) -> Outcome {
        let entries = fs::read_dir(&self.programs).into_iter().flatten().flatten().map(|entry| entry.path());
        let sources = entries.filter(|path| path.extension().is_some_and(|extension| extension == "c"));
        let names = sources.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        let names = match chosen(names.collect(), filter, self.sanitizer) {
            Ok(names) => names,
            Err(why) => return Outcome::Failed(why),
        };
        let mut faults = Vec::new();
        for name in names {
            match self.run_one(&name) {
                Ok(()) => {
                    println!("{name}: as it should");
                    counts.passed += 1;
                }
                Err(why) => {
                    println!("{name}: {why}");
                    counts.failed += 1;
                    faults.push(name);
                }
            }
        }
        if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join(", ")) }
    }

    fn run_one(&self, name: &str) -> Result<(), String> {
        let program = self.compile(name)?;
        let folder = self.folder.join(format!("{name}-run"));
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let report = folder.join("report");
        // What the sanitizer finds goes to a file of each process, so that none is overlooked.
        let options = format!("log_path={}:exitcode=66:detect_leaks=1", report.display());
        let mut command = Command::new(&program);
        command.current_dir(&folder).env("LD_LIBRARY_PATH", &self.folder);
        // A fork child makes threads of its own, which the thread sanitizer allows when told to.
        command.env("ASAN_OPTIONS", &options).env("TSAN_OPTIONS", format!("{options}:die_after_fork=0"));
        let ran = run::gathered(&mut command, LIMIT);
        let reports = reports(&folder);
        let _ = fs::remove_dir_all(&folder);
        let (text, status) = ran.map_err(|error| error.to_string())?;
        if let Some(finding) = self.sanitizer.finding(name) {
            let found = reports.contains(finding);
            return if found { Ok(()) } else { Err("the sanitizer sees no fault where one is".to_owned()) };
        }
        match status {
            _ if !reports.is_empty() => Err(reports),
            None => Err(run::still_running(LIMIT)),
            Some(status) if !status.success() => Err(status.to_string()),
            Some(_) if text != "well\n" => Err(format!("says {text:?}")),
            Some(_) => Ok(()),
        }
    }

    fn compile(&self, name: &str) -> Result<PathBuf, String> {
        let (object, program) = (self.folder.join(format!("{name}.o")), self.folder.join(name));
        let mut compile = run::command("cc", &self.folder, &["-std=c11", "-g", "-pthread", "-c"]);
        compile.arg(format!("-fsanitize={}", self.sanitizer.name)).arg("-I").arg(&self.include);
        compile.arg(self.programs.join(format!("{name}.c"))).arg("-o").arg(&object);
        let mut link = run::command("cc", &self.folder, &["-rdynamic", "-pthread"]);
        link.arg(&object).arg("-o").arg(&program).arg("-Wl,--whole-archive").arg(&self.runtime);
        link.args(["-Wl,--no-whole-archive", "libzmq.so.5", "-ldl", "-lm", "-lrt", "-lresolv"]);
        for command in [&mut compile, &mut link] {
            let output = command.output().map_err(|error| format!("no C compiler: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
        }
        Ok(program)
    }
}

/// The programs to run, those that are wrong always among them: without them a sanitizer that does not look would find
/// nothing either.
fn chosen(
    mut all: Vec<String>,
    filter: Option<&str>,
    sanitizer: &'static Sanitizer,
) -> Result<Vec<String>, String> {
    all.sort();
    let wrong = sanitizer.findings;
    if let Some((name, _)) = wrong.iter().find(|(name, _)| all.iter().all(|other| other != name)) {
        return Err(format!("there is no {name}.c, which proves that the sanitizer looks"));
    }
    all.retain(|name| match sanitizer.finding(name) {
        Some(_) => true,
        // Another sanitizer's.
        None if name == LEAKY => false,
        None => filter.is_none_or(|part| name.contains(part)),
    });
    if all.len() > wrong.len() { Ok(all) } else { Err("there is no such program".to_owned()) }
}

/// The C library, instrumented.
fn build(root: &Path, sanitizer: &'static Sanitizer, host: &str, folder: &Path) -> Result<PathBuf, Outcome> {
    let mut build = run::cargo_of("nightly", root, &["build", "-p", "zeroxide-capi", "--target", host]);
    build.args(sanitizer.build_arguments).env("CARGO_TARGET_DIR", folder);
    build.env("RUSTFLAGS", format!("-Zsanitizer={} -Cdebuginfo=1", sanitizer.name));
    match run::pass(&mut build) {
        Outcome::Passed => Ok(folder.join(host).join("debug/libzmq.so")),
        _ => Err(Outcome::Failed("the library does not build".to_owned())),
    }
}

/// What the sanitizer has written about the processes of one program.
fn reports(folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("report.")));
    files
        .filter_map(|path| fs::read(path).ok())
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_proved_without_the_programs_that_are_wrong() {
        let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (address, thread) = (&ADDRESS, &THREAD);
        let here = || all(&["two", LEAKY, FAULTY, "one"]);
        assert_eq!(chosen(here(), Some("one"), address), Ok(all(&[FAULTY, LEAKY, "one"])));
        assert_eq!(chosen(here(), Some("one"), thread), Ok(all(&[FAULTY, "one"])));
        assert!(chosen(all(&["one", LEAKY]), None, address).is_err());
        assert!(chosen(all(&["one", FAULTY]), None, address).is_err());
        assert!(chosen(all(&["one"]), None, thread).is_err());
        for sanitizer in [address, thread] {
            assert!(chosen(here(), Some("three"), sanitizer).is_err());
        }
    }
}
