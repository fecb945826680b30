//! The page "Coming from zmq, zeromq, tmq and pyzmq". Each cell of its right-hand columns is in this file, and does what it says; each
//! of its left-hand columns is in a file of tests that has the library.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::error::Error;
use std::thread;
use std::time::Duration;

use futures_util::StreamExt;
use zeroxide::{
    Context, ErrorKind, EventKind, Frame, Message, Options, PollItem, Poller, Proxy, Ready, RoutingId,
    Security, SocketType, generate_secret_key, opt, poll,
};

type Outcome = Result<(), Box<dyn Error>>;

const LIMIT: Duration = Duration::from_secs(60);

const PAGE: &str = include_str!("../../../../docs/guide/src/pages/migrating.md");
/// What runs the right-hand columns.
const OURS: &str = include_str!("migrating.rs");
/// The tables, and what runs their left-hand columns. Zeroxide's workspace has no other implementation of ZeroMQ, so each is elsewhere.
const FROM: [(&str, &str); 4] = [
    ("pyzmq", include_str!("migrating.py")),
    ("the crate zmq", include_str!("../../../zmq-crate/tests/migrating.rs")),
    ("the crate tmq", include_str!("../../../zmq-crate/tests/migrating.rs")),
    ("the crate zeromq", include_str!("../../../../interop/peers/zmqrs/tests/migrating.rs")),
];

