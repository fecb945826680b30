//! One session: a few sockets, the network between them, faults and hostile peers, and the rules that hold for all that.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use zeroxide::SocketType::{self, *};
use zeroxide::{Cause, Context, Endpoint, EndpointState, Options, RoutingId, Socket, opt, simulation};
use zeroxide_transports::simulated;

use crate::actor::{Actor, Wait};
use crate::choices::Choices;
use crate::fault::{Checked, Fault};
use crate::handler::Handler;
use crate::hostile::Hostile;
use crate::keys::Keys;
use crate::ledger::{Label, TOPICS};
use crate::motion::Motion;

/// Socket types that talk to each other, the one that binds first.
const PAIRS: [(SocketType, SocketType); 20] = [
    (Pull, Push),
    (Push, Pull),
    (Router, Dealer),
    (Dealer, Router),
    (Dealer, Dealer),
    (Rep, Req),
    (Req, Rep),
    (Router, Req),
    (Rep, Dealer),
    (Pub, Sub),
    (Sub, Pub),
    (XPub, Sub),
    (XPub, XSub),
    (Pub, XSub),
    (Pair, Pair),
    (Server, Client),
    (Radio, Dish),
    (Gather, Scatter),
    (Scatter, Gather),
    (Channel, Channel),
];

/// How sessions end that found no fault.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) connections: u64,
    pub(crate) steps: u64,
    pub(crate) messages: u64,
}

/// A session under way.
struct Session {
    motion: Rc<RefCell<Motion>>,
    actors: Vec<Actor>,
    lives: u32,
    /// Its messages are small, as the buffers of its network are.
    small: bool,
    /// Nothing was cut, no peer was hostile, nobody connected anew: every message must arrive or be counted.
    calm: bool,
}

/// Plays one session; returns the choices that it has taken, too.
pub(crate) fn play(choices: Choices, keys: &Keys, trace: bool) -> (Vec<u32>, Checked<Report>) {
    let mut choices = choices;
    let seed = choices.below(1 << 30) as u64;
    let tick = choices.pick(&[Duration::ZERO, Duration::from_nanos(100), Duration::from_micros(5)]);
    simulation::begin(seed, tick);
    let motion = Rc::new(RefCell::new(Motion::new(choices, trace)));
    let others = Rc::clone(&motion);
    simulation::set_step(move |limit| others.borrow_mut().go_on(limit));
    let mut session =
        Session { motion: Rc::clone(&motion), actors: Vec::new(), lives: 0, small: false, calm: true };
    let outcome = session.run(keys);
    let steps = motion.borrow().steps;
    let outcome = outcome.map(|messages| Report { connections: simulated::dialled(), steps, messages });
    // What is left of a session that failed must not reach the next one.
    drop(session);
    motion.borrow_mut().hostiles.clear();
    let handlers = std::mem::take(&mut motion.borrow_mut().handlers);
    drop(handlers);
    simulation::begin(0, Duration::ZERO);
    let taken = motion.borrow().choices.taken().to_vec();
    (taken, outcome)
}

impl Session {
    fn below(&self, count: usize) -> usize {
        self.motion.borrow_mut().choices.below(count)
    }

    fn pick<T: Copy>(&self, of: &[T]) -> T {
        self.motion.borrow_mut().choices.pick(of)
    }

    fn one_in(&self, times: usize) -> bool {
        self.motion.borrow_mut().choices.one_in(times)
    }

    fn run(&mut self, keys: &Keys) -> Checked<u64> {
        self.open(keys)?;
        self.storm()?;
        self.rest()?;
        if self.calm {
            self.add_up()?;
        }
        let messages = self.actors.iter().map(|actor| actor.sent).sum();
        self.end()?;
        Ok(messages)
    }

