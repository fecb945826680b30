//! What is recorded: each legal pair, and the things that are rarer.

use super::scene::Scene;
use crate::pair::{Flow, PAIRS, Pair, Side};
use crate::peer::Failure;
use crate::relay::{Record, Way};

/// One thing to record.
#[derive(Clone, Copy, Debug)]
pub struct Take {
    /// The file's name without its ending.
    pub name: &'static str,
    /// The types.
    pub pair: &'static str,
    /// Options of each side beyond those of its role.
    pub options: [&'static [(&'static str, &'static str)]; 2],
    /// Whether versions below 3.0 have it.
    pub legacy: bool,
    /// What is said.
    pub play: fn(&mut Scene<'_>) -> Result<(), Failure>,
}

const fn pair(name: &'static str, pair: &'static str) -> Take {
    Take { name, pair, options: [&[], &[]], legacy: true, play: talk }
}

/// A name that makes READY a long command.
const LONG_NAME: &[(&str, &str)] = &[("ROUTING_ID", "f:255:1")];
/// PINGs that ask for 1.2 s, which are twelve tenths.
const BEATING: &[(&str, &str)] = &[("HEARTBEAT_IVL", "100"), ("HEARTBEAT_TTL", "1200")];

/// Everything.
pub const TAKES: &[Take] = &[
    pair("pair-pair", "PAIR-PAIR"),
    pair("pub-sub", "PUB-SUB"),
    pair("pub-xsub", "PUB-XSUB"),
    pair("xpub-sub", "XPUB-SUB"),
    pair("xpub-xsub", "XPUB-XSUB"),
    pair("req-rep", "REQ-REP"),
    pair("req-router", "REQ-ROUTER"),
    pair("dealer-rep", "DEALER-REP"),
    pair("dealer-dealer", "DEALER-DEALER"),
    pair("dealer-router", "DEALER-ROUTER"),
    pair("router-router", "ROUTER-ROUTER"),
    pair("push-pull", "PUSH-PULL"),
    Take { play: sizes, ..pair("sizes", "PUSH-PULL") },
    Take { options: [LONG_NAME, &[]], play: long_name, ..pair("long-routing-id", "DEALER-ROUTER") },
    Take { options: [&[("PROBE_ROUTER", "1")], &[]], play: probe, ..pair("probe", "DEALER-ROUTER") },
    Take { options: [&[("REQ_CORRELATE", "1")], &[]], play: correlate, ..pair("correlate", "REQ-ROUTER") },
    Take { options: [BEATING, &[]], legacy: false, play: beat, ..pair("heartbeat", "DEALER-DEALER") },
];

/// A server that refuses, which needs a program that can.
pub const REFUSAL: Take = Take {
    options: [&[], &[("ZAP_DOMAIN", "t:test")]],
    legacy: false,
    play: refuse,
    ..pair("refusal", "DEALER-ROUTER")
};

impl Take {
    /// The type of a side.
    #[must_use]
    pub fn socket_type(&self, side: Side) -> &'static str {
        self.of().role(side).socket_type
    }

    /// The frames that a side puts before each message.
    #[must_use]
    pub fn sends(&self, side: Side) -> &'static [&'static str] {
        self.of().role(side).sends
    }

    /// The options of a side, in the order in which they are set.
    pub fn options(&self, side: Side) -> impl Iterator<Item = (&'static str, &'static str)> {
        // Two ROUTERs: whoever connects has to know the other's name.
        let names = self.pair == "ROUTER-ROUTER" && side == Side::Left;
        let knows = names.then_some(("CONNECT_ROUTING_ID", "t:right"));
        let own = self.of().role(side).options;
        own.iter().chain(self.options[side as usize]).copied().chain(knows)
    }

    /// The routing id of a side as a word.
    #[must_use]
    pub fn identity(&self, side: Side) -> &'static str {
        self.options(side)
            .filter(|(option, _)| *option == "ROUTING_ID")
            .last()
            .map_or("-", |(_, value)| value)
    }

    fn of(&self) -> &'static Pair {
        crate::pair::find(self.pair).unwrap_or(&PAIRS[0])
    }
}

