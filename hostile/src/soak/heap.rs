//! What the process has taken and not given back: at quiet points, and as the system shows it.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::heap::Live;
use crate::process::pass;

/// Between two looks at the heap.
const LOOK: Duration = Duration::from_millis(5);
/// As many equal looks make a quiet point.
const EQUAL: u32 = 20;

/// Waits until nothing is allocated and freed any more, at most for `limit`, and returns what is live then.
pub(super) fn quiet(limit: Duration) -> Live {
    let (start, mut last, mut equal) = (Instant::now(), Live::now(), 0);
    while equal < EQUAL && start.elapsed() < limit {
        pass(LOOK);
        let now = Live::now();
        equal = if now == last { equal + 1 } else { 0 };
        last = now;
    }
    last
}

/// A read buffer of an I/O thread, one block. Each I/O thread keeps between none and sixteen of them for the next use.
const READ_BUFFER: i64 = 64 * 1024;

/// What is live at quiet points, compared with the first of them.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    first: Option<Live>,
    /// Read buffers, more or fewer than at the first.
    pub(super) buffers: Line,
    /// Bytes without read buffers.
    pub(super) bytes: Line,
    /// Blocks without read buffers.
    pub(super) blocks: Line,
}

impl Quiet {
    /// Adds a quiet point.
    pub(super) fn add(&mut self, hours: f64, live: Live) {
        let first = *self.first.get_or_insert(live);
        let more = live.bytes - first.bytes;
        let buffers = (more as f64 / READ_BUFFER as f64).round() as i64;
        self.buffers.add(hours, buffers as f64);
        self.bytes.add(hours, (live.bytes - buffers * READ_BUFFER) as f64);
        self.blocks.add(hours, (live.blocks - buffers) as f64);
    }
}

/// KiB of this process that are resident, by its page tables: the counter in `/proc/self/status` is inexact by some
/// hundred KiB.
pub(super) fn resident() -> Result<f64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).context("no Rss")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// A straight line through points, by least squares. It keeps sums only, so it takes no memory that grows.
#[derive(Debug, Default)]
pub(super) struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    least: Option<f64>,
    most: Option<f64>,
}

impl Line {
    /// Adds a point.
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.least = Some(self.least.map_or(y, |least| least.min(y)));
        self.most = Some(self.most.map_or(y, |most| most.max(y)));
    }

    /// The slope; 0 with fewer than two different points.
    pub(super) fn slope(&self) -> f64 {
        let spread = self.n * self.xx - self.x * self.x;
        if spread > 0.0 { (self.n * self.xy - self.x * self.y) / spread } else { 0.0 }
    }

    /// The mean of y.
    pub(super) fn mean(&self) -> f64 {
        self.y / self.n
    }

    /// The largest y minus the smallest.
    pub(super) fn range(&self) -> f64 {
        self.most.zip(self.least).map_or(f64::NAN, |(most, least)| most - least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_points_has_their_slope_and_range() {
        let mut line = Line::default();
        assert_eq!(line.slope(), 0.0);
        assert!(line.range().is_nan(), "no point keeps no rule");
        for (x, noise) in [(0.0, 1.0), (1.0, -1.0), (2.0, -1.0), (3.0, 1.0)] {
            line.add(x, 100.0 + 7.0 * x + noise);
        }
        assert!((line.slope() - 7.0).abs() < 1e-9, "{}", line.slope());
        assert_eq!((line.range(), line.mean()), (21.0, 110.5));
    }

    #[test]
    fn read_buffers_are_told_from_what_is_lost() {
        let quiet = |points: &[(i64, i64)]| {
            let mut quiet = Quiet::default();
            points.iter().for_each(|&(bytes, blocks)| quiet.add(0.0, Live { bytes, blocks }));
            [quiet.buffers.range(), quiet.bytes.range(), quiet.blocks.range()]
        };
        assert_eq!(quiet(&[(100_000, 50), (165_536, 51), (34_464, 49)]), [2.0, 0.0, 0.0]);
        assert_eq!(quiet(&[(100_000, 50), (100_100, 51)]), [0.0, 100.0, 1.0], "a small block is lost");
        assert_eq!(quiet(&[(100_000, 50), (120_000, 70), (150_000, 90)])[1], 35_536.0, "they add up");
    }

    #[test]
    fn a_process_that_runs_has_resident_memory() {
        assert!(resident().unwrap() > 100.0);
    }
}
