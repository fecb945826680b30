//! Last value cache: a proxy that keeps the last value of each topic, and sends it to each new subscriber at once.
//!
//! Arguments: the endpoint to bind for publishers; the endpoint to bind for subscribers.

use std::collections::BTreeMap;

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Message, Options, PollItem, Ready, SocketType, opt, poll};

fn main() -> Result<(), Failure> {
    let for_publishers = argument::text(1, "tcp://127.0.0.1:5557");
    let for_subscribers = argument::text(2, "tcp://127.0.0.1:5558");

    let context = Context::new();
    let front = context.socket(SocketType::Sub)?;
    front.subscribe("")?;
    // Receives every subscription, and not only the first one to a topic.
    let verbose = Options::new().set(opt::XPUB_VERBOSE, true);
    let back = context.socket_with(SocketType::XPub, &verbose)?;
    println!("bound {} for publishers", front.bind(for_publishers)?);
    println!("bound {} for subscribers", back.bind(for_subscribers)?);

    // Sorted, because a subscription is to all topics that begin with it.
    let mut last: BTreeMap<Vec<u8>, Message> = BTreeMap::new();
    loop {
        let mut items = [PollItem::new(&front, Ready::IN), PollItem::new(&back, Ready::IN)];
        poll(&mut items, None)?;
        let [published, subscribed] = items.map(|item| item.ready().is_in());
        if published {
            let message = front.recv()?;
            if last.insert(message[0].to_vec(), message.clone()).is_none() {
                println!("topics: {}", last.len());
            }
            back.send(message)?;
        }
        if subscribed && let [1, prefix @ ..] = &back.recv()?[0][..] {
            let known = last.range(prefix.to_vec()..).take_while(|(topic, _)| topic.starts_with(prefix));
            for (_, message) in known {
                back.send(message.clone())?;
            }
        }
    }
}
