//! The report as one HTML file that needs nothing else: a matrix to look at, and to open for details.
//!
//! The matrix and every failure are plain HTML. The script only opens the list of what a field of the matrix puts
//! together, which stands in the file as JSON.

use serde::Serialize;

use super::mark::{Mark, Row, Tally, peers, rows, scenarios};
use super::text::{counted, duration, html};
use super::{CellResult, Outcome, PeerStatus, Report, Verdict};

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The report as an HTML document.
#[must_use]
pub fn write(report: &Report) -> String {
    let scenarios = scenarios(report);
    let groups: Vec<Group<'_>> =
        peers(report).into_iter().map(|name| Group::new(report, name, &scenarios)).collect();
    let body = [
        heading(report),
        summary(&groups),
        legend(),
        matrix(&groups, &scenarios),
        failures(report),
        missing(report),
    ]
    .concat();
    let data = data(&groups);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{} interop</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{body}\
         <dialog id=\"panel\" aria-labelledby=\"panel-title\"><form method=\"dialog\">\
         <h2 id=\"panel-title\"></h2><button class=\"close\">Close</button></form><div id=\"panel-body\"></div></dialog>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        html(&report.ours)
    )
}

/// One peer and its part of the matrix.
struct Group<'a> {
    name: &'a str,
    status: Option<&'a PeerStatus>,
    tally: Tally,
    results: Vec<&'a CellResult>,
    rows: Vec<Row<'a>>,
}

impl<'a> Group<'a> {
    fn new(report: &'a Report, name: &'a str, scenarios: &[&str]) -> Group<'a> {
        let results: Vec<&CellResult> = report.results.iter().filter(|result| result.peer == name).collect();
        let status = report.peers.iter().find(|peer| peer.name == name);
        let (tally, rows) = (Tally::of(results.iter().copied()), rows(&results, scenarios));
        Group { name, status, tally, results, rows }
    }

    fn version(&self) -> &'a str {
        self.status.map_or("", |status| &status.version)
    }

    fn missing(&self) -> Option<&'a str> {
        self.status.and_then(|status| status.missing.as_deref())
    }
}

fn heading(report: &Report) -> String {
    let tally = Tally::of(&report.results);
    let (class, word) = if report.is_good() { ("passed", "good") } else { ("ours", "not good") };
    let parts: Vec<String> = tally.marks().map(|(mark, count)| format!("{count} {}", mark.words())).collect();
    let parts = if parts.is_empty() { "nothing was run".to_owned() } else { parts.join(" · ") };
    format!(
        "<header><h1>{} against other implementations</h1>\n<p><strong class=\"tag {class}\">{word}</strong> \
         {} in {}: {parts}</p></header>\n",
        html(&report.ours),
        counted(report.results.len(), "cell"),
        duration(report.took),
    )
}

fn summary(groups: &[Group<'_>]) -> String {
    let mut text = "<section><h2>Peers</h2>\n<div class=\"scroll\"><table class=\"summary\">\n<thead><tr>\
                    <th scope=\"col\">peer</th><th scope=\"col\" class=\"n\">passed</th>\
                    <th scope=\"col\" class=\"n\">failed</th><th scope=\"col\" class=\"n\">missing</th>\
                    <th scope=\"col\" class=\"n\">time</th><th scope=\"col\">version</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for group in groups {
        let took = group.results.iter().map(|result| result.took).sum();
        let about = match group.missing() {
            Some(why) => format!("<span class=\"tag missing\">not there</span> {}", html(why)),
            None => html(group.version()),
        };
        let (passed, missing) = (group.tally.count(Mark::Passed), group.tally.count(Mark::Missing));
        let failed = group.tally.total() - passed - missing;
        let worst = group.tally.worst().filter(|_| failed > 0).map_or("", Mark::name);
        let name = if group.rows.is_empty() {
            html(group.name)
        } else {
            format!("<a href=\"#peer-{0}\">{0}</a>", html(group.name))
        };
        text += &format!(
            "<tr><th scope=\"row\">{name}</th><td class=\"n\">{passed}</td>\
             <td class=\"n {worst}\">{failed}</td><td class=\"n\">{missing}</td><td class=\"n\">{}</td><td>{about}</td></tr>\n",
            duration(took)
        );
    }
    text + "</tbody>\n</table></div></section>\n"
}

fn legend() -> String {
    let marks = [Mark::Passed, Mark::Ours, Mark::Undecided, Mark::Unlisted, Mark::Known, Mark::Missing];
    let items: String = marks
        .iter()
        .map(|mark| {
            format!("<li><span class=\"field {}\">{}</span> {}</li>", mark.name(), mark.sign(), mark.words())
        })
        .collect();
    format!(
        "<section><h2>Matrix</h2>\n<p>A field puts together the transports and sides of one pair in one \
         scenario, in the colours of their results. A number alone is how many passed; one with a sign is how many of them ended \
         in the worst way there. Open a field for the list and the transcripts; the arrow keys go from field to \
         field.</p>\n<ul class=\"legend\">{items}<li><span class=\"field\"></span> not run</li></ul>\n\
         <p><label><input type=\"checkbox\" id=\"only\"> only rows where something failed</label></p>\n"
    )
}

