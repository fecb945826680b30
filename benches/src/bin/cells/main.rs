//! Zeroxide beside libzmq and the ZeroMQ libraries written in Rust: `cargo xtask bench compare`.
//!
//! A cell is one row (what sockets do), one size and one library. Each of its sockets is a process of its own, started for one
//! run and killed after it. Libraries take turns within a round, so that what else the machine does affects all of them, and
//! the order changes from round to round. What is shown is the median of the rounds; a ratio is the median of the ratios of
//! each round. docs/benchmarks.md has the method and the results.
//!
//! | module | holds |
//! |---|---|
//! | `row` | what is measured: a table |
//! | `library` | who is measured: a table, and how each program is built |
//! | `process`, `run` | the processes of one run, and the run |
//! | `sample` | what a run measured, per message |
//! | `record` | all samples, as a file; medians, spread and ratios |
//! | `standing` | how we stand in each cell |
//! | `table` | the results on the terminal |
//! | `report` | the results as a page, and in docs/benchmarks.md |
//! | `gallery`, `chart` | which pictures there are; one picture |

mod chart;
mod gallery;
mod library;
mod process;
mod record;
mod report;
mod row;
mod run;
mod sample;
mod standing;
mod table;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use library::Library;
use record::{Cell, Record};
use row::Row;
use run::Failure;

/// Compares zeroxide with libzmq and the ZeroMQ libraries written in Rust.
#[derive(Parser)]
struct Options {
    /// Rows to measure, or beginnings of their names (`push-pull`); all without it. `--list` shows them.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Bytes of a message's body, at least 16; without it, those of each row.
    #[arg(long, value_delimiter = ',')]
    sizes: Vec<usize>,
    /// Libraries to measure; all without it.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Rounds in which each library has one turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long one run is measured.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// A few minutes: three rounds, shorter runs, two sizes.
    #[arg(long)]
    quick: bool,
    /// Shows rows and libraries, and measures nothing.
    #[arg(long)]
    list: bool,
    /// A program that is built already: LIBRARY=PATH.
    #[arg(long, value_name = "LIBRARY=PATH")]
    program: Vec<String>,
    /// The folder of the results: cells.json and report.html.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
    /// Writes the results into docs/benchmarks.md, and the pictures beside it.
    #[arg(long)]
    docs: bool,
    /// Measures nothing, and writes the page again from the cells.json that is there.
    #[arg(long)]
    again: bool,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if options.quick {
        options.rounds = options.rounds.min(3);
        options.seconds = options.seconds.min(0.25);
        if options.sizes.is_empty() {
            options.sizes = vec![64, 16_384];
        }
    }
    if options.list {
        Row::all().iter().for_each(|row| println!("{:<20} {}", row.name, row.title));
        library::ALL.iter().for_each(|library| println!("{:<20} {}", library.name, library.what));
        return ExitCode::SUCCESS;
    }
    let record = if options.again { Record::load(&options.out.join(RECORD)) } else { compare(&options) };
    match record.and_then(|record| write(&record, &options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The file of all samples.
const RECORD: &str = "cells.json";

fn compare(options: &Options) -> Result<Record, Box<dyn Error>> {
    let rows = Row::chosen(&options.rows)?;
    let mut libraries = Vec::new();
    for library in Library::chosen(&options.peers)? {
        match library.program(&options.program) {
            Ok(program) => libraries.push((library, program)),
            Err(error) => eprintln!("{} is left out: {error}", library.name),
        }
    }
    let mut record = Record::new(options.rounds, options.seconds);
    let sizes = |row: &Row| if options.sizes.is_empty() { row.sizes.to_vec() } else { options.sizes.clone() };
    for row in &rows {
        let sizes = if row.sizes.len() == 1 { row.sizes.to_vec() } else { sizes(row) };
        for size in sizes {
            let names = libraries.iter().map(|(library, _)| library.name.to_owned()).collect();
            record.cells.push(Cell::new(row.name, size, names));
        }
    }
    let bar = ProgressBar::new((record.cells.len() * options.rounds * libraries.len()) as u64)
        .with_style(ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed}, {eta} left: {wide_msg}")?);
    let window = Duration::from_secs_f64(options.seconds);
    for cell in &mut record.cells {
        let row = Row::named(&cell.row).ok_or("a row of the table")?;
        for round in 0..options.rounds {
            for turn in 0..libraries.len() {
                let at = (turn + round) % libraries.len();
                let (library, program) = &libraries[at];
                bar.set_message(format!("{} {} B, {}", row.name, cell.size, library.name));
                bar.inc(1);
                if cell.results[at].failure.is_some() {
                    continue;
                }
                let measure = || run::run(row, cell.size, program, library.mode, window);
                // What breaks twice is broken.
                let sample = measure().or_else(|failure| match failure {
                    Failure::Broken(_) => measure(),
                    refused => Err(refused),
                });
                match sample {
                    Ok(sample) => cell.results[at].samples.push(sample),
                    Err(Failure::Refused(reason)) => cell.results[at].failure = Some(reason),
                    Err(Failure::Broken(reason)) => {
                        bar.suspend(|| eprintln!("{} {} B, {}: {reason}", row.name, cell.size, library.name));
                        cell.results[at].failure = Some(reason);
                    }
                }
            }
        }
        bar.suspend(|| println!("\n{}", table::text(cell).unwrap_or_default()));
    }
    bar.finish_and_clear();
    std::fs::create_dir_all(&options.out)?;
    record.save(&options.out.join(RECORD))?;
    Ok(record)
}

fn write(record: &Record, options: &Options) -> Result<(), Box<dyn Error>> {
    let page = options.out.join("report.html");
    report::page(record, &page)?;
    println!("\n{}", page.display());
    if options.docs {
        report::docs(record, Path::new("docs"))?;
    }
    Ok(())
}
