//! The result of `bench` as text and as JSON.

use hdrhistogram::Histogram;
use serde::Serialize;
use zeroxide::Endpoint;

use super::chart::{self, Bar, Scale};
use super::measure::{Kind, Measured};
use crate::exit::{End, Outcome};

/// The result of one benchmark.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) kind: &'static str,
    pub(super) endpoint: String,
    messages: u64,
    bytes: u64,
    seconds: f64,
    pub(super) messages_per_second: f64,
    megabytes_per_second: f64,
    /// How many replies differ from their request.
    wrong: u64,
    /// The unit of the values: `us` for round trips, `messages/s` for rates.
    pub(super) unit: &'static str,
    pub(super) mean: f64,
    pub(super) percentiles: Vec<Percentile>,
    #[serde(skip)]
    pub(super) bars: Vec<Bar>,
}

#[derive(Serialize)]
pub(super) struct Percentile {
    pub(super) percent: f64,
    pub(super) value: f64,
}

impl Report {
    pub(super) fn new(kind: Kind, endpoint: &Endpoint, measured: Measured) -> Report {
        let seconds = measured.time.as_secs_f64().max(f64::MIN_POSITIVE);
        let (kind, unit, factor, scale) = match kind {
            Kind::Latency => ("latency", "us", 1e-3, Scale::Logarithmic),
            Kind::Throughput => ("throughput", "messages/s", 1.0, Scale::Linear),
        };
        // The percentiles show the bad values: long times, low rates.
        let percents: &[f64] =
            if unit == "us" { &[50.0, 90.0, 99.0, 99.9, 100.0] } else { &[0.0, 1.0, 10.0, 50.0, 100.0] };
        Report {
            kind,
            endpoint: endpoint.to_string(),
            messages: measured.messages,
            bytes: measured.bytes,
            seconds,
            messages_per_second: measured.messages as f64 / seconds,
            megabytes_per_second: measured.bytes as f64 / seconds / 1e6,
            wrong: measured.wrong,
            unit,
            mean: measured.values.mean() * factor,
            percentiles: percentiles(&measured.values, percents, factor),
            bars: chart::bars(&measured.values, scale, factor),
        }
    }

    pub(super) fn json(&self) -> Outcome<String> {
        serde_json::to_string(self).map_err(End::failed)
    }

    /// Returns the lines before the chart.
    pub(super) fn summary(&self) -> Vec<String> {
        let what = if self.unit == "us" { "round trips" } else { "messages" };
        let mut lines = vec![
            format!("{} at {}", self.kind, self.endpoint),
            format!(
                "{} {what} in {:.1} s: {:.0}/s, {:.1} MB/s",
                self.messages, self.seconds, self.messages_per_second, self.megabytes_per_second
            ),
            format!("mean {:.1} {}", self.mean, self.unit),
        ];
        for Percentile { percent, value } in &self.percentiles {
            lines.push(format!("{:<6} {value:.1} {}", name(*percent), self.unit));
        }
        if self.wrong > 0 {
            lines.push(format!("{} replies were not the request: does the peer echo?", self.wrong));
        }
        lines
    }

    pub(super) fn text(&self) -> String {
        let mut lines = self.summary();
        lines.push(String::new());
        lines.extend(chart::lines(&self.bars, self.unit));
        lines.join("\n")
    }
}

fn name(percent: f64) -> String {
    match percent {
        0.0 => "min".to_owned(),
        100.0 => "max".to_owned(),
        percent => format!("p{percent}"),
    }
}

fn percentiles(values: &Histogram<u64>, percents: &[f64], factor: f64) -> Vec<Percentile> {
    let one = |percent: &f64| {
        let value = if *percent == 0.0 { values.min() } else { values.value_at_quantile(percent / 100.0) };
        Percentile { percent: *percent, value: value as f64 * factor }
    };
    if values.is_empty() { Vec::new() } else { percents.iter().map(one).collect() }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    pub(crate) fn measured(values: impl Iterator<Item = u64>) -> Measured {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        values.for_each(|value| histogram.record(value).unwrap());
        let messages = histogram.len();
        Measured { messages, bytes: 64 * messages, time: Duration::from_secs(2), values: histogram, wrong: 0 }
    }

    fn report(kind: Kind) -> Report {
        let endpoint = Endpoint::parse_connect("tcp://127.0.0.1:5555").unwrap();
        Report::new(kind, &endpoint, measured((1..=1000).map(|n| n * 1000)))
    }

    #[test]
    fn round_trips_are_told_in_microseconds_with_their_tail() {
        let report = report(Kind::Latency);
        let text = report.text();
        assert!(text.contains("1000 round trips in 2.0 s: 500/s"), "{text}");
        for (percent, expected) in
            [(50.0, 500.0), (90.0, 900.0), (99.0, 990.0), (99.9, 999.0), (100.0, 1000.0)]
        {
            let found = report.percentiles.iter().find(|found| found.percent == percent).unwrap().value;
            assert!((found - expected).abs() / expected < 0.002, "{percent}: {found}");
        }
    }

    #[test]
    fn rates_are_told_from_their_low_end() {
        let report = report(Kind::Throughput);
        assert_eq!(report.percentiles[0].percent, 0.0);
        let json: serde_json::Value = serde_json::from_str(&report.json().unwrap()).unwrap();
        assert_eq!((&json["kind"], &json["messages"]), (&"throughput".into(), &1000.into()));
    }

    #[test]
    fn nothing_measured_has_no_percentiles() {
        let endpoint = Endpoint::parse_connect("tcp://127.0.0.1:5555").unwrap();
        let report = Report::new(Kind::Throughput, &endpoint, measured(std::iter::empty()));
        assert!(report.percentiles.is_empty() && report.bars.is_empty());
        report.text();
    }
}
