//! The kinds of results that a report tells apart, and cells put together by pair and scenario.

use super::{CellResult, Outcome, Report, Verdict};

/// What a report shows of an outcome, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Ours,
    Undecided,
    /// The other's fault, which the list of known faults does not name.
    Unlisted,
    /// The other's fault, listed with its reason.
    Known,
    Missing,
    Passed,
}

impl Mark {
    pub(super) const ALL: [Mark; 6] =
        [Mark::Ours, Mark::Undecided, Mark::Unlisted, Mark::Known, Mark::Missing, Mark::Passed];

    pub(super) fn of(outcome: &Outcome) -> Mark {
        match outcome {
            Outcome::Passed => Mark::Passed,
            Outcome::Missing { .. } => Mark::Missing,
            Outcome::Failed { verdict: Verdict::Ours, .. } => Mark::Ours,
            Outcome::Failed { verdict: Verdict::Undecided, .. } => Mark::Undecided,
            Outcome::Failed { verdict: Verdict::Theirs { reason: None }, .. } => Mark::Unlisted,
            Outcome::Failed { verdict: Verdict::Theirs { reason: Some(_) }, .. } => Mark::Known,
        }
    }

    /// One word, for files and style sheets.
    pub(super) fn name(self) -> &'static str {
        match self {
            Mark::Ours => "ours",
            Mark::Undecided => "undecided",
            Mark::Unlisted => "unlisted",
            Mark::Known => "known",
            Mark::Missing => "missing",
            Mark::Passed => "passed",
        }
    }

    /// A few words, for people.
    pub(super) fn words(self) -> &'static str {
        match self {
            Mark::Ours => "failed, ours",
            Mark::Undecided => "failed, undecided",
            Mark::Unlisted => "failed, theirs, not listed",
            Mark::Known => "failed, theirs, known",
            Mark::Missing => "missing",
            Mark::Passed => "passed",
        }
    }

    /// One character, so that nothing is told by colour alone.
    pub(super) fn sign(self) -> char {
        match self {
            Mark::Ours => '!',
            Mark::Undecided => '?',
            Mark::Unlisted => '*',
            Mark::Known => '~',
            Mark::Missing => '-',
            Mark::Passed => '+',
        }
    }
}

/// How many results of each kind there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally([usize; Mark::ALL.len()]);

impl Tally {
    pub(super) fn of<'a>(results: impl IntoIterator<Item = &'a CellResult>) -> Tally {
        let mut tally = Tally::default();
        for result in results {
            tally.0[Mark::of(&result.outcome) as usize] += 1;
        }
        tally
    }

    pub(super) fn count(self, mark: Mark) -> usize {
        self.0[mark as usize]
    }

    pub(super) fn total(self) -> usize {
        self.0.iter().sum()
    }

    /// The worst that there is, if there is anything. What could not be tried is worse than what passed.
    pub(super) fn worst(self) -> Option<Mark> {
        self.marks().next().map(|(mark, _)| mark)
    }

    /// The kinds that there are, worst first, with their numbers.
    pub(super) fn marks(self) -> impl Iterator<Item = (Mark, usize)> {
        Mark::ALL.into_iter().map(move |mark| (mark, self.count(mark))).filter(|(_, count)| *count > 0)
    }
}

/// The scenarios of a report. Not every pair plays all of them: one that is new stands after the one that its pair plays
/// before it.
pub(super) fn scenarios(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    let mut before: Option<&CellResult> = None;
    for result in &report.results {
        if !names.contains(&result.scenario.as_str()) {
            let before = before.filter(|before| (&before.peer, &before.pair) == (&result.peer, &result.pair));
            let place = before.and_then(|before| names.iter().position(|name| *name == before.scenario));
            names.insert(place.map_or(names.len(), |place| place + 1), &result.scenario);
        }
        before = Some(result);
    }
    names
}

/// Results of one pair with one mechanism, by scenario.
pub(super) struct Row<'a> {
    pub(super) pair: &'a str,
    pub(super) mechanism: &'a str,
    /// As many as there are scenarios.
    pub(super) slots: Vec<Vec<&'a CellResult>>,
}

