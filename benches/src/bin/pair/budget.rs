//! What a message may cost zeroxide, in counters that do not depend on the machine.

use crate::case::{Case, Mechanism, Pattern, Transport};
use crate::library::Counters;

/// Per 1000 messages, or per 1000 round trips and side. `None` is not bounded here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Budget {
    /// `sendmsg` and `recv` together.
    pub(crate) calls: Option<f64>,
    pub(crate) wakes: Option<f64>,
}

const fn budget(calls: f64, wakes: f64) -> Budget {
    Budget { calls: Some(calls), wakes: Some(wakes) }
}

/// For the first and the second end.
pub(crate) fn of(case: Case) -> [Budget; 2] {
    use Transport::{Ipc, Tcp};
    if case.mechanism != Mechanism::Null {
        return [Budget::default(); 2];
    }
    match (case.pattern, case.transport, case.size) {
        (Pattern::Throughput, Tcp, 64) => [budget(4.0, 0.05), budget(4.0, 2.0)],
        (Pattern::Throughput, Tcp, 1024) => [budget(18.0, 0.1), budget(20.0, 0.1)],
        (Pattern::Throughput, Tcp, 16_384) => [budget(340.0, 1.0), budget(300.0, 1.0)],
        (Pattern::Throughput, Tcp, 262_144) => {
            [Budget { calls: Some(5000.0), wakes: None }, Budget { calls: Some(5000.0), wakes: None }]
        }
        (Pattern::Throughput, Ipc, 64) => [budget(4.0, 0.05), budget(3.0, 0.05)],
        (Pattern::Spread, Tcp, 64) => [budget(8.0, 0.2), Budget::default()],
        (Pattern::Latency, Tcp | Ipc, _) => [budget(2000.0, 0.0), budget(2000.0, 0.0)],
        _ => [Budget::default(); 2],
    }
}

impl Budget {
    /// What is over the budget, in words; empty when nothing is.
    pub(crate) fn excess(&self, counters: Counters, thousands: f64) -> String {
        let calls = (counters.writes + counters.reads) as f64 / thousands;
        let wakes = counters.wakes as f64 / thousands;
        let over = |what: &str, is: f64, may: Option<f64>| match may {
            Some(may) if is > may => format!("  OVER: {what} {is:.2}, budget {may}"),
            _ => String::new(),
        };
        over("calls", calls, self.calls) + &over("wakes", wakes, self.wakes)
    }
}
