//! Heartbeats (RFC 37, "Connection heartbeating"): a relay between the two sees them, and stops them.

use std::time::Duration;

use super::talk;
use crate::pair::{Pair, Side};
use crate::peer::Failure;
use crate::relay::{Record, Relay, Way};
use crate::stage::{Scene, Setup, Stage, Who};

/// In milliseconds.
const INTERVAL: &str = "100";
const TIMEOUT: &str = "1500";
/// PINGs that must be answered: they take longer than the timeout, or a side that heeds no PONG would pass.
const BEATS: usize = 20;
/// PINGs that nobody sends who gives a connection up in time: they take twice the timeout.
const PATIENCE: usize = 30;
/// The limit for what depends on timers of the peers: those beats, a timeout, and dialling anew. In the peers' own time.
const LIMIT: Duration = Duration::from_secs(6);
/// How often it is looked at what time they had.
const TURN: Duration = Duration::from_millis(200);

const fn scene(name: &'static str, options: &'static [Setup]) -> Scene {
    Scene { name, shared: false, lasting: false, relayed: true, options }
}

/// A ROUTER takes a peer back that dials anew under the same name.
const HANDOVER: Setup = Setup::optional(Who::Types(&["ROUTER"]), "ROUTER_HANDOVER", "1");

pub(super) static LEFT: Scene = scene(
    "heartbeat-left",
    &[
        Setup::new(Who::On(Side::Left), "HEARTBEAT_IVL", INTERVAL),
        Setup::new(Who::On(Side::Left), "HEARTBEAT_TIMEOUT", TIMEOUT),
        HANDOVER,
    ],
);
pub(super) static RIGHT: Scene = scene(
    "heartbeat-right",
    &[
        Setup::new(Who::On(Side::Right), "HEARTBEAT_IVL", INTERVAL),
        Setup::new(Who::On(Side::Right), "HEARTBEAT_TIMEOUT", TIMEOUT),
        HANDOVER,
    ],
);

/// A relay carries tcp. A PAIR does not take the next peer before somebody has read to the end of the last, so it
/// says nothing about heartbeats.
pub(super) fn suits(pair: &Pair, transport: &str, _: Side) -> bool {
    transport == "tcp" && pair.left.socket_type != "PAIR"
}

pub(super) fn left(stage: &mut Stage<'_>) -> Result<(), Failure> {
    heartbeat(stage, Side::Left)
}

pub(super) fn right(stage: &mut Stage<'_>) -> Result<(), Failure> {
    heartbeat(stage, Side::Right)
}

/// The side with an interval sends PINGs, the other answers each with a PONG, and the connection stays. When the
/// answers stop, that side gives the connection up, and whoever connected dials anew.
fn heartbeat(stage: &mut Stage<'_>, side: Side) -> Result<(), Failure> {
    let (to_it, from_it) = if side == stage.setting().binder {
        (Way::ToTarget, Way::FromTarget)
    } else {
        (Way::FromTarget, Way::ToTarget)
    };
    // Contact may have taken more than one: JeroMQ at times loses the first.
    let before = relay_of(stage)?.connections();
    for (way, command) in [(from_it, "PING"), (to_it, "PONG")] {
        if !comes(stage, |record| record.commands(way, command) >= BEATS)? {
            let seen = relay_of(stage)?.record().commands(way, command);
            return Err(broken(format!("{BEATS} {command} in {} s, seen {seen}", LIMIT.as_secs())));
        }
    }
    let new = relay_of(stage)?.connections() - before;
    if new > 0 {
        return Err(broken(format!("a connection that stays, seen {new} new ones")));
    }
    talk(stage, &["t:still-here"])?;
    relay_of(stage)?.stall(to_it);
    let answered = relay_of(stage)?.record().commands(from_it, "PING");
    let anew = comes(stage, |record| record.connections > before)?;
    relay_of(stage)?.resume(to_it);
    if !anew {
        let unanswered = relay_of(stage)?.record().commands(from_it, "PING") - answered;
        return Err(never_gave_up(side, unanswered));
    }
    stage.make_contact()?;
    talk(stage, &["t:back"])
}

/// No new connection came: the fault of the side that sends PINGs if it has sent them for twice the timeout, of which
/// none was answered; else somebody's.
fn never_gave_up(side: Side, unanswered: usize) -> Failure {
    let rule = format!(
        "expected a new connection within {} s of silence, seen {unanswered} PING in it",
        LIMIT.as_secs()
    );
    if unanswered > PATIENCE { Failure::Caught { side, rule } } else { Failure::Broken { rule } }
}

/// Whether what the relay hears becomes as `wanted` says.
fn comes(stage: &Stage<'_>, mut wanted: impl FnMut(&Record) -> bool) -> Result<bool, Failure> {
    let (relay, deadline) = (relay_of(stage)?, stage.deadline(LIMIT));
    while !relay.wait(TURN, &mut wanted) {
        if deadline.is_over() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn relay_of<'a>(stage: &'a Stage<'_>) -> Result<&'a Relay, Failure> {
    stage.relay().ok_or_else(|| broken("a relay".to_owned()))
}

fn broken(expected: String) -> Failure {
    Failure::Broken { rule: format!("expected {expected}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answers_are_watched_for_longer_than_the_timeout() {
        let beats = BEATS * INTERVAL.parse::<usize>().unwrap();
        assert!(beats > TIMEOUT.parse::<usize>().unwrap());
    }

    #[test]
    fn whoever_is_caught_has_waited_for_twice_the_timeout_and_had_the_time_to() {
        let interval = INTERVAL.parse::<usize>().unwrap();
        assert!(PATIENCE * interval >= 2 * TIMEOUT.parse::<usize>().unwrap());
        assert!(u128::from(PATIENCE as u64 * interval as u64) < LIMIT.as_millis());
        assert_eq!(never_gave_up(Side::Left, PATIENCE).culprit(), None);
        assert_eq!(never_gave_up(Side::Left, PATIENCE + 1).culprit(), Some(Side::Left));
    }
}
