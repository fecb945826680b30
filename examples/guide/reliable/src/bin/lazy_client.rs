//! Lazy pirate: a client that waits for a reply for some time only, sends its request again, and gives up at last.
//!
//! Arguments: the server's endpoint; how long to wait for a reply, in ms; how often to try; the number of requests.

use std::process::exit;
use std::time::Duration;

use guide_reliable::{Failure, argument};
use zeroxide::{Context, Error, RequestError, Socket, SocketType};

fn main() -> Result<(), Failure> {
    let server = argument::text(1, "tcp://127.0.0.1:5555");
    let limit = argument::milliseconds(2, 2500);
    let tries = argument::number(3, 3);
    let requests = argument::number(4, 10);

    let context = Context::new();
    let req = context.socket(SocketType::Req)?;
    req.connect(server)?;
    for number in 1..=requests {
        match ask(&req, &number.to_string(), limit, tries)? {
            Some(reply) => println!("reply {reply}"),
            None => {
                println!("gave up after {tries} tries");
                exit(1);
            }
        }
    }
    Ok(())
}

/// Sends a request, `tries` times if it must be, and returns the reply; `None` if there is none.
fn ask(req: &Socket, request: &str, limit: Duration, tries: u32) -> Result<Option<String>, Failure> {
    for _ in 0..tries {
        match req.request(request, limit) {
            Ok(reply) => return Ok(Some(reply[0].as_str()?.to_owned())),
            // Taken back: no server has it, and none will.
            Err(RequestError { error: Error::TimedOut(_), unsent: Some(_) }) => {
                println!("request {request} was not sent: no server")
            }
            // A server may have done the work. The next try makes it do the work again.
            Err(RequestError { error: Error::TimedOut(_), unsent: None }) => {
                println!("request {request} was sent: no reply")
            }
            Err(failed) => return Err(failed.into()),
        }
    }
    Ok(None)
}
