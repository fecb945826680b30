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
    at_times("jeromq-0.5.2/REQ-*/*/PLAIN*/right/binds-*/restart", JEROMQ_REQ_SECURED),
    at_times("jeromq-0.5.2/REQ-*/*/PLAIN*/right/binds-*/kill-*", JEROMQ_REQ_SECURED),
    at_times("jeromq-0.5.2/REQ-*/*/CURVE*/right/binds-*/restart", JEROMQ_REQ_SECURED),
    at_times("jeromq-0.5.2/REQ-*/*/CURVE*/right/binds-*/kill-*", JEROMQ_REQ_SECURED),
    always("jeromq-0.5.2/*-ROUTER/*/PLAIN/right/binds-left/ids", JEROMQ_PLAIN_ID),
    always("jeromq-0.5.2/*-ROUTER/*/PLAIN-server-connects/right/binds-right/ids", JEROMQ_PLAIN_ID),
    always("jeromq-*/*-ROUTER/*/CURVE*/ids", JEROMQ_CURVE_ID),
    at_times("jeromq-*/*/left/binds-*/heartbeat-right", JEROMQ_HEARTBEAT),
    at_times("jeromq-*/*/right/binds-*/heartbeat-left", JEROMQ_HEARTBEAT),
    at_times("jeromq-*/*/CURVE*/left/binds-*/order", JEROMQ_CURVE_FULL),
    at_times("jeromq-*/DEALER-ROUTER/*/CURVE*/right/binds-*/order", JEROMQ_CURVE_FULL),
    at_times("jeromq-*/*/CURVE*/left/binds-*/slow", JEROMQ_CURVE_FULL),
    at_times("jeromq-*/*/CURVE*/left/binds-*/kill-*", JEROMQ_CURVE_FULL),
    always("go-zeromq/*-ROUTER/*/PLAIN/left/binds-left/*ids", GO_PLAIN),
    always("go-zeromq/*-ROUTER/*/PLAIN-server-connects/left/binds-right/*ids", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN/left/binds-left/restart", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN/left/binds-left/kill-*", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN/right/binds-right/restart", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN/right/binds-right/kill-*", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN-server-connects/left/binds-right/restart", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN-server-connects/left/binds-right/kill-*", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN-server-connects/right/binds-left/restart", GO_PLAIN),
    at_times("go-zeromq/*/PLAIN-server-connects/right/binds-left/kill-*", GO_PLAIN),
    at_times("go-zeromq/PUB-SUB/*/PLAIN/right/binds-left/restart", GO_PLAIN_PUB),
    at_times("go-zeromq/PUB-SUB/*/PLAIN/right/binds-left/kill-receiver", GO_PLAIN_PUB),
    always("go-zeromq/*/heartbeat-*", GO_HEARTBEAT),
    always("go-zeromq/*-SUB/*/left/binds-*/topics", GO_TOPICS),
    always("go-zeromq/*-XSUB/*/left/binds-left/topics", GO_TOPICS),
    always("go-zeromq/XPUB-*/*/right/binds-*/topics", GO_XPUB),
    always("go-zeromq/*-REP/*/left/binds-*/multipart", GO_REP),
    always("go-zeromq/*-REP/*/left/binds-*/empty", GO_REP),
    always("go-zeromq/*-REP/*/left/binds-*/sizes", GO_REP),
    always("go-zeromq/*-ROUTER/*/right/binds-*/auto-ids", GO_ID),
    always("go-zeromq/*-ROUTER/*/left/binds-*/auto-ids", GO_ROUTER_ID),
    always("go-zeromq/*-XSUB/*/left/binds-right/single", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/multipart", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/empty", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/sizes", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/order", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/topics", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/slow", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-left/restart", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-left/kill-receiver", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-left/kill-sender", GO_XSUB),
    always("go-zeromq/*-XSUB/*/left/binds-right/restart", GO_XSUB_ONCE),
    always("go-zeromq/*-XSUB/*/left/binds-right/kill-sender", GO_XSUB_ONCE),
    always("go-zeromq/*/ipc/*/left/binds-right/restart", GO_STALE),
    always("go-zeromq/*/ipc/*/left/binds-right/kill-receiver", GO_STALE),
    always("go-zeromq/*/ipc/*/right/binds-left/restart", GO_STALE),
    always("go-zeromq/*/ipc/*/right/binds-left/kill-sender", GO_STALE),
    at_times("go-zeromq/*/left/binds-left/kill-sender", GO_DIAL),
    at_times("go-zeromq/*/left/binds-left/restart", GO_DIAL),
    at_times("go-zeromq/*/right/binds-right/kill-receiver", GO_DIAL),
    at_times("go-zeromq/*/right/binds-right/restart", GO_DIAL),
    at_times("go-zeromq/PAIR-PAIR/*/left/binds-right/restart", GO_HOLDS),
    at_times("go-zeromq/DEALER-DEALER/*/left/binds-right/restart", GO_HOLDS),
    at_times("go-zeromq/DEALER-DEALER/*/left/binds-right/kill-sender", GO_HOLDS),
    at_times("go-zeromq/DEALER-ROUTER/*/left/binds-right/restart", GO_HOLDS),
    at_times("go-zeromq/DEALER-ROUTER/*/left/binds-right/kill-sender", GO_HOLDS),
    at_times("go-zeromq/ROUTER-ROUTER/*/left/binds-right/restart", GO_HOLDS),
    at_times("go-zeromq/ROUTER-ROUTER/*/left/binds-right/kill-sender", GO_HOLDS),
    at_times("go-zeromq/DEALER-REP/*/right/binds-left/restart", GO_HOLDS),
    at_times("go-zeromq/DEALER-REP/*/right/binds-left/kill-receiver", GO_HOLDS),
    at_times("go-zeromq/DEALER-ROUTER/*/right/binds-left/restart", GO_HOLDS),
    at_times("go-zeromq/DEALER-ROUTER/*/right/binds-left/kill-receiver", GO_HOLDS),
    at_times("go-zeromq/PUSH-PULL/*/right/binds-left/restart", GO_HOLDS),
    at_times("go-zeromq/PUSH-PULL/*/right/binds-left/kill-receiver", GO_HOLDS),
    always("zmq.rs/*/heartbeat-*", ZMQ_RS_HEARTBEAT),
    always("zmq.rs/XPUB-*/*/right/binds-*", ZMQ_RS_XPUB),
    always("zmq.rs/*-ROUTER/*/left/binds-*/auto-ids", ZMQ_RS_ID),
    always("zmq.rs/*-SUB/*/left/binds-*/topics", ZMQ_RS_TOPICS),
    always("zmq.rs/*-XSUB/*/left/binds-*/topics", ZMQ_RS_TOPICS),
    always("zmq.rs/PUB-XSUB/*/right/binds-*/topics", ZMQ_RS_PUB),
    always("zmq.rs/*-XSUB/*/left/binds-left/restart", ZMQ_RS_XSUB),
    always("zmq.rs/*-XSUB/*/left/binds-left/kill-receiver", ZMQ_RS_XSUB),
    always("zmq.rs/*-XSUB/*/left/binds-left/kill-sender", ZMQ_RS_XSUB),
    at_times("zmq.rs/PUSH-PULL/*/right/binds-*/slow", ZMQ_RS_SEND),
    at_times("zmq.rs/PUSH-PULL/*/right/binds-left/kill-receiver", ZMQ_RS_SEND),
    at_times("zmq.rs/DEALER-ROUTER/*/right/binds-*/slow", ZMQ_RS_SEND),
    at_times("zmq.rs/DEALER-ROUTER/*/right/binds-left/kill-receiver", ZMQ_RS_SEND),
    at_times("zmq.rs/PUB-SUB/*/right/binds-right/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUB-SUB/*/right/binds-right/kill-receiver", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUB-XSUB/*/right/binds-right/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUB-XSUB/*/right/binds-right/kill-receiver", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-REP/*/right/binds-right/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-REP/*/right/binds-right/kill-receiver", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-ROUTER/*/right/binds-right/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-ROUTER/*/right/binds-right/kill-receiver", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUSH-PULL/*/right/binds-right/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUSH-PULL/*/right/binds-right/kill-receiver", ZMQ_RS_DIAL),
    at_times("zmq.rs/REQ-REP/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/REQ-REP/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/REQ-ROUTER/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/REQ-ROUTER/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-REP/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-REP/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-DEALER/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-DEALER/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-ROUTER/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/DEALER-ROUTER/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUSH-PULL/*/left/binds-left/restart", ZMQ_RS_DIAL),
    at_times("zmq.rs/PUSH-PULL/*/left/binds-left/kill-sender", ZMQ_RS_DIAL),
    at_times("zmq.rs/*-REP/*/left/binds-right/kill-sender", ZMQ_RS_REP),
    always("raw-1.0/PUB-XSUB/*/topics", NO_SUBSCRIPTIONS),
    always("raw-1.0/XPUB-SUB/*/topics", NO_SUBSCRIPTIONS),
];

const JEROMQ_REQ: &str = "a bound REQ of JeroMQ 0.5.2 with ZMQ_REQ_RELAXED and ZMQ_REQ_CORRELATE closes every further \
    connection soon; with itself, too";
const JEROMQ_REQ_SECURED: &str = "with PLAIN and CURVE a REQ of JeroMQ 0.5.2 with ZMQ_REQ_RELAXED and ZMQ_REQ_CORRELATE \
    does not find back to a peer that was killed, even where it had connected; with libzmq in our place, too";
const JEROMQ_ROUTER: &str = "a bound ROUTER of JeroMQ 0.5.2 at times cannot send to a REQ of the same routing id that \
    came back after it was killed; with others in our place, too";
const JEROMQ_PLAIN_ID: &str =
    "a PLAIN server of JeroMQ 0.5.2 cannot tell a routing id of 255 bytes: its READY has no room";
const JEROMQ_CURVE_ID: &str = "CURVE of JeroMQ has no room for a routing id of 255 bytes, its own \
    (java.nio.BufferOverflowException in produceInitiate) or the peer's";
const JEROMQ_HEARTBEAT: &str = "JeroMQ loses the timer of every second PING that is answered (its table of timers keeps \
    the key of the one cancelled): when the answers stop after an odd number, it never gives the connection up";
const JEROMQ_CURVE_FULL: &str = "when a socket of JeroMQ is full, the message that CURVE had just opened is handed to the \
    application as it came, encrypted: 33 bytes longer, beginning with the name MESSAGE";
const GO_PLAIN: &str = "a PLAIN client of go-zeromq forgets its name and password after its first handshake: each \
    further connection of the socket comes with neither";
const GO_PLAIN_PUB: &str =
    "a bound PUB of go-zeromq with PLAIN does not take a subscriber back that was killed";
const GO_HEARTBEAT: &str = "go-zeromq answers no PING";
const GO_TOPICS: &str = "a subscriber of go-zeromq does not count: a topic that it has subscribed to twice is gone when \
    it is taken back once";
const GO_REP: &str =
    "a REP of go-zeromq puts an empty frame before an answer that it has not asked for, and drops frames";
const GO_ID: &str = "a socket of go-zeromq without a routing id makes one up itself and tells it";
const GO_ROUTER_ID: &str = "a peer of go-zeromq that was told no routing id makes up 36 characters, which the id of \
    another peer may be (RFC 28: ids that begin with a zero byte are the ROUTER's)";
const GO_XPUB: &str = "an XPUB of go-zeromq gives a message without a frame in place of each subscription";
const GO_XSUB: &str =
    "an XSUB of go-zeromq cannot send a subscription before there is a publisher: Send waits for one";
const GO_XSUB_ONCE: &str = "a bound XSUB of go-zeromq tells a publisher that comes back nothing of the subscriptions that it has sent";
const GO_STALE: &str = "go-zeromq does not bind an ipc path again whose file a killed process has left behind: \
    address already in use";
const GO_DIAL: &str =
    "a socket of go-zeromq does not always dial again when whoever was bound is killed in mid-stream";
const GO_HOLDS: &str = "a bound socket of go-zeromq at times goes on sending to a connection that has ended, although its \
    peer is back by another: Send does not return, or what it took comes late or not at all";
const ZMQ_RS_HEARTBEAT: &str = "zmq.rs speaks ZMTP 3.0 and leaves every PING unanswered, libzmq's as well";
const ZMQ_RS_ID: &str = "a ROUTER of zmq.rs gives a peer without a routing id any 16 random bytes, which the id of \
    another peer may be (RFC 28: ids that begin with a zero byte are the ROUTER's)";
const ZMQ_RS_TOPICS: &str = "a subscriber of zmq.rs does not count: a topic that it has subscribed to twice is gone when \
    it is taken back once; and a SUB takes only topics that are UTF-8";
const ZMQ_RS_XPUB: &str = "an XPUB of zmq.rs heeds no subscription before somebody has received it: who only sends \
    reaches nobody";
const ZMQ_RS_PUB: &str = "a PUB of zmq.rs keeps a topic once for each time that it was subscribed to, and an XSUB tells \
    of its end once";
const ZMQ_RS_XSUB: &str = "an XSUB of zmq.rs cannot send a subscription before it is connected, and connects only while \
    somebody is bound";
const ZMQ_RS_SEND: &str = "zmq.rs has no high-water mark, loses all that waits with the connection, and sends what it \
    was told to give up: one message more than it says";
const ZMQ_RS_DIAL: &str =
    "of the sockets of zmq.rs only SUB and XSUB dial again when whoever was bound was killed";
const ZMQ_RS_REP: &str =
    "a REP of zmq.rs refuses to answer an asker that is gone, where others drop the answer";
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