fn matrix(groups: &[Group<'_>], scenarios: &[&str]) -> String {
    let columns: String = scenarios
        .iter()
        .map(|scenario| format!("<th scope=\"col\"><span>{}</span></th>", html(scenario)))
        .collect();
    let mut text = format!(
        "<div class=\"scroll tall\" id=\"matrix\"><table class=\"matrix\">\n<thead><tr><th scope=\"col\">pair</th>\
         {columns}</tr></thead>\n"
    );
    let mut field = 0;
    for group in groups.iter().filter(|group| !group.rows.is_empty()) {
        let name = html(group.name);
        text += &format!(
            "<tbody id=\"peer-{name}\"><tr class=\"peer\"><th scope=\"rowgroup\" colspan=\"{}\"><span>{name} \
             <small>{}</small></span></th></tr>\n",
            scenarios.len() + 1,
            html(group.version()),
        );
        for row in &group.rows {
            let tally = Tally::of(row.slots.iter().flatten().copied());
            let class =
                if tally.worst().is_some_and(|mark| mark < Mark::Missing) { " class=\"bad\"" } else { "" };
            let (pair, mechanism) = (html(row.pair), html(row.mechanism));
            text += &format!("<tr{class}><th scope=\"row\">{pair} <small>{mechanism}</small></th>");
            for (slot, scenario) in row.slots.iter().zip(scenarios) {
                text += &cell(slot, row, scenario, field);
                field += usize::from(!slot.is_empty());
            }
            text += "</tr>\n";
        }
        text += "</tbody>\n";
    }
    text + "</table></div></section>\n"
}

/// One field of the matrix, a button that carries its number in the data.
fn cell(slot: &[&CellResult], row: &Row<'_>, scenario: &str, number: usize) -> String {
    let tally = Tally::of(slot.iter().copied());
    let Some(worst) = tally.worst() else { return "<td></td>".to_owned() };
    let told: Vec<String> = tally.marks().map(|(mark, count)| format!("{count} {}", mark.words())).collect();
    let told = html(&format!("{} {} {scenario}: {}", row.pair, row.mechanism, told.join(", ")));
    let count = tally.count(worst);
    let text = if worst == Mark::Passed { format!("{count}") } else { format!("{}{count}", worst.sign()) };
    let style = if count == tally.total() { String::new() } else { format!(" style=\"{}\"", stripes(tally)) };
    format!(
        "<td><button class=\"field {}\" data-field=\"{number}\" title=\"{told}\" aria-label=\"{told}\"{style}>{text}\
         </button></td>",
        worst.name()
    )
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

/// Every failed cell with its transcript, worst first.
fn failures(report: &Report) -> String {
    let failed = |result: &&CellResult| matches!(result.outcome, Outcome::Failed { .. });
    let mut results: Vec<&CellResult> = report.results.iter().filter(failed).collect();
    results.sort_by_key(|result| Mark::of(&result.outcome));
    if results.is_empty() {
        return String::new();
    }
    let items: String = results.into_iter().map(failure).collect();
    format!("<section id=\"failures\"><h2>Failures</h2>\n{items}</section>\n")
}

fn failure(result: &CellResult) -> String {
    let Outcome::Failed { verdict, why, transcript } = &result.outcome else { return String::new() };
    let (mark, id) = (Mark::of(&result.outcome), html(&result.id()));
    let reason = match verdict {
        Verdict::Theirs { reason: Some(reason) } => format!("<p>Known: {}</p>", html(reason)),
        _ => String::new(),
    };
    let transcript = match transcript.trim_end() {
        "" => String::new(),
        text => format!("<h3>Transcript</h3><pre tabindex=\"0\">{}</pre>", html(text)),
    };
    let first = why.lines().next().unwrap_or_default();
    let note = if result.note.is_empty() { String::new() } else { format!("<p>{}</p>", html(&result.note)) };
    format!(
        "<details id=\"{id}\"><summary><span class=\"tag {}\">{}</span> <code>{id}</code> <span class=\"why\">{}</span>\
         </summary><div>{reason}{note}<pre tabindex=\"0\">{}</pre>{transcript}</div></details>\n",
        mark.name(),
        mark.words(),
        html(first),
        html(why),
    )
}

/// What could not be tried, together by peer and cause.
fn missing(report: &Report) -> String {
    let mut causes: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for result in &report.results {
        let Outcome::Missing { why } = &result.outcome else { continue };
        match causes.iter_mut().find(|(peer, cause, _)| (*peer, *cause) == (&result.peer[..], &why[..])) {
            Some((_, _, ids)) => ids.push(result.id()),
            None => causes.push((&result.peer, why, vec![result.id()])),
        }
    }
    if causes.is_empty() {
        return String::new();
    }
    let items: String = causes
        .into_iter()
        .map(|(peer, why, ids)| {
            format!(
                "<details><summary><span class=\"tag missing\">{}</span> <code>{}</code> <span class=\"why\">{}</span>\
                 </summary><div><pre tabindex=\"0\">{}</pre></div></details>\n",
                counted(ids.len(), "cell"),
                html(peer),
                html(why),
                html(&ids.join("\n"))
            )
        })
        .collect();
    format!("<section><h2>Missing</h2>\n{items}</section>\n")
}

/// What a field lists.
#[derive(Serialize)]
struct Field<'a> {
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

/// The lists behind the fields, in the order of their numbers, fit to stand in a script element.
fn data(groups: &[Group<'_>]) -> String {
    let mut fields = Vec::new();
    for group in groups {
        for row in &group.rows {
            for slot in row.slots.iter().filter(|slot| !slot.is_empty()) {
                let (scenario, cells) = (&slot[0].scenario, slot.iter().map(|result| line(result)).collect());
                let (pair, mechanism) = (row.pair, row.mechanism);
                fields.push(Field { peer: group.name, pair, mechanism, scenario, cells });
            }
        }
    }
    // Only what is no data makes this fail; and within JSON's strings, the one place of `<`, an escape is the same.
    serde_json::to_string(&fields).unwrap_or_default().replace('<', "\\u003c")
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