    /// Makes the sockets: one or two that bind, up to three that connect to them.
    fn open(&mut self, keys: &Keys) -> Checked {
        let (binder, connecter) = self.pick(&PAIRS);
        let scheme = self.pick(&["tcp", "tcp", "ipc", "inproc"]);
        let one_peer = binder.has_one_peer();
        let servers = if one_peer { 1 } else { 1 + self.below(2) };
        let clients = if one_peer { 1 } else { 1 + self.below(3) };
        let mechanism = if scheme == "inproc" { 0 } else { self.pick(&[0, 0, 0, 0, 0, 1, 1, 2]) };
        let room = self.pick(&[1 << 16, 1 << 16, 4096, 300, 17]);
        simulated::set_room(room);
        self.small = room < 4096;
        let common = self.options();
        let shared = Context::new();
        let mut bound = Vec::new();
        for n in 0..servers {
            let mut options = common.clone().set(opt::AUTH_REQUIRED, false);
            options = keys.server(options, mechanism);
            if binder == Router && self.one_in(3) {
                options = options.set(opt::ROUTER_HANDOVER, true);
            }
            let mut actor = self.actor(format!("server-{n}"), scheme, &shared, binder, &options)?;
            actor.enveloped = matches!((binder, connecter), (Router, Req));
            if mechanism > 0 {
                self.serve_zap(&actor.context)?;
            }
            let endpoint = match scheme {
                "tcp" => "tcp://127.0.0.1:*".to_owned(),
                "ipc" => format!("ipc:///simulated/{n}"),
                _ => format!("inproc://{n}"),
            };
            let endpoint = actor
                .socket
                .bind(endpoint)
                .map_err(|error| Fault::new("a bind succeeds", error.to_string()))?;
            actor.bound = true;
            actor.endpoints.push(endpoint.to_string());
            bound.push(endpoint);
            self.actors.push(actor);
        }
        for n in 0..clients {
            let mut options = keys.client(common.clone(), mechanism);
            if matches!(connecter, Dealer | Req | Router) && self.one_in(2) {
                let id = RoutingId::new(format!("client-{n}"))
                    .map_err(|error| Fault::new("an id", error.to_string()))?;
                options = options.set(opt::ROUTING_ID, id);
            }
            let mut actor = self.actor(format!("client-{n}"), scheme, &shared, connecter, &options)?;
            actor.enveloped = matches!((binder, connecter), (Rep, Dealer));
            for endpoint in &bound {
                self.connect(&mut actor, &endpoint.to_string())?;
            }
            self.actors.push(actor);
        }
        if scheme != "inproc" {
            self.invite(&bound, binder);
        }
        Ok(())
    }

    /// Gives a context its ZAP handler, unless it has one.
    fn serve_zap(&self, context: &Context) -> Checked {
        match Handler::new(context) {
            Ok(handler) => self.motion.borrow_mut().handlers.push(handler),
            Err(zeroxide::Error::Bind(_)) => {}
            Err(error) => return Err(Fault::new("a handler can be made", error.to_string())),
        }
        Ok(())
    }

    /// Hostile peers, and faults.
    fn invite(&mut self, bound: &[Endpoint], victim: SocketType) {
        let mut motion = self.motion.borrow_mut();
        let count = motion.choices.pick(&[0, 0, 1, 2, 3]);
        for _ in 0..count {
            let (at, moves) = (motion.choices.below(bound.len()), 5 + motion.choices.below(60));
            motion.hostiles.push(Hostile::new(bound[at].clone(), victim, moves as u32));
        }
        motion.faults = motion.choices.below(3) != 0;
        self.calm = count == 0 && !motion.faults;
    }

    fn options(&self) -> Options {
        let millis = |n: u64| Some(Duration::from_millis(n));
        let mut options = Options::new()
            .set(opt::SNDHWM, self.pick(&[1000, 1000, 1, 2, 7]))
            .set(opt::RCVHWM, self.pick(&[1000, 1000, 1, 2, 7]))
            .set(opt::RECONNECT_IVL, self.pick(&[millis(100), millis(1), millis(10)]));
        if self.one_in(4) {
            options = options.set(opt::LINGER, self.pick(&[millis(0), millis(50)]));
        }
        if self.one_in(4) {
            options = options.set(opt::IMMEDIATE, true);
        }
        if self.one_in(3) {
            let interval = self.pick(&[millis(1000), millis(300), millis(110)]);
            options = options.set(opt::HEARTBEAT_IVL, interval).set(opt::HEARTBEAT_TIMEOUT, interval);
        }
        if self.one_in(4) {
            options = options.set(opt::HANDSHAKE_IVL, self.pick(&[millis(3000), millis(300)]));
        }
        options
    }

