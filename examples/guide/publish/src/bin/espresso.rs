//! Espresso: a proxy between publishers and subscribers that shows everything that passes.
//!
//! Arguments: the endpoint to bind for publishers; the endpoint to bind for subscribers.

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Message, Proxy, SocketType};

fn main() -> Result<(), Failure> {
    let for_publishers = argument::text(1, "tcp://127.0.0.1:5557");
    let for_subscribers = argument::text(2, "tcp://127.0.0.1:5558");

    let context = Context::new();
    let (front, back) = (context.socket(SocketType::XSub)?, context.socket(SocketType::XPub)?);
    println!("bound {} for publishers", front.bind(for_publishers)?);
    println!("bound {} for subscribers", back.bind(for_subscribers)?);

    // The proxy sends a copy of each message to one end of a pair, and this thread receives it at the other.
    let (copies, listener) = (context.socket(SocketType::Pair)?, context.socket(SocketType::Pair)?);
    listener.bind("inproc://listener")?;
    copies.connect("inproc://listener")?;
    let _proxy = Proxy::new(&front, &back).capture(&copies).spawn()?;
    loop {
        println!("{}", shown(&listener.recv()?));
    }
}

/// A message from a publisher as it is; one from a subscriber is a byte and a topic.
fn shown(message: &Message) -> String {
    match (&message[0][..], message.len()) {
        ([1, topic @ ..], 1) => format!("subscribe {}", String::from_utf8_lossy(topic)),
        ([0, topic @ ..], 1) => format!("unsubscribe {}", String::from_utf8_lossy(topic)),
        _ => format!("message {message:?}"),
    }
}
