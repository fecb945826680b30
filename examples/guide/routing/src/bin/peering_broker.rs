//! A broker with peers: it gives a request to a worker of its own or, when none is idle, to a peer that has an idle one.
//!
//! Each broker binds four endpoints in one folder. Its name is all that the others need to know:
//!
//! | endpoint | socket | carries |
//! |---|---|---|
//! | `NAME-clients` | ROUTER | requests of its clients, and their replies |
//! | `NAME-workers` | ROUTER | requests for its workers, and their replies |
//! | `NAME-cloud` | ROUTER | requests of its peers, and their replies |
//! | `NAME-state` | PUB | how many of its workers are idle |

use std::collections::{HashMap, VecDeque};
use std::env;
use std::time::Duration;

use zeroxide::{
    Context, Error, Frame, Message, Options, Poller, Ready, Result, RoutingId, SendError, Socket, SocketType,
    opt,
};

const CLIENTS: usize = 0;
const WORKERS: usize = 1;
const CLOUD_IN: usize = 2;
const CLOUD_OUT: usize = 3;
const STATES: usize = 4;

/// How often a broker tells its state if nothing changes, for peers that have come since.
const PULSE: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, name, peers @ ..] = &arguments[..] else {
        return Err("arguments: a folder for the endpoints, my name, the names of my peers".into());
    };
    Ok(Broker::new(folder, name, peers)?.run()?)
}

struct Broker {
    name: String,
    clients: Socket,
    workers: Socket,
    /// Requests of peers come here.
    cloud_in: Socket,
    /// Requests for peers go out here.
    cloud_out: Socket,
    state: Socket,
    states: Socket,
    /// Workers that wait for a request.
    idle: VecDeque<RoutingId>,
    /// How many idle workers each peer has, as far as is known here.
    peers: HashMap<RoutingId, usize>,
    /// A request that a peer should have got, and that had left.
    kept: Option<Message>,
}

impl Broker {
    fn new(folder: &str, name: &str, peers: &[String]) -> Result<Broker, Box<dyn std::error::Error>> {
        let context = Context::new();
        let names = peers.iter().map(RoutingId::new).collect::<Result<Vec<_>, _>>()?;
        // Peers address each other by name.
        let named = Options::new().set(opt::ROUTING_ID, name);
        let broker = Broker {
            name: name.to_owned(),
            clients: context.socket(SocketType::Router)?,
            workers: context.socket(SocketType::Router)?,
            cloud_in: context.socket_with(SocketType::Router, &named)?,
            cloud_out: context.socket_with(SocketType::Router, &named)?,
            state: context.socket(SocketType::Pub)?,
            states: context.socket(SocketType::Sub)?,
            idle: VecDeque::new(),
            peers: names.into_iter().map(|peer| (peer, 0)).collect(),
            kept: None,
        };
        let endpoint = |broker: &str, what: &str| format!("ipc://{folder}/{broker}-{what}");
        broker.clients.bind(endpoint(name, "clients"))?;
        broker.workers.bind(endpoint(name, "workers"))?;
        broker.cloud_in.bind(endpoint(name, "cloud"))?;
        broker.state.bind(endpoint(name, "state"))?;
        broker.states.subscribe("")?;
        for peer in peers {
            broker.cloud_out.connect(endpoint(peer, "cloud"))?;
            broker.states.connect(endpoint(peer, "state"))?;
        }
        println!("{name} is ready, its peers are {peers:?}");
        Ok(broker)
    }

    fn run(mut self) -> Result<()> {
        let mut poller = Poller::new();
        poller.add(&self.workers, WORKERS, Ready::IN)?;
        poller.add(&self.cloud_out, CLOUD_OUT, Ready::IN)?;
        poller.add(&self.states, STATES, Ready::IN)?;
        poller.add(&self.clients, CLIENTS, Ready::NONE)?;
        poller.add(&self.cloud_in, CLOUD_IN, Ready::NONE)?;
        let (mut events, mut told) = (Vec::new(), None);
        loop {
            // Requests wait in their sockets until somebody can do them.
            poller.modify(CLOUD_IN, wanted(!self.idle.is_empty()))?;
            poller.modify(CLIENTS, wanted(self.somebody_is_idle()))?;
            let ready = poller.wait(&mut events, Some(PULSE))?;
            for event in &events {
                match event.key {
                    WORKERS => self.take_from_worker()?,
                    CLOUD_OUT => self.take_from_peer()?,
                    STATES => self.take_state()?,
                    _ => {} // Requests are next.
                }
            }
            self.give_requests()?;
            if ready == 0 || told != Some(self.idle.len()) {
                told = Some(self.idle.len());
                self.state.send([&self.name, &self.idle.len().to_string()])?;
            }
        }
    }

