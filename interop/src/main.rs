//! The interop suite as a tool: `cargo run --release -p interop -- --help`.

mod arguments;
mod progress;
mod show;
mod subjects;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use interop::article::{self, Ports};
use interop::known::KNOWN;
use interop::report::{CellResult, LeftOut, Origin, PeerStatus, PeerSummary, Report};
use interop::select::{self, select};
use interop::{Cell, Runner, glob};

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
        let ids: Vec<String> = cells.iter().map(Cell::id).chain(article_ids(arguments)).collect();
        ids.iter().for_each(|id| println!("{id}"));
        println!("{} cells", ids.len());
        return Ok(true);
    }
    if cells.is_empty()
        && article_ids(arguments).is_empty()
        && subjects.peers.iter().all(|peer| peer.missing.is_none())
    {
        return Err("no cell fits; --list --all shows what there is".to_owned());
    }
    let report = play(arguments, &subjects, &cells);
    let folder = arguments.folder(&subjects.target);
    show::show(&report, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // A run of nothing, because whoever was asked for is missing, shows nothing.
    let good = !report.results.is_empty()
        && report.is_good()
        && subjects.broken.is_empty()
        && !(arguments.require_peers && is_lacking(&report, arguments));
    println!("{}", show::closing_line(&report, good));
    Ok(good)
}

/// Whether a peer is missing: it, or whatever it was to play.
fn is_lacking(report: &Report, arguments: &Arguments) -> bool {
    let played_nothing = |row: &PeerSummary| row.passed == 0 && row.failed == 0;
    report.peers.iter().any(|peer| peer.missing.is_some())
        || arguments.is_whole() && report.summary().iter().any(played_nothing)
}

/// Runs the cells, as often as was asked for.
fn play(arguments: &Arguments, subjects: &Subjects, cells: &[Cell<'_>]) -> Report {
    let (start, origin) = (Instant::now(), Origin::here());
    let runner = Runner::new(&subjects.ours, subjects.libzmq.as_ref(), KNOWN, arguments.workers);
    let mut results = Vec::new();
    for round in 1..=arguments.rounds() {
        let progress = Progress::new(
            cells.len() + article_ids(arguments).len(),
            (arguments.rounds() > 1).then_some(round),
        );
        let played = runner.run(cells, &|result| progress.seen(result));
        let played = [played, article(arguments, subjects, &progress)].concat();
        progress.finish();
        results = if round == 1 { played } else { interop::run::merge(results, played, round) };
        let good = Report { results: results.clone(), ..Report::default() }.is_good();
        if arguments.until_failure && !good {
            break;
        }
    }
    let peers: Vec<PeerStatus> = subjects.peers.clone();
    let (ours, left_out) = (subjects.ours.version.clone(), left_out(arguments, subjects));
    Report { ours, origin, left_out, peers, results, took: start.elapsed() }
}

/// What there is beside the cells that were asked for.
fn left_out(arguments: &Arguments, subjects: &Subjects) -> Vec<LeftOut> {
    let cells = select::left_out(&subjects.playing, &arguments.choice());
    let mut left: Vec<LeftOut> =
        cells.into_iter().map(|(why, cells)| LeftOut { why: why.to_owned(), cells: Some(cells) }).collect();
    let of_article = article::ids().len() - article_ids(arguments).len();
    if of_article > 0 {
        let why = "the article's set-up: its peers or its scenario were not asked for".to_owned();
        left.push(LeftOut { why, cells: Some(of_article) });
    }
    let peers: Vec<&str> = subjects::names().filter(|name| !arguments.plays(name)).collect();
    if !peers.is_empty() {
        left.push(LeftOut {
            why: format!("peers that were not asked for: {}", peers.join(", ")),
            cells: None,
        });
    }
    left
}

/// The cells of the article's set-up that were asked for.
fn article_ids(arguments: &Arguments) -> Vec<String> {
    if arguments.foreign.is_some() {
        return Vec::new();
    }
    let (wanted, patterns) = (|id: &str| arguments.wants(id), &arguments.cell);
    let choice = arguments.choice();
    let is_chosen = |id: &str| choice.wants(id.rsplit('/').next().unwrap_or_default());
    let fits = |id: &String| {
        is_chosen(id) && (patterns.is_empty() || patterns.iter().any(|pattern| glob::fits(pattern, id)))
    };
    article::ids().into_iter().filter(|id| wanted(id) && fits(id)).collect()
}

/// Plays the article's set-up, if a cell of it was asked for.
fn article(arguments: &Arguments, subjects: &Subjects, progress: &Progress) -> Vec<CellResult> {
    let ids = article_ids(arguments);
    if ids.is_empty() {
        return Vec::new();
    }
    let (python, jeromq) = (subjects.program("pyzmq"), subjects.program("jeromq-0.5.2"));
    let ports = if arguments.article_ports { Ports::USUAL } else { Ports::EPHEMERAL };
    let mut results = article::play(&subjects.ours.program, python, jeromq, ports);
    results.retain(|result| ids.contains(&result.id()));
    results.iter().for_each(|result| progress.seen(result));
    results
}
