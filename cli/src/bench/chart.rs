//! A distribution as bars: on the terminal and as SVG.

use std::fmt::Write;

use hdrhistogram::Histogram;

/// How many bars a chart has.
const BARS: u64 = 20;
/// The longest bar on a terminal, in characters.
const WIDEST: u64 = 50;

/// How many values lie in a range.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    /// Its bounds, in the unit of the chart.
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) count: u64,
}

/// How the bounds of the bars follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// By equal steps.
    Linear,
    /// By equal factors: for times, most of which are short while some are a hundred times as long.
    Logarithmic,
}

/// Returns the bars. They divide what lies between the lowest value and the highest hundredth, which the last bar has.
pub(super) fn bars(values: &Histogram<u64>, scale: Scale, factor: f64) -> Vec<Bar> {
    if values.is_empty() {
        return Vec::new();
    }
    let (low, high) = (values.min(), values.value_at_quantile(0.99).max(values.min() + 1));
    let starts = starts(low, high, scale);
    let ends = starts.iter().skip(1).copied().chain([values.max().max(high) + 1]);
    let bar = |(&from, to): (&u64, u64)| {
        let count = count_between(values, from, to - 1);
        Bar { from: from as f64 * factor, to: to as f64 * factor, count }
    };
    starts.iter().zip(ends).map(bar).collect()
}

/// Returns where the bars start: the first at `low` and the last at `high`, each after the one before.
fn starts(low: u64, high: u64, scale: Scale) -> Vec<u64> {
    let (from, to) = (low.max(1) as f64, high as f64);
    let start = |n: u64| match scale {
        Scale::Linear => low + (high - low) * n / BARS,
        Scale::Logarithmic => (from * (to / from).powf(n as f64 / BARS as f64)).round() as u64,
    };
    let mut starts: Vec<u64> = (0..BARS).map(start).chain([high]).collect();
    starts[0] = low;
    starts.dedup();
    starts
}

/// Counts each recorded value once, by the value that stands for its bucket.
fn count_between(values: &Histogram<u64>, low: u64, high: u64) -> u64 {
    let within = |value: u64| (low..=high).contains(&value);
    values
        .iter_recorded()
        .filter(|step| within(step.value_iterated_to().clamp(values.min(), values.max())))
        .map(|step| step.count_since_last_iteration())
        .sum()
}

/// Returns a line for each bar.
pub(super) fn lines(bars: &[Bar], unit: &str) -> Vec<String> {
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1);
    let line = |(n, bar): (usize, &Bar)| {
        // What is there is seen, however little it is.
        let width = (bar.count * WIDEST).div_ceil(most);
        let filled = "#".repeat(usize::try_from(width).unwrap_or_default());
        let above = if n + 1 == bars.len() { " (and above)" } else { "" };
        format!("{:>12.1} {unit} |{filled:<50} {}{above}", bar.from, bar.count)
    };
    bars.iter().enumerate().map(line).collect()
}

/// Returns the bars as an SVG, which takes its colours from the page around it.
pub(super) fn svg(bars: &[Bar], unit: &str) -> String {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 240.0;
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(1).max(1) as f64;
    let step = WIDTH / bars.len().max(1) as f64;
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"distribution\">\n", HEIGHT + 30.0);
    for (n, bar) in bars.iter().enumerate() {
        let (x, height) = (n as f64 * step, HEIGHT * bar.count as f64 / most);
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{:.1} to {:.1} {unit}: {}</title></rect>",
            HEIGHT - height,
            (step - 2.0).max(1.0),
            bar.from,
            bar.to,
            bar.count
        ); // to a String, which never fails
        if n % 5 == 0 {
            // The last one would not fit to the right of where its bar starts.
            let (x, anchor) = if n + 1 == bars.len() { (WIDTH, "end") } else { (x, "start") };
            let _ = writeln!(
                svg,
                "<text x=\"{x:.1}\" y=\"{}\" text-anchor=\"{anchor}\">{:.1}</text>",
                HEIGHT + 20.0,
                bar.from
            );
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram<u64> {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        values.into_iter().for_each(|value| histogram.record(value).unwrap());
        histogram
    }

    #[test]
    fn every_value_is_in_one_bar() {
        let sets = [vec![5], vec![7; 100], (1..=1000).collect(), (1..100).chain([50_000_000_000]).collect()];
        for (values, scale) in
            sets.into_iter().flat_map(|set| [(set.clone(), Scale::Linear), (set, Scale::Logarithmic)])
        {
            let count = values.len() as u64;
            let bars = bars(&histogram(values), scale, 1.0);
            assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), count, "{bars:?}");
            assert!(
                bars.len() as u64 <= BARS + 1 && bars.windows(2).all(|two| two[0].to == two[1].from),
                "{bars:?}"
            );
            assert!(bars.iter().all(|bar| bar.from < bar.to), "{bars:?}");
        }
        assert_eq!(bars(&histogram([]), Scale::Linear, 1.0), []);
    }

    #[test]
    fn short_times_have_many_bars_beside_long_ones() {
        // 900 of 100 to 199 ns, and 100 of a hundred times as long.
        let times = (0..900).map(|n| 100 + n % 100).chain((0..100).map(|_| 15_000));
        let short = |scale| {
            let bars = bars(&histogram(times.clone()), scale, 1.0);
            bars.iter().filter(|bar| bar.from < 200.0 && bar.count > 0).count()
        };
        assert_eq!((short(Scale::Linear), short(Scale::Logarithmic)), (1, 3));
    }

    #[test]
    fn the_longest_bar_fills_the_line_and_the_shortest_is_seen() {
        let bar = |from, count| Bar { from, to: from + 1.0, count };
        let lines = lines(&[bar(0.0, 1000), bar(1.0, 1), bar(2.0, 0)], "us");
        let widths: Vec<usize> = lines.iter().map(|line| line.matches('#').count()).collect();
        assert_eq!(widths, [50, 1, 0]);
    }

    #[test]
    fn the_picture_has_a_bar_for_each_range() {
        let picture = svg(&bars(&histogram(1..=1000), Scale::Linear, 1.0), "us");
        assert_eq!(picture.matches("<rect").count(), picture.matches("</rect>").count());
        assert!(picture.matches("<rect").count() >= 20 && picture.ends_with("</svg>\n"));
    }
}
