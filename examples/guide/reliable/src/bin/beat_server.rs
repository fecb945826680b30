//! Heartbeats of the library: a server that knows who is connected, and sends and receives no message for it.
//!
//! Arguments: the endpoint to bind; the time between two heartbeats, in ms.

use guide_reliable::{Failure, argument};
use zeroxide::{Bytes, Context, Options, SocketType, opt};

fn main() -> Result<(), Failure> {
    let endpoint = argument::text(1, "tcp://127.0.0.1:5555");
    let interval = argument::milliseconds(2, 1000);

    let options = Options::new()
        .set(opt::HEARTBEAT_IVL, Some(interval))
        // A peer is lost when it does not reply to a PING within this time.
        .set(opt::HEARTBEAT_TIMEOUT, Some(2 * interval))
        // The socket receives this when a peer is lost, as if the peer had sent it.
        .set(opt::DISCONNECT_MSG, Some(Bytes::from("lost")))
        // A client that connects again has its name at once, even if its old connection is still open here.
        .set(opt::ROUTER_HANDOVER, true);
    let context = Context::new();
    let router = context.socket_with(SocketType::Router, &options)?;
    println!("bound {}", router.bind(endpoint)?);
    loop {
        let (client, message) = router.recv_from()?;
        println!("{client} is {}", message[0].as_str()?);
    }
}
