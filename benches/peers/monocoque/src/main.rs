//! monocoque in `cargo xtask bench compare`, on io_uring (feature `compio`) or epoll (feature `tokio`), with one thread.
//!
//! Its sockets are of one connection; where one socket talks to many, it has types of their own for PUSH, PULL and PUB, and a
//! ROUTER is one socket for each connection, as in its own benchmarks. Its options are those of the harness that its author
//! publishes (zmq-arena): floods are coalesced into writes of 64 KiB and flushed after 64 messages, questions are not.

mod open;

use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use cell::{Peer, Spec};
use futures_util::future::join_all;
use monocoque::rt::{LocalRuntime, UnixStream, sleep};
use monocoque::zmq::{
    DealerSocket, PubSocket, PullFanIn, PullSocket, PushFanOut, PushSocket, RepSocket, ReqSocket, SubSocket,
};

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) => cell::program::<Monocoque>(&specs),
        Err(code) => code,
    }
}

struct Monocoque {
    socket: Socket,
    /// What is received goes here, so that no message allocates a list of frames.
    frames: Vec<Bytes>,
    /// Connections that share a flush, and those that are left until the next.
    peers: usize,
    left: usize,
}

/// Types of sockets, and of connections.
enum Socket {
    Push(PushSocket),
    PushIpc(PushSocket<UnixStream>),
    PushMany(PushFanOut),
    Pull(PullSocket),
    PullIpc(PullSocket<UnixStream>),
    PullMany(PullFanIn),
    Pub(PubSocket),
    Sub(SubSocket),
    Req(ReqSocket),
    ReqIpc(ReqSocket<UnixStream>),
    Rep(RepSocket),
    RepIpc(RepSocket<UnixStream>),
    Dealer(DealerSocket),
    /// A task for each connection sends back what it receives.
    Routers,
}

impl Peer for Monocoque {
    type Context = ();
    type Body = Bytes;

    fn context(_: &Spec) {}

    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        LocalRuntime::new().expect("a runtime").block_on(async {
            join_all(specs.iter().cloned().map(task)).await;
        });
    }

    async fn open(_: &(), spec: &Spec, bound: impl FnOnce(&str)) -> Result<Monocoque, String> {
        let socket = open::open(spec, bound).await?;
        Ok(Monocoque { socket, frames: Vec::with_capacity(4), peers: spec.peers, left: spec.peers })
    }

    fn body(bytes: &[u8]) -> Bytes {
        Bytes::copy_from_slice(bytes)
    }

    async fn send(&mut self, body: &Bytes) {
        let body = body.clone();
        match &mut self.socket {
            Socket::Push(socket) => socket.send_one(body).await,
            Socket::PushIpc(socket) => socket.send_one(body).await,
            Socket::PushMany(socket) => socket.send_one(body).await,
            Socket::Pub(socket) => socket.send_frames(&[body]).await,
            Socket::Req(socket) => socket.send_one(body).await,
            Socket::ReqIpc(socket) => socket.send_one(body).await,
            Socket::Dealer(socket) => socket.send(vec![body]).await,
            _ => unreachable!("only receives"),
        }
        .expect("a message sent");
    }

    async fn flush(&mut self) {
        self.left -= 1;
        if self.left > 0 {
            return;
        }
        self.left = self.peers;
        match &mut self.socket {
            Socket::Push(socket) => socket.flush().await,
            Socket::PushIpc(socket) => socket.flush().await,
            Socket::PushMany(socket) => socket.flush().await,
            _ => Ok(()),
        }
        .expect("messages flushed");
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        /// What is there already, else what comes.
        macro_rules! next {
            ($socket:expr) => {
                match $socket.try_recv_into(&mut self.frames) {
                    Ok(false) => $socket.recv_into(&mut self.frames).await,
                    received => received,
                }
            };
        }
        let received = match &mut self.socket {
            Socket::Pull(socket) => next!(socket),
            Socket::PullIpc(socket) => next!(socket),
            Socket::Sub(socket) => next!(socket),
            Socket::PullMany(socket) => {
                let message = match socket.try_recv() {
                    Ok(None) => socket.recv().await,
                    received => received,
                };
                message.map(|message| message.map(|frames| self.frames = frames).is_some())
            }
            Socket::Req(socket) => socket.recv_into(&mut self.frames).await,
            Socket::ReqIpc(socket) => socket.recv_into(&mut self.frames).await,
            Socket::Dealer(socket) => socket.recv_into(&mut self.frames).await,
            _ => unreachable!("only sends"),
        };
        assert!(received.expect("a message"), "a connection that stays");
        look(&self.frames[0])
    }

    async fn echo(&mut self) {
        match &mut self.socket {
            Socket::Rep(socket) => {
                let message = socket.recv().await.expect("a message").expect("a connection that stays");
                socket.send(message).await.expect("a message sent");
            }
            Socket::RepIpc(socket) => {
                let message = socket.recv().await.expect("a message").expect("a connection that stays");
                socket.send(message).await.expect("a message sent");
            }
            Socket::Routers => std::future::pending().await,
            _ => unreachable!("sends back nothing"),
        }
    }

    async fn pause(&self, time: Duration) {
        sleep(time).await;
    }
}
