//! The interop suite as a tool: `cargo run --release -p interop -- --help`.

mod arguments;
mod progress;
mod show;
mod subjects;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use interop::known::KNOWN;
use interop::report::{PeerStatus, Report};
use interop::select::select;
use interop::{Cell, Runner};

use crate::arguments::Arguments;
use crate::progress::Progress;
use crate::subjects::Subjects;

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
    let subjects = Subjects::gather(arguments)?;
    let cells = select(&subjects.playing, &arguments.choice());
    if arguments.list {
        cells.iter().for_each(|cell| println!("{}", cell.id()));
        println!("{} cells", cells.len());
        return Ok(true);
    }
    if cells.is_empty() && subjects.peers.iter().all(|peer| peer.missing.is_none()) {
        return Err("no cell fits; --list --all shows what there is".to_owned());
    }
    let report = play(arguments, &subjects, &cells);
    let folder = subjects.target.join("interop");
    show::show(&report, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lacking = report.peers.iter().any(|peer| peer.missing.is_some());
    let good = report.is_good() && !(lacking && arguments.require_peers);
    println!("{}", show::closing_line(&report, good));
    Ok(good)
}

/// Runs the cells, as often as was asked for.
fn play(arguments: &Arguments, subjects: &Subjects, cells: &[Cell<'_>]) -> Report {
    let start = Instant::now();
    let runner = Runner::new(&subjects.ours, subjects.libzmq.as_ref(), KNOWN, arguments.workers);
    let mut results = Vec::new();
    for round in 1..=arguments.rounds() {
        let progress = Progress::new(cells.len(), (arguments.rounds() > 1).then_some(round));
        let played = runner.run(cells, &|result| progress.seen(result));
        progress.finish();
        results = if round == 1 { played } else { interop::run::merge(results, played, round) };
        let good = Report { results: results.clone(), ..Report::default() }.is_good();
        if arguments.until_failure && !good {
            break;
        }
    }
    let peers: Vec<PeerStatus> = subjects.peers.clone();
    Report { ours: subjects.ours.version.clone(), peers, results, took: start.elapsed() }
}
