//! How a session begins: its sockets with their options, the order in which they bind and connect, and who disturbs them.

use std::time::Duration;

use zeroxide::SocketType::{self, *};
use zeroxide::{Bytes, Context, Endpoint, Options, ReconnectStop, RouterNotify, RoutingId, opt};
use zeroxide_transports::simulated;

use super::Session;
use super::scene::Scene;
use crate::actor::{Actor, Extra};
use crate::fault::{Checked, Fault};
use crate::handler::Handler;
use crate::hostile::Hostile;
use crate::keys::Keys;

/// Socket types that talk to each other, the one that binds first.
const PAIRS: [(SocketType, SocketType); 22] = [
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
    (Peer, Peer),
    (Stream, Stream),
];

impl Session {
    /// Decides what the session is about.
    fn set_scene(&mut self) -> Scene {
        let (binder, connecter) = self.pick(&PAIRS);
        let schemes = if binder.is_raw() { ["tcp"; 4] } else { ["tcp", "tcp", "ipc", "inproc"] };
        let scheme = self.pick(&schemes);
        let alone = scheme == "inproc";
        let mechanism = if alone || binder.is_raw() { 0 } else { self.pick(&[0, 0, 0, 0, 0, 1, 1, 2]) };
        let handover = binder == Router && self.one_in(3);
        let takeover = handover && self.one_in(2);
        let one_place = binder.has_one_peer() || binder == Router && !handover;
        let rivals = one_place && !alone && self.one_in(4);
        let hostiles = if alone || rivals || takeover { 0 } else { self.pick(&[0, 0, 1, 2, 3]) };
        let trap = !alone && !rivals && !takeover && !binder.has_one_peer() && self.one_in(6);
        let faults = !alone && !takeover && self.below(3) != 0;
        let strict = hostiles == 0 && !trap && !takeover && !faults && self.one_in(2);
        let extra = match self.below(4) {
            // A PEER that connects knows whom to send to from what it has received.
            _ if binder == Peer => Extra::Hello,
            3 => extra_of(binder, connecter, self.one_in(2)),
            _ => Extra::None,
        };
        Scene {
            binder,
            connecter,
            scheme,
            mechanism,
            rivals,
            strict,
            names_peers: connecter == Router && self.one_in(2),
            extra,
            handover,
            takeover,
            hostiles,
            trap,
            faults,
            tasks: self.one_in(3),
            holds: self.one_in(3),
        }
    }

    /// Makes the sockets: one or two that bind, up to three that connect to them.
    pub(crate) fn open(&mut self, keys: &Keys) -> Checked<Scene> {
        let scene = self.set_scene();
        // Where one takes over from another, the end of that one's connection is not behind bytes for which the network has no room.
        let room = if scene.takeover { 1 << 16 } else { self.pick(&[1 << 16, 1 << 16, 4096, 300, 17]) };
        simulated::set_room(room);
        self.small = scene.takeover || room < 4096;
        let slow = self.pick(&[None, None, None, Some(0), Some(1), Some(2)]);
        self.motion.borrow_mut().slow = slow;
        self.calm = scene.has_no_enemies();
        let one_peer = scene.binder.has_one_peer();
        let servers = if one_peer || scene.rivals { 1 } else { 1 + self.below(2) };
        let clients = match (scene.rivals, one_peer) {
            (true, _) => 2,
            (false, true) => 1,
            _ => 1 + self.below(3),
        };
        let places: Vec<String> = (0..servers)
            .map(|n| match scene.scheme {
                "tcp" => format!("tcp://127.0.0.1:{}", 20_000 + n),
                "ipc" => format!("ipc:///simulated/{n}"),
                _ => format!("inproc://{n}"),
            })
            .collect();
        let (common, shared) = (self.options(scene), Context::new());
        let clients_first = self.one_in(4);
        for clients_now in [clients_first, !clients_first] {
            if clients_now {
                for n in 0..clients {
                    self.add_client(
                        n,
                        scene,
                        &places,
                        &shared,
                        keys.client(common.clone(), scene.mechanism),
                    )?;
                }
            } else {
                for (n, place) in places.iter().enumerate() {
                    self.add_server(n, scene, place, &shared, keys.server(common.clone(), scene.mechanism))?;
                }
            }
            // Those who came first may have something to say already.
            for _ in 0..self.below(3) {
                let at = self.below(self.actors.len());
                self.act(scene, at)?;
            }
        }
        self.invite(scene, &places)?;
        Ok(scene)
    }

