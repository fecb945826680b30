//! Heartbeats of the library: a client that says on each new connection that it is here, and notices a lost server.
//!
//! Arguments: the server's endpoint; the name of this client; the time between two heartbeats, in ms.

use guide_reliable::{Failure, argument};
use zeroxide::{Bytes, Context, Options, RoutingId, SocketType, opt};

fn main() -> Result<(), Failure> {
    let server = argument::text(1, "tcp://127.0.0.1:5555");
    let name = argument::text(2, "anna");
    let interval = argument::milliseconds(3, 1000);

    let options = Options::new()
        .set(opt::ROUTING_ID, RoutingId::new(name)?)
        .set(opt::HEARTBEAT_IVL, Some(interval))
        .set(opt::HEARTBEAT_TIMEOUT, Some(2 * interval))
        // Sent first on each connection, the first one and each later one.
        .set(opt::HELLO_MSG, Some(Bytes::from("here")))
        // Received when the connection is lost, as if the server had sent it.
        .set(opt::HICCUP_MSG, Some(Bytes::from("lost")));
    let context = Context::new();
    let dealer = context.socket_with(SocketType::Dealer, &options)?;
    dealer.connect(server)?;
    loop {
        println!("server is {}", dealer.recv()?[0].as_str()?);
    }
}
