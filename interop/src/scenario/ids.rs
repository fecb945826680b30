//! Routing ids (RFC 28, ROUTER): those that a peer sets, those that a ROUTER makes up, and one that two peers have.

use crate::pair::{Pair, Side};
use crate::peer::Failure;
use crate::stage::{PATIENCE, Scene, Setup, Stage, Who};
use crate::words;

pub(super) static HANDOVER: Scene = Scene {
    name: "handover",
    shared: false,
    lasting: false,
    relayed: false,
    options: &[Setup::new(Who::Types(&["ROUTER"]), "ROUTER_HANDOVER", "1")],
};

/// The longest id there is.
const LONGEST: &str = "f:255:1";

/// Where a ROUTER has peers that need not be ROUTERs.
pub(super) fn suits(pair: &Pair, _: &str, _: Side) -> bool {
    pair.right.socket_type == "ROUTER" && pair.left.socket_type != "ROUTER"
}

pub(super) fn probe_suits(pair: &Pair, _: &str, _: Side) -> bool {
    pair.left.socket_type == "ROUTER"
}

/// Each of two nameless peers gets an id of its own, which begins with a zero byte, and is reached by it.
pub(super) fn automatic(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (first, second) = (introduce(stage, "nameless", None)?, introduce(stage, "too", None)?);
    if first != second && first.starts_with("h:00") && second.starts_with("h:00") {
        return Ok(());
    }
    let seen = format!("{first} and {second}");
    Err(stage.unlike(Side::Right, "recv", "two ids that begin with 00", seen))
}

/// A peer is known by the id that it has set: short, binary, as long as may be.
pub(super) fn set(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for (socket, id) in [("short", "t:x"), ("binary", "h:ff00fe"), ("longest", LONGEST)] {
        introduce(stage, socket, Some(id))?;
    }
    Ok(())
}

/// Who comes under the id of another takes its place (ZMQ_ROUTER_HANDOVER).
pub(super) fn handover(stage: &mut Stage<'_>) -> Result<(), Failure> {
    introduce(stage, "usurper", Some("t:left")).map(drop)
}

/// Neither side names the other: each learns the name from the handshake, and the connecting side learns that the
/// handshake is over from the probe.
pub(super) fn probe(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let (binder, limit) = (stage.setting().binder, PATIENCE.as_millis());
    let (connecter, told) = (binder.other(), |text: &str| words::retold(text));
    stage.meet_more(
        binder,
        "p",
        &[("ROUTING_ID", "t:bound"), ("PROBE_ROUTER", "1")],
        &[("ROUTING_ID", "t:dialled")],
    )?;
    // libzmq probes whoever came only while its application is inside the library.
    stage.tell_more(binder, "p", "recv", &limit.to_string())?;
    let probe = stage.ask_more(connecter, "p", "recv", &limit.to_string())?;
    if probe != [told("t:bound"), "-".to_owned()] {
        return Err(stage.unlike(connecter, "recv", "a probe", probe.join(" ")));
    }
    stage.ask_more(connecter, "p", "send", &format!("{limit} t:bound t:hello"))?;
    let hello = stage.answer_of(binder, PATIENCE)?;
    if hello != [told("t:dialled"), told("t:hello")] {
        return Err(stage.unlike(binder, "recv", "hello", hello.join(" ")));
    }
    stage.ask_more(binder, "p", "send", &format!("{limit} t:dialled t:bye"))?;
    let bye = stage.ask_more(connecter, "p", "recv", &limit.to_string())?;
    if bye == [told("t:bound"), told("t:bye")] {
        return Ok(());
    }
    Err(stage.unlike(connecter, "recv", "bye", bye.join(" ")))
}

/// A further socket on the left, a message from it, and the answer to that; the id under which it was seen.
fn introduce(stage: &mut Stage<'_>, socket: &str, id: Option<&str>) -> Result<String, Failure> {
    let limit = PATIENCE.as_millis();
    let option = id.map(|id| ("ROUTING_ID", id));
    stage.open_more(Side::Left, socket, option.as_slice())?;
    stage.ask_more(Side::Left, socket, "send", &format!("{limit} t:from-{socket}"))?;
    let seen = stage.recv(Side::Right, PATIENCE)?.unwrap_or_default();
    let (name, rest) = seen.split_first().map_or(("", &seen[..]), |(name, rest)| (name.as_str(), rest));
    let delimiter = if stage.setting().socket_type(Side::Left) == "REQ" { "- " } else { "" };
    let expected = format!("{delimiter}{}", words::retold(&format!("t:from-{socket}")));
    if rest.join(" ") != expected || id.is_some_and(|id| words::retold(id) != name) {
        let expected = format!("{} {expected}", id.unwrap_or("an id"));
        return Err(stage.unlike(Side::Right, "recv", &expected, seen.join(" ")));
    }
    // A long id is told as its digest, which is no address.
    let address = id.unwrap_or(name);
    stage.ask(Side::Right, "send", &format!("{limit} {address} {delimiter}t:to-{socket}"))?;
    let answer = stage.ask_more(Side::Left, socket, "recv", &limit.to_string())?;
    let expected = words::retold(&format!("t:to-{socket}"));
    if answer != [expected.clone()] {
        return Err(stage.unlike(Side::Left, "recv", &expected, answer.join(" ")));
    }
    Ok(name.to_owned())
}
