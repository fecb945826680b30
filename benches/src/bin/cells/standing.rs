//! How we stand in each cell.

use crate::gallery::bytes;
use crate::library::Library;
use crate::record::{Cell, Record, Results, p50};
use crate::row::{Measure, Row};
use crate::sample::Sample;
use crate::table::{count, micros, nanos};

/// One cell: our figure, libzmq's and the best other's.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) title: &'static str,
    pub(crate) size: String,
    pub(crate) ours: String,
    pub(crate) libzmq: String,
    /// The best other's figure and name.
    pub(crate) best: String,
    /// Above 1 is better than the best other, for rates and for times alike.
    pub(crate) lead: f64,
    /// Our processor time for a message as a part of the thriftiest other's: below 1 is better.
    pub(crate) processor: f64,
    /// The same with names and figures.
    pub(crate) thriftiest: String,
    /// Our largest round by our smallest.
    pub(crate) spread: f64,
}

/// The cells in which we and another have figures.
pub(crate) fn standings(record: &Record) -> Vec<Standing> {
    record.cells.iter().filter_map(standing).collect()
}

fn standing(cell: &Cell) -> Option<Standing> {
    let row = Row::named(&cell.row)?;
    let figure = |sample: &Sample| row.measure.of(sample);
    let (lead, best) = cell.lead(row.measure)?;
    let (processor, thriftiest) = cell.ratio(false, |sample| Some(sample.processor()))?;
    let of = |name: &str| cell.results.iter().find(|results| results.library == name);
    let show = |results: &Results| results.median(figure).map(|value| text(row.measure, value));
    let ours = cell.results.first()?;
    let cost = |results: &Results| results.median(|sample| Some(sample.processor())).map(nanos);
    Some(Standing {
        title: row.title,
        size: bytes(cell.size),
        ours: show(ours)?,
        libzmq: of("libzmq").and_then(show).unwrap_or_else(|| "–".into()),
        best: format!("{} {best}", of(best).and_then(show)?),
        lead,
        processor,
        thriftiest: format!("{} to {} {thriftiest}", cost(ours)?, of(thriftiest).and_then(cost)?),
        spread: ours.spread(figure)?,
    })
}

fn text(measure: Measure, value: f64) -> String {
    if measure.larger_is_better() { format!("{}/s", count(value)) } else { micros(value) }
}

/// Tasks on tokio: our median round trip and that of each library that is used so, with ours as a part of theirs.
#[derive(Debug)]
pub(crate) struct OnTokio {
    pub(crate) title: &'static str,
    pub(crate) size: String,
    pub(crate) ours: String,
    pub(crate) others: Vec<(String, String, f64)>,
}

/// The rows of round trips.
pub(crate) fn on_tokio(record: &Record) -> Vec<OnTokio> {
    let table = record.cells.iter().filter_map(|cell| {
        let row = Row::named(&cell.row).filter(|row| row.measure == Measure::RoundTrip)?;
        let is_on_tokio =
            |results: &&Results| Library::named(&results.library).is_some_and(|one| one.is_on_tokio);
        let mut those = cell.results.iter().filter(is_on_tokio);
        let ours = those.next()?;
        let others = those.filter_map(|other| {
            let figure = micros(other.median(p50)?);
            Some((other.library.clone(), figure, ours.ratio(other, p50)?))
        });
        let size = bytes(cell.size);
        Some(OnTokio { title: row.title, size, ours: micros(ours.median(p50)?), others: others.collect() })
    });
    table.filter(|line| !line.others.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of one cell, in which each library has one sample.
    fn record(row: &str, samples: Vec<(&str, Sample)>) -> Record {
        let mut record = Record::new(1, 1.0);
        let results = samples.into_iter().map(|(library, sample)| Results {
            library: library.to_owned(),
            samples: vec![sample],
            failure: None,
        });
        record.cells.push(Cell { row: row.to_owned(), size: 64, results: results.collect() });
        record
    }

    fn rate(rate: f64, processor: f64) -> Sample {
        let mut sample = Sample { rate, ..Sample::default() };
        sample.first.processor = processor;
        sample
    }

    /// All round trips take so long.
    fn round_trip(nanos: f64) -> Sample {
        Sample { rate: 1.0, latencies: vec![nanos; cell::QUANTILES.len()], ..Sample::default() }
    }

    #[test]
    fn a_lead_above_one_is_better_for_rates_and_for_times() {
        let rates =
            vec![("zeroxide", rate(3e6, 90.0)), ("libzmq", rate(1e6, 60.0)), ("zeromq", rate(2e6, 180.0))];
        let standing = &standings(&record("push-pull-tcp", rates))[0];
        assert_eq!((standing.lead, standing.processor), (1.5, 1.5));
        assert_eq!((standing.best.as_str(), standing.libzmq.as_str()), ("2.00 M/s zeromq", "1.00 M/s"));
        let times = vec![("zeroxide", round_trip(40_000.0)), ("libzmq", round_trip(20_000.0))];
        let standing = &standings(&record("req-rep-tcp", times))[0];
        assert_eq!((standing.lead, standing.best.as_str()), (0.5, "20.0 µs libzmq"));
    }

    #[test]
    fn tasks_on_tokio_are_compared_with_tasks_on_tokio() {
        let times = vec![
            ("zeroxide", round_trip(10_000.0)),
            ("zeroxide-tokio", round_trip(20_000.0)),
            ("libzmq", round_trip(5_000.0)),
            ("zeromq", round_trip(80_000.0)),
        ];
        let table = on_tokio(&record("req-rep-tcp", times));
        assert_eq!(table[0].ours, "20.0 µs");
        assert_eq!(table[0].others, [("zeromq".to_owned(), "80.0 µs".to_owned(), 0.25)]);
    }
}
