//! The hub of a chat: passes on what a client says, and tells everybody who joins, who leaves, and why.
//!
//! Arguments: the endpoint to bind; after how many ms a client is asked whether it is still there.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use guide_arguments as argument;
use presence::{Change, Failure, Roll};
use zeroxide::{Bytes, Context, Event, EventKind, Frame, Message, Options, Socket, SocketType, opt};

/// What the hub receives when a connection has ended, behind all that the client has sent.
const GONE: &str = "GONE";

/// What happens at the socket.
enum Input {
    Message(Message),
    Event(Event),
}

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5556");
    let heartbeat = argument::milliseconds(2, 1000);

    let options = Options::new()
        .set(opt::DISCONNECT_MSG, Some(Bytes::from(GONE)))
        .set(opt::HEARTBEAT_IVL, Some(heartbeat))
        .set(opt::HEARTBEAT_TIMEOUT, Some(heartbeat * 3));
    let context = Context::new();
    let router = context.socket_with(SocketType::Router, &options)?;
    // Before bind, so that the monitor misses nobody.
    let monitor = router.monitor();
    println!("bound {}", router.bind(endpoint)?);

    let (sender, inputs) = sync_channel(1000);
    let events: SyncSender<Input> = sender.clone();
    thread::spawn(move || monitor.into_iter().all(|event| events.send(Input::Event(event)).is_ok()));
    let socket = router.clone();
    thread::spawn(move || {
        socket.iter().flatten().all(|message| sender.send(Input::Message(message)).is_ok())
    });

    let mut roll = Roll::default();
    for input in inputs {
        match input {
            Input::Event(event) => watch(&router, &mut roll, event),
            Input::Message(message) => take(&router, &mut roll, message),
        }
    }
    Ok(())
}

/// Takes an event of the monitor.
fn watch(router: &Socket, roll: &mut Roll, event: Event) {
    match event.kind {
        EventKind::HandshakeSucceeded { peer } => announce(router, roll.see(&peer)),
        EventKind::Disconnected { peer, why, .. } => {
            announce(router, roll.disconnected(peer.connection, why))
        }
        EventKind::HandshakeFailed(why) => println!("{}: {why}", event.remote),
        _ => {}
    }
}

/// Takes a message of a client.
fn take(router: &Socket, roll: &mut Roll, mut message: Message) {
    let Some(peer) = message.peer().cloned() else { return };
    announce(router, roll.see(&peer));
    message.pop_front();
    let frames: Vec<&[u8]> = message.iter().map(|frame| &frame[..]).collect();
    match frames[..] {
        [b"SAY", text] => {
            let said = [b"SAID", &peer.routing_id[..], text].map(Frame::from);
            tell_all(router, &Message::from(said));
        }
        // The table of the connected peers, as it is now.
        [b"WHO"] => {
            let mut reply = Message::from("WHO");
            for guest in router.peers() {
                let name = String::from_utf8_lossy(&guest.routing_id).into_owned();
                let seconds = guest.since.elapsed().as_secs();
                reply.push_back(format!("{name}, from {}, for {seconds} s", guest.address));
            }
            tell(router, Frame::from(&peer.routing_id[..]), reply);
        }
        [b"BYE"] => roll.goodbye(peer.connection),
        [b"GONE"] => announce(router, roll.drained(peer.connection)),
        _ => tell(router, Frame::from(&peer.routing_id[..]), Message::from(["NO", "SAY text, WHO or BYE"])),
    }
}

fn announce(router: &Socket, change: Option<Change>) {
    let news = match change {
        Some(Change::Joined { name }) => {
            println!("{name} joined");
            Message::from(["JOINED", &name])
        }
        Some(Change::Left { name, why }) => {
            println!("{name} {why}");
            Message::from(["LEFT", &name, &why.to_string()])
        }
        None => return,
    };
    tell_all(router, &news);
}

fn tell_all(router: &Socket, message: &Message) {
    for guest in router.peers() {
        tell(router, Frame::from(&guest.routing_id[..]), message.clone());
    }
}

/// Sends to one client. Who has just left, or does not read, misses it: nobody waits for anybody.
fn tell(router: &Socket, to: Frame, mut message: Message) {
    message.push_front(to);
    let _ = router.try_send(message);
}