/// The code in a column of the table below the heading `From …`.
fn codes(from: &str, column: usize) -> Vec<&'static str> {
    let (_, section) = PAGE.split_once(&format!("## From {from}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").nth(column).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn each_cell_of_the_page_is_tried() {
    let dense = |text: &str| text.split_whitespace().collect::<String>();
    for (from, theirs) in FROM {
        for (column, tests) in [(1, theirs), (2, OURS)] {
            let (codes, tests) = (codes(from, column), dense(tests));
            assert!(codes.len() > 10, "From {from}: {codes:?}");
            let missing: Vec<&&str> = codes.iter().filter(|code| !tests.contains(&dense(code))).collect();
            assert!(missing.is_empty(), "From {from}, column {column}: not tried: {missing:#?}");
        }
    }
}

#[test]
fn requests_and_replies() -> Outcome {
    let context = Context::new();
    let socket = context.socket(SocketType::Rep)?;
    let endpoint = socket.bind("tcp://127.0.0.1:*")?;
    let server = thread::spawn(move || -> zeroxide::Result<()> {
        let message = socket.recv()?;
        socket.send(message)?;
        let message = socket.recv()?;
        Ok(socket.send(message)?)
    });

    let socket = context.socket(SocketType::Req)?;
    socket.connect(&endpoint)?;
    socket.connect_ready(&endpoint, LIMIT)?;
    socket.send("text")?;
    let message = socket.recv()?;
    assert_eq!(message[0].as_str()?, "text");
    socket.send(["a", "b"])?;
    assert_eq!(socket.recv_timeout(LIMIT)?.len(), 2);
    server.join().unwrap()?;
    assert_eq!(socket.try_recv().unwrap_err().kind(), ErrorKind::WrongState);
    Ok(())
}

#[test]
fn messages() -> Outcome {
    let context = Context::new();
    let (socket, other) = (context.socket(SocketType::Pair)?, context.socket(SocketType::Pair)?);
    socket.bind("inproc://messages")?;
    other.connect("inproc://messages")?;
    socket.set(opt::RCVTIMEO, Some(LIMIT))?;
    socket.set(opt::LINGER, Some(Duration::ZERO))?;
    let bytes = vec![1, 2, 3];
    other.send(bytes)?;
    let message = socket.recv()?;
    assert_eq!(&message[0][..], [1, 2, 3]);
    let mut message = Message::from("a");
    message.push_back("b");
    other.send(message)?;
    let message = socket.recv()?;
    let frames: Vec<Frame> = message.into_iter().collect();
    assert_eq!(frames, ["a", "b"]);
    other.send(["a", "b"])?;
    let [a, b]: [Frame; 2] = socket.recv()?.try_into()?;
    assert!(a == "a" && b == "b");
    assert_eq!(socket.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    other.close().wait();
    assert_eq!(other.recv().unwrap_err().kind(), ErrorKind::Closed);
    context.term().wait();
    assert_eq!(socket.recv().unwrap_err().kind(), ErrorKind::Terminated);
    Ok(())
}

#[test]
fn news_and_polling() -> Outcome {
    let context = Context::new();
    let small = Options::new().set(opt::SNDHWM, 10);
    let publisher = context.socket_with(SocketType::Pub, &small)?;
    publisher.bind("inproc://news")?;
    let socket = context.socket(SocketType::Sub)?;
    socket.subscribe("t")?;
    socket.connect("inproc://news")?;
    publisher.wait_for_subscribers("t", 1, LIMIT)?;
    publisher.send(["t", "news"])?;

    let mut items = [PollItem::new(&socket, Ready::IN)];
    poll(&mut items, Some(LIMIT))?;
    assert!(items[0].ready().is_in());
    let (mut poller, mut events) = (Poller::new(), Vec::new());
    poller.add(&socket, 1, Ready::IN)?;
    poller.wait(&mut events, Some(LIMIT))?;
    assert_eq!(events[0].key, 1);
    assert_eq!(socket.recv()?, Message::from(["t", "news"]));
    Ok(())
}

#[test]
fn routers() -> Outcome {
    let context = Context::new();
    let socket = context.socket(SocketType::Router)?;
    socket.bind("inproc://router")?;
    let named = Options::new().set(opt::ROUTING_ID, "me");
    let dealer = context.socket_with(SocketType::Dealer, &named)?;
    dealer.connect("inproc://router")?;
    dealer.send("x")?;
    let (id, message) = socket.recv_from()?;
    assert_eq!((id.as_bytes(), message), (&b"me"[..], Message::from("x")));
    socket.send_to(&id, "y")?;
    assert_eq!(dealer.recv()?[0], "y");
    let unknown = RoutingId::new("you")?;
    assert_eq!(socket.send_to(&unknown, "y").unwrap_err().error.kind(), ErrorKind::Unroutable);
    Ok(())
}

#[test]
fn proxies_monitors_and_keys() -> Outcome {
    let context = Context::new();
    let (front, back) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    let events = front.monitor();
    front.bind("tcp://127.0.0.1:*")?;
    assert!(matches!(events.recv()?.kind, EventKind::Listening));
    let proxy = thread::spawn(move || Proxy::new(&front, &back).run());
    context.shutdown();
    assert_eq!(proxy.join().unwrap().unwrap_err().kind(), ErrorKind::Terminated);

    let context = Context::new();
    let key = generate_secret_key()?;
    let public = key.public();
    let server = Options::new().security(Security::CurveServer(key));
    let me = generate_secret_key()?;
    let client = Options::new().security(Security::CurveClient { server: public, me });
    context.authenticator("", zeroxide::AccessList::new().allow_any_curve_key())?;
    let (server, client) =
        (context.socket_with(SocketType::Pull, &server)?, context.socket_with(SocketType::Push, &client)?);
    client.connect_ready(server.bind("tcp://127.0.0.1:*")?, LIMIT)?;
    Ok(())
}

#[tokio::test]
async fn futures() -> Outcome {
    let context = Context::new();
    let (socket, other) = (context.socket(SocketType::Pair)?, context.socket(SocketType::Pair)?);
    socket.bind("inproc://futures")?;
    other.connect("inproc://futures")?;
    other.send_async("hi").await?;
    let message = socket.recv_async().await?;
    assert_eq!(message[0], "hi");
    // A stream of messages, as in `while let Some(message) = messages.next().await`.
    other.send_async(Message::from(["a", "b"])).await?;
    let mut messages = socket.messages();
    let mut message = messages.next().await.unwrap()?;
    assert_eq!(message.pop_front().unwrap(), "a");
    drop(messages);
    // A request and its reply in one call.
    let (server, client) = (context.socket(SocketType::Rep)?, context.socket(SocketType::Req)?);
    let endpoint = server.bind("tcp://127.0.0.1:*")?;
    client.connect(&endpoint)?;
    let serving = async {
        let question = server.recv_async().await?;
        server.send_async(question).await?;
        Ok::<(), zeroxide::Error>(())
    };
    let asking = async { Ok::<Message, zeroxide::Error>(client.request_async("hi", LIMIT).await?) };
    let (reply, served) = tokio::join!(asking, serving);
    served?;
    assert_eq!(reply?[0], "hi");
    // A task may have a handle of its own.
    let socket2 = socket.clone();
    let task = tokio::spawn(async move { socket2.recv_async().await });
    other.send_async("again").await?;
    assert_eq!(task.await??[0], "again");
    context.term().await;
    Ok(())
}
