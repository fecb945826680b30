//! Two classes, their times, and Welch's t-test.

/// |t| above which two classes are taken to differ.
pub(crate) const THRESHOLD: f64 = 4.5;

/// The share of the measurements, from the fastest, that each test takes.
const CROPS: [f64; 6] = [1.0, 0.99, 0.95, 0.9, 0.75, 0.5];

/// What a measurement came to.
pub(crate) struct Found {
    /// The largest |t| of all crops.
    pub(crate) t: f64,
    /// Of both classes, in nanoseconds.
    pub(crate) median: u64,
}

/// SplitMix64.
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.next() as u8)
    }
}

/// Measures `samples` times one class or the other, in random order; `sample` is told which, and answers nanoseconds.
pub(crate) fn measure(samples: u32, seed: u64, sample: &mut dyn FnMut(bool) -> u64) -> Found {
    let mut random = Random(seed);
    // Caches and branch predictors settle.
    for n in 0..samples / 100 {
        sample(n % 2 == 0);
    }
    let mut times: Vec<(u64, bool)> = Vec::with_capacity(samples as usize);
    for _ in 0..samples {
        let class = random.next() % 2 == 0;
        times.push((sample(class), class));
    }
    let mut sorted: Vec<u64> = times.iter().map(|(time, _)| *time).collect();
    sorted.sort_unstable();
    let t = CROPS
        .iter()
        .map(|share| {
            let limit = sorted[((sorted.len() - 1) as f64 * share) as usize];
            welch(times.iter().filter(|(time, _)| *time <= limit).copied())
        })
        .fold(0.0, f64::max);
    Found { t, median: sorted[sorted.len() / 2] }
}

/// |t| of the two classes.
fn welch(times: impl Iterator<Item = (u64, bool)>) -> f64 {
    // Count, mean and sum of squared differences, as Welford accumulates them.
    let mut classes = [(0.0, 0.0, 0.0); 2];
    for (time, class) in times {
        let (count, mean, squares) = &mut classes[usize::from(class)];
        let time = time as f64;
        *count += 1.0;
        let difference = time - *mean;
        *mean += difference / *count;
        *squares += difference * (time - *mean);
    }
    let [(count_a, mean_a, squares_a), (count_b, mean_b, squares_b)] = classes;
    if count_a < 2.0 || count_b < 2.0 {
        return 0.0;
    }
    let error = squares_a / (count_a - 1.0) / count_a + squares_b / (count_b - 1.0) / count_b;
    if error == 0.0 { 0.0 } else { ((mean_a - mean_b) / error.sqrt()).abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_alike_do_not_differ_and_one_nanosecond_in_a_hundred_shows() {
        let mut random = Random(7);
        let mut noise = || 100 + random.next() % 10;
        assert!(measure(20_000, 1, &mut |_| noise()).t < THRESHOLD);
        assert!(measure(20_000, 1, &mut |class| noise() + u64::from(class)).t > THRESHOLD);
    }
}
