//! The interop suite as a tool: `cargo run --release -p interop -- --help`.

mod arguments;
mod progress;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use clap::Parser;
use interop::known::KNOWN;
use interop::report::{Outcome, PeerStatus, Report, Verdict, html, json, terminal};
use interop::select::select;
use interop::{Cell, Peer, Program, Runner, Subject};

use crate::arguments::Arguments;
use crate::progress::Progress;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("interop: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked for; whether all is well.
fn run(arguments: &Arguments) -> Result<bool, String> {
    let folder = own_folder()?;
    if !arguments.no_setup {
        build_own_peers(&folder)?;
    }
    let ours =
        meet(Program::zeroxide(folder.join(format!("zeroxide-peer{}", std::env::consts::EXE_SUFFIX))))?;
    let mut peers = Vec::new();
    let mut subjects = Vec::new();
    for program in programs(arguments) {
        let (name, met) = match program {
            Ok(program) => (program.name.to_owned(), meet(program)),
            Err((name, why)) => (name, Err(why)),
        };
        let status = PeerStatus { name, ..PeerStatus::default() };
        match met {
            Ok(subject) => {
                peers.push(PeerStatus { version: subject.version.clone(), ..status });
                subjects.push(subject);
            }
            Err(why) => peers.push(PeerStatus { missing: Some(why), ..status }),
        }
    }
    if arguments.wants("zeroxide") {
        let (name, version) = (ours.program.name.to_owned(), ours.version.clone());
        peers.push(PeerStatus { name, version, missing: None });
        subjects.push(ours.clone());
    }
    let cells = select(&subjects, &arguments.choice());
    if arguments.list {
        cells.iter().for_each(|cell| println!("{}", cell.id()));
        println!("{} cells", cells.len());
        return Ok(true);
    }
    let report = play(arguments, &ours, &subjects, &cells, peers);
    let shown = target(&folder).join("interop");
    show(&report, &shown).map_err(|error| format!("{}: {error}", shown.display()))?;
    let lacking = report.peers.iter().any(|peer| peer.missing.is_some());
    let good = report.is_good() && !(lacking && arguments.require_peers);
    println!("{}", closing_line(&report, good));
    Ok(good)
}

fn play(
    arguments: &Arguments,
    ours: &Subject,
    subjects: &[Subject],
    cells: &[Cell<'_>],
    peers: Vec<PeerStatus>,
) -> Report {
    let start = Instant::now();
    let libzmq = subjects.iter().find(|subject| subject.is_libzmq()).map(|subject| &subject.program);
    let runner = Runner::new(ours, libzmq, KNOWN, arguments.workers);
    let progress = Progress::new(cells.len());
    let results = runner.run(cells, &|result| progress.seen(result));
    progress.finish();
    Report { ours: ours.version.clone(), peers, results, took: start.elapsed() }
}

/// Prints the report, and writes it for browsers and programs.
fn show(report: &Report, folder: &Path) -> io::Result<()> {
    print!("{}", terminal::write(report, terminal::wants_colour()));
    fs::create_dir_all(folder)?;
    for (name, text) in [("report.html", html::write(report)), ("report.json", json::write(report))] {
        let path = folder.join(name);
        fs::write(&path, text)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The numbers in the form that `cargo test` gives them, which scripts know to read. The known faults of others are no
/// failures of this run.
fn closing_line(report: &Report, good: bool) -> String {
    let (mut passed, mut failed, mut known, mut missing) = (0, 0, 0, 0);
    for result in &report.results {
        *match result.outcome {
            Outcome::Passed => &mut passed,
            Outcome::Failed { verdict: Verdict::Theirs { reason: Some(_) }, .. } => &mut known,
            Outcome::Failed { .. } => &mut failed,
            Outcome::Missing { .. } => &mut missing,
        } += 1;
    }
    let word = if good { "ok" } else { "FAILED" };
    format!("test result: {word}. {passed} passed; {failed} failed; {known} known faults; {missing} missing")
}

/// The implementations to set up; each as a program, or by its name and why it is not there.
fn programs(arguments: &Arguments) -> Vec<Result<Program, (String, String)>> {
    let there = |name: &str, program: Option<Program>, needs: &str| {
        program.ok_or_else(|| (name.to_owned(), format!("needs {needs}")))
    };
    let mut programs = Vec::new();
    if arguments.wants("pyzmq") {
        programs.push(there("pyzmq", Program::pyzmq(), "ZEROXIDE_PYTHON"));
    }
    if arguments.wants("jeromq") {
        programs.push(there("jeromq", Program::jeromq(), "ZEROXIDE_JAVA and ZEROXIDE_JAVA_CLASSPATH"));
    }
    programs
}

/// Starts a program once, to learn who it is.
fn meet(program: Program) -> Result<Subject, String> {
    let peer = Peer::start(&program).map_err(|failure| failure.to_string())?;
    Ok(Subject { program, version: peer.name.clone(), transports: peer.transports.clone() })
}

/// The folder of this program, where its peers in Rust are, too.
fn own_folder() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    own.parent().map(PathBuf::from).ok_or_else(|| "this program is in no folder".to_owned())
}

/// The folder that cargo builds into.
fn target(own_folder: &Path) -> PathBuf {
    own_folder.parent().unwrap_or(own_folder).to_owned()
}

/// Builds the peers of this package as this program was built: cargo does not build them when it runs it.
fn build_own_peers(folder: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "interop", "--bins"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo build -p interop --bins: {status}")),
        Err(error) => Err(format!("cargo cannot be started: {error}")),
    }
}
