//! `fuzz`: the fuzz targets, each from its committed corpus.
//!
//! A target first runs its corpus (`fuzz/corpus/TARGET`), then looks for more. What it finds goes to target/fuzz/found; an
//! input that breaks a rule is kept beside it, and is a failure.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell, cmd};

use crate::report::{Counts, Report};
use crate::{run, targets};

/// What cargo-fuzz passes to the compiler, for machines with a nightly compiler but without cargo-fuzz.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions \
     -Ccodegen-units=1 -Coverflow-checks";
/// How long each target looks in CI, in seconds.
const SECONDS: u64 = 6;
/// More than the corpus of a target takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Options of `fuzz`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long each target looks for more, in seconds. 3600 makes a campaign of it.
    #[arg(long, default_value_t = SECONDS)]
    seconds: u64,
    /// Adds what was found to the corpora in fuzz/corpus, and leaves the fewest inputs there that cover the same.
    #[arg(long)]
    minimise: bool,
    /// Runs these targets only.
    targets: Vec<String>,
}

/// What CI does.
pub(crate) const SHORT: Options = Options { seconds: SECONDS, minimise: false, targets: Vec::new() };

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let mut built = None;
    report.step("fuzz targets, build", |_| {
        built = Some(Built::make(sh)?);
        Ok(())
    });
    if let Some(built) = built {
        report.step("fuzz targets", |counts| built.look_all(options, counts));
    }
}

/// The built targets.
struct Built<'a> {
    sh: &'a Shell,
    /// Where the programs are.
    programs: PathBuf,
    /// Where inputs go that are found.
    found: PathBuf,
    /// The program that runs scripts of C calls on libzmq; `None` where it cannot be built.
    libzmq: Option<PathBuf>,
}

