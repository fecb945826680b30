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

/// The list.
pub static KNOWN: &[Known] = &[
    Known { cells: "jeromq-*/right/binds-*/heartbeat-left", reason: JEROMQ_HEARTBEAT, sometimes: false },
    Known { cells: "jeromq-*/left/binds-*/heartbeat-right", reason: JEROMQ_HEARTBEAT, sometimes: false },
    Known { cells: "jeromq-0.5.2/REQ-REP/*/right/binds-left/restart", reason: JEROMQ_REQ, sometimes: false },
    Known { cells: "jeromq-0.5.2/REQ-REP/*/right/binds-left/kill-*", reason: JEROMQ_REQ, sometimes: false },
    Known { cells: "raw-1.0/PUB-XSUB/*/topics", reason: NO_SUBSCRIPTIONS, sometimes: false },
    Known { cells: "raw-1.0/XPUB-SUB/*/topics", reason: NO_SUBSCRIPTIONS, sometimes: false },
    Known {
        cells: "raw-*/heartbeat-*",
        reason: "PING and PONG came with ZMTP 3.1 (RFC 37): older peers do not answer",
        sometimes: false,
    },
];

const JEROMQ_HEARTBEAT: &str = "JeroMQ sends PINGs and does not give the connection up when no PONG comes within \
    ZMQ_HEARTBEAT_TIMEOUT, with libzmq neither";
const JEROMQ_REQ: &str = "a bound REQ of JeroMQ 0.5.2 with ZMQ_REQ_RELAXED and ZMQ_REQ_CORRELATE closes every further \
    connection at the first answer; so with itself";
const NO_SUBSCRIPTIONS: &str = "ZMTP 1.0 has no subscriptions on the wire (RFC 13): its PUB sends everything, which an \
    XSUB does not filter, and an XPUB hears nothing of its SUB";

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
