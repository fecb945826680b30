//! The left-hand columns of the guide's page "Coming from zmq, zeromq, tmq and pyzmq", for the crates zmq and tmq: each of their cells is
//! in this file (`each_cell_of_the_page_is_tried` in `examples/guide/pages/tests/migrating.rs`), and does what the page says. Both crates
//! run on Zeroxide here (see Cargo.toml).

use std::error::Error;
use std::thread;

use futures::{SinkExt, StreamExt};
use tmq::{AsZmqSocket, Multipart, SocketExt, dealer, publish, reply, request, router, subscribe};

type Outcome = Result<(), Box<dyn Error>>;

/// Two sockets of these types, the first bound and the second connected.
fn pair_of(
    context: &zmq::Context,
    bound: zmq::SocketType,
    connected: zmq::SocketType,
) -> zmq::Result<(zmq::Socket, zmq::Socket)> {
    let (socket, other) = (context.socket(bound)?, context.socket(connected)?);
    for socket in [&socket, &other] {
        socket.set_rcvtimeo(60_000)?;
        socket.set_linger(0)?;
    }
    socket.bind("tcp://127.0.0.1:*")?;
    let endpoint = socket.get_last_endpoint()?.expect("it is text");
    other.connect(&endpoint)?;
    Ok((socket, other))
}

#[test]
fn the_crate_zmq_requests_and_messages() -> Outcome {
    let context = zmq::Context::new();
    let (socket, client) = pair_of(&context, zmq::REP, zmq::REQ)?;
    // Another thread: the socket moves.
    let server = thread::spawn(move || -> zmq::Result<usize> {
        let message = socket.recv_msg(0)?;
        socket.send(message, 0)?;
        Ok(socket.recv_multipart(0)?.len())
    });
    let socket = client;
    assert_eq!(socket.recv_bytes(0), Err(zmq::Error::EFSM));
    socket.send("text", 0)?;
    assert_eq!(socket.recv_string(0)?, Ok("text".to_owned()));
    socket.send_multipart(["a", "b"], 0)?;
    assert_eq!(server.join().expect("it does not panic")?, 2);

    let (socket, other) = pair_of(&context, zmq::PAIR, zmq::PAIR)?;
    socket.set_sndhwm(10)?;
    assert_eq!(socket.recv_bytes(zmq::DONTWAIT), Err(zmq::Error::EAGAIN));
    socket.send("a", zmq::SNDMORE)?;
    socket.send("b", 0)?;
    assert_eq!(other.recv_multipart(0)?, [b"a", b"b"]);
    Ok(())
}

#[test]
fn the_crate_zmq_news_and_routers() -> Outcome {
    let context = zmq::Context::new();
    let (publisher, socket) = pair_of(&context, zmq::XPUB, zmq::SUB)?;
    socket.set_subscribe(b"t")?;
    assert_eq!(publisher.recv_bytes(0)?, b"\x01t");
    publisher.send("t1", 0)?;
    let mut items = [socket.as_poll_item(zmq::POLLIN)];
    zmq::poll(&mut items, 60_000)?;
    assert!(items[0].is_readable());
    assert_eq!(socket.recv_bytes(0)?, b"t1");

    let router = context.socket(zmq::ROUTER)?;
    router.set_router_mandatory(true)?;
    router.bind("tcp://127.0.0.1:*")?;
    let socket = context.socket(zmq::DEALER)?;
    socket.set_identity(b"me")?;
    socket.connect(&router.get_last_endpoint()?.expect("it is text"))?;
    socket.send("x", 0)?;
    assert_eq!(router.recv_multipart(0)?, [&b"me"[..], b"x"]);
    assert_eq!(router.send_multipart(["you", "y"], 0), Err(zmq::Error::EHOSTUNREACH));
    Ok(())
}

