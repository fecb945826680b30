//! Connections that break and subscribers that come late: each message once, in order, or a gap with its bounds.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use replay_example::{Event, Publisher, Subscriber};
use zeroxide::{Context, Endpoint, Error, Options, Socket, SocketType, opt};

const LONG: Duration = Duration::from_secs(60);
const CHECK: Duration = Duration::from_millis(20);

/// A publisher, and where it publishes and answers.
struct Served {
    publisher: Publisher,
    live: Endpoint,
    replay: Endpoint,
}

fn serve(context: &Context, live: &str, replay: &str, keep: usize) -> Served {
    let (publish, answer) =
        (context.socket(SocketType::Pub).unwrap(), context.socket(SocketType::Router).unwrap());
    let (live, replay) = (bind(&publish, live), bind(&answer, replay));
    Served { publisher: Publisher::new(publish, answer, keep), live, replay }
}

/// Binds, as soon as an earlier socket has left the port.
fn bind(socket: &Socket, endpoint: &str) -> Endpoint {
    let deadline = Instant::now() + LONG;
    loop {
        match socket.bind(endpoint) {
            Err(Error::Bind(_)) if Instant::now() < deadline => thread::yield_now(),
            bound => return bound.unwrap(),
        }
    }
}

fn anywhere(context: &Context, keep: usize) -> Served {
    serve(context, "tcp://127.0.0.1:*", "tcp://127.0.0.1:*", keep)
}

fn dialling(context: &Context, socket_type: SocketType, endpoint: &Endpoint) -> Socket {
    let options = Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)));
    let socket = context.socket_with(socket_type, &options).unwrap();
    socket.connect(endpoint).unwrap();
    socket
}

fn subscribe(context: &Context, live: &Endpoint, replay: &Endpoint) -> Subscriber {
    let (sub, dealer) =
        (dialling(context, SocketType::Sub, live), dialling(context, SocketType::Dealer, replay));
    Subscriber::new(sub, dealer, ["news"], CHECK).unwrap()
}

impl Served {
    fn publish(&mut self, numbers: std::ops::Range<u64>) {
        for n in numbers {
            assert_eq!(self.publisher.publish("news", n.to_string()).unwrap(), n);
            self.publisher.publish("newspapers", "nobody wants it").unwrap();
        }
    }
}

fn event(subscriber: &mut Subscriber) -> Event {
    subscriber.recv(LONG).unwrap().expect("an event in time")
}

/// The next events are these messages.
fn assert_receives(subscriber: &mut Subscriber, numbers: std::ops::Range<u64>) {
    for n in numbers {
        match event(subscriber) {
            Event::Message { number, message, .. } => {
                assert_eq!((number, message[0].as_str().unwrap()), (n, &*n.to_string()));
            }
            other => panic!("{other:?} instead of {n}"),
        }
    }
}

fn gap(first: u64, next: u64) -> Event {
    Event::Gap { topic: "news".into(), first, next }
}

/// Forwards connections, and cuts them with all that is on its way.
struct Proxy {
    endpoint: Endpoint,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    /// While it is held, no connection is accepted.
    gate: Arc<Mutex<()>>,
}

impl Proxy {
    fn to(endpoint: &Endpoint) -> Proxy {
        let target: SocketAddr = format!("127.0.0.1:{}", endpoint.port().unwrap()).parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("tcp://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (streams, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(())));
        let (kept, closed) = (Arc::clone(&streams), Arc::clone(&gate));
        thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                let _open = closed.lock().unwrap();
                let Ok(there) = TcpStream::connect(target) else { continue };
                kept.lock().unwrap().extend([here.try_clone().unwrap(), there.try_clone().unwrap()]);
                forward(here.try_clone().unwrap(), there.try_clone().unwrap());
                forward(there, here);
            }
        });
        Proxy { endpoint, streams, gate }
    }

    fn cut(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_subscriber_that_joins_late_gets_all_that_is_kept() {
    let context = Context::new();
    let mut served = anywhere(&context, 2000);
    served.publish(0..1200);
    let mut subscriber = subscribe(&context, &served.live, &served.replay);
    assert_receives(&mut subscriber, 0..1200);
    served.publish(1200..1300);
    assert_receives(&mut subscriber, 1200..1300);
}

#[test]
fn what_is_no_longer_kept_is_a_gap_with_its_bounds() {
    let context = Context::new();
    let mut served = anywhere(&context, 10);
    served.publish(0..100);
    let mut subscriber = subscribe(&context, &served.live, &served.replay);
    assert_eq!(event(&mut subscriber), gap(0, 90));
    assert_receives(&mut subscriber, 90..100);
}

#[test]
fn cut_connections_lose_nothing() {
    let context = Context::new();
    let mut served = anywhere(&context, 100_000);
    let proxy = Proxy::to(&served.live);
    let mut subscriber = subscribe(&context, &proxy.endpoint, &served.replay);
    served.publish(0..1);
    assert_receives(&mut subscriber, 0..1);
    for round in 0..20 {
        let first = 1 + round * 1000;
        served.publish(first..first + 500);
        proxy.cut();
        served.publish(first + 500..first + 1000);
        assert_receives(&mut subscriber, first..first + 1000);
    }
    assert_eq!(subscriber.recv(2 * CHECK).unwrap(), None, "nothing comes twice");
}

#[test]
fn the_last_message_is_not_lost_although_none_follows() {
    let context = Context::new();
    let mut served = anywhere(&context, 100);
    let proxy = Proxy::to(&served.live);
    let mut subscriber = subscribe(&context, &proxy.endpoint, &served.replay);
    served.publish(0..1);
    assert_receives(&mut subscriber, 0..1);
    let _closed = proxy.gate.lock().unwrap();
    proxy.cut();
    served.publish(1..2);
    assert_receives(&mut subscriber, 1..2);
}

#[test]
fn a_publisher_that_begins_anew_is_noticed() {
    let context = Context::new();
    let mut served = anywhere(&context, 100);
    let (live, replay) = (served.live.to_string(), served.replay.to_string());
    let mut subscriber = subscribe(&context, &served.live, &served.replay);
    served.publish(0..3);
    assert_receives(&mut subscriber, 0..3);
    drop(served);
    let mut served = serve(&context, &live, &replay, 100);
    served.publish(0..5);
    assert_eq!(event(&mut subscriber), Event::Restarted { topic: "news".into(), next: 3 });
    assert_receives(&mut subscriber, 0..5);
}