    fn actor(
        &mut self,
        name: String,
        scheme: &str,
        shared: &Context,
        t: SocketType,
        options: &Options,
    ) -> Checked<Actor> {
        let has_own_context = scheme != "inproc" && !self.one_in(3);
        let context = if has_own_context { Context::new() } else { shared.clone() };
        let failed = |error: zeroxide::Error| Fault::new("a socket can be made", error.to_string());
        let mut options = options.clone();
        let lingers = options.get(opt::LINGER).is_none();
        if t == Req {
            // Where a reply is lost, it may ask again.
            options = options.set(opt::REQ_RELAXED, true).set(opt::REQ_CORRELATE, true);
        }
        let socket = context.socket_with(t, &options).map_err(failed)?;
        if t.resubscribes() {
            subscribe(&socket, TOPICS[0], true).map_err(failed)?;
        }
        self.lives += 1;
        let mut actor = Actor::new(name, context, socket, self.lives);
        (actor.small, actor.has_own_context, actor.lingers) = (self.small, has_own_context, lingers);
        actor.events = self.motion.borrow().trace.then(|| actor.socket.monitor());
        Ok(actor)
    }

    fn connect(&self, actor: &mut Actor, endpoint: &str) -> Checked {
        actor
            .socket
            .connect(endpoint)
            .map_err(|error| Fault::new("a connect succeeds", error.to_string()))?;
        actor.endpoints.push(endpoint.to_owned());
        Ok(())
    }

    /// Everything at once.
    fn storm(&mut self) -> Checked {
        let length = 20 + self.below(200);
        for _ in 0..length {
            let steps = self.below(12);
            for _ in 0..steps {
                let limit = simulation::now() + Duration::from_millis(1);
                self.motion.borrow_mut().go_on(Some(limit));
            }
            let at = self.below(self.actors.len());
            self.act(at)?;
            self.check(at)?;
        }
        let mut motion = self.motion.borrow_mut();
        motion.faults = false;
        self.calm &= motion.injected == 0;
        Ok(())
    }

    /// One call of an application.
    fn act(&mut self, at: usize) -> Checked {
        let wait = match self.below(8) {
            7 => Wait::For(self.pick(&[Duration::from_millis(5), Duration::from_millis(200)])),
            _ => Wait::No,
        };
        let (what, topic) = (self.below(16), self.pick(&TOPICS));
        let actor = &mut self.actors[at];
        self.motion.borrow().tell(|| format!("{} calls {what}, waits {wait:?}", actor.name));
        match what {
            0..=6 if actor.initiates() => drop(actor.send(topic, wait)?),
            0..=6 if actor.replies() => actor.reply(wait)?,
            7..=12 => drop(actor.receive(wait)?),
            13 if actor.socket_type().resubscribes() => {
                let other = TOPICS[1..][topic as usize % 3];
                // It may be joined or left already.
                let _ = subscribe(&actor.socket, other, !matches!(wait, Wait::For(_)));
            }
            14 if self.one_in(6) => self.connect_anew(at)?,
            _ => {
                (0..5).try_for_each(|_| self.actors[at].receive(Wait::No).map(drop))?;
            }
        }
        Ok(())
    }

    /// Ends its endpoints and opens them again.
    fn connect_anew(&mut self, at: usize) -> Checked {
        self.calm = false;
        self.lives += 1;
        let actor = &mut self.actors[at];
        actor.begin_life(self.lives);
        let failed = |error: zeroxide::Error| Fault::new("an endpoint ends and begins", error.to_string());
        for endpoint in actor.endpoints.clone() {
            if actor.bound {
                actor.socket.unbind(&*endpoint).map_err(failed)?;
                actor.socket.bind(&*endpoint).map_err(failed)?;
            } else {
                actor.socket.disconnect(&*endpoint).map_err(failed)?;
                actor.socket.connect(&*endpoint).map_err(failed)?;
            }
        }
        let inproc = actor.endpoints.iter().any(|endpoint| endpoint.starts_with("inproc"));
        if actor.bound && inproc {
            // Inproc never reconnects: those who were there connect again.
            let endpoint = actor.endpoints[0].clone();
            for other in self.actors.iter_mut().filter(|actor| !actor.bound) {
                let _ = other.socket.disconnect(&*endpoint);
                other.socket.connect(&*endpoint).map_err(failed)?;
                self.lives += 1;
                other.begin_life(self.lives);
            }
        }
        Ok(())
    }

