//! One stage: a socket on each side, set up and attached, and the ways to make them talk.

mod contact;
mod endpoint;
mod folder;
mod more;
mod ports;
mod scene;
mod security;
mod stream;

use std::time::Duration;

pub use self::scene::{Scene, Setting, Setup, Who};
pub use self::stream::{Drained, Tally};

use self::endpoint::Endpoint;
use crate::deadline::Deadline;
use crate::mechanism::Proof;
use crate::pair::{Flow, Side};
use crate::peer::{Failure, Peer};
use crate::program::Program;
use crate::relay::Relay;
use crate::words;

/// How long a message may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// The name of the socket in each peer.
const SOCKET: &str = "s";

/// Two peers with a socket each, on the endpoint that one of them has bound.
pub struct Stage<'a> {
    setting: Setting<'a>,
    // Before their endpoint, so that they are gone when it is given to others.
    peers: [Peer; 2],
    endpoint: Endpoint,
    /// Counts the messages that made contact.
    contacts: u32,
    /// The side that was killed last.
    restarted: Option<Side>,
    /// What stood before the last message that the right side received: where it answers in turns, its address.
    envelope: Vec<String>,
    /// What scenarios counted.
    notes: Vec<String>,
    /// Options and commands that a peer could do without, and had to.
    lacking: Vec<(Side, &'static str)>,
    /// Between the two, where the scene has it.
    relay: Option<Relay>,
    /// Further sockets.
    more: Vec<(Side, String)>,
    /// Their endpoints, where they have some of their own.
    more_endpoints: Vec<Endpoint>,
}