/// Results by mechanism, pair and scenario.
pub(super) fn rows<'a>(results: &[&'a CellResult], scenarios: &[&str]) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for name in mechanisms(results) {
        let with_it = results.iter().filter(|result| mechanism(result) == name);
        let pairs = distinct(with_it.map(|result| result.pair.as_str()));
        let empty = || vec![Vec::new(); scenarios.len()];
        rows.extend(pairs.into_iter().map(|pair| Row { pair, mechanism: name, slots: empty() }));
    }
    for result in results {
        let row = rows.iter_mut().find(|row| (row.pair, row.mechanism) == (&result.pair, mechanism(result)));
        let column = scenarios.iter().position(|scenario| *scenario == result.scenario);
        if let (Some(row), Some(column)) = (row, column) {
            row.slots[column].push(result);
        }
    }
    rows
}

/// The mechanisms of results.
pub(super) fn mechanisms<'a>(results: &[&'a CellResult]) -> Vec<&'a str> {
    distinct(results.iter().map(|result| mechanism(result)))
}

/// The pairs of results.
pub(super) fn pairs<'a>(results: &[&'a CellResult]) -> Vec<&'a str> {
    distinct(results.iter().map(|result| result.pair.as_str()))
}

/// The mechanism of a result, whoever is the server, which stands after a dash.
fn mechanism(result: &CellResult) -> &str {
    result.mechanism.split('-').next().unwrap_or_default()
}

/// The names of all peers of a report: those that it lists, then those that only cells name.
pub(super) fn peers(report: &Report) -> Vec<&str> {
    let listed = report.peers.iter().map(|peer| peer.name.as_str());
    distinct(listed.chain(report.results.iter().map(|result| result.peer.as_str())))
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::super::tests::{failed, result};
    use super::*;

    #[test]
    fn the_worst_mark_names_a_slot() {
        let (passed, missing) = (
            result("a", "order", Outcome::Passed),
            result("a", "order", Outcome::Missing { why: String::new() }),
        );
        let known = result("a", "order", failed(Verdict::Theirs { reason: Some("listed".to_owned()) }));
        let ours = result("a", "order", failed(Verdict::Ours));
        assert_eq!(Tally::of([]).worst(), None);
        assert_eq!(Tally::of([&passed]).worst(), Some(Mark::Passed));
        assert_eq!(Tally::of([&passed, &missing]).worst(), Some(Mark::Missing));
        assert_eq!(Tally::of([&passed, &known, &missing]).worst(), Some(Mark::Known));
        let tally = Tally::of([&passed, &known, &ours, &passed]);
        assert_eq!((tally.worst(), tally.total(), tally.count(Mark::Passed)), (Some(Mark::Ours), 4, 2));
    }

    #[test]
    fn a_scenario_of_some_pairs_stands_where_they_play_it() {
        let of = |pair: &str, scenario: &str| CellResult {
            pair: pair.to_owned(),
            ..result("a", scenario, Outcome::Passed)
        };
        let results = [
            ("one", "order"),
            ("one", "kill"),
            ("two", "order"),
            ("two", "topics"),
            ("two", "kill"),
            ("three", "ids"),
        ];
        let results = results.map(|(pair, scenario)| of(pair, scenario)).into();
        let report = Report { results, ..Report::default() };
        assert_eq!(scenarios(&report), ["order", "topics", "kill", "ids"]);
    }

    #[test]
    fn rows_put_apart_what_has_another_mechanism_and_not_who_is_the_server() {
        let with = |mechanism: &str| CellResult {
            mechanism: mechanism.to_owned(),
            ..result("a", "order", Outcome::Passed)
        };
        let results = ["NULL", "CURVE", "CURVE-server-connects"].map(with);
        let all: Vec<_> = results.iter().collect();
        let shape: Vec<_> =
            rows(&all, &["order"]).iter().map(|row| (row.pair, row.mechanism, row.slots[0].len())).collect();
        assert_eq!(shape, [("PUSH-PULL", "NULL", 1), ("PUSH-PULL", "CURVE", 2)]);
    }

    #[test]
    fn rows_have_a_slot_for_each_scenario_of_the_report() {
        let mut other = result("a", "sizes", Outcome::Passed);
        other.pair = "REQ-REP".to_owned();
        let results = vec![result("a", "order", Outcome::Passed), other];
        let report = Report { results, ..Report::default() };
        let columns = scenarios(&report);
        assert_eq!(columns, ["order", "sizes"]);
        let all: Vec<_> = report.results.iter().collect();
        let shape: Vec<_> = rows(&all, &columns)
            .iter()
            .map(|row| (row.pair, row.slots.iter().map(Vec::len).collect::<Vec<_>>()))
            .collect();
        assert_eq!(shape, [("PUSH-PULL", vec![1, 0]), ("REQ-REP", vec![0, 1])]);
    }
}
