//! zeromq (zmq.rs) in `cargo xtask bench compare`, on tokio's runtime with several threads, as its own benchmarks use it.

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use cell::{Kind, Peer, Spec, Transport};
use zeromq::{
    DealerSocket, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket, SocketRecv,
    SocketSend, SubSocket, ZmqMessage,
};

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) => cell::program::<Zeromq>(&specs),
        Err(code) => code,
    }
}

/// Each type of socket is a type here.
enum Zeromq {
    Push(PushSocket),
    Pull(PullSocket),
    Pub(PubSocket),
    Sub(SubSocket),
    Req(ReqSocket),
    Rep(RepSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
}

impl Peer for Zeromq {
    type Context = ();
    type Body = Bytes;

    fn context(_: &Spec) {}

    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        cell::tokio::run_on_threads(specs, task);
    }

    async fn open(_: &(), spec: &Spec, bound: impl FnOnce(&str)) -> Result<Zeromq, String> {
        if spec.curve.is_some() {
            return Err("has no CURVE".into());
        }
        if spec.transport == Transport::Inproc {
            return Err("has no inproc".into());
        }
        Ok(match spec.kind {
            Kind::Push => Zeromq::Push(attached(spec, bound).await?),
            Kind::Pull => Zeromq::Pull(attached(spec, bound).await?),
            Kind::Pub => Zeromq::Pub(attached(spec, bound).await?),
            Kind::Sub => {
                let mut sub: SubSocket = attached(spec, bound).await?;
                sub.subscribe("").await.map_err(|error| error.to_string())?;
                Zeromq::Sub(sub)
            }
            Kind::Req => Zeromq::Req(attached(spec, bound).await?),
            Kind::Rep => Zeromq::Rep(attached(spec, bound).await?),
            Kind::Dealer => Zeromq::Dealer(attached(spec, bound).await?),
            Kind::Router => Zeromq::Router(attached(spec, bound).await?),
        })
    }

    fn body(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    async fn send(&mut self, body: &Bytes) {
        self.send_message(body.clone().into()).await;
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(self.recv_message().await.get(0).expect("a frame"))
    }

    async fn echo(&mut self) {
        let message = self.recv_message().await;
        self.send_message(message).await;
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

impl Zeromq {
    async fn send_message(&mut self, message: ZmqMessage) {
        match self {
            Zeromq::Push(socket) => socket.send(message).await,
            Zeromq::Pub(socket) => socket.send(message).await,
            Zeromq::Req(socket) => socket.send(message).await,
            Zeromq::Rep(socket) => socket.send(message).await,
            Zeromq::Dealer(socket) => socket.send(message).await,
            Zeromq::Router(socket) => socket.send(message).await,
            Zeromq::Pull(_) | Zeromq::Sub(_) => unreachable!("only receives"),
        }
        .expect("a message sent");
    }

    async fn recv_message(&mut self) -> ZmqMessage {
        match self {
            Zeromq::Pull(socket) => socket.recv().await,
            Zeromq::Sub(socket) => socket.recv().await,
            Zeromq::Req(socket) => socket.recv().await,
            Zeromq::Rep(socket) => socket.recv().await,
            Zeromq::Dealer(socket) => socket.recv().await,
            Zeromq::Router(socket) => socket.recv().await,
            Zeromq::Push(_) | Zeromq::Pub(_) => unreachable!("only sends"),
        }
        .expect("a message")
    }
}

/// A socket, bound or connected.
async fn attached<S: Socket>(spec: &Spec, bound: impl FnOnce(&str)) -> Result<S, String> {
    let mut socket = S::new();
    match &spec.endpoint {
        None => {
            let endpoint = spec.bind_address().map_err(|error| error.to_string())?;
            bound(&socket.bind(&endpoint).await.map_err(|error| error.to_string())?.to_string());
        }
        Some(endpoint) => socket.connect(endpoint).await.map_err(|error| error.to_string())?,
    }
    Ok(socket)
}
