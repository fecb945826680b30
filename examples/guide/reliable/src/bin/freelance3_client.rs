//! Freelance, model 3: the client knows which servers live, and asks the first one that does.
//!
//! Arguments: the time between two heartbeats, in ms; the number of requests; the endpoints of the servers.

use std::time::Duration;

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Error, Message, Options, PollItem, Ready, Socket, SocketType, opt, poll};

fn main() -> Result<(), Failure> {
    let interval = argument::milliseconds(1, 1000);
    let requests = argument::number(2, 10);
    let servers = argument::texts(3, &["tcp://127.0.0.1:5551", "tcp://127.0.0.1:5552"]);

    let options = Options::new()
        // The library closes the connection of a server that is silent, and dials it again.
        .set(opt::HEARTBEAT_IVL, Some(interval))
        .set(opt::HEARTBEAT_TIMEOUT, Some(interval))
        // Nothing waits for a server that is not there: a socket without a server is not ready to send.
        .set(opt::IMMEDIATE, true);
    let context = Context::new();
    let mut dealers = Vec::new();
    for server in &servers {
        let dealer = context.socket_with(SocketType::Dealer, &options)?;
        dealer.connect(server)?;
        dealers.push(dealer);
    }
    for number in 1..=requests {
        let reply = ask(&dealers, &number.to_string(), interval)?;
        println!("reply {}", reply[0].as_str()?);
    }
    Ok(())
}

/// Sends a request to the first server that lives, and to the next one if that dies, until there is a reply.
fn ask(dealers: &[Socket], number: &str, interval: Duration) -> Result<Message, Error> {
    loop {
        let alive =
            dealers.iter().enumerate().find_map(|(which, dealer)| Some((which, dealer, connection(dealer)?)));
        let Some((which, dealer, connection)) = alive else {
            println!("no server lives");
            let mut items: Vec<_> = dealers.iter().map(|dealer| PollItem::new(dealer, Ready::OUT)).collect();
            poll(&mut items, None)?;
            continue;
        };
        if dealer.try_send([number, "", number]).is_ok()
            && let Some(reply) = reply_from(dealer, connection, number, interval)?
        {
            return Ok(reply);
        }
        println!("server {which} is lost");
    }
}

/// Receives the reply to a request; `None` if the connection is lost on which it was sent.
fn reply_from(
    dealer: &Socket,
    sent_on: u64,
    number: &str,
    interval: Duration,
) -> Result<Option<Message>, Error> {
    loop {
        match dealer.recv_timeout(interval) {
            Ok(message) => {
                let (envelope, reply) = message.split_envelope();
                // A late reply to an earlier request has another number.
                if envelope == Message::from(number) {
                    return Ok(Some(reply));
                }
            }
            Err(Error::TimedOut(_)) if connection(dealer) == Some(sent_on) => {}
            Err(Error::TimedOut(_)) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// The number of the present connection to a server, which is another one each time.
fn connection(dealer: &Socket) -> Option<u64> {
    dealer.peers().first().map(|peer| peer.connection)
}
