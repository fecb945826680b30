//! Freelance, model 2: the client asks all servers at once, and takes the reply that comes first.
//!
//! Arguments: how long to wait for a reply, in ms; the number of requests; the endpoints of the servers.

use std::time::{Duration, Instant};

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Message, Options, PollItem, Ready, Socket, SocketType, opt, poll};

fn main() -> Result<(), Failure> {
    let limit = argument::milliseconds(1, 1000);
    let requests = argument::number(2, 10);
    let servers = argument::texts(3, &["tcp://127.0.0.1:5551", "tcp://127.0.0.1:5552"]);

    let context = Context::new();
    // Nothing waits for a server that is not there: when it comes, an old request is of no use.
    let immediate = Options::new().set(opt::IMMEDIATE, true);
    let mut dealers = Vec::new();
    for server in &servers {
        let dealer = context.socket_with(SocketType::Dealer, &immediate)?;
        dealer.connect(server)?;
        dealers.push(dealer);
    }
    for number in 1..=requests {
        let reply = ask(&dealers, &number.to_string(), limit)?.ok_or("no server replies")?;
        println!("reply {}", reply[0].as_str()?);
    }
    Ok(())
}

/// Sends a request to all servers, and returns the first reply to it.
fn ask(dealers: &[Socket], number: &str, limit: Duration) -> zeroxide::Result<Option<Message>> {
    let deadline = Instant::now() + limit;
    let mut asked = vec![false; dealers.len()];
    while Instant::now() < deadline {
        // A server that is there, or comes while this waits, is asked once. A REP returns what is before the empty frame
        // with its reply: the number of the request, by which late replies to earlier ones are known.
        for (dealer, asked) in dealers.iter().zip(&mut asked) {
            *asked = *asked || dealer.try_send([number, "", number]).is_ok();
        }
        let wanted = |asked: &bool| if *asked { Ready::IN } else { Ready::IN | Ready::OUT };
        let mut items: Vec<PollItem<'_>> =
            dealers.iter().zip(&asked).map(|(dealer, asked)| PollItem::new(dealer, wanted(asked))).collect();
        poll(&mut items, Some(deadline.saturating_duration_since(Instant::now())))?;
        for dealer in dealers {
            while let Ok(message) = dealer.try_recv() {
                let (envelope, reply) = message.split_envelope();
                if envelope == Message::from(number) {
                    return Ok(Some(reply));
                }
            }
        }
    }
    Ok(None)
}
