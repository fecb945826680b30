//! The counters of a context as OpenMetrics (feature `metrics`).
//!
//! There is no second bookkeeping: each scrape takes the status of every socket.

use std::fmt;
use std::sync::{Arc, Weak};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use zeroxide_patterns::Cause;

use crate::context::Context;
use crate::socket::base::SocketBase;
use crate::socket::context::ContextBase;
use crate::stats::{Dropped, SocketStats, Status};

/// The counters of all sockets of a context, for a registry of `prometheus-client`:
/// `registry.register_collector(Box::new(context.collector()))`. It does not keep the context open.
pub struct Metrics(Weak<ContextBase>);

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Context {
    /// Returns the counters of all sockets as OpenMetrics text. Each line has the labels `socket` (a number that is unique in
    /// the context), `type`, `name` (the routing id) and `endpoint` (the first one).
    ///
    /// ```
    /// use zeroxide::{Context, SocketType};
    ///
    /// let context = Context::new();
    /// let push = context.socket(SocketType::Push)?;
    /// assert!(context.metrics().contains("zeroxide_accepted_total{"));
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    #[must_use]
    pub fn metrics(&self) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        registry.register_collector(Box::new(self.collector()));
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }

    /// Returns the same for a registry that has other metrics, too.
    #[must_use]
    pub fn collector(&self) -> Metrics {
        Metrics(Arc::downgrade(self.base()))
    }
}

/// The labels of a line.
type Labels = Vec<(&'static str, String)>;

/// One socket at the time of a scrape.
struct Sample {
    labels: Labels,
    status: Status,
}

impl Sample {
    fn of(base: &Arc<SocketBase>) -> Sample {
        let status = base.status();
        let endpoint = status.endpoints.first().map(|row| row.endpoint.to_string()).unwrap_or_default();
        let name = status.name.trim_matches('"').to_owned();
        let labels = vec![
            ("socket", base.id.to_string()),
            ("type", status.socket.to_string()),
            ("name", name),
            ("endpoint", endpoint),
        ];
        Sample { labels, status }
    }
}

/// A count of a socket: its name, what it is, and where it stands.
type Count = (&'static str, &'static str, fn(&SocketStats) -> u64);

const COUNTERS: [Count; 9] = [
    ("accepted", "Messages that send took", |s| s.accepted),
    ("refused", "Sends that gave the message back", |s| s.refused),
    ("unmatched", "Messages for which nobody had subscribed", |s| s.unmatched),
    ("routed", "Messages for each peer they go to", |s| s.routed),
    ("written", "Messages that the kernel or an inproc queue took", |s| s.written),
    ("received", "Messages that came from peers", |s| s.received.messages),
    ("received_bytes", "Bytes of messages that came from peers, without inproc", |s| s.received.bytes),
    ("delivered", "Messages that the application received", |s| s.received.delivered),
    ("too_large", "Connections that ended for a message beyond a limit", |s| s.io.too_large),
];

const GAUGES: [Count; 3] = [
    ("queued", "Messages on their way to peers", |s| s.queued),
    ("waiting", "Messages that wait to be received", |s| s.received.waiting),
    ("waiting_bytes", "Bytes that wait to be received", |s| s.waiting_bytes),
];

/// The same by cause.
type Causes = (&'static str, &'static str, fn(&SocketStats) -> Dropped);

const DROPS: [Causes; 2] = [
    ("dropped", "Messages that were to be sent and were dropped, by cause", |s| s.dropped),
    ("received_dropped", "Messages that were received and dropped, by cause", |s| s.received.dropped),
];

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(context) = self.0.upgrade() else { return Ok(()) };
        let samples: Vec<Sample> = context.sockets_in_order().iter().map(Sample::of).collect();
        for (name, help, count) in COUNTERS {
            let lines = samples.iter().map(|sample| (sample.labels.clone(), count(&sample.status.stats)));
            family(&mut encoder, name, help, MetricType::Counter, lines)?;
        }
        for (name, help, count) in GAUGES {
            let lines = samples.iter().map(|sample| (sample.labels.clone(), count(&sample.status.stats)));
            family(&mut encoder, name, help, MetricType::Gauge, lines)?;
        }
        let peers = samples.iter().map(|sample| (sample.labels.clone(), sample.status.peers as u64));
        family(&mut encoder, "peers", "Connected peers", MetricType::Gauge, peers)?;
        let away = samples.iter().map(|sample| (sample.labels.clone(), sample.status.turned_away.total()));
        family(&mut encoder, "turned_away", "Connections turned away", MetricType::Counter, away)?;
        for (name, help, dropped) in DROPS {
            let lines = samples.iter().flat_map(|sample| {
                let dropped = dropped(&sample.status.stats);
                Cause::ALL.into_iter().map(move |cause| {
                    let mut labels = sample.labels.clone();
                    labels.push(("cause", cause.name().replace(' ', "_")));
                    (labels, dropped.by(cause))
                })
            });
            family(&mut encoder, name, help, MetricType::Counter, lines)?;
        }
        Ok(())
    }
}

fn family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kind: MetricType,
    lines: impl Iterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let name = format!("zeroxide_{name}");
    let is_counter = matches!(kind, MetricType::Counter);
    let mut family = encoder.encode_descriptor(&name, help, None, kind)?;
    for (labels, value) in lines {
        let mut line = family.encode_family(&labels)?;
        if is_counter {
            line.encode_counter::<NoLabelSet, u64, u64>(&value, None)?;
        } else {
            line.encode_gauge(&value)?;
        }
    }
    Ok(())
}
