//! The report as text, for people at a terminal.

use std::env;
use std::io::{self, IsTerminal};

use super::mark::{Mark, Tally, mechanisms, pairs, peers, rows, scenarios};
use super::text::{counted, duration, visible};
use super::{CellResult, Outcome, Report, Verdict};

/// Lines that are shown of why a cell failed.
const WHY: usize = 4;

/// The report: a line per peer, the matrix, and what did not pass.
#[must_use]
pub fn write(report: &Report, colour: bool) -> String {
    let page = Page { report, colour };
    [page.heading(), page.peers(), page.matrix(), page.missing(), page.failures(), page.verdict()].concat()
}

/// Whether colours are wanted on standard output: it is a terminal that can, and `NO_COLOR` is not set
/// (<https://no-color.org>).
#[must_use]
pub fn wants_colour() -> bool {
    let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_none_or(|value| value == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

struct Page<'a> {
    report: &'a Report,
    colour: bool,
}

impl Page<'_> {
    fn heading(&self) -> String {
        let Report { ours, results, took, .. } = self.report;
        let (cells, peers) = (counted(results.len(), "cell"), counted(peers(self.report).len(), "peer"));
        let origin = self.report.origin.known().join(", ");
        format!("{}: {cells} with {peers} in {}\n{}\n\n", visible(ours), duration(*took), visible(&origin))
    }

    /// A line per peer.
    fn peers(&self) -> String {
        let width = peers(self.report).iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
        let mut text = format!("{:width$}  passed  failed  missing         time  version\n", "peer");
        for row in self.report.summary() {
            let status = self.report.peers.iter().find(|peer| peer.name == row.peer);
            let took =
                self.report.results.iter().filter(|cell| cell.peer == row.peer).map(|cell| cell.took).sum();
            let about = match status {
                Some(peer) if peer.missing.is_some() => {
                    self.paint(Some(Mark::Missing), "NOT THERE, see below")
                }
                Some(peer) => visible(&peer.version),
                None => String::new(),
            };
            let failed = format!("{:6}", row.failed);
            let worst = Tally::of(self.report.results.iter().filter(|cell| cell.peer == row.peer)).worst();
            let failed = if row.failed > 0 { self.paint(worst, &failed) } else { failed };
            text += &format!(
                "{:width$}  {:6}  {failed}  {:7}  {:>11}  {about}\n",
                visible(&row.peer),
                row.passed,
                row.missing,
                duration(took)
            );
        }
        text + "\n"
    }

    /// Mechanisms and scenarios down, pairs across, all peers together.
    fn matrix(&self) -> String {
        let scenarios = scenarios(self.report);
        if scenarios.is_empty() {
            return String::new();
        }
        let results: Vec<&CellResult> = self.report.results.iter().collect();
        let (rows, pairs) = (rows(&results, &scenarios), pairs(&results));
        let labels = labels(&mechanisms(&results), &scenarios);
        let label = labels.iter().map(|(text, ..)| text.chars().count()).max().unwrap_or(0);
        // A pair stands over its column in two lines, so that a usual terminal is wide enough.
        let heads: Vec<(&str, &str)> =
            pairs.iter().map(|pair| pair.split_once('-').unwrap_or((*pair, ""))).collect();
        let widths: Vec<usize> =
            heads.iter().map(|(left, right)| left.len().max(right.len()).max(3)).collect();
        let line = |name: &str, slots: Vec<String>| {
            let line = format!("{name:label$}  {}", slots.join("  "));
            line.trim_end().to_owned() + "\n"
        };
        let head = |pick: fn(&(&str, &str)) -> String| {
            heads.iter().zip(&widths).map(|(head, &width)| format!("{:>width$}", pick(head))).collect()
        };
        let mut text = line("", head(|head| visible(head.0))) + &line("", head(|head| visible(head.1)));
        for (name, mechanism, column) in labels {
            let of = |pair: &str| rows.iter().find(|row| (row.pair, row.mechanism) == (pair, mechanism));
            let slots: Vec<&[&CellResult]> =
                pairs.iter().map(|pair| of(pair).map_or(&[][..], |row| &row.slots[column])).collect();
            if slots.iter().any(|slot| !slot.is_empty()) {
                let slots = slots.iter().zip(&widths).map(|(slot, &width)| self.slot(slot, width));
                text += &line(&name, slots.collect());
            }
        }
        text + &self.legend() + "\n"
    }

    /// All results of one pair in one scenario, in few characters.
    fn slot(&self, results: &[&CellResult], width: usize) -> String {
        let tally = Tally::of(results.iter().copied());
        // What one peer lacks is told below; it hides nothing that passed with the others.
        let shown = match tally.worst() {
            Some(Mark::Missing) if tally.count(Mark::Passed) > 0 => Some(Mark::Passed),
            worst => worst,
        };
        let word = match shown {
            None => String::new(),
            Some(Mark::Passed) => "ok".to_owned(),
            Some(mark) => format!("{}{}", tally.count(mark), mark.sign()),
        };
        self.paint(shown, &format!("{word:>width$}"))
    }

    fn legend(&self) -> String {
        let tally = Tally::of(&self.report.results);
        let marks = tally.marks().filter(|(mark, _)| *mark != Mark::Passed);
        let marks: Vec<String> = marks
            .map(|(mark, _)| self.paint(Some(mark), &format!("N{}: N {}", mark.sign(), mark.words())))
            .collect();
        if marks.is_empty() {
            String::new()
        } else {
            format!("ok: nothing failed; {}; blank: not run\n", marks.join("; "))
        }
    }

    /// The peers that are not there, and what the others lack, together by cause.
    fn missing(&self) -> String {
        let mut text = String::new();
        for peer in &self.report.peers {
            if let Some(why) = &peer.missing {
                let line = format!("MISSING    {}: {}", visible(&peer.name), first_lines(why, WHY));
                text += &format!("{}\n", self.paint(Some(Mark::Missing), &line));
            }
        }
        let mut causes: Vec<(&str, &str, usize)> = Vec::new();
        for result in &self.report.results {
            let Outcome::Missing { why } = &result.outcome else { continue };
            let why = why.lines().next().unwrap_or_default();
            match causes.iter_mut().find(|(peer, cause, _)| (*peer, *cause) == (&result.peer[..], why)) {
                Some((_, _, count)) => *count += 1,
                None => causes.push((&result.peer, why, 1)),
            }
        }
        for (peer, why, count) in causes {
            text += &format!("missing    {}: {} ({})\n", visible(peer), visible(why), counted(count, "cell"));
        }
        if text.is_empty() { text } else { text + "\n" }
    }

    /// The known faults, together by reason; then each other failed cell, the worst last, where people look first.
    fn failures(&self) -> String {
        let mut text = self.known();
        for mark in [Mark::Unlisted, Mark::Undecided, Mark::Ours] {
            let of_mark = self.report.results.iter().filter(|result| Mark::of(&result.outcome) == mark);
            text.extend(of_mark.map(|result| self.failure(mark, result)));
        }
        if text.is_empty() { text } else { text + "\n" }
    }

    fn known(&self) -> String {
        let mut reasons: Vec<(&str, &str, usize)> = Vec::new();
        for result in &self.report.results {
            let Outcome::Failed { verdict: Verdict::Theirs { reason: Some(reason) }, .. } = &result.outcome
            else {
                continue;
            };
            match reasons
                .iter_mut()
                .find(|(peer, known, _)| (*peer, *known) == (&result.peer[..], &reason[..]))
            {
                Some((_, _, count)) => *count += 1,
                None => reasons.push((&result.peer, reason, 1)),
            }
        }
        let line = |(peer, reason, count): (&str, &str, usize)| {
            let name = self.paint(Some(Mark::Known), "known     ");
            let (peer, reason) = (visible(peer), first_lines(reason, WHY));
            format!("{name} {peer}: {reason} ({})\n", counted(count, "cell"))
        };
        reasons.into_iter().map(line).collect()
    }

    fn failure(&self, mark: Mark, result: &CellResult) -> String {
        let Outcome::Failed { why, .. } = &result.outcome else { return String::new() };
        let name = match mark {
            Mark::Ours => "OURS",
            Mark::Undecided => "UNDECIDED",
            _ => "NOT LISTED",
        };
        let (id, took) = (visible(&result.id()), duration(result.took));
        let name = self.paint(Some(mark), &format!("{name:10}"));
        format!("{name} {id} ({took})\n{:11}{}\n", "", first_lines(why, WHY))
    }

    /// The last line: whether the run counts as passed.
    fn verdict(&self) -> String {
        let tally = Tally::of(&self.report.results);
        let numbers: Vec<String> =
            tally.marks().map(|(mark, count)| format!("{count} {}", mark.words())).collect();
        let numbers = if numbers.is_empty() { "nothing was run".to_owned() } else { numbers.join("; ") };
        let (word, mark) =
            if self.report.is_good() { ("good", Mark::Passed) } else { ("NOT GOOD", Mark::Ours) };
        format!("interop: {}: {numbers}\n", self.paint(Some(mark), word))
    }

    fn paint(&self, mark: Option<Mark>, text: &str) -> String {
        let code = match mark {
            Some(Mark::Ours) => "1;31",
            Some(Mark::Undecided) => "1;35",
            Some(Mark::Unlisted) => "1;33",
            Some(Mark::Known) => "36",
            Some(Mark::Missing) => "2",
            Some(Mark::Passed) => "32",
            None => return text.to_owned(),
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The names of the matrix's lines, each with its mechanism and the number of its scenario. That of NULL goes without
/// saying.
fn labels<'a>(mechanisms: &[&'a str], scenarios: &[&str]) -> Vec<(String, &'a str, usize)> {
    let label = |mechanism: &str, scenario: &str| match mechanism {
        "NULL" => visible(scenario),
        other => format!("{} {}", visible(other), visible(scenario)),
    };
    let of = |mechanism: &&'a str| {
        let mechanism = *mechanism;
        let labels = scenarios.iter().enumerate();
        labels.map(|(n, scenario)| (label(mechanism, scenario), mechanism, n)).collect::<Vec<_>>()
    };
    mechanisms.iter().flat_map(of).collect()
}

