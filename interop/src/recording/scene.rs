//! Two peers with a socket each, the relay between them, and what was said.

use std::time::{Duration, Instant};

use super::takes::Take;
use super::{Actor, Said};
use crate::pair::Side;
use crate::peer::{Failure, Peer};
use crate::relay::{Record, Relay, Way};
use crate::words;

const PATIENCE: Duration = Duration::from_secs(10);
/// How long something may take that may not come at all.
const SOON_MS: u32 = 100;

/// A take while it is made. The left side has connected, through the relay, to the right.
pub struct Scene<'a> {
    take: &'a Take,
    actors: [&'a Actor; 2],
    peers: [Peer; 2],
    relay: Relay,
    items: [Vec<String>; 2],
    /// When nothing is tried again.
    end: Instant,
}

impl<'a> Scene<'a> {
    /// Starts both and lets them meet.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn open(take: &'a Take, actors: [&'a Actor; 2]) -> Result<Scene<'a>, Failure> {
        let peers = [Peer::start(&actors[0].program)?, Peer::start(&actors[1].program)?];
        // The target is known only after the bind.
        let relay = Relay::to("tcp://127.0.0.1:1")?;
        let end = Instant::now() + PATIENCE;
        let mut scene = Scene { take, actors, peers, relay, items: [Vec::new(), Vec::new()], end };
        for side in Side::BOTH {
            scene.ask(side, "socket", take.socket_type(side))?;
            for (option, value) in take.options(side) {
                scene.ask(side, "set", &format!("{option} {value}"))?;
            }
        }
        // In force when the connection is made, so that it is the first thing said.
        scene.want(Side::Right, "t:abc")?;
        let endpoint = scene.ask(Side::Right, "bind", "tcp://127.0.0.1:*")?.concat();
        scene.relay.retarget(&endpoint)?;
        let endpoint = scene.relay.endpoint();
        scene.ask(Side::Left, "connect", &endpoint)?;
        Ok(scene)
    }

    /// Ends the take: who said what.
    ///
    /// # Errors
    /// [`Failure::NoContact`] when they met more than once, which leaves the record in pieces.
    pub fn close(self) -> Result<[Said; 2], Failure> {
        let record = self.relay.record();
        if record.connections != 1 {
            return Err(Failure::NoContact { what: format!("{} connections", record.connections) });
        }
        let [left, right] = self.items;
        let said = |side: Side, way: Way, items: Vec<String>| Said {
            name: self.peers[side as usize].name.clone(),
            zmtp: self.actors[side as usize].zmtp,
            socket_type: self.take.socket_type(side),
            identity: self.take.identity(side).to_owned(),
            items,
            bytes: record.bytes(1, way),
        };
        Ok([said(Side::Left, Way::ToTarget, left), said(Side::Right, Way::FromTarget, right)])
    }

    /// The last lines that both were told and answered.
    #[must_use]
    pub fn log(&self) -> String {
        self.peers.iter().map(Peer::log).collect()
    }

    /// The take that is made.
    #[must_use]
    pub fn take(&self) -> &'a Take {
        self.take
    }

    /// The version that a side announces.
    #[must_use]
    pub fn zmtp(&self, side: Side) -> &'static str {
        self.actors[side as usize].zmtp
    }

    /// Sends a message and receives it.
    ///
    /// # Errors
    /// [`Failure::Unlike`] when it ends in something else; any other.
    pub fn pass(&mut self, from: Side, message: &[&str]) -> Result<(), Failure> {
        let frames: Vec<&str> = self.take.sends(from).iter().chain(message).copied().collect();
        let command = format!("{} {}", PATIENCE.as_millis(), frames.join(" "));
        while let Err(failure) = self.ask(from, "send", &command) {
            // A ROUTER that has only just connected may not know its peer yet.
            if failure.code() != "unroutable" || Instant::now() > self.end {
                return Err(failure);
            }
            self.recv_soon(from)?;
        }
        let seen = self.recv(from.other())?;
        let told: Vec<String> = message.iter().map(|word| words::retold(word)).collect();
        if !seen.ends_with(&told) {
            return Err(self.peers[from.other() as usize].unlike("recv", &told.join(" "), seen.join(" ")));
        }
        // What is on the wire is not what the application says: a ROUTER takes the name off, and who asks or answers in
        // turns puts the delimiter before.
        let on_wire: Vec<&str> = match self.take.socket_type(from) {
            "ROUTER" => frames[1..].to_vec(),
            "REQ" | "REP" => [&["-"][..], &frames].concat(),
            _ => frames,
        };
        self.note(from, format!("message {}", on_wire.join(" ")));
        Ok(())
    }

    /// The left side asks; the question as the application of the right side sees it.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn question(&mut self, word: &str) -> Result<Vec<String>, Failure> {
        self.ask(Side::Left, "send", &format!("{} {word}", PATIENCE.as_millis()))?;
        self.recv(Side::Right)
    }

    /// A publisher sends messages that begin with a topic until one arrives; those before are of nobody's interest
    /// and never on the wire.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn publish(&mut self, from: Side, topic: &str) -> Result<(), Failure> {
        for n in 0..100 {
            let sent = words::told(format!("{topic}.{n}").as_bytes());
            self.ask(from, "send", &format!("{} {sent} -", PATIENCE.as_millis()))?;
            while let Some(seen) = self.recv_soon(from.other())? {
                self.note(from, format!("message {}", seen.join(" ")));
                if seen.first() == Some(&sent) {
                    return Ok(());
                }
            }
        }
        Err(Failure::NoContact { what: format!("nothing about {topic} arrived") })
    }

    /// A subscriber wants a topic; other types want nothing.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn want(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.tell_topic(side, ["subscribe", "01", "subscribe"], topic)
    }

    /// A subscriber wants a topic no more.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn want_no_more(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.tell_topic(side, ["unsubscribe", "00", "cancel"], topic)
    }

    fn tell_topic(&mut self, side: Side, words: [&str; 3], topic: &str) -> Result<(), Failure> {
        let [command, mark, item] = words;
        match self.take.socket_type(side) {
            "SUB" => drop(self.ask(side, command, topic)?),
            "XSUB" => {
                let bytes = words::hex(&words::frame(topic).unwrap_or_default());
                self.ask(side, "send", &format!("{} h:{mark}{bytes}", PATIENCE.as_millis()))?;
            }
            _ => return Ok(()),
        }
        // A subscriber of version 1.0 keeps its wishes to itself.
        if self.actors[side as usize].zmtp != "1.0" {
            self.note(side, format!("{item} {topic}"));
        }
        Ok(())
    }

    /// Receives a message.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn recv(&mut self, side: Side) -> Result<Vec<String>, Failure> {
        self.ask(side, "recv", &PATIENCE.as_millis().to_string())
    }

    /// A publisher hears of the first wish.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn hear_wish(&mut self, side: Side) -> Result<(), Failure> {
        for _ in 0..100 {
            if self.recv_soon(side)?.is_some() {
                return Ok(());
            }
            // libzmq tells whoever came only while its application is inside the library.
            self.recv_soon(side.other())?;
        }
        Err(Failure::NoContact { what: "nobody wished for anything".to_owned() })
    }

    fn recv_soon(&mut self, side: Side) -> Result<Option<Vec<String>>, Failure> {
        match self.peers[side as usize].ask(format!("recv s {SOON_MS}")) {
            Ok(seen) => Ok(Some(seen)),
            Err(failure) if failure.code() == "again" => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Waits until the record is as wanted.
    ///
    /// # Errors
    /// [`Failure::NoContact`].
    pub fn wait(&mut self, wanted: impl FnMut(&Record) -> bool) -> Result<Record, Failure> {
        if self.relay.wait(PATIENCE, wanted) {
            Ok(self.relay.record())
        } else {
            Err(Failure::NoContact { what: "the record is not as it should be".to_owned() })
        }
    }

    /// Notes what a side meant to say.
    pub fn note(&mut self, side: Side, item: impl Into<String>) {
        self.items[side as usize].push(item.into());
    }

    /// Closes both sockets, so that nothing more is said, and gives the whole record.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn silence(&mut self) -> Result<Record, Failure> {
        self.ask(Side::Left, "close", "")?;
        self.ask(Side::Right, "close", "")?;
        self.wait(|record| record.open == 0)
    }

    fn ask(&mut self, side: Side, command: &str, rest: &str) -> Result<Vec<String>, Failure> {
        self.peers[side as usize].ask(format!("{command} s {rest}").trim_end())
    }
}
