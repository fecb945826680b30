//! Majordomo: asks the broker whether a service has workers. The broker itself replies to `mmi.service` (RFC 8).
//!
//! Arguments: the broker's endpoint; the name of the service; how long to wait for a reply, in ms.

use guide_reliable::majordomo::Client;
use guide_reliable::{Failure, argument};
use zeroxide::Context;

fn main() -> Result<(), Failure> {
    let broker = argument::text(1, "tcp://127.0.0.1:5555");
    let service = argument::text(2, "echo");
    let limit = argument::milliseconds(3, 2500);

    let context = Context::new();
    let reply = Client::new(&context, &broker, limit, 1)?.request("mmi.service", &service)?;
    match reply.map(|reply| reply[0].clone()) {
        Some(code) if code == "200" => println!("{service} has workers"),
        Some(code) if code == "404" => println!("{service} has no worker"),
        Some(code) => println!("the broker's code is {code:?}"),
        None => println!("no broker"),
    }
    Ok(())
}