    /// The rules that hold at every moment.
    fn check(&self, at: usize) -> Checked {
        while let Some(event) = self.actors[at].events.as_ref().and_then(|events| events.try_recv().ok()) {
            let name = &self.actors[at].name;
            self.motion
                .borrow()
                .tell(|| format!("{name}, connection {}: {:?}", event.connection, event.kind));
        }
        self.actors[at].check()?;
        if simulation::take_lost_wakes() > 0 {
            return Err(Fault::new(
                "no wake is lost",
                format!("a call of {} was not woken", self.actors[at].name),
            ));
        }
        if self.motion.borrow().is_endless() {
            return Err(Fault::new("a session comes to rest", "too many steps"));
        }
        Ok(())
    }

    /// Goes on until `done`, at most for `limit`.
    fn until(
        &mut self,
        rule: &'static str,
        limit: Duration,
        mut done: impl FnMut(&mut [Actor]) -> Checked<bool>,
    ) -> Checked {
        let limit = simulation::now() + limit;
        loop {
            for at in 0..self.actors.len() {
                self.actors[at].reply(Wait::No)?;
                while self.actors[at].receive(Wait::No)? {
                    self.actors[at].reply(Wait::No)?;
                }
                self.check(at)?;
            }
            if done(&mut self.actors)? {
                return Ok(());
            }
            if !self.motion.borrow_mut().go_on(Some(limit)) {
                let states: Vec<String> = self.actors.iter().map(Actor::summary).collect();
                return Err(Fault::new(rule, states.join("\n")));
            }
        }
    }

    /// Faults are over: everybody finds its peers again, and what is sent now arrives, whatever the hostile peers still do; then
    /// also when they are gone.
    fn rest(&mut self) -> Checked {
        let minute = Duration::from_secs(60);
        let one_peer = self.actors.iter().any(|actor| actor.socket_type().has_one_peer());
        // Who came first has the one place, or the routing id, for good.
        let takes_place = |hostile: &&mut Hostile| one_peer || hostile.has_taken_id;
        self.motion.borrow_mut().hostiles.iter_mut().filter(takes_place).for_each(Hostile::leave);
        self.until("every session finds its peer again", minute, |actors| {
            let connected = |actor: &Actor| {
                actor
                    .socket
                    .endpoints()
                    .iter()
                    .all(|row| row.bound || matches!(row.state, EndpointState::Connected { .. }))
            };
            Ok(actors.iter().all(connected))
        })?;
        self.probe("a good peer is served beside hostile ones", 40)?;
        self.motion.borrow_mut().hostiles.iter_mut().for_each(Hostile::leave);
        self.probe("a message arrives where nothing disturbs", 2)
    }

