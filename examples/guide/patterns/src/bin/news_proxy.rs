//! A proxy between publishers and subscribers: they all connect, and it alone has addresses.

use std::env;

use zeroxide::{Context, Proxy, Result, SocketType};

fn main() -> Result<()> {
    let publishers_at = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5561".into());
    let subscribers_at = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5562".into());
    let context = Context::new();
    let publishers = context.socket(SocketType::XSub)?;
    println!("publishers at {}", publishers.bind(&publishers_at)?);
    let subscribers = context.socket(SocketType::XPub)?;
    println!("subscribers at {}", subscribers.bind(&subscribers_at)?);

    // News go from the left to the right, subscriptions from the right to the left.
    Proxy::new(&publishers, &subscribers).run()?;
    Ok(())
}