impl<'a> Stage<'a> {
    /// A stage for two running peers, still without sockets.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub fn new(setting: Setting<'a>, peers: [Peer; 2]) -> Result<Stage<'a>, Failure> {
        let endpoint = Endpoint::fresh(setting.transport, setting.scene.lasting)?;
        Ok(Stage {
            setting,
            endpoint,
            peers,
            contacts: 0,
            restarted: None,
            envelope: Vec::new(),
            notes: Vec::new(),
            lacking: Vec::new(),
            relay: None,
            more: Vec::new(),
            more_endpoints: Vec::new(),
        })
    }

    /// Makes the sockets; binds and connects, or where the endpoint is lasting, the other way round.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn open(&mut self) -> Result<(), Failure> {
        // An endpoint that is known beforehand may be connected before it is bound.
        let binder = self.setting.binder;
        let first = if self.setting.scene.lasting { binder.other() } else { binder };
        self.enter(first)?;
        self.enter(first.other())
    }

    /// Closes the sockets and gives back the peers that are fit for another stage.
    #[must_use]
    pub fn close(mut self) -> [Option<Peer>; 2] {
        // A peer that does not know the socket never made it.
        let gone = |closed: Result<Vec<String>, Failure>| match closed {
            Err(failure) => failure.code() == "usage",
            Ok(_) => true,
        };
        let mut fit = Side::BOTH.map(|side| gone(self.ask(side, "close", "")));
        for (side, name) in std::mem::take(&mut self.more) {
            fit[side as usize] &= gone(self.ask_more(side, &name, "close", ""));
        }
        let [left, right] = self.peers;
        [fit[0].then_some(left), fit[1].then_some(right)]
    }

    /// The last lines that each peer was told and answered, and what it can say about its socket.
    #[must_use]
    pub fn log(&mut self) -> String {
        for side in Side::BOTH {
            // Not every peer knows the command, and a dead one knows none.
            if self.peers[side as usize].is_at_rest() {
                let _ = self.ask(side, "status", "");
            }
        }
        self.peers.iter().map(Peer::log).collect()
    }

    /// Who meets here, and how.
    #[must_use]
    pub fn setting(&self) -> &Setting<'a> {
        &self.setting
    }

    /// Notes what a scenario counted.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The notes since it was last asked.
    pub fn take_notes(&mut self) -> String {
        std::mem::take(&mut self.notes).join(", ")
    }

    /// Kills one side, starts it anew and lets it come back to the same endpoint.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn restart(&mut self, side: Side) -> Result<(), Failure> {
        self.kill(side);
        if self.setting.socket_type(side) == "PAIR" && side != self.setting.binder {
            self.wait_until_missed(side.other())?;
        }
        self.revive(side)
    }

    /// Ends one side as a power cut would.
    pub fn kill(&mut self, side: Side) {
        self.restarted = Some(side);
        self.peers[side as usize].kill();
    }

    /// Starts a killed side anew and lets it come back to the same endpoint.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn revive(&mut self, side: Side) -> Result<(), Failure> {
        self.peers[side as usize].restart(self.setting.program(side))?;
        self.enter(side)
    }

    /// Sends a message of these words from `side`, and receives it on the other.
    ///
    /// # Errors
    /// [`Failure::Unlike`] when another message came; any other.
    pub fn pass(&mut self, side: Side, message: &[&str]) -> Result<(), Failure> {
        let there = side.other();
        match self.setting.pair.flow {
            Flow::Turns { .. } if side == Side::Right => {
                let frames = spaced(&self.envelope) + &spaced(message);
                self.ask(side, "send", &format!("{}{frames}", PATIENCE.as_millis()))?;
            }
            _ => self.send(side, message, PATIENCE)?,
        }
        let mut seen = self.recv(there, PATIENCE)?.unwrap_or_default();
        let told: Vec<String> = message.iter().map(|word| words::retold(word)).collect();
        let body = seen.split_off(seen.len().saturating_sub(told.len()));
        let finds = self.setting.pair.role(there).finds;
        if body == told && self.is_envelope(&seen, finds) {
            self.envelope = seen;
            return Ok(());
        }
        let finds: Vec<String> = finds.iter().map(|word| words::retold(word)).collect();
        let expected = spaced(&finds) + &spaced(&told);
        seen.extend(body);
        Err(self.peers[there as usize].unlike("recv", expected.trim_start(), seen.join(" ")))
    }

    /// Whether `seen` is the envelope that a role finds. REQ_CORRELATE adds a frame of four bytes before the
    /// delimiter, which a ROUTER sees.
    fn is_envelope(&self, seen: &[String], finds: &[&str]) -> bool {
        let finds: Vec<String> = finds.iter().map(|word| words::retold(word)).collect();
        let correlated = self.setting.scene.options.iter().any(|setup| setup.option == "REQ_CORRELATE")
            && self.setting.socket_type(Side::Left) == "REQ";
        match seen {
            [id, number, delimiter] if correlated => {
                number.len() == "h:00000000".len() && finds == [id.clone(), delimiter.clone()]
            }
            _ => seen == finds,
        }
    }

    /// Sends a message of these words from `side`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn send(&mut self, side: Side, message: &[&str], limit: Duration) -> Result<(), Failure> {
        let sends = self.setting.pair.role(side).sends;
        let frames: Vec<&str> = sends.iter().chain(message).copied().collect();
        self.tell(side, "send", &format!("{} {}", limit.as_millis(), frames.join(" ")))?;
        self.peers[side as usize].answer(limit).map(drop)
    }

    /// Receives a message on `side`, whole; `None` when none came in time.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn recv(&mut self, side: Side, limit: Duration) -> Result<Option<Vec<String>>, Failure> {
        self.tell(side, "recv", &limit.as_millis().to_string())?;
        match self.peers[side as usize].answer(limit) {
            Ok(words) => Ok(Some(words)),
            Err(failure) if failure.code() == "again" => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Gives a command about the socket of `side` and waits for the answer.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn ask(&mut self, side: Side, command: &str, rest: &str) -> Result<Vec<String>, Failure> {
        self.tell(side, command, rest)?;
        self.peers[side as usize].answer(PATIENCE)
    }

    /// So much time from now on, in that of the peers.
    #[must_use]
    pub fn deadline(&self, limit: Duration) -> Deadline {
        Deadline::new(limit, &self.peers.each_ref().map(Peer::process))
    }

    fn tell(&mut self, side: Side, command: &str, rest: &str) -> Result<(), Failure> {
        let space = if rest.is_empty() { "" } else { " " };
        self.peers[side as usize].tell(format!("{command} {SOCKET}{space}{rest}"))
    }

    /// Makes the socket of one side and attaches it.
    fn enter(&mut self, side: Side) -> Result<(), Failure> {
        let (role, socket_type) = (self.setting.pair.role(side), self.setting.socket_type(side));
        self.ask(side, "socket", socket_type)?;
        self.let_old_peers_in(side, SOCKET)?;
        self.secure(side, SOCKET, Proof::Right)?;
        for (option, value) in role.options {
            self.ask(side, "set", &format!("{option} {value}"))?;
        }
        let wishes = role.wishes.iter().map(|(option, value)| Setup::optional(Who::On(side), option, value));
        let scene = self.setting.scene.options.iter().copied();
        for setup in wishes.chain(scene.filter(|setup| setup.is_for(side, socket_type))) {
            match self.ask(side, "set", &format!("{} {}", setup.option, setup.value)) {
                Err(failure) if setup.optional && failure.code() == "usage" => {
                    self.lacking.push((side, setup.option));
                }
                set => drop(set?),
            }
        }
        let endpoint = self.endpoint.name.clone();
        if side == self.setting.binder {
            match self.ask(side, "bind", &endpoint)?.into_iter().next() {
                Some(resolved) => self.endpoint.name = resolved,
                None => return Err(self.peers[side as usize].unlike("bind", "an endpoint", String::new())),
            }
        } else {
            if socket_type == "ROUTER" && self.setting.socket_type(side.other()) == "ROUTER" {
                let id = format!("CONNECT_ROUTING_ID t:{}", side.other().name());
                self.ask(side, "set", &id)?;
            }
            let endpoint = if self.setting.scene.relayed { self.relayed()? } else { endpoint };
            self.ask(side, "connect", &endpoint)?;
        }
        self.subscribe(side, "-")
    }

    /// Lets Zeroxide's socket talk with a peer of ZMTP 1.0 or 2.0, which it does only when asked to; libzmq does always.
    fn let_old_peers_in(&mut self, side: Side, socket: &str) -> Result<(), Failure> {
        let other = &self.peers[side.other() as usize].name;
        let Some(version @ ("1.0" | "2.0")) = other.strip_prefix("raw-zmtp-") else { return Ok(()) };
        if self.setting.program(side).name != Program::OURS {
            return Ok(());
        }
        let command = format!("set {socket} MIN_VERSION {version}");
        self.peers[side as usize].ask(command).map(drop)
    }

    /// Where to connect so that a relay stands between.
    fn relayed(&mut self) -> Result<String, Failure> {
        let relay = match self.relay.take() {
            Some(relay) => relay,
            None => Relay::to(&self.endpoint.name)?,
        };
        Ok(self.relay.insert(relay).endpoint())
    }

    /// The relay between the two, in a scene that has one.
    #[must_use]
    pub fn relay(&self) -> Option<&Relay> {
        self.relay.as_ref()
    }

    /// Whether a peer does without an option of the scene, or a command, that it does not know.
    #[must_use]
    pub fn lacks(&self, what: &str) -> bool {
        Side::BOTH.iter().any(|side| self.lacking.contains(&(*side, what)))
    }

    /// Whether one side does without an option.
    ///
    /// # Errors
    /// [`Failure::Lacks`], if it does.
    pub fn demand(&self, side: Side, option: &'static str) -> Result<(), Failure> {
        if !self.lacking.contains(&(side, option)) {
            return Ok(());
        }
        let (peer, command) = (self.peers[side as usize].name.clone(), format!("set {SOCKET} {option}"));
        Err(Failure::Lacks { peer, command, text: "this scenario cannot do without".to_owned() })
    }

    /// The failure of an answer of `side` that should have been another.
    #[must_use]
    pub fn unlike(&self, side: Side, command: &str, expected: &str, seen: String) -> Failure {
        self.peers[side as usize].unlike(command, expected, seen)
    }

    /// Subscribes, if `side` is a subscriber.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn subscribe(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.request_topic(side, "subscribe", "01", topic)
    }

    /// Takes a subscription back.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn unsubscribe(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.request_topic(side, "unsubscribe", "00", topic)
    }

    fn request_topic(&mut self, side: Side, command: &str, mark: &str, topic: &str) -> Result<(), Failure> {
        match self.setting.socket_type(side) {
            "SUB" => self.ask(side, command, topic).map(drop),
            "XSUB" => {
                let topic = words::hex(&words::frame(topic).unwrap_or_default());
                self.send(side, &[&format!("h:{mark}{topic}")], PATIENCE)
            }
            _ => Ok(()),
        }
    }
}

fn spaced(words: &[impl AsRef<str>]) -> String {
    words.iter().flat_map(|word| [" ", word.as_ref()]).collect()
}