    /// Each application that sends by itself sends a message that must arrive; of `tries`, one.
    fn probe(&mut self, rule: &'static str, tries: usize) -> Checked {
        for at in 0..self.actors.len() {
            if !self.actors[at].initiates() {
                continue;
            }
            let mut labels: Vec<Label> = Vec::new();
            for n in 0..tries {
                let sent = self.actors[at].send(TOPICS[0], Wait::For(Duration::from_secs(10)))?;
                self.check(at)?;
                labels.extend(sent);
                let own = self.actors[at].bound;
                let arrived = |actors: &[Actor]| {
                    let others = || actors.iter().filter(|actor| actor.bound != own);
                    labels.iter().any(|label| others().any(|actor| actor.received.has(*label)))
                };
                let last = n + 1 == tries;
                let limit = if last { Duration::from_secs(20) } else { Duration::from_millis(200) };
                let outcome = self.until(rule, limit, |actors| Ok(arrived(actors)));
                match outcome {
                    Ok(()) => break,
                    Err(fault) if last || fault.rule != rule => return Err(fault),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Of what the sockets took, everything arrives or is counted.
    fn add_up(&mut self) -> Checked {
        self.until("what is sent arrives or is counted", Duration::from_secs(5), |actors| {
            let (mut routed, mut dropped, mut received) = (0, 0, 0);
            for actor in actors {
                let stats = actor.check()?;
                routed += stats.routed;
                dropped += stats.dropped.routed() + stats.dropped.by(Cause::Unwanted);
                // A REQ leaves late replies unread until it receives again.
                received += actor.received.count + stats.pipes.iter().map(|pipe| pipe.waiting).sum::<u64>();
            }
            Ok(routed == dropped + received)
        })
    }

    /// Contexts end one after the other: what was sent last arrives or is counted. Then their threads leave, and no connection
    /// is left.
    fn end(&mut self) -> Checked {
        self.motion.borrow_mut().handlers.clear();
        while !self.actors.is_empty() {
            self.end_one()?;
        }
        let limit = Some(simulation::now() + Duration::from_secs(30));
        while simulation::running() > 0 && self.motion.borrow_mut().go_on(limit) {}
        if simulation::running() > 0 {
            return Err(Fault::new(
                "the threads of a context end",
                format!("{} are left", simulation::running()),
            ));
        }
        self.motion.borrow_mut().hostiles.clear();
        match simulated::links() {
            links if links.is_empty() => Ok(()),
            links => Err(Fault::new("no connection is left", format!("{links:?}"))),
        }
    }

    /// The last application says its last words and closes its socket; where it is the last of its context, that ends.
    fn end_one(&mut self) -> Checked {
        let Some(mut actor) = self.actors.pop() else { return Ok(()) };
        let mut last = Vec::new();
        let counted = |actor: &Actor| {
            let stats = actor.socket.stats();
            stats.dropped.total() + stats.unmatched
        };
        let before = counted(&actor);
        if actor.initiates() {
            for _ in 0..self.below(4) {
                last.extend(actor.send(TOPICS[0], Wait::No)?);
            }
        }
        // A publisher drops at once what nobody wants, or has room for.
        let at_once = counted(&actor) - before;
        self.motion.borrow().tell(|| format!("{} closes", actor.name));
        let ends_context = actor.has_own_context && self.one_in(2);
        let closing = if ends_context { actor.context.term() } else { actor.socket.close() };
        let report = closing
            .wait_timeout(Duration::from_secs(30))
            .map_err(|closing| Fault::new("a socket closes", format!("{}: {closing:?}", actor.name)))?;
        let (name, bound) = (actor.name.clone(), actor.bound);
        let in_order = actor.lingers && report.dropped == 0;
        drop(actor);
        // When LINGER is over, what the network has not delivered is reset, too.
        if last.is_empty() || !in_order || self.actors.iter().all(|other| other.bound == bound) {
            return Ok(());
        }
        let rule = "what was sent last arrives or is counted";
        self.until(rule, Duration::from_secs(10), |actors| {
            let arrived = |label: &&Label| actors.iter().any(|actor| actor.received.has(**label));
            Ok(last.iter().filter(|label| !arrived(label)).count() as u64 <= at_once)
        })
        .map_err(|fault| {
            Fault::new(fault.rule, format!("{name}, {last:?}, {at_once} dropped\n{}", fault.text))
        })
    }
}

/// Subscribes to a topic, or unsubscribes; joins or leaves a group.
fn subscribe(socket: &Socket, topic: u8, wanted: bool) -> Result<(), zeroxide::Error> {
    match (socket.socket_type(), wanted) {
        (Dish, true) => socket.join([topic]),
        (Dish, false) => socket.leave([topic]),
        (XSub, _) => Ok(socket.try_send(&[u8::from(wanted), topic])?),
        (_, true) => socket.subscribe([topic]),
        (_, false) => socket.unsubscribe([topic]),
    }
}
