//! Binary star: a client, which asks the other server when the one that it knows does not reply.
//!
//! Arguments: the endpoints of the two servers; how long to wait for a reply, in ms; the number of requests.

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Error, SocketType};

fn main() -> Result<(), Failure> {
    let servers = [argument::text(1, "tcp://127.0.0.1:5001"), argument::text(2, "tcp://127.0.0.1:5002")];
    let limit = argument::milliseconds(3, 1000);
    let requests = argument::number(4, 10);

    let context = Context::new();
    let mut reqs = Vec::new();
    for server in servers {
        let req = context.socket(SocketType::Req)?;
        req.connect(server)?;
        reqs.push(req);
    }

    // Tries one after the other for ever, beginning with the one that has replied last.
    let mut which = 0;
    for number in 1..=requests {
        let reply = loop {
            match reqs[which].request(number.to_string(), limit).map_err(Error::from) {
                Ok(reply) => break reply,
                Err(Error::TimedOut(_)) => {
                    which = 1 - which;
                    println!("no reply to {number}: trying the other server");
                }
                Err(error) => return Err(error.into()),
            }
        };
        println!("reply {}", reply[0].as_str()?);
    }
    Ok(())
}