/// A few messages each way that the pair allows.
fn talk(scene: &mut Scene<'_>) -> Result<(), Failure> {
    if ["SUB", "XSUB"].contains(&scene.take().socket_type(Side::Right)) {
        return topics(scene);
    }
    let messages: [&[&str]; 4] = [&["t:Hi"], &["-"], &["t:one", "-", "t:three"], &["f:255:3", "f:256:4"]];
    let flow = scene.take().of().flow;
    for message in messages {
        scene.pass(Side::Left, message)?;
        if flow != Flow::OneWay {
            scene.pass(Side::Right, message)?;
        }
    }
    Ok(())
}

/// Wishes come, go and come again; what is wished for is sent.
fn topics(scene: &mut Scene<'_>) -> Result<(), Failure> {
    if scene.take().socket_type(Side::Left) == "PUB" {
        scene.publish(Side::Left, "abc")?;
        scene.want_no_more(Side::Right, "t:abc")?;
        scene.want(Side::Right, "t:x")?;
        return scene.publish(Side::Left, "x");
    }
    // An XPUB is told, so that nothing needs to be tried; of a subscriber of version 1.0 just that it is there.
    let told = scene.zmtp(Side::Right) != "1.0";
    scene.hear_wish(Side::Left)?;
    scene.pass(Side::Left, &["t:abcd", "t:more"])?;
    scene.want(Side::Right, "-")?;
    if told {
        scene.recv(Side::Left)?;
    }
    scene.pass(Side::Left, &["t:anything"])?;
    scene.want_no_more(Side::Right, "t:abc")?;
    if told {
        scene.recv(Side::Left)?;
    }
    scene.pass(Side::Left, &["-", "t:abc"])
}

/// Bodies at the borders of both framings.
fn sizes(scene: &mut Scene<'_>) -> Result<(), Failure> {
    for size in ["0", "1", "252", "253", "254", "255", "256", "257", "1000"] {
        scene.pass(Side::Left, &[&format!("f:{size}:{size}")])?;
    }
    scene.pass(Side::Left, &["f:254:1", "f:255:2", "-", "f:300:3", "t:x"])
}

fn long_name(scene: &mut Scene<'_>) -> Result<(), Failure> {
    scene.pass(Side::Left, &["t:hello"])
}

/// The first that a ROUTER sees is empty.
fn probe(scene: &mut Scene<'_>) -> Result<(), Failure> {
    scene.note(Side::Left, "message -");
    scene.recv(Side::Right)?;
    scene.pass(Side::Left, &["t:hello"])
}

/// A REQ puts a number, which a ROUTER sees, before the delimiter. Nobody answers: JeroMQ 0.5.2 does not know its own
/// number again.
fn correlate(scene: &mut Scene<'_>) -> Result<(), Failure> {
    match &scene.question("t:first")?[..] {
        [_, number, _, _] => {
            scene.note(Side::Left, format!("message {number} - t:first"));
            Ok(())
        }
        seen => Err(Failure::NoContact { what: format!("a number in {seen:?}") }),
    }
}

/// PINGs are answered.
fn beat(scene: &mut Scene<'_>) -> Result<(), Failure> {
    scene.pass(Side::Left, &["t:hello"])?;
    let answered = |record: &Record| record.commands(Way::FromTarget, "PONG") >= 2;
    scene.wait(answered)?;
    let record = scene.silence()?;
    for _ in 0..record.commands(Way::ToTarget, "PING") {
        scene.note(Side::Left, "ping 12 -");
    }
    for _ in 0..record.commands(Way::FromTarget, "PONG") {
        scene.note(Side::Right, "pong -");
    }
    Ok(())
}

/// The right side refuses.
fn refuse(scene: &mut Scene<'_>) -> Result<(), Failure> {
    scene.wait(|record| record.commands(Way::FromTarget, "ERROR") == 1)?;
    scene.note(Side::Right, "error t:400");
    Ok(())
}
