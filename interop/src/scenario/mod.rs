//! What is tried on a stage. A scenario knows neither programs nor transports.

mod bodies;
mod bounds;
mod heartbeat;
mod ids;
mod kill;
mod order;
mod refused;
mod restart;
mod slow;
mod topics;

use crate::pair::{Flow, Pair, Side};
use crate::peer::Failure;
use crate::stage::{Scene, Stage};

/// A thing to try on a stage where contact is made.
#[derive(Debug)]
pub struct Scenario {
    /// Its name in reports.
    pub name: &'static str,
    /// What it proves, in one sentence.
    pub about: &'static str,
    /// The stage that it needs.
    pub scene: &'static Scene,
    /// Whether it makes sense for a pair over a transport with this side bound.
    pub suits: fn(&Pair, &str, Side) -> bool,
    /// Plays it.
    pub play: fn(&mut Stage<'_>) -> Result<(), Failure>,
}

/// Nothing special.
static PLAIN: Scene = Scene { name: "plain", shared: true, lasting: false, relayed: false, options: &[] };
/// A stage of its own: so large a body leaves its mark on buffers.
static HUGE: Scene = Scene { name: "huge", shared: false, lasting: false, relayed: false, options: &[] };

/// All of them. Those that share a stage are played in this order.
pub static SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "single",
        about: "one message passes each way that the pair allows",
        scene: &PLAIN,
        suits: always,
        play: bodies::single,
    },
    Scenario {
        name: "multipart",
        about: "messages of one to a hundred frames, short and long ones mixed, stay whole",
        scene: &PLAIN,
        suits: always,
        play: bodies::multipart,
    },
    Scenario {
        name: "empty",
        about: "empty frames keep their places",
        scene: &PLAIN,
        suits: always,
        play: bodies::empty_frames,
    },
    Scenario {
        name: "sizes",
        about: "bodies around every border of the framing arrive whole",
        scene: &PLAIN,
        suits: always,
        play: bodies::sizes,
    },
    Scenario {
        name: "order",
        about: "many messages arrive: all, once, in the order sent",
        scene: &PLAIN,
        suits: always,
        play: order::order,
    },
    Scenario {
        name: "ids",
        about: "a ROUTER knows a peer by the routing id that it has set",
        scene: &PLAIN,
        suits: ids::suits,
        play: ids::set,
    },
    Scenario {
        name: "auto-ids",
        about: "a ROUTER makes up an id for each peer that has none",
        scene: &PLAIN,
        suits: ids::suits,
        play: ids::automatic,
    },
    Scenario {
        name: "probe",
        about: "two ROUTERs learn each other's names from the handshake and the probe",
        scene: &PLAIN,
        suits: ids::probe_suits,
        play: ids::probe,
    },
    Scenario {
        name: "topics",
        about: "a subscriber gets what it subscribed to, once, and nothing else",
        scene: &PLAIN,
        suits: subscribes,
        play: topics::topics,
    },
    Scenario {
        name: "handover",
        about: "who comes under the routing id of another takes its place",
        scene: &ids::HANDOVER,
        suits: ids::suits,
        play: ids::handover,
    },
    Scenario {
        name: "huge",
        about: "a body of 64 MiB arrives whole",
        scene: &HUGE,
        suits: is_huge,
        play: bodies::huge,
    },
    Scenario {
        name: "slow",
        about: "at the high-water mark a sender waits, or a publisher drops, and what was not dropped arrives in order",
        scene: &slow::SCENE,
        suits: slow::suits,
        play: slow::slow,
    },
    Scenario {
        name: "restart",
        about: "either side is killed and comes back, and messages pass again",
        scene: &restart::SCENE,
        suits: always,
        play: restart::restart,
    },
    Scenario {
        name: "kill-receiver",
        about: "killed in the middle of a stream, it finds the stream again: nothing twice, torn or out of order",
        scene: &kill::SCENE,
        suits: kill::receiver_suits,
        play: kill::receiver,
    },
    Scenario {
        name: "kill-sender",
        about: "killed in the middle of a stream, what it had sent arrives without a gap, and what it sends anew",
        scene: &kill::SCENE,
        suits: kill::sender_suits,
        play: kill::sender,
    },
    Scenario {
        name: "refused",
        about: "a client that does not show what the server demands does not come in, and Zeroxide tells why",
        scene: &refused::SCENE,
        suits: refused::suits,
        play: refused::refused,
    },
    Scenario {
        name: "heartbeat-left",
        about: "the left side's PINGs are answered, and without answers it gives the connection up",
        scene: &heartbeat::LEFT,
        suits: heartbeat::suits,
        play: heartbeat::left,
    },
    Scenario {
        name: "heartbeat-right",
        about: "the same, from the right side",
        scene: &heartbeat::RIGHT,
        suits: heartbeat::suits,
        play: heartbeat::right,
    },
];

/// The scenario with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

fn always(_: &Pair, _: &str, _: Side) -> bool {
    true
}

fn subscribes(pair: &Pair, _: &str, _: Side) -> bool {
    ["SUB", "XSUB"].contains(&pair.right.socket_type)
}

/// Whatever carries it, one pair will do: what differs between pairs is in front of the body.
fn is_huge(pair: &Pair, _: &str, _: Side) -> bool {
    pair.left.socket_type == "PUSH"
}

/// Passes a message each way that the pair allows.
fn talk(stage: &mut Stage<'_>, message: &[&str]) -> Result<(), Failure> {
    stage.pass(Side::Left, message)?;
    match stage.setting().pair.flow {
        Flow::OneWay => Ok(()),
        Flow::BothWays | Flow::Turns { .. } => stage.pass(Side::Right, message),
    }
}
