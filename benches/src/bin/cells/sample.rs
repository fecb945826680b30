//! What a run measured, per message.

use cell::{Outcome, STARTS};
use serde::{Deserialize, Serialize};

/// One run of one library.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Messages or round trips in a second, of all sockets that receive together.
    pub(crate) rate: f64,
    /// What sends or asks; over inproc, both.
    pub(crate) first: Cost,
    /// What receives or sends back; over inproc nothing is left for it.
    pub(crate) second: Cost,
    /// In nanoseconds at [`cell::QUANTILES`]; of many processes, the median of theirs.
    pub(crate) latencies: Vec<f64>,
    /// Messages in a second, from the first send until each of [`cell::STARTS`].
    pub(crate) starts: Vec<f64>,
}

/// What a message costs the processes of one side together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Nanoseconds of processor time.
    pub(crate) processor: f64,
    /// System calls that move bytes or wait, where they are counted.
    pub(crate) calls: Option<f64>,
    /// Voluntary context switches.
    pub(crate) sleeps: f64,
    /// Involuntary context switches.
    pub(crate) preemptions: f64,
    /// Most bytes of memory of one process.
    pub(crate) peak: f64,
}

impl Sample {
    /// `None` if no message was received.
    pub(crate) fn of(first: &[Outcome], second: &[Outcome]) -> Option<Sample> {
        let all = || first.iter().chain(second);
        let rate: f64 = all().map(|outcome| per_second(outcome, outcome.messages as f64)).sum();
        let latencies: Vec<&Vec<u64>> =
            all().map(|outcome| &outcome.latencies).filter(|l| !l.is_empty()).collect();
        let at = |quantile: usize| {
            let mut at: Vec<u64> = latencies.iter().map(|latencies| latencies[quantile]).collect();
            at.sort_unstable();
            at[at.len() / 2] as f64
        };
        let quantiles = latencies.first().map_or(0, |latencies| latencies.len());
        let starts = all().map(|outcome| &outcome.starts).find(|starts| !starts.is_empty());
        let starts = starts.into_iter().flatten().zip(STARTS).map(|(n, time)| *n as f64 / time.as_secs_f64());
        (rate > 0.0).then(|| Sample {
            rate,
            first: Cost::of(first, rate),
            second: Cost::of(second, rate),
            latencies: (0..quantiles).map(at).collect(),
            starts: starts.collect(),
        })
    }

    /// Nanoseconds of processor time for a message, at both ends.
    pub(crate) fn processor(&self) -> f64 {
        self.first.processor + self.second.processor
    }
}

impl Cost {
    fn of(outcomes: &[Outcome], rate: f64) -> Cost {
        let sum = |what: &dyn Fn(&Outcome) -> u64| -> f64 {
            outcomes.iter().fold(0.0, |sum, outcome| sum + per_second(outcome, what(outcome) as f64)) / rate
        };
        let counted = outcomes.iter().all(|outcome| outcome.calls.is_some());
        Cost {
            processor: sum(&|outcome| outcome.user + outcome.system),
            calls: counted.then(|| sum(&|outcome| outcome.calls.unwrap_or_default())),
            sleeps: sum(&|outcome| outcome.sleeps),
            preemptions: sum(&|outcome| outcome.preemptions),
            peak: outcomes.iter().map(|outcome| outcome.peak).max().unwrap_or_default() as f64,
        }
    }
}

fn per_second(outcome: &Outcome, what: f64) -> f64 {
    what / (outcome.elapsed.max(1) as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second() -> Outcome {
        Outcome { elapsed: 1_000_000_000, ..Outcome::default() }
    }

    #[test]
    fn a_message_costs_what_all_processes_of_a_side_use() {
        let sender = Outcome { user: 300, system: 100, calls: Some(5), ..second() };
        let receiver = Outcome { messages: 10, user: 1000, sleeps: 20, calls: None, peak: 7, ..second() };
        let sample = Sample::of(&[sender.clone(), sender], &[receiver]).unwrap();
        assert_eq!(sample.rate, 10.0);
        assert_eq!((sample.first.processor, sample.second.processor), (80.0, 100.0));
        assert_eq!((sample.first.calls, sample.second.calls), (Some(1.0), None));
        assert_eq!((sample.second.sleeps, sample.second.peak), (2.0, 7.0));
    }

    #[test]
    fn rates_are_those_of_each_process_in_its_own_time() {
        let fast = Outcome { messages: 100, ..second() };
        let slow = Outcome { messages: 100, elapsed: 2_000_000_000, ..Outcome::default() };
        assert_eq!(Sample::of(&[], &[fast, slow]).unwrap().rate, 150.0);
        assert_eq!(Sample::of(&[second()], &[second()]), None);
    }

    #[test]
    fn a_start_is_a_rate_since_the_first_send() {
        let receiver = Outcome { messages: 1, starts: vec![10, 100, 1000], ..second() };
        assert_eq!(Sample::of(&[second()], &[receiver]).unwrap().starts, [2000.0, 4000.0, 10_000.0]);
    }
}
