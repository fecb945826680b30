//! A client of a chat. What is typed is said to all; `/who` lists who is there; the end of the input says
//! goodbye.
//!
//! Arguments: its name; the hub's endpoint; after how many ms the hub is asked whether it is still there.

use std::io::stdin;
use std::thread;
use std::time::Duration;

use guide_arguments as argument;
use presence::Failure;
use zeroxide::{Bytes, Context, Message, Options, RoutingId, Socket, SocketType, opt};

fn main() -> Result<(), Failure> {
    let name = argument::text(1, "ann");
    let hub = argument::text(2, "tcp://127.0.0.1:5556");
    let heartbeat = argument::milliseconds(3, 1000);

    let options = Options::new()
        .set(opt::ROUTING_ID, RoutingId::new(name.as_str())?)
        .set(opt::HEARTBEAT_IVL, Some(heartbeat))
        .set(opt::HEARTBEAT_TIMEOUT, Some(heartbeat * 3))
        .set(opt::HICCUP_MSG, Some(Bytes::from("LOST")));
    let context = Context::new();
    let dealer = context.socket_with(SocketType::Dealer, &options)?;
    // The hub refuses a name that is in use.
    dealer.connect_ready(hub, Duration::from_secs(5))?;
    println!("connected");

    let writer = dealer.clone();
    thread::spawn(move || {
        if let Err(error) = send_input(&writer) {
            eprintln!("{error}");
        }
        // The other thread's loop ends.
        writer.close()
    });
    for message in dealer.iter() {
        show(&message?);
    }
    Ok(())
}

fn send_input(dealer: &Socket) -> Result<(), Failure> {
    for line in stdin().lines() {
        match line?.as_str() {
            "/who" => dealer.send("WHO")?,
            text => dealer.send(["SAY", text])?,
        }
    }
    Ok(dealer.send("BYE")?)
}

fn show(message: &Message) {
    let words: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    match words[..] {
        ["SAID", name, text] => println!("{name}: {text}"),
        ["JOINED", name] => println!("* {name} joined"),
        ["LEFT", name, why] => println!("* {name} {why}"),
        ["WHO", ref guests @ ..] => {
            println!("* here: {}", guests.len());
            guests.iter().for_each(|guest| println!("*   {guest}"));
        }
        ["LOST"] => println!("* the hub is away"),
        _ => println!("* {}", words.join(" ")),
    }
}