impl<'a> Built<'a> {
    /// Builds the targets with a nightly compiler, and libzmq's side of the target `calls`.
    fn make(sh: &'a Shell) -> Result<Built<'a>> {
        let host = targets::ask_nightly(sh, "host-tuple")?;
        let target = run::target(sh).join("fuzz");
        // With the sanitizer's flags and `--target`, this is what `cargo fuzz build` does, and needs no cargo-fuzz.
        let build =
            ["build", "--release", "-p", "fuzz", "--features", "libfuzzer", "--bins", "--target", &host];
        let build = run::cargo_of(sh, "nightly").args(build);
        run::pass(build.env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", FLAGS))?;
        let folder = target.join("libzmq");
        let libzmq = cmd!(sh, "cargo build --release --locked --manifest-path fuzz/libzmq/Cargo.toml");
        let libzmq = run::pass(libzmq.env("CARGO_TARGET_DIR", &folder));
        if let Err(why) = &libzmq {
            println!("NOT COMPARED with libzmq, which cannot be built here: {why}");
        }
        let libzmq = libzmq.is_ok().then(|| folder.join("release/fuzz-libzmq"));
        Ok(Built { sh, programs: target.join(host).join("release"), found: target.join("found"), libzmq })
    }

    fn look_all(&self, options: &Options, counts: &mut Counts) -> Result<()> {
        let known = names(&self.sh.current_dir().join("fuzz"))?;
        if let Some(unknown) = options.targets.iter().find(|name| !known.contains(name)) {
            bail!("no target {unknown}; there are: {}", known.join(" "));
        }
        let mut faults = Vec::new();
        for name in known.iter().filter(|name| options.targets.is_empty() || options.targets.contains(name)) {
            match self.look(name, options) {
                Ok(()) => counts.passed += 1,
                Err(why) => {
                    counts.failed += 1;
                    faults.push(format!("{name}: {why:#}"));
                }
            }
        }
        ensure!(faults.is_empty(), faults.join("; "));
        Ok(())
    }

    /// Runs one target for its time, and minimises what it found if that is asked for.
    fn look(&self, name: &str, options: &Options) -> Result<()> {
        let (corpus, found) = (self.sh.current_dir().join("fuzz/corpus").join(name), self.found.join(name));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&found)?;
        let limits = ["-seed=1", "-print_final_stats=1", "-timeout=60", "-reload=0"];
        let (seconds, broken) = (options.seconds, self.found.join(format!("{name}-breaks-")));
        let paths = [format!("-artifact_prefix={}", broken.display()), format!("-max_total_time={seconds}")];
        let start = Instant::now();
        let limit = PATIENCE + Duration::from_secs(options.seconds);
        let (text, status) =
            self.heard(name, |command| command.args(limits).args(paths).arg(&found).arg(&corpus), limit)?;
        let Summary { executions, edges, inputs } = Summary::of(&text);
        let rate = executions / start.elapsed().as_secs().max(1);
        println!(
            "{name:<14} {executions:>9} executions {rate:>7} a second {edges:>6} edges {inputs:>5} inputs"
        );
        let status = status.with_context(|| run::still_running(limit))?;
        if !status.success() {
            println!("{text}");
            bail!("{status}");
        }
        if options.minimise { self.minimise(name, &corpus, &found) } else { Ok(()) }
    }

    /// Writes the fewest inputs that cover what the corpus and the found inputs cover.
    fn minimise(&self, name: &str, corpus: &Path, found: &Path) -> Result<()> {
        let fewest = self.found.join(format!("{name}-fewest"));
        // Of an earlier run.
        let _ = fs::remove_dir_all(&fewest);
        fs::create_dir_all(&fewest)?;
        let merge = ["-set_cover_merge=1", "-max_len=400"];
        let folders = [&fewest, corpus, found];
        let (text, status) = self.heard(name, |command| command.args(merge).args(folders), PATIENCE * 10)?;
        ensure!(status.is_some_and(|status| status.success()), "not minimised: {text}");
        fs::remove_dir_all(corpus)?;
        fs::create_dir_all(corpus)?;
        for entry in fs::read_dir(&fewest)? {
            let entry = entry?;
            fs::copy(entry.path(), corpus.join(entry.file_name()))?;
        }
        Ok(())
    }

    /// Runs a target. Returns what it wrote: libFuzzer writes to standard error.
    fn heard(
        &self,
        name: &str,
        arguments: impl FnOnce(Cmd<'a>) -> Cmd<'a>,
        limit: Duration,
    ) -> Result<(String, Option<ExitStatus>)> {
        let (sh, program, both) = (self.sh, self.programs.join(name), "exec \"$0\" \"$@\" 2>&1");
        let mut command = arguments(cmd!(sh, "sh -c {both} {program}"));
        if let Some(libzmq) = &self.libzmq {
            command = command.env("ZEROXIDE_FUZZ_LIBZMQ", libzmq);
        }
        run::gathered(command, limit)
    }
}

/// What libFuzzer says at its end.
#[derive(Debug, Default, PartialEq, Eq)]
struct Summary {
    executions: u64,
    /// Edges of the control flow that were taken.
    edges: u64,
    inputs: u64,
}

impl Summary {
    fn of(text: &str) -> Summary {
        let last = text.lines().rev().find(|line| line.contains(" cov: ")).unwrap_or_default();
        let words: Vec<&str> = last.split_whitespace().collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1)?.split('/').next()?.parse().ok()
        };
        let executions = text.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        Summary {
            executions: executions.and_then(|n| n.trim().parse().ok()).unwrap_or(0),
            edges: after("cov:").unwrap_or(0),
            inputs: after("corp:").unwrap_or(0),
        }
    }
}

/// The names of the targets of the crate in `folder`.
fn names(folder: &Path) -> Result<Vec<String>> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml"))?.parse()?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).context("no [[bin]]")?;
    let names = bins.iter().filter_map(|bin| bin.get("name")?.as_str());
    Ok(names.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_what_libfuzzer_says_last() {
        let text = "#2\tINITED cov: 5 ft: 5 corp: 1/1b exec/s: 0 rss: 40Mb\n\
                    #900\tDONE   cov: 905 ft: 1915 corp: 184/2952b lim: 58 exec/s: 4524 rss: 154Mb\n\
                    stat::number_of_executed_units: 901\n";
        assert_eq!(Summary::of(text), Summary { executions: 901, edges: 905, inputs: 184 });
        assert_eq!(Summary::of(""), Summary::default());
    }

    #[test]
    fn every_target_has_a_program_and_a_corpus() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fuzz");
        let names = names(&folder).unwrap();
        assert!(names.len() >= 18, "{names:?}");
        for name in names {
            assert!(folder.join(format!("fuzz_targets/{name}.rs")).exists(), "{name}");
            let mut corpus = fs::read_dir(folder.join("corpus").join(&name)).unwrap();
            assert!(corpus.next().is_some(), "no corpus of {name}");
        }
    }
}