    fn somebody_is_idle(&self) -> bool {
        !self.idle.is_empty() || self.peers.values().any(|&idle| idle > 0)
    }

    /// A worker is ready, or sends the reply to a request of a client here or of a peer.
    fn take_from_worker(&mut self) -> Result<()> {
        let (worker, message) = self.workers.recv_from()?;
        self.idle.push_back(worker);
        let (_, reply) = message.split_envelope();
        if reply.len() == 1 {
            return Ok(()); // It is ready.
        }
        let to_peer = self.peers.contains_key(&reply[0][..]);
        send_reply(if to_peer { &self.cloud_in } else { &self.clients }, reply)
    }

    /// A peer sends the reply to a request of a client here.
    fn take_from_peer(&mut self) -> Result<()> {
        let (_, reply) = self.cloud_out.recv_from()?;
        send_reply(&self.clients, reply)
    }

    fn take_state(&mut self) -> Result<()> {
        let state = self.states.recv()?;
        let idle = state[1].as_str().ok().and_then(|idle| idle.parse().ok());
        if let (Ok(peer), Some(idle)) = (RoutingId::new(&state[0]), idle) {
            self.peers.insert(peer, idle);
        }
        Ok(())
    }

    fn give_requests(&mut self) -> Result<()> {
        // A request of a peer is for a worker here: passed on again, it might go round for ever.
        while !self.idle.is_empty() {
            let Some(request) = received(&self.cloud_in)? else { break };
            self.give_to_worker(request)?;
        }
        while self.somebody_is_idle() {
            let kept = self.kept.take();
            let Some(request) = kept.map_or_else(|| received(&self.clients), |kept| Ok(Some(kept)))? else {
                break;
            };
            self.kept = match self.give_to_worker(request)? {
                Some(request) => self.give_to_peer(request)?,
                None => None,
            };
        }
        Ok(())
    }

    /// Sends a request, with whoever wants the reply in front, to the worker that has been idle for the longest time. Returns it
    /// if there is none.
    fn give_to_worker(&mut self, mut request: Message) -> Result<Option<Message>> {
        while let Some(worker) = self.idle.pop_front() {
            request.push_front(Frame::new());
            match unless_gone(self.workers.send_to(&worker, request))? {
                None => return Ok(None),
                Some(refused) => request = refused,
            }
            request.pop_front();
        }
        Ok(Some(request))
    }

    /// Sends a request to the peer with the most idle workers. Returns it if there is none.
    fn give_to_peer(&mut self, mut request: Message) -> Result<Option<Message>> {
        while let Some((peer, idle)) =
            self.peers.iter_mut().max_by_key(|(_, idle)| **idle).filter(|(_, idle)| **idle > 0)
        {
            match unless_gone(self.cloud_out.send_to(peer, request))? {
                None => {
                    println!("a request goes to {peer}");
                    *idle -= 1; // Until its next state comes.
                    return Ok(None);
                }
                Some(refused) => (*idle, request) = (0, refused),
            }
        }
        Ok(Some(request))
    }
}

fn wanted(it_is: bool) -> Ready {
    if it_is { Ready::IN } else { Ready::NONE }
}

/// Returns a message, or `None` if there is none now.
fn received(socket: &Socket) -> Result<Option<Message>> {
    match socket.try_recv() {
        Ok(message) => Ok(Some(message)),
        Err(Error::WouldBlock(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sends a reply, unless the one who wanted it has left.
fn send_reply(to: &Socket, reply: Message) -> Result<()> {
    unless_gone(to.send(reply)).map(drop)
}

/// Returns the message if its receiver has left.
fn unless_gone(sent: Result<(), SendError>) -> Result<Option<Message>> {
    match sent {
        Ok(()) => Ok(None),
        Err(SendError { error: Error::Unroutable { .. }, message, .. }) => Ok(Some(message)),
        Err(refused) => Err(refused.error),
    }
}
