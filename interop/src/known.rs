//! The faults of other implementations that are known: each once, with its reason.
//!
//! A failure that is theirs and stands here does not fail the run. A row whose cell passes does, so that the list says
//! what is so; unless the fault shows itself only at times.

use crate::glob::fits;

/// A known fault.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The cells that it fails, as `--cell` names them.
    pub cells: &'static str,
    /// What is wrong, in words for the report.
    pub reason: &'static str,
    /// Whether such a cell passes at times.
    pub sometimes: bool,
}

/// The list. Of several rows that fit, the first counts.
pub static KNOWN: &[Known] = &[
    always("jeromq-0.5.2/REQ-REP/*/right/binds-left/restart", JEROMQ_REQ),
    always("jeromq-0.5.2/REQ-REP/*/right/binds-left/kill-*", JEROMQ_REQ),
    at_times("jeromq-0.5.2/REQ-ROUTER/*/left/binds-right/kill-sender", JEROMQ_ROUTER),
    always("go-zeromq/*/heartbeat-*", GO_HEARTBEAT),
    at_times("go-zeromq/*-XSUB/*/left/binds-*/topics", GO_TOPICS),
    always("go-zeromq/*-SUB/*/left/binds-*/topics", GO_TOPICS),
    always("go-zeromq/*-REP/*/left/binds-*/multipart", GO_REP),
    always("go-zeromq/*-REP/*/left/binds-*/empty", GO_REP),
    always("go-zeromq/*-REP/*/left/binds-*/sizes", GO_REP),
    always("go-zeromq/*-ROUTER/*/right/binds-*/auto-ids", GO_ID),
    at_times("go-zeromq/*/restart", GO_BACK),
    at_times("go-zeromq/*/kill-*", GO_BACK),
    at_times("go-zeromq/*-XSUB/*/left/binds-*", GO_XSUB),
    always("zmq.rs/*/heartbeat-*", ZMQ_RS_HEARTBEAT),
    always("zmq.rs/*-ROUTER/*/left/binds-*/auto-ids", ZMQ_RS_ID),
    at_times("zmq.rs/*-SUB/*/left/binds-*/topics", ZMQ_RS_TOPICS),
    at_times("zmq.rs/*-XSUB/*/left/binds-*/topics", ZMQ_RS_TOPICS),
    always("raw-1.0/PUB-XSUB/*/topics", NO_SUBSCRIPTIONS),
    always("raw-1.0/XPUB-SUB/*/topics", NO_SUBSCRIPTIONS),
];

const JEROMQ_REQ: &str = "a bound REQ of JeroMQ 0.5.2 with ZMQ_REQ_RELAXED and ZMQ_REQ_CORRELATE closes every further \
    connection soon; with itself, too";
const JEROMQ_ROUTER: &str = "a bound ROUTER of JeroMQ 0.5.2 at times cannot send to a REQ of the same routing id that \
    came back after it was killed; with others in our place, too";
const GO_HEARTBEAT: &str = "go-zeromq answers no PING";
const GO_TOPICS: &str = "a subscriber of go-zeromq does not count: a topic that it has subscribed to twice is gone when \
    it is taken back once";
const GO_REP: &str =
    "a REP of go-zeromq puts an empty frame before an answer that it has not asked for, and drops frames";
const GO_ID: &str = "a socket of go-zeromq without a routing id makes one up itself and tells it";
const GO_BACK: &str =
    "go-zeromq does not always find back to a peer that was killed, nor let go of what it had for it";
const GO_XSUB: &str =
    "an XSUB of go-zeromq cannot send without a publisher, and a Send that was given up goes on";
const ZMQ_RS_HEARTBEAT: &str = "zmq.rs speaks ZMTP 3.0 and leaves every PING unanswered, libzmq's as well";
const ZMQ_RS_ID: &str = "a ROUTER of zmq.rs gives a peer without a routing id any 16 random bytes, which the id of \
    another peer may be (RFC 28: ids that begin with a zero byte are the ROUTER's)";
const ZMQ_RS_TOPICS: &str = "a subscriber of zmq.rs does not count: a topic that it has subscribed to twice is gone when \
    it is taken back once; and a SUB takes only topics that are UTF-8";
const NO_SUBSCRIPTIONS: &str = "ZMTP 1.0 has no subscriptions on the wire (RFC 13): its PUB sends everything, which an \
    XSUB does not filter, and an XPUB hears nothing of its SUB";

const fn always(cells: &'static str, reason: &'static str) -> Known {
    Known { cells, reason, sometimes: false }
}

/// A fault that does not show itself in every run, or in every such cell.
const fn at_times(cells: &'static str, reason: &'static str) -> Known {
    Known { cells, reason, sometimes: true }
}

/// The row about a cell.
#[must_use]
pub fn find<'a>(rows: &'a [Known], id: &str) -> Option<&'a Known> {
    rows.iter().find(|row| fits(row.cells, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_known_by_the_first_row_that_fits() {
        let row = |cells, reason| Known { cells, reason, sometimes: false };
        let rows = [row("a/*/order", "one"), row("a/*", "two")];
        assert_eq!(find(&rows, "a/PUSH-PULL/order").map(|row| row.reason), Some("one"));
        assert_eq!(find(&rows, "a/PUSH-PULL/sizes").map(|row| row.reason), Some("two"));
        assert!(find(&rows, "b/PUSH-PULL/sizes").is_none());
    }

    #[test]
    fn every_row_names_a_peer_and_gives_a_reason() {
        for row in KNOWN {
            let peer = row.cells.split('/').next().unwrap_or_default();
            assert!(peer.len() > 2 && !peer.starts_with("zeroxide"), "{}", row.cells);
            assert!(row.cells.contains('*') && row.reason.len() > 20, "{}", row.cells);
        }
    }
}
