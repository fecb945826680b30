//! The results on the terminal.

use cell::Transport;

use crate::gallery::bytes;
use crate::record::{Cell, Results, p50, p99};
use crate::row::{Measure, Row};
use crate::sample::{Cost, Sample};

/// One cell in several lines; `None` for a row of another version.
pub(crate) fn text(cell: &Cell) -> Option<String> {
    let row = Row::named(&cell.row)?;
    let mut lines = vec![format!("{}, {}", row.title, bytes(cell.size))];
    for results in &cell.results {
        let text = match &results.failure {
            Some(reason) => format!("-  {reason}"),
            None => line(row, results),
        };
        lines.push(format!("{:>16}  {text}", results.library));
    }
    lines.extend(verdict(row, cell).map(|verdict| format!("{:>16}  {verdict}", "")));
    Some(lines.join("\n"))
}

fn line(row: &Row, results: &Results) -> String {
    let figure = |what: fn(&Sample) -> Option<f64>| results.median(what).unwrap_or_default();
    let main = match row.measure {
        Measure::Rate => format!("{}/s", count(figure(|s| Some(s.rate)))),
        Measure::RoundTrip | Measure::Tail => {
            format!("p50 {}  p99 {}", micros(figure(p50)), micros(figure(p99)))
        }
        Measure::Start => {
            let at = |n: usize| count(results.median(|s| s.starts.get(n).copied()).unwrap_or_default());
            format!("5 ms {}/s  25 ms {}/s  100 ms {}/s", at(0), at(1), at(2))
        }
    };
    let spread = results.spread(|sample| row.measure.of(sample)).unwrap_or(1.0);
    let end = |cost: fn(&Sample) -> Cost| {
        let median = |what: fn(Cost) -> Option<f64>| results.median(|sample| what(cost(sample)));
        let calls = median(|cost| cost.calls).map_or("?".into(), |calls| format!("{calls:.3}"));
        format!(
            "{} {calls} calls {:.3} sleeps {:.0} MiB",
            nanos(median(|cost| Some(cost.processor)).unwrap_or_default()),
            median(|cost| Some(cost.sleeps)).unwrap_or_default(),
            median(|cost| Some(cost.peak)).unwrap_or_default() / 1048576.0,
        )
    };
    let first = end(|sample| sample.first);
    match row.transport {
        Transport::Inproc => format!("{main}  spread {spread:.2}  | {first}"),
        _ => format!("{main}  spread {spread:.2}  | {first} | {}", end(|sample| sample.second)),
    }
}

/// How we stand beside the best other: the lead is above 1 where we are better.
fn verdict(row: &Row, cell: &Cell) -> Option<String> {
    let (lead, best) = cell.lead(row.measure)?;
    let (processor, thriftiest) = cell.ratio(false, |sample| Some(sample.processor()))?;
    Some(format!("lead {lead:.2} over {best}; processor time {processor:.2} of {thriftiest}'s"))
}

/// Three digits and a letter.
pub(crate) fn count(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.2} M", v / 1e6),
        v if v >= 1e3 => format!("{:.1} k", v / 1e3),
        v => format!("{v:.0}"),
    }
}

/// Nanoseconds in microseconds.
pub(crate) fn micros(nanos: f64) -> String {
    format!("{:.1} µs", nanos / 1e3)
}

/// Nanoseconds.
pub(crate) fn nanos(nanos: f64) -> String {
    if nanos >= 1e4 { micros(nanos) } else { format!("{nanos:.0} ns") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_and_a_unit() {
        assert_eq!(count(11_340_000.0), "11.34 M");
        assert_eq!(count(52_000.0), "52.0 k");
        assert_eq!(count(999.0), "999");
        assert_eq!(nanos(640.0), "640 ns");
        assert_eq!(nanos(71_200.0), "71.2 µs");
    }
}
