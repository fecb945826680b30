//! All samples, as a file; medians, spread and ratios.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::row::Measure;
use crate::sample::Sample;

/// One whole comparison.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) processors: usize,
    /// The system's load in the minute before it began, without this comparison.
    pub(crate) load: Option<f64>,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) cells: Vec<Cell>,
}

/// One row and size.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cell {
    pub(crate) row: String,
    pub(crate) size: usize,
    pub(crate) results: Vec<Results>,
}

/// One library in a cell: a sample of each round, or why there are none.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) library: String,
    pub(crate) samples: Vec<Sample>,
    pub(crate) failure: Option<String>,
}

impl Record {
    pub(crate) fn new(rounds: usize, seconds: f64) -> Record {
        let load = fs::read_to_string("/proc/loadavg").ok();
        Record {
            processors: std::thread::available_parallelism().map_or(0, usize::from),
            load: load.and_then(|load| load.split(' ').next()?.parse().ok()),
            rounds,
            seconds,
            cells: Vec::new(),
        }
    }

    /// The cell of a row and size.
    pub(crate) fn cell(&self, row: &str, size: usize) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.row == row && cell.size == size)
    }

    pub(crate) fn load(file: &Path) -> Result<Record, Box<dyn Error>> {
        Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
    }

    pub(crate) fn save(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(file, serde_json::to_string_pretty(self)?)?)
    }
}

impl Cell {
    pub(crate) fn new(row: &str, size: usize, libraries: Vec<String>) -> Cell {
        let results =
            libraries.into_iter().map(|library| Results { library, samples: Vec::new(), failure: None });
        Cell { row: row.to_owned(), size, results: results.collect() }
    }

    /// The first library's figure as a multiple of the best other's, and who that is. `what` is what is compared; where
    /// `larger` is better, the best has the largest median.
    pub(crate) fn ratio(&self, larger: bool, what: impl Fn(&Sample) -> Option<f64>) -> Option<(f64, &str)> {
        let (ours, others) = self.results.split_first()?;
        let others = others.iter().filter(|other| !is_ours(&other.library));
        let others = others.filter_map(|other| Some((other.median(&what)?, other)));
        let best = if larger {
            others.max_by(|a, b| a.0.total_cmp(&b.0))
        } else {
            others.min_by(|a, b| a.0.total_cmp(&b.0))
        };
        let (_, best) = best?;
        Some((ours.ratio(best, what)?, &best.library))
    }

    /// How many times better the first library is than the best other: above 1 for the better rate and for the shorter time.
    pub(crate) fn lead(&self, measure: Measure) -> Option<(f64, &str)> {
        let larger = measure.larger_is_better();
        let (ratio, best) = self.ratio(larger, |sample| measure.of(sample))?;
        Some((if larger { ratio } else { 1.0 / ratio }, best))
    }
}

impl Results {
    /// The median of what the samples have.
    pub(crate) fn median(&self, what: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        median(self.samples.iter().filter_map(what))
    }

    /// The median of the ratios of each round.
    pub(crate) fn ratio(&self, other: &Results, what: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let rounds = self.samples.iter().zip(&other.samples);
        median(rounds.filter_map(|(a, b)| Some(what(a)? / what(b)?)))
    }

    /// The largest by the smallest.
    pub(crate) fn spread(&self, what: impl Fn(&Sample) -> Option<f64>) -> Option<f64> {
        let values = || self.samples.iter().filter_map(&what).filter(|value| *value > 0.0);
        let (least, most) = (values().min_by(f64::total_cmp)?, values().max_by(f64::total_cmp)?);
        Some(most / least)
    }
}

/// Whether this is one of our own modes, which are not compared with each other.
pub(crate) fn is_ours(library: &str) -> bool {
    library.starts_with("zeroxide")
}

/// The middle one, or the mean of the two in the middle; `None` of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

impl Measure {
    /// Whether more is better.
    pub(crate) fn larger_is_better(self) -> bool {
        matches!(self, Measure::Rate | Measure::Start)
    }

    /// The figure that is compared.
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        match self {
            Measure::Rate => Some(sample.rate),
            Measure::RoundTrip | Measure::Tail => p50(sample),
            Measure::Start => sample.starts.get(1).copied(),
        }
    }
}

pub(crate) fn p50(sample: &Sample) -> Option<f64> {
    at(sample, 0.5)
}

pub(crate) fn p99(sample: &Sample) -> Option<f64> {
    at(sample, 0.99)
}

fn at(sample: &Sample, quantile: f64) -> Option<f64> {
    let place = cell::QUANTILES.iter().position(|q| *q == quantile)?;
    sample.latencies.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([7.0]), Some(7.0));
        assert_eq!(median([]), None);
    }

    fn results(library: &str, rates: &[f64]) -> Results {
        let samples = rates.iter().map(|rate| Sample { rate: *rate, ..Sample::default() }).collect();
        Results { library: library.to_owned(), samples, failure: None }
    }

    fn cell(results: Vec<Results>) -> Cell {
        Cell { row: String::new(), size: 64, results }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_beside_the_best_other() {
        let rate = |sample: &Sample| Some(sample.rate);
        let cell = cell(vec![
            // Rounds differ twentyfold, the ratios within them do not.
            results("zeroxide", &[20.0, 200.0, 400.0]),
            results("zeroxide-tokio", &[900.0, 900.0, 900.0]),
            results("slow", &[1.0, 2.0, 3.0]),
            results("fast", &[10.0, 100.0, 100.0]),
        ]);
        assert_eq!(cell.ratio(true, rate), Some((2.0, "fast")));
        assert_eq!(cell.ratio(false, rate), Some((100.0, "slow")));
    }

    #[test]
    fn without_another_there_is_no_ratio() {
        let alone = cell(vec![results("zeroxide", &[1.0]), results("failed", &[])]);
        assert_eq!(alone.ratio(true, |sample| Some(sample.rate)), None);
    }

    #[test]
    fn the_spread_is_the_largest_by_the_smallest() {
        assert_eq!(results("a", &[2.0, 3.0, 1.0]).spread(|sample| Some(sample.rate)), Some(3.0));
    }
}
