//! Who does not show what a server demands does not come in.

use std::time::Duration;

use super::talk;
use crate::mechanism::Proof;
use crate::pair::{Pair, Side};
use crate::peer::Failure;
use crate::program::Program;
use crate::stage::{PATIENCE, Scene, Stage};

pub(super) static SCENE: Scene =
    Scene { name: "refused", shared: false, lasting: false, relayed: false, options: &[] };

/// When nothing has come for so long, nothing will: a peer that is let in is heard at once.
const QUIET: Duration = Duration::from_millis(300);
/// How long a message waits for whoever will not be there.
const ATTEMPT: Duration = Duration::from_millis(50);
/// How soon Zeroxide is asked again what it has seen.
const AGAIN: Duration = Duration::from_millis(100);

/// What is refused is a connection, whatever types it is between: one pair will do, which talks both ways.
pub(super) fn suits(pair: &Pair, _: &str, _: Side) -> bool {
    pair.left.socket_type == "DEALER" && pair.is_symmetric()
}

/// A client with a wrong proof, and one that comes with NULL: no message passes, and Zeroxide tells why. Then, as before,
/// the client that shows the right one.
pub(super) fn refused(stage: &mut Stage<'_>) -> Result<(), Failure> {
    stage.needs_zap()?;
    for (n, proof) in stage.setting().mechanism.bad_proofs().iter().enumerate() {
        let name = format!("stranger{n}");
        stage.meet_with(&name, *proof)?;
        for side in Side::BOTH {
            try_to_send(stage, side, &name)?;
        }
        for side in Side::BOTH {
            is_told(stage, side, &name, *proof)?;
        }
        for side in Side::BOTH {
            hears_nothing(stage, side, &name)?;
        }
    }
    talk(stage, &["t:still-here"])
}

/// A socket that is still connecting may take a message; it must not arrive.
fn try_to_send(stage: &mut Stage<'_>, side: Side, name: &str) -> Result<(), Failure> {
    match stage.ask_more(side, name, "send", &format!("{} t:intruder", ATTEMPT.as_millis())) {
        Err(failure) if failure.code() != "again" => Err(failure),
        _ => Ok(()),
    }
}

fn hears_nothing(stage: &mut Stage<'_>, side: Side, name: &str) -> Result<(), Failure> {
    match stage.ask_more(side, name, "recv", &QUIET.as_millis().to_string()) {
        Err(failure) if failure.code() == "again" => Ok(()),
        Err(failure) => Err(failure),
        Ok(seen) => Err(stage.unlike(side, "recv", "nothing", seen.join(" "))),
    }
}

/// Where Zeroxide is: its events say that the handshake failed, and why.
fn is_told(stage: &mut Stage<'_>, side: Side, name: &str, proof: Proof) -> Result<(), Failure> {
    let setting = stage.setting();
    if setting.program(side).name != Program::OURS {
        return Ok(());
    }
    let is_server = setting.mechanism.server(setting.binder) == Some(side);
    let causes = causes(proof, is_server);
    let (deadline, mut seen) = (stage.deadline(PATIENCE), String::new());
    while !deadline.is_over() {
        let status = stage.ask_more(side, name, "status", "")?.join(" ");
        if status.contains("HandshakeFailed") || seen.is_empty() {
            seen = status;
        }
        if causes.iter().any(|cause| seen.contains(&format!("cause: {cause}"))) {
            return Ok(());
        }
        // Waits for what must not come, which is looked for later.
        if let Ok(message) = stage.ask_more(side, name, "recv", &AGAIN.as_millis().to_string()) {
            return Err(stage.unlike(side, "recv", "nothing", message.join(" ")));
        }
    }
    Err(stage.unlike(side, "status", &causes.join(" or "), seen))
}

/// What Zeroxide may have seen, as its events are written. Who cannot open a HELLO closes (RFC 26), and JeroMQ 0.6.0 sends
/// an ERROR without a reason before. A peer that closes as soon as it sees a mechanism that it does not like (libzmq does)
/// may do so before it has told its own.
fn causes(proof: Proof, is_server: bool) -> &'static [&'static str] {
    match (proof, is_server) {
        (Proof::Right, _) => &[],
        (Proof::Wrong, true) => &["Denied(Said"],
        (Proof::Wrong, false) => &["Protocol(Refused"],
        (Proof::OtherServer, true) => &["Protocol(Forged(Hello"],
        (Proof::OtherServer, false) => &["PeerClosed", "Io(ConnectionReset", "Protocol(Refused"],
        (Proof::Nothing, _) => &["Protocol(MechanismMismatch", "PeerClosed", "Io(ConnectionReset"],
    }
}