#[test]
fn the_crate_zmq_proxies_monitors_and_keys() -> Outcome {
    let mut context = zmq::Context::new();
    let (front, back) = (context.socket(zmq::PULL)?, context.socket(zmq::PUSH)?);
    let proxy = thread::spawn(move || -> zmq::Result<()> {
        zmq::proxy(&front, &back)?;
        Ok(())
    });
    context.destroy()?;
    assert_eq!(proxy.join().expect("it does not panic"), Err(zmq::Error::ETERM));

    let context = zmq::Context::new();
    let socket = context.socket(zmq::REQ)?;
    let events = zmq::SocketEvent::LISTENING as i32;
    socket.monitor("inproc://monitor", events)?;
    let monitor = context.socket(zmq::PAIR)?;
    monitor.connect("inproc://monitor")?;
    let keys = zmq::CurveKeyPair::new()?;
    let secret = keys.secret_key;
    socket.set_curve_server(true)?;
    socket.set_curve_secretkey(&secret)?;
    socket.bind("tcp://127.0.0.1:*")?;
    assert_eq!(monitor.recv_multipart(0)?.len(), 2);
    Ok(())
}

/// The endpoint that a socket of tmq has bound.
fn bound(socket: &impl AsZmqSocket) -> zmq::Result<String> {
    Ok(socket.get_socket().get_last_endpoint()?.expect("it is text"))
}

#[tokio::test]
async fn the_crate_tmq_requests() -> Outcome {
    let context = tmq::Context::new();
    let receiver = reply(&context).bind("tcp://127.0.0.1:*")?;
    let endpoint = bound(&receiver)?;
    let server = tokio::spawn(async move {
        let (request, sender) = receiver.recv().await?;
        sender.send(request).await.map(drop)
    });
    let socket = request(&context).connect(&endpoint)?;
    let receiver = socket.send(vec!["hi"].into()).await?;
    let (reply, _sender) = receiver.recv().await?;
    assert_eq!(reply[0].as_str(), Some("hi"));
    server.await??;
    Ok(())
}

#[tokio::test]
async fn the_crate_tmq_messages_and_news() -> Outcome {
    let context = tmq::Context::new();
    let mut other = router(&context).bind("tcp://127.0.0.1:*")?;
    let endpoint = bound(&other)?;
    let mut socket = dealer(&context).set_identity(b"me").connect(&endpoint)?;
    socket.set_sndhwm(10)?;
    socket.set_linger(0)?;
    let message = Multipart::from(vec!["a", "b"]);
    socket.send(message).await?;
    let mut message = other.next().await.expect("a stream of messages has no end")?;
    let id = message.pop_front().expect("its first frame is the id");
    assert_eq!((id.as_str(), message[0].as_str(), message.len()), (Some("me"), Some("a"), 2));
    other.send(vec![id, "y".into()]).await?;
    let message = socket.next().await.expect("a stream of messages has no end")?;
    assert_eq!(message[0].as_str(), Some("y"));
    let (mut sink, mut stream) = socket.split::<Multipart>();
    sink.send(vec!["again"].into()).await?;
    other.next().await.expect("a stream of messages has no end")?;
    other.send(vec!["me", "once more"]).await?;
    assert_eq!(stream.next().await.expect("a stream of messages has no end")?[0].as_str(), Some("once more"));

    let mut publisher = publish(&context).bind("tcp://127.0.0.1:*")?;
    let endpoint = bound(&publisher)?;
    let mut socket = subscribe(&context).connect(&endpoint)?.subscribe(b"t")?;
    // It may publish before the subscription is there, and has no call to wait for it.
    let publishing = async {
        loop {
            publisher.send(vec!["t", "news"]).await?;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = publishing => {
            let ended: tmq::Result<()> = ended;
            ended?;
        }
        news = socket.next() => assert_eq!(news.expect("a stream of messages has no end")?.len(), 2),
    }
    let mut received = 0;
    publisher.send(vec!["t", "end"]).await?;
    while let Some(message) = socket.next().await {
        received += 1;
        if message?[1].as_str() == Some("end") {
            break;
        }
    }
    assert!(received > 0);
    Ok(())
}
