//! A node that finds others without a broker. It sends a beacon each second, connects a DEALER to each node
//! that it hears, and says HELLO to its ROUTER. Ctrl-C ends it, and it says that it leaves.
//!
//! Arguments: its name; the port of the beacons; the broadcast address; the time between two beacons, in ms;
//! after how many missing beacons a node is gone.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use guide_arguments as argument;
use presence::{BadBeacon, Beacon, BeaconSocket, Failure, Neighbours, News};
use uuid::Uuid;
use zeroxide::{Context, Message, Options, Socket, SocketType, opt};

/// What a node hears.
enum Input {
    Beacon(IpAddr, Result<Beacon, BadBeacon>),
    Message(Message),
    Stop,
}

struct Node {
    me: Uuid,
    name: String,
    context: Context,
    neighbours: Neighbours,
    /// A socket to each node that was found.
    dealers: HashMap<Uuid, Socket>,
}

fn main() -> Result<(), Failure> {
    let name = argument::text(1, "node");
    let port = argument::value(2, 5670);
    let to = SocketAddrV4::new(argument::value(3, Ipv4Addr::BROADCAST), port);
    let every = argument::milliseconds(4, 1000);
    let missing = argument::number(5, 3);

    let (me, context, air) = (Uuid::new_v4(), Context::new(), BeaconSocket::open(port)?);
    let router = context.socket(SocketType::Router)?;
    let here = Beacon { node: me, port: router.bind("tcp://0.0.0.0:*")?.port() };
    println!("{name} listens");

    let (sender, inputs) = sync_channel(1000);
    listen(&air, router, &sender)?;
    ctrlc::set_handler(move || drop(sender.send(Input::Stop)))?;

    let neighbours = Neighbours::new(me, every * missing);
    let mut node = Node { me, name, context, neighbours, dealers: HashMap::new() };
    let (mut next, mut was_sent) = (Instant::now(), true);
    loop {
        if Instant::now() >= next {
            next += every;
            let sent = air.send(here, to);
            if let (Err(error), true) = (&sent, was_sent) {
                eprintln!("no beacon to {to}: {error}; it is tried again");
            }
            was_sent = sent.is_ok();
            node.neighbours.silent(Instant::now()).into_iter().try_for_each(|news| node.follow(news))?;
        }
        match inputs.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Input::Beacon(from, Ok(beacon))) => {
                let news = node.neighbours.hear(beacon, from, Instant::now());
                news.into_iter().try_for_each(|news| node.follow(news))?;
            }
            Ok(Input::Beacon(from, Err(why))) => eprintln!("ignored from {from}: {why}"),
            Ok(Input::Message(message)) => node.greet(&message),
            Ok(Input::Stop) => break,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("no input is left".into()),
        }
    }
    air.send(Beacon { node: me, port: None }, to)?;
    println!("{} leaves", node.name);
    Ok(())
}

/// Starts the two threads that wait for beacons and for messages.
fn listen(air: &BeaconSocket, router: Socket, sender: &SyncSender<Input>) -> Result<(), Failure> {
    let (air, beacons, messages) = (air.try_clone()?, sender.clone(), sender.clone());
    thread::spawn(move || {
        while let Ok((from, beacon)) = air.recv() {
            if beacons.send(Input::Beacon(from, beacon)).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        router.iter().flatten().all(|message| messages.send(Input::Message(message)).is_ok())
    });
    Ok(())
}

impl Node {
    fn follow(&mut self, news: News) -> Result<(), Failure> {
        match news {
            News::Found { node, endpoint } => {
                println!("found {node} at {endpoint}");
                let options = Options::new().set(opt::LINGER, Some(Duration::ZERO));
                let dealer = self.context.socket_with(SocketType::Dealer, &options)?;
                dealer.connect(endpoint)?;
                dealer.send(["HELLO", &self.me.to_string(), &self.name])?;
                self.dealers.insert(node, dealer);
            }
            News::Left(node) => {
                println!("left {node}");
                self.dealers.remove(&node);
            }
            News::Silent(node) => {
                println!("silent {node}");
                self.dealers.remove(&node);
            }
        }
        Ok(())
    }

    /// Takes a message of another node: the routing id of its DEALER, HELLO, its UUID and its name.
    fn greet(&self, message: &Message) {
        let frames: Vec<&str> = message.iter().skip(1).filter_map(|frame| frame.as_str().ok()).collect();
        match frames[..] {
            ["HELLO", node, name] => println!("hello from {name} ({node})"),
            _ => eprintln!("not understood: {message:?}"),
        }
    }
}
