//! A receiver that does not receive: at the high-water mark the sender waits, or a publisher drops.

use std::time::Duration;

use super::bounds;
use super::talk;
use crate::pair::{Flow, Pair, Side};
use crate::peer::Failure;
use crate::stage::{PATIENCE, Scene, Setup, Stage, Who};

/// A high-water mark that is soon reached.
const HWM: u32 = 100;

pub(super) static SCENE: Scene = Scene {
    name: "slow",
    shared: false,
    lasting: false,
    relayed: false,
    options: &[
        Setup::optional(Who::Both, "SNDHWM", "100"),
        Setup::optional(Who::Both, "RCVHWM", "100"),
        Setup::optional(Who::Both, "SNDBUF", bounds::BUFFER),
        Setup::optional(Who::Both, "RCVBUF", bounds::BUFFER),
    ],
};

/// More messages than there is room for, whatever the system's buffers are.
const STREAM: u32 = 1_000_000;
/// As many as a publisher is told to send: it does not wait, and must not take long.
const PUBLISHED: u32 = 100_000;
/// When a message has not been taken for so long, the sender is taken to wait.
const WAITS: Duration = Duration::from_millis(500);
/// When nothing has come for so long, nothing more will.
const QUIET: Duration = Duration::from_millis(500);

/// Where one side sends as much as it likes.
pub(super) fn suits(pair: &Pair, _: &str, _: Side) -> bool {
    !matches!(pair.flow, Flow::Turns { .. })
}

pub(super) fn slow(stage: &mut Stage<'_>) -> Result<(), Failure> {
    if stage.setting().socket_type(Side::Left).ends_with("PUB") { drops(stage) } else { waits(stage) }
}

/// The sender waits when everything is full; all that it has sent arrives, and then there is room again.
fn waits(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.tell_fill(Side::Left, STREAM, WAITS)?;
    let sent = stage.filled(Side::Left)?;
    stage.note(format!("{sent} on the way"));
    bounds::check(stage, "sent without waiting", sent, HWM)?;
    let seen = stage.drain_to(Side::Right, sent.saturating_sub(1), QUIET)?;
    let expected = Some((sent, 0, sent.saturating_sub(1)));
    if seen != expected {
        return Err(stage.unlike(Side::Right, "drain", &format!("{expected:?}"), format!("{seen:?}")));
    }
    stage.flood(Side::Left, 2 * HWM)
}

/// A publisher never waits; what it does not drop arrives in order, the first messages among them.
fn drops(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.tell_fill(Side::Left, PUBLISHED, PATIENCE)?;
    let sent = stage.filled(Side::Left)?;
    if sent != PUBLISHED {
        return Err(stage.unlike(Side::Left, "fill", &PUBLISHED.to_string(), sent.to_string()));
    }
    let seen = stage.drain(Side::Right, QUIET)?;
    let Some((count, 0, _)) = seen else {
        return Err(stage.unlike(Side::Right, "drain", "from 0 on", format!("{seen:?}")));
    };
    stage.note(format!("{} dropped", sent - count));
    bounds::check(stage, "kept for a subscriber that does not receive", count, HWM)?;
    stage.make_contact()?;
    talk(stage, &["t:there"])
}
