//! The report as one HTML file that needs nothing else: a matrix to look at, and to open for details.
//!
//! The page is the template report.html; here is what it shows. The matrix and every failure are plain HTML. The script
//! only opens the list of what a field of the matrix puts together, which stands in the file as JSON.

use std::time::Duration;

use askama::Template;
use serde::Serialize;

use super::mark::{self, Mark, Tally, peers, scenarios};
use super::text::duration;
use super::{CellResult, Outcome, PeerStatus, Report, Verdict};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");
const LEGEND: [Mark; 6] =
    [Mark::Passed, Mark::Ours, Mark::Undecided, Mark::Unlisted, Mark::Known, Mark::Missing];

/// The report as an HTML document.
#[must_use]
pub fn write(report: &Report) -> String {
    Page::new(report).render().expect("nothing that the template shows fails to be shown")
}

/// What the template shows.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    /// How many cells ended in which way, in words.
    told: String,
    scenarios: Vec<&'a str>,
    groups: Vec<Group<'a>>,
    failures: Vec<Failure<'a>>,
    causes: Vec<Cause<'a>>,
    /// The lists behind the fields, fit to stand in a script element.
    data: String,
}

impl<'a> Page<'a> {
    fn new(report: &'a Report) -> Page<'a> {
        let told = told(Tally::of(&report.results), " · ");
        let scenarios = scenarios(report);
        let mut lists = Vec::new();
        let groups =
            peers(report).into_iter().map(|name| Group::new(report, name, &scenarios, &mut lists)).collect();
        // Only what is no data makes this fail; and within JSON's strings, the one place of `<`, an escape is the same.
        let data = serde_json::to_string(&lists).unwrap_or_default().replace('<', "\\u003c");
        Page {
            report,
            told: if told.is_empty() { "nothing was run".to_owned() } else { told },
            scenarios,
            groups,
            failures: failures(report),
            causes: causes(report),
            data,
        }
    }
}

/// `12 passed, 1 missing`, the worst first.
fn told(tally: Tally, between: &str) -> String {
    let parts: Vec<String> = tally.marks().map(|(mark, count)| format!("{count} {}", mark.words())).collect();
    parts.join(between)
}

/// One peer and its part of the matrix.
struct Group<'a> {
    name: &'a str,
    status: Option<&'a PeerStatus>,
    tally: Tally,
    took: Duration,
    rows: Vec<Row<'a>>,
}

impl<'a> Group<'a> {
    fn new(report: &'a Report, name: &'a str, scenarios: &[&str], lists: &mut Vec<List<'a>>) -> Group<'a> {
        let results: Vec<&CellResult> = report.results.iter().filter(|result| result.peer == name).collect();
        Group {
            name,
            status: report.peers.iter().find(|peer| peer.name == name),
            tally: Tally::of(results.iter().copied()),
            took: results.iter().map(|result| result.took).sum(),
            rows: mark::rows(&results, scenarios).iter().map(|row| Row::new(name, row, lists)).collect(),
        }
    }

    fn version(&self) -> &'a str {
        self.status.map_or("", |status| &status.version)
    }

    fn missing(&self) -> Option<&'a str> {
        self.status.and_then(|status| status.missing.as_deref())
    }

    fn failed(&self) -> usize {
        self.tally.total() - self.tally.count(Mark::Passed) - self.tally.count(Mark::Missing)
    }

    /// The name of the worst mark, where anything failed.
    fn worst_failure(&self) -> &'static str {
        self.tally.worst().filter(|_| self.failed() > 0).map_or("", Mark::name)
    }
}

/// A pair with one mechanism.
struct Row<'a> {
    pair: &'a str,
    mechanism: &'a str,
    has_failed: bool,
    /// One for each scenario; none where nothing was run.
    fields: Vec<Option<Field>>,
}

impl<'a> Row<'a> {
    /// Adds to `lists` what stands behind each field.
    fn new(peer: &'a str, row: &mark::Row<'a>, lists: &mut Vec<List<'a>>) -> Row<'a> {
        let mark::Row { pair, mechanism, slots } = row;
        let worst = Tally::of(slots.iter().flatten().copied()).worst();
        let mut field = |slot: &Vec<&'a CellResult>| {
            let scenario = &slot.first()?.scenario;
            let field = Field::new(slot, lists.len(), &format!("{pair} {mechanism} {scenario}"))?;
            let cells = slot.iter().map(|result| line(result)).collect();
            lists.push(List { peer, pair, mechanism, scenario, cells });
            Some(field)
        };
        Row {
            pair,
            mechanism,
            has_failed: worst.is_some_and(|mark| mark < Mark::Missing),
            fields: slots.iter().map(&mut field).collect(),
        }
    }
}

