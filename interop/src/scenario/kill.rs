//! One side is killed in the middle of a stream.
//!
//! No message may come twice, torn, or out of order, and none may be missing but those that were on their way: at most
//! both high-water marks, what the system's buffers hold, and one read buffer.
//!
//! Where a publisher's subscriber is killed there is no such bound: whatever is queued for it goes with it, and nothing is
//! queued for nobody, so that the whole rest of the stream may be lost. What it did with each message a publisher may
//! count (`tally`, as Zeroxide's does): then every message must be accounted for, and of those that it had written no
//! more may be missing than the subscriber's high-water mark and buffers hold. Of one that does not count it is seen
//! that nothing comes twice, torn or out of order, and that nothing more is lost once the subscriber is back.

use std::time::Duration;

use super::bounds;
use super::restart::talk_again;
use crate::pair::{Flow, Pair, Side};
use crate::peer::Failure;
use crate::stage::{PATIENCE, Scene, Setup, Stage, Tally, Who};

/// Both ends of a stream that one survives the other of; the system's buffers hold little, so that the stream is
/// still running when the other is killed.
pub(super) static SCENE: Scene = Scene {
    name: "kill",
    shared: false,
    lasting: true,
    relayed: false,
    options: &[
        Setup::optional(Who::Both, "RECONNECT_IVL", "20"),
        Setup::optional(Who::Both, "SNDBUF", bounds::BUFFER),
        Setup::optional(Who::Both, "RCVBUF", bounds::BUFFER),
        Setup::new(Who::Types(&["REQ"]), "REQ_RELAXED", "1"),
        Setup::new(Who::Types(&["REQ"]), "REQ_CORRELATE", "1"),
        Setup::optional(Who::Types(&["ROUTER"]), "ROUTER_HANDOVER", "1"),
    ],
};

/// Messages of the stream: so many that some are missing when the sender is killed, or nothing is shown.
const STREAM: u32 = 50_000;
/// How many of them pass before the kill.
const BEFORE: u32 = 2_000;
/// Messages that follow when both are there again: fewer than a high-water mark.
const AFTER: u32 = 500;
/// Questions, where each waits for its answer.
const QUESTIONS: u32 = 10_000;
const QUESTIONS_BEFORE: u32 = 500;
/// How long a sender holds on to a message while its receiver starts anew: however long that takes.
const NEVER: Duration = Duration::from_secs(600);
/// When nothing has come for so long, nothing more will.
const QUIET: Duration = Duration::from_millis(500);
/// How long a REQ waits for the answer that died with the other side.
const UNANSWERED: Duration = Duration::from_secs(3);

/// A PAIR that was bound does not take the next peer before it has missed the last, which it cannot tell the harness
/// in the middle of a stream; a ROUTER refuses to send to a peer that is gone.
pub(super) fn receiver_suits(pair: &Pair, _: &str, binder: Side) -> bool {
    match pair.left.socket_type {
        "PAIR" => binder == Side::Right,
        other => other != "ROUTER",
    }
}

pub(super) fn sender_suits(pair: &Pair, _: &str, binder: Side) -> bool {
    pair.left.socket_type != "PAIR" || binder == Side::Left
}

/// The receiver is killed and comes back: the stream goes on behind what was lost.
pub(super) fn receiver(stage: &mut Stage<'_>) -> Result<(), Failure> {
    if let Flow::Turns { .. } = stage.setting().pair.flow {
        return answerer(stage);
    }
    let is_publisher = stage.setting().socket_type(Side::Left).ends_with("PUB");
    let tally = if is_publisher { stage.tally(Side::Left)? } else { None };
    stage.tell_take(Side::Right, BEFORE)?;
    stage.tell_fill(Side::Left, STREAM, NEVER)?;
    taken_from_the_start(stage)?;
    stage.kill(Side::Right);
    stage.revive(Side::Right)?;
    let (sent, after) = stage.drain_a_fill(Side::Right, QUIET)?;
    if sent != STREAM {
        return Err(stage.unlike(Side::Left, "fill", &STREAM.to_string(), sent.to_string()));
    }
    let (count, first) = after.map_or((0, STREAM), |(count, first, _)| (count, first));
    if first < BEFORE {
        return Err(stage.unlike(Side::Right, "drain", &format!("from {BEFORE} on"), first.to_string()));
    }
    let lost = STREAM - BEFORE - count;
    stage.note(format!("{lost} lost"));
    // A publisher drops what nobody is there for; a sender that waits loses only what it had let go of.
    if is_publisher {
        if let Some(before) = tally {
            account(stage, before, BEFORE + count)?;
        }
        talk_again(stage, Side::Right)?;
        return stage.flood(Side::Left, AFTER);
    }
    let last = after.map_or(0, |(_, _, last)| last);
    if last != STREAM - 1 {
        return Err(stage.unlike(Side::Right, "drain", &format!("up to {}", STREAM - 1), last.to_string()));
    }
    bounds::check(stage, "lost", lost, bounds::HWM)?;
    talk_again(stage, Side::Right)?;
    stage.flood(Side::Left, AFTER)
}

