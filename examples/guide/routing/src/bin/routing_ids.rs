//! What a ROUTER sees: the routing id in front of each message, and behind it what the peer has sent.

use zeroxide::{Context, Options, RoutingId, SocketType, opt};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new();
    let router = context.socket(SocketType::Router)?;
    let endpoint = router.bind("tcp://127.0.0.1:*")?;

    // A REQ puts an empty frame before its request. It has no name, so the ROUTER makes one.
    let req = context.socket(SocketType::Req)?;
    req.connect(&endpoint)?;
    req.send("hello")?;
    let mut request = router.recv()?;
    println!(
        "REQ: {} frames, the first of {} bytes, then {:?} {:?}",
        request.len(),
        request[0].len(),
        request[1],
        request[2]
    );
    // What stands before the empty frame is the address of the reply.
    request.push_back("and welcome");
    router.send(request)?;
    println!("REQ has received {:?}", req.recv()?);

    // A DEALER sends and receives as it likes, and adds nothing. This one has a name of its own.
    let named = Options::new().set(opt::ROUTING_ID, "alice");
    let dealer = context.socket_with(SocketType::Dealer, &named)?;
    dealer.connect(&endpoint)?;
    dealer.send("hello")?;
    let (alice, message) = router.recv_from()?;
    println!("DEALER: {alice} has sent {message:?}");
    router.send_to(&alice, "one")?;
    router.send_to(&alice, ["two", "of", "three frames"])?;
    println!("DEALER has received {:?} and {:?}", dealer.recv()?, dealer.recv()?);

    // A message for a peer that is not there comes back.
    if let Err(refused) = router.send(["bob", "hello"]) {
        println!("bob: {}", refused.error);
    }
    router.send_to(&RoutingId::new("alice")?, "still there?")?;
    println!("DEALER has received {:?}", dealer.recv()?);
    Ok(())
}