    fn add_server(
        &mut self,
        n: usize,
        scene: Scene,
        place: &str,
        shared: &Context,
        mut options: Options,
    ) -> Checked {
        options = options.set(opt::AUTH_REQUIRED, false);
        if scene.handover {
            options = options.set(opt::ROUTER_HANDOVER, true);
        }
        if scene.binder == Dealer && scene.connecter == Router && self.one_in(2) {
            options = options.set(opt::ROUTING_ID, routing_id(&format!("server-{n}"))?);
        }
        options = self.publisher(options, scene.binder);
        let mut actor = self.actor(format!("server-{n}"), scene, shared, scene.binder, options)?;
        actor.enveloped = matches!((scene.binder, scene.connecter), (Router, Req));
        if scene.mechanism > 0 {
            self.serve_zap(&actor.context)?;
        }
        actor.bound = true;
        actor.shares_id = scene.names_peers;
        actor.endpoints.push(place.to_owned());
        actor.open_endpoints()?;
        self.actors.push(actor);
        Ok(())
    }

    fn add_client(
        &mut self,
        n: usize,
        scene: Scene,
        places: &[String],
        shared: &Context,
        mut options: Options,
    ) -> Checked {
        let addressed = matches!(scene.connecter, Dealer | Req | Router);
        if addressed && scene.rivals {
            options = options.set(opt::ROUTING_ID, routing_id("client")?);
        } else if addressed && (scene.takeover || self.one_in(2)) {
            options = options.set(opt::ROUTING_ID, routing_id(&format!("client-{n}"))?);
        }
        options = self.publisher(options, scene.connecter);
        let mut actor = self.actor(format!("client-{n}"), scene, shared, scene.connecter, options)?;
        actor.enveloped = matches!((scene.binder, scene.connecter), (Rep, Dealer));
        actor.names_peers = scene.names_peers;
        actor.shares_id = scene.rivals;
        actor.endpoints = places.to_vec();
        actor.open_endpoints()?;
        self.actors.push(actor);
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
    fn invite(&mut self, scene: Scene, places: &[String]) -> Checked {
        let parsed = |place: &str| {
            Endpoint::parse_connect(place)
                .map_err(|error| Fault::new("an endpoint is one", error.to_string()))
        };
        let mut motion = self.motion.borrow_mut();
        for _ in 0..scene.hostiles {
            let (at, moves) = (motion.choices.below(places.len()), 5 + motion.choices.below(60));
            let hostile = Hostile::new(parsed(&places[at])?, scene.binder, scene.mechanism, moves as u32);
            motion.hostiles.push(hostile);
        }
        if scene.trap {
            let trap = if scene.scheme == "tcp" { "tcp://127.0.0.1:30000" } else { "ipc:///simulated/trap" };
            let moves = 5 + motion.choices.below(60);
            let (victim, mechanism) = (scene.connecter, scene.mechanism);
            motion.hostiles.push(Hostile::listening(parsed(trap)?, victim, mechanism, moves as u32));
            drop(motion);
            for actor in self.actors.iter_mut().filter(|actor| !actor.bound) {
                actor.fall_into(trap)?;
            }
            motion = self.motion.borrow_mut();
        }
        motion.faults = scene.faults;
        Ok(())
    }

    fn options(&self, scene: Scene) -> Options {
        let millis = |n: u64| Some(Duration::from_millis(n));
        // Of what somebody leaves behind who is replaced, most is unread.
        let (send, receive) = if scene.takeover {
            ([1000; 5], [1, 1, 2, 2, 7])
        } else {
            ([1000, 1000, 1, 2, 7], [1000, 1000, 1, 2, 7])
        };
        let mut options = Options::new()
            .set(opt::SNDHWM, self.pick(&send))
            .set(opt::RCVHWM, self.pick(&receive))
            .set(opt::RECONNECT_IVL, self.pick(&[millis(100), millis(1), millis(10)]));
        if self.one_in(4) {
            options = options.set(opt::LINGER, self.pick(&[millis(0), millis(50)]));
        }
        if self.one_in(4) {
            options = options.set(opt::IMMEDIATE, true);
        }
        if self.one_in(4) {
            options = options.set(opt::HANDSHAKE_IVL, self.pick(&[millis(3000), millis(300), millis(50)]));
        }
        if self.one_in(6) {
            options = options.set(opt::MAXMSGSIZE, Some(100_000));
        }
        if self.one_in(6) {
            let stop = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
            options = options.set(opt::RECONNECT_STOP, stop);
        }
        let conflates = |t| matches!(t, Pub | Sub | Dealer | Pull | Push);
        if conflates(scene.binder) && conflates(scene.connecter) && self.one_in(8) {
            options = options.set(opt::CONFLATE, true);
        }
        options
    }

    /// What only publishers have.
    fn publisher(&self, mut options: Options, t: SocketType) -> Options {
        if matches!(t, Pub | XPub) && self.one_in(4) {
            options = match (self.below(3), t) {
                (0, _) => options.set(opt::XPUB_VERBOSE, true),
                (1, XPub) => options.set(opt::XPUB_MANUAL, true),
                _ => options.set(opt::XPUB_VERBOSER, true),
            };
        }
        options
    }

    fn actor(
        &mut self,
        name: String,
        scene: Scene,
        shared: &Context,
        t: SocketType,
        mut options: Options,
    ) -> Checked<Actor> {
        let has_own_context = scene.scheme != "inproc" && !self.one_in(3);
        let context = if has_own_context { Context::new() } else { shared.clone() };
        if t == Req && (!scene.strict || scene.tasks) {
            // Where a reply is lost, it may ask again. A REP drops one if an earlier one still waits, to a request that a task has
            // given up.
            options = options.set(opt::REQ_RELAXED, true).set(opt::REQ_CORRELATE, self.one_in(2));
        }
        // Where only one side beats, the other one must show that it is alive although it has no room to read.
        if self.one_in(3) {
            let millis = |n: u64| Some(Duration::from_millis(n));
            let interval = self.pick(&[millis(1000), millis(300), millis(110)]);
            options = options.set(opt::HEARTBEAT_IVL, interval).set(opt::HEARTBEAT_TIMEOUT, interval);
        }
        if scene.tasks {
            let millis = |n: u64| Some(Duration::from_millis(n));
            options = options
                .set(opt::RCVTIMEO, self.pick(&[None, None, millis(500), millis(20)]))
                .set(opt::SNDTIMEO, self.pick(&[None, None, millis(500), millis(20)]));
        }
        options = with_extra(options, scene.extra, t);
        self.lives += 1;
        let mut actor = Actor::new(name, context, t, options, self.lives)?;
        (actor.small, actor.has_own_context, actor.extra) = (self.small, has_own_context, scene.extra);
        actor.watch(self.motion.borrow().trace);
        actor.monitor_for_tasks(scene.tasks);
        Ok(actor)
    }
}

/// The one of the extras that fits these types, if there is one.
fn extra_of(binder: SocketType, connecter: SocketType, probes: bool) -> Extra {
    let hello = |t| matches!(t, Dealer | Router | Server | Client);
    match (binder, connecter) {
        (Router, Dealer | Req) if probes => Extra::Probe,
        (a, b) if hello(a) && hello(b) => Extra::Hello,
        (Pub | XPub, _) => Extra::Welcome,
        _ => Extra::None,
    }
}

fn with_extra(options: Options, extra: Extra, t: SocketType) -> Options {
    let text = |text: &'static str| Some(Bytes::from_static(text.as_bytes()));
    match (extra, t) {
        (Extra::Hello, Router | Server | Dealer | Client | Peer) => {
            let mut options = options.set(opt::HELLO_MSG, text("hello"));
            if matches!(t, Router | Server | Peer) {
                options = options.set(opt::DISCONNECT_MSG, text("bye"));
            }
            if matches!(t, Dealer | Client | Peer) {
                options = options.set(opt::HICCUP_MSG, text("hiccup"));
            }
            if t == Router {
                options = options.set(opt::ROUTER_NOTIFY, RouterNotify { connect: true, disconnect: true });
            }
            options
        }
        (Extra::Probe, Dealer | Req) => options.set(opt::PROBE_ROUTER, true),
        (Extra::Welcome, Pub | XPub) => options.set(opt::XPUB_WELCOME_MSG, text("A welcome")),
        _ => options,
    }
}

fn routing_id(text: &str) -> Checked<RoutingId> {
    RoutingId::new(text.to_owned()).map_err(|error| Fault::new("an id is one", error.to_string()))
}