/// What a publisher did with the messages of the stream, of which so many were received.
fn account(stage: &mut Stage<'_>, before: Tally, received: u32) -> Result<(), Failure> {
    let Some(after) = stage.tally(Side::Left)? else { return Ok(()) };
    let of_stream = after.since(before);
    let Tally { taken, unmatched, written, queued, dropped } = of_stream;
    stage.note(format!("{unmatched} published for nobody, {dropped} gone with the subscriber"));
    if taken != u64::from(STREAM) || taken != unmatched + written + queued + dropped {
        let expected = format!("{STREAM} taken, each of them unmatched, written, queued or dropped");
        return Err(stage.unlike(Side::Left, "tally", &expected, format!("{of_stream:?}")));
    }
    let lost = written.saturating_sub(received.into());
    bounds::check_written(stage, "written and lost", lost)
}

/// The sender is killed and comes back: what it had sent arrives up to some message, without a gap, and then the new
/// one's.
pub(super) fn sender(stage: &mut Stage<'_>) -> Result<(), Failure> {
    if let Flow::Turns { .. } = stage.setting().pair.flow {
        return asker(stage);
    }
    stage.tell_take(Side::Right, BEFORE)?;
    stage.tell_fill(Side::Left, STREAM, PATIENCE)?;
    taken_from_the_start(stage)?;
    stage.kill(Side::Left);
    if let Some((count, first, last)) = stage.drain(Side::Right, QUIET)? {
        if first != BEFORE || last - first + 1 != count {
            let seen = format!("{count} from {first} to {last}");
            return Err(stage.unlike(Side::Right, "drain", &format!("all from {BEFORE} on"), seen));
        }
        if last == STREAM - 1 {
            let rule = "the stream was over before its sender was killed: nothing is shown".to_owned();
            return Err(Failure::Broken { rule });
        }
        stage.note(format!("{count} more arrived"));
    }
    stage.revive(Side::Left)?;
    talk_again(stage, Side::Left)?;
    stage.flood(Side::Left, AFTER)
}

/// A REP or ROUTER is killed between questions; the asker asks on.
fn answerer(stage: &mut Stage<'_>) -> Result<(), Failure> {
    ask_until(stage, UNANSWERED)?;
    stage.kill(Side::Right);
    match stage.answer_of(Side::Left, PATIENCE) {
        // libzmq's REQ at times forgets the question together with whoever was asked.
        Err(failure) if ["again", "state"].contains(&failure.code()) => {}
        Err(failure) => return Err(failure),
        Ok(_) => return Err(stage.unlike(Side::Left, "request", "again", "every answer".to_owned())),
    }
    // Where a window of questions is open, answers may still be there.
    while stage.recv(Side::Left, QUIET).is_ok_and(|answer| answer.is_some()) {}
    stage.revive(Side::Right)?;
    talk_again(stage, Side::Right)
}

/// A REQ or DEALER is killed between questions; the answerer answers the next one.
fn asker(stage: &mut Stage<'_>) -> Result<(), Failure> {
    ask_until(stage, PATIENCE)?;
    stage.kill(Side::Left);
    stage.answer_the_gone(QUIET)?;
    stage.revive(Side::Left)?;
    talk_again(stage, Side::Left)
}

/// Many questions; returns when some have been answered.
fn ask_until(stage: &mut Stage<'_>, patience: Duration) -> Result<(), Failure> {
    let Flow::Turns { window } = stage.setting().pair.flow else { return Ok(()) };
    stage.tell_echo(Side::Right, QUESTIONS_BEFORE)?;
    stage.tell_request(Side::Left, QUESTIONS, window, patience)?;
    stage.answer_of(Side::Right, PATIENCE).map(drop)
}

/// Nothing is missing from what came before the kill.
fn taken_from_the_start(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let seen = stage.answer_of(Side::Right, PATIENCE)?.join(" ");
    let expected = format!("0 {}", BEFORE - 1);
    if seen == expected { Ok(()) } else { Err(stage.unlike(Side::Right, "take", &expected, seen)) }
}