/// The first lines of a text, those after the first set in under the first, and how many more there are.
fn first_lines(text: &str, limit: usize) -> String {
    let text = visible(text);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let shown = &lines[..lines.len().min(limit)];
    let more = lines.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" (and {})", counted(more, "more line")) };
    shown.join(&format!("\n{:11}", "")) + &more
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Origin;
    use super::super::PeerStatus;
    use super::super::tests::{failed, result};
    use super::*;

    fn known() -> Outcome {
        failed(Verdict::Theirs { reason: Some("its parser stops at 255".to_owned()) })
    }

    fn report() -> Report {
        let peer = |name: &str, missing: Option<&str>| PeerStatus {
            name: name.to_owned(),
            version: format!("{name}/libzmq-4.3.5"),
            missing: missing.map(str::to_owned),
        };
        let mut router = result("a", "sizes", known());
        router.pair = "DEALER-ROUTER".to_owned();
        let mut curve = result("a", "order", Outcome::Passed);
        curve.mechanism = "CURVE".to_owned();
        let results = vec![
            result("a", "order", Outcome::Passed),
            curve,
            router,
            result("b", "order", failed(Verdict::Undecided)),
            result("b", "sizes", Outcome::Missing { why: "err usage\nno such type".to_owned() }),
            result("b", "sizes", Outcome::Missing { why: "err usage\nno such type".to_owned() }),
        ];
        let peers = vec![peer("a", None), peer("b", None), peer("go", Some("go is not installed"))];
        let took = Duration::from_secs(3);
        let date = "2026-11-30T23:50:00Z".to_owned();
        let origin = Origin { date, commit: "abc".to_owned(), ..Origin::default() };
        Report { ours: "zeroxide-0.1.0".to_owned(), peers, results, took, origin, ..Report::default() }
    }

    #[test]
    fn the_whole_page() {
        let expected = "\
zeroxide-0.1.0: 6 cells with 3 peers in 3.0 s
2026-11-30T23:50:00Z, commit abc

peer   passed  failed  missing         time  version
a           2       1        0        36 ms  a/libzmq-4.3.5
b           0       1        2        36 ms  b/libzmq-4.3.5
go          0       0        0         0 ms  NOT THERE, see below

             PUSH  DEALER
             PULL  ROUTER
order          1?
sizes          2-      1~
CURVE order    ok
ok: nothing failed; N?: N failed, undecided; N~: N failed, theirs, known; N-: N missing; blank: not run

MISSING    go: go is not installed
missing    b: err usage (2 cells)

known      a: its parser stops at 255 (1 cell)
UNDECIDED  b/PUSH-PULL/tcp/NULL/left/binds-right/order (12 ms)
           no contact

interop: NOT GOOD: 1 failed, undecided; 1 failed, theirs, known; 2 missing; 2 passed
";
        assert_eq!(write(&report(), false), expected);
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        assert!(!write(&report(), false).contains('\x1b'));
        let coloured = write(&report(), true);
        assert!(coloured.contains("\x1b[1;35mUNDECIDED \x1b[0m"), "{coloured}");
        let plain = coloured.split("\x1b[").map(|part| part.split_once('m').map_or(part, |(_, rest)| rest));
        assert_eq!(coloured.matches("\x1b[0m").count() * 2, plain.count() - 1, "each colour ends");
    }

    #[test]
    fn words_of_a_peer_cannot_steer_the_terminal() {
        let why = "\x1b[2J\rgone\u{7}".to_owned();
        let bad = Outcome::Failed { verdict: Verdict::Ours, why: why.clone(), transcript: String::new() };
        let peers = vec![PeerStatus { name: "a".to_owned(), version: why.clone(), missing: None }];
        let results =
            vec![result("a", &why, bad), result(&why, "order", Outcome::Missing { why: why.clone() })];
        let page = write(&Report { ours: why, peers, results, ..Report::default() }, false);
        assert!(!page.contains(|c: char| c.is_control() && c != '\n'), "{page:?}");
        assert!(page.contains("\\u{1b}[2J\\rgone\\u{7}"));
    }

    #[test]
    fn long_reasons_say_that_they_go_on() {
        assert_eq!(first_lines("1\n\n2\n3\n4\n5\n6\n", 2), "1\n           2 (and 4 more lines)");
    }

    #[test]
    fn an_empty_run_says_so() {
        assert!(write(&Report::default(), false).ends_with("nothing was run\n"));
    }
}
