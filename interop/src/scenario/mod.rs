//! What is tried on a stage. A scenario knows neither programs nor transports.

mod bodies;
mod order;
mod restart;
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
    /// Whether it makes sense for a pair with this side bound.
    pub suits: fn(&Pair, Side) -> bool,
    /// Plays it.
    pub play: fn(&mut Stage<'_>) -> Result<(), Failure>,
}

/// Nothing special.
pub static PLAIN: Scene = Scene { name: "plain", shared: true, lasting: false, options: &[] };

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
        about: "messages of several frames, short and long ones mixed, stay whole",
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
        about: "many messages arrive, all, once, in the order sent",
        scene: &PLAIN,
        suits: always,
        play: order::order,
    },
    Scenario {
        name: "topics",
        about: "a subscriber gets what it subscribed to and nothing else",
        scene: &PLAIN,
        suits: subscribes,
        play: topics::subscriptions,
    },
    Scenario {
        name: "restart",
        about: "either side is killed and comes back, and messages pass again",
        scene: &restart::SCENE,
        suits: always,
        play: restart::restart,
    },
];

/// The scenario with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

fn always(_: &Pair, _: Side) -> bool {
    true
}

fn subscribes(pair: &Pair, _: Side) -> bool {
    ["SUB", "XSUB"].contains(&pair.right.socket_type)
}

/// Passes a message each way that the pair allows.
fn talk(stage: &mut Stage<'_>, message: &[&str]) -> Result<(), Failure> {
    stage.pass(Side::Left, message)?;
    match stage.setting().pair.flow {
        Flow::OneWay => Ok(()),
        Flow::BothWays | Flow::Turns { .. } => stage.pass(Side::Right, message),
    }
}