/// One field of the matrix.
struct Field {
    /// Its place in the data.
    number: usize,
    worst: Mark,
    /// How many ended so.
    count: usize,
    told: String,
    /// Its background, unless all ended the same way.
    stripes: Option<String>,
}

impl Field {
    fn new(slot: &[&CellResult], number: usize, place: &str) -> Option<Field> {
        let tally = Tally::of(slot.iter().copied());
        let worst = tally.worst()?;
        let count = tally.count(worst);
        let stripes = (count != tally.total()).then(|| stripes(tally));
        Some(Field { number, worst, count, told: format!("{place}: {}", told(tally, ", ")), stripes })
    }
}

/// Percent of a field that its worst failure fills at least: one among many is seen, and its number is on its colour.
const SEEN: usize = 60;

/// A background of one stripe for each kind of result, else as high as its share.
fn stripes(tally: Tally) -> String {
    let mut stops = Vec::new();
    let (mut from, mut rest, mut left) = (0, 100, tally.total());
    for (mark, count) in tally.marks() {
        let share = rest * count / left;
        let width = if from == 0 && mark < Mark::Missing { share.max(SEEN) } else { share };
        stops.push(format!("var(--{}) {from}% {}%", mark.name(), from + width));
        (from, rest, left) = (from + width, rest - width, left - count);
    }
    format!("background-image:linear-gradient({})", stops.join(","))
}

/// A failed cell with its transcript.
struct Failure<'a> {
    id: String,
    mark: Mark,
    reason: Option<&'a str>,
    note: &'a str,
    why: &'a str,
    transcript: &'a str,
}

impl<'a> Failure<'a> {
    fn new(result: &'a CellResult) -> Option<Failure<'a>> {
        let Outcome::Failed { verdict, why, transcript } = &result.outcome else { return None };
        Some(Failure {
            id: result.id(),
            mark: Mark::of(&result.outcome),
            reason: match verdict {
                Verdict::Theirs { reason } => reason.as_deref(),
                Verdict::Ours | Verdict::Undecided => None,
            },
            note: &result.note,
            why,
            transcript: transcript.trim_end(),
        })
    }

    fn first_line(&self) -> &str {
        self.why.lines().next().unwrap_or_default()
    }
}

/// Every failed cell, worst first.
fn failures(report: &Report) -> Vec<Failure<'_>> {
    let mut failures: Vec<Failure<'_>> = report.results.iter().filter_map(Failure::new).collect();
    failures.sort_by_key(|failure| failure.mark);
    failures
}

/// What one peer could not try, for one cause.
struct Cause<'a> {
    peer: &'a str,
    why: &'a str,
    ids: Vec<String>,
}

fn causes(report: &Report) -> Vec<Cause<'_>> {
    let mut causes: Vec<Cause<'_>> = Vec::new();
    for result in &report.results {
        let Outcome::Missing { why } = &result.outcome else { continue };
        match causes.iter_mut().find(|cause| cause.peer == result.peer && cause.why == why) {
            Some(cause) => cause.ids.push(result.id()),
            None => causes.push(Cause { peer: &result.peer, why, ids: vec![result.id()] }),
        }
    }
    causes
}

/// What the template writes in words.
mod filters {
    use std::time::Duration;

    use askama::{Result, Values};

    use crate::report::text;

    pub(super) fn duration(took: &Duration, _: &dyn Values) -> Result<String> {
        Ok(text::duration(*took))
    }

    pub(super) fn counted(count: usize, _: &dyn Values, noun: &str) -> Result<String> {
        Ok(text::counted(count, noun))
    }
}

/// What stands behind a field.
#[derive(Serialize)]
struct List<'a> {
    peer: &'a str,
    pair: &'a str,
    mechanism: &'a str,
    scenario: &'a str,
    cells: Vec<Line<'a>>,
}

/// A line of that list.
#[derive(Serialize)]
struct Line<'a> {
    id: String,
    mark: &'static str,
    words: &'static str,
    about: String,
    took: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    note: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

fn line(result: &CellResult) -> Line<'_> {
    let CellResult { transport, mechanism, ours, binder, outcome, note, took, .. } = result;
    let mark = Mark::of(outcome);
    let why = match outcome {
        Outcome::Missing { why } => Some(why.as_str()),
        _ => None,
    };
    let about = format!("{transport}, {mechanism}, Zeroxide {ours}, {binder} binds");
    Line { id: result.id(), mark: mark.name(), words: mark.words(), about, took: duration(*took), note, why }
}

#[cfg(test)]
mod tests;
