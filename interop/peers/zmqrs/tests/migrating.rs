//! The left-hand column of the guide's page "Coming from zmq, zeromq, tmq and pyzmq" for the crate zeromq: each of its cells is in
//! this file (`each_cell_of_the_page_is_tried` in `examples/guide/pages/tests/migrating.rs`), and does what the page says.

use std::error::Error;

use futures::StreamExt;
use zeromq::{
    DealerSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketEvent, SocketOptions, SocketRecv,
    SocketSend, SubSocket, XPubSocket, ZmqMessage,
};

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::test]
async fn requests_and_their_monitor() -> Outcome {
    let mut socket = RepSocket::new();
    let mut events = socket.monitor();
    let endpoint = socket.bind("tcp://127.0.0.1:0").await?.to_string();
    let server = tokio::spawn(async move {
        let question = socket.recv().await?;
        socket.send(question).await?;
        Ok::<RepSocket, zeromq::ZmqError>(socket)
    });
    let mut socket = ReqSocket::new();
    socket.connect(&endpoint).await?;
    socket.send("hi".into()).await?;
    let message = socket.recv().await?;
    assert_eq!(message.into_vec(), ["hi"]);
    let socket = server.await??;
    assert!(matches!(events.next().await, Some(SocketEvent::Listening(_))));
    assert!(socket.close().await.is_empty());
    Ok(())
}

#[tokio::test]
async fn messages_and_names() -> Outcome {
    let mut router = RouterSocket::new();
    let endpoint = router.bind("tcp://127.0.0.1:0").await?.to_string();
    let mut options = SocketOptions::default();
    options.peer_identity("me".parse()?);
    let mut socket = DealerSocket::with_options(options);
    socket.connect(&endpoint).await?;
    let mut message = ZmqMessage::from("a");
    message.push_back("b".into());
    socket.send(message).await?;
    let message = router.recv().await?;
    assert_eq!(message.into_vec(), ["me", "a", "b"]);
    Ok(())
}

#[tokio::test]
async fn news() -> Outcome {
    let mut publisher = XPubSocket::new();
    let endpoint = publisher.bind("tcp://127.0.0.1:0").await?.to_string();
    let mut socket = SubSocket::new();
    socket.connect(&endpoint).await?;
    socket.subscribe("t").await?;
    assert_eq!(publisher.recv().await?.into_vec(), ["\u{1}t"]);
    publisher.send("t1".into()).await?;
    assert_eq!(socket.recv().await?.into_vec(), ["t1"]);
    Ok(())
}

#[tokio::test]
async fn a_proxy_forwards_both_ways() -> Outcome {
    let (mut front, mut back) = (RouterSocket::new(), DealerSocket::new());
    let endpoint = front.bind("tcp://127.0.0.1:0").await?.to_string();
    let mut server = RepSocket::new();
    back.connect(&server.bind("tcp://127.0.0.1:0").await?.to_string()).await?;
    let proxy = async move {
        zeromq::proxy(front, back, None).await?;
        Ok::<(), zeromq::ZmqError>(())
    };
    let mut client = ReqSocket::new();
    client.connect(&endpoint).await?;
    let exchange = async {
        client.send("hi".into()).await?;
        let question = server.recv().await?;
        server.send(question).await?;
        client.recv().await
    };
    tokio::select! {
        ended = proxy => panic!("the proxy ended: {ended:?}"),
        reply = exchange => assert_eq!(reply?.into_vec(), ["hi"]),
    }
    Ok(())
}
