//! Which pictures there are, from a record.

use cell::QUANTILES;

use crate::chart::Chart;
use crate::record::{Cell, Record, p50};
use crate::row::{Measure, Row};
use crate::sample::Sample;

/// All pictures that the record has cells for.
pub(crate) fn charts(record: &Record) -> Vec<Chart> {
    let mut charts = Vec::new();
    for row in Row::all() {
        let title = row.title;
        match row.measure {
            Measure::Rate if row.name.starts_with("clients") => {}
            Measure::Rate => {
                charts.extend(by_size(record, row, "", format!("{title}: rate"), "messages/s", |sample| {
                    Some(sample.rate)
                }))
            }
            Measure::RoundTrip => {
                let median = |sample: &Sample| Some(p50(sample)? / 1e3);
                charts.extend(by_size(record, row, "", format!("{title}: median round trip"), "µs", median));
            }
            Measure::Tail | Measure::Start => {}
        }
    }
    for name in ["push-pull-tcp", "push-pull-ipc", "publish-tcp"] {
        if let Some(row) = Row::named(name) {
            let title = format!("{}: processor time of both ends for each message", row.title);
            charts.extend(by_size(record, row, "-processor", title, "ns", |sample| Some(sample.processor())));
        }
    }
    for (row, size) in [("req-rep-tcp", 64), ("req-rep-ipc", 64), ("burst-tcp", 64)] {
        charts.extend(distribution(record, row, size));
    }
    charts.extend(clients(record));
    charts.extend(start(record));
    charts
}

/// A row, from its smallest to its largest messages.
fn by_size(
    record: &Record,
    row: &Row,
    suffix: &str,
    title: String,
    unit: &'static str,
    what: impl Fn(&Sample) -> Option<f64>,
) -> Option<Chart> {
    let cells: Vec<&Cell> = record.cells.iter().filter(|cell| cell.row == row.name).collect();
    (cells.len() > 1).then(|| Chart {
        name: format!("{}{suffix}", row.name),
        title,
        unit,
        places: cells.iter().map(|cell| bytes(cell.size)).collect(),
        lines: lines(&cells, |cell, at| cell.results[at].median(&what)),
    })
}

/// Latencies of one cell, from the shortest to the longest.
fn distribution(record: &Record, row: &str, size: usize) -> Option<Chart> {
    let cell = record.cell(row, size)?;
    let lines = cell.results.iter().filter(|results| !results.samples.is_empty()).map(|results| {
        let at = |place| results.median(|sample| Some(sample.latencies.get(place)? / 1e3));
        (results.library.clone(), (0..QUANTILES.len()).map(at).collect())
    });
    Some(Chart {
        name: format!("{row}-distribution"),
        title: format!("{}, {}: distribution", Row::named(row)?.title, bytes(size)),
        unit: "µs",
        places: QUANTILES.iter().map(|quantile| percent(*quantile)).collect(),
        lines: lines.collect(),
    })
}

/// Rates by the number of clients.
fn clients(record: &Record) -> Option<Chart> {
    let cells: Vec<&Cell> =
        record.cells.iter().filter(|cell| cell.row.starts_with("clients") && cell.size == 64).collect();
    (cells.len() > 1).then(|| Chart {
        name: "clients".into(),
        title: "DEALERs ask one ROUTER over tcp, 64 B: round trips of all together".into(),
        unit: "round trips/s",
        places: cells
            .iter()
            .map(|cell| format!("{} clients", cell.row.trim_start_matches("clients-")))
            .collect(),
        lines: lines(&cells, |cell, at| cell.results[at].median(|sample| Some(sample.rate))),
    })
}

/// How a flood begins.
fn start(record: &Record) -> Option<Chart> {
    let cell = record.cell("start-tcp", 64)?;
    let lines = cell.results.iter().filter(|results| !results.samples.is_empty()).map(|results| {
        let at =
            |place| results.median(|sample| sample.starts.get(place).copied().filter(|rate| *rate > 0.0));
        (results.library.clone(), (0..cell::STARTS.len()).map(at).collect())
    });
    Some(Chart {
        name: "start-tcp".into(),
        title: "how a flood begins: PUSH to PULL, tcp, 64 B, since the first send".into(),
        unit: "messages/s",
        places: cell::STARTS.iter().map(|time| format!("{} ms", time.as_millis())).collect(),
        lines: lines.collect(),
    })
}

/// A line for each library that has values, over several cells with the same libraries.
fn lines(cells: &[&Cell], value: impl Fn(&Cell, usize) -> Option<f64>) -> Vec<(String, Vec<Option<f64>>)> {
    let libraries = cells.first().map_or(&[][..], |cell| &cell.results);
    let line = |(at, results): (usize, &crate::record::Results)| {
        (results.library.clone(), cells.iter().map(|cell| value(cell, at)).collect::<Vec<_>>())
    };
    libraries.iter().enumerate().map(line).filter(|(_, values)| values.iter().any(Option::is_some)).collect()
}

/// A size as people write it.
pub(crate) fn bytes(size: usize) -> String {
    match size {
        size if size % 1_048_576 == 0 => format!("{} MiB", size / 1_048_576),
        size if size % 1024 == 0 => format!("{} KiB", size / 1024),
        size => format!("{size} B"),
    }
}

fn percent(quantile: f64) -> String {
    match quantile {
        0.0 => "min".into(),
        0.5 => "median".into(),
        quantile => format!("{}%", (quantile * 1000.0).round() / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_quantiles_read_as_people_write_them() {
        assert_eq!([64, 1024, 16_384, 1_048_576].map(bytes), ["64 B", "1 KiB", "16 KiB", "1 MiB"]);
        assert_eq!([0.0, 0.5, 0.99, 0.999].map(percent), ["min", "median", "99%", "99.9%"]);
    }
}
