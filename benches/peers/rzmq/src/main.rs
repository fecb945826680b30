//! rzmq in `cargo xtask bench compare`, with high-water marks of 100,000 as its own benchmarks have them, on tokio's runtime with
//! several threads: over epoll (mode `epoll`), or by io_uring with the options of its examples (mode `io_uring`).

use std::process::ExitCode;
use std::time::Duration;

use cell::{Kind, Peer, Spec, Transport};
use rzmq::socket::options::{
    CURVE_SECRET_KEY, CURVE_SERVER, CURVE_SERVER_KEY, IO_URING_RCVMULTISHOT, IO_URING_SESSION_ENABLED,
    IO_URING_SNDZEROCOPY, RCVHWM, SNDHWM, SUBSCRIBE,
};
use rzmq::{Context, Msg, Socket, SocketType, ZmqError};

/// Of its own benchmarks.
const HWM: i32 = 100_000;

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) => cell::program::<Rzmq>(&specs),
        Err(code) => code,
    }
}

/// A socket.
struct Rzmq {
    socket: Socket,
    /// Whether messages have more than one frame.
    routes: bool,
}

impl Peer for Rzmq {
    /// Made in the runtime.
    type Context = std::sync::Arc<std::sync::OnceLock<Context>>;
    type Body = Msg;

    fn context(_: &Spec) -> Self::Context {
        Self::Context::default()
    }

    fn run<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F + Sync) {
        cell::tokio::run_on_threads(specs, task);
    }

    async fn open(context: &Self::Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Rzmq, String> {
        let context = context.get_or_init(|| Context::new().expect("a context"));
        open(context, spec, bound).await.map_err(|error| error.to_string())
    }

    fn body(bytes: &[u8]) -> Msg {
        Msg::from_vec(bytes.to_vec())
    }

    async fn send(&mut self, body: &Msg) {
        self.socket.send(body.clone()).await.expect("a message sent");
    }

    async fn recv<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(self.socket.recv().await.expect("a message").data().unwrap_or_default())
    }

    async fn echo(&mut self) {
        if self.routes {
            let frames = self.socket.recv_multipart().await.expect("a message");
            self.socket.send_multipart(frames).await.expect("a message sent");
        } else {
            let message = self.socket.recv().await.expect("a message");
            self.socket.send(message).await.expect("a message sent");
        }
    }

    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

async fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Rzmq, ZmqError> {
    let socket = context.socket(match spec.kind {
        Kind::Push => SocketType::Push,
        Kind::Pull => SocketType::Pull,
        Kind::Pub => SocketType::Pub,
        Kind::Sub => SocketType::Sub,
        Kind::Req => SocketType::Req,
        Kind::Rep => SocketType::Rep,
        Kind::Dealer => SocketType::Dealer,
        Kind::Router => SocketType::Router,
    })?;
    socket.set_option_raw(SNDHWM, &HWM.to_ne_bytes()).await?;
    socket.set_option_raw(RCVHWM, &HWM.to_ne_bytes()).await?;
    if spec.mode == "io_uring" && spec.transport == Transport::Tcp {
        for option in [IO_URING_SESSION_ENABLED, IO_URING_SNDZEROCOPY, IO_URING_RCVMULTISHOT] {
            socket.set_option_raw(option, &1_i32.to_ne_bytes()).await?;
        }
    }
    if let Some(keys) = &spec.curve {
        if spec.binds() {
            socket.set_option_raw(CURVE_SERVER, &1_i32.to_ne_bytes()).await?;
            socket.set_option_raw(CURVE_SECRET_KEY, keys.server_secret.as_bytes()).await?;
        } else {
            socket.set_option_raw(CURVE_SERVER_KEY, keys.server_public.as_bytes()).await?;
            socket.set_option_raw(CURVE_SECRET_KEY, keys.client_secret.as_bytes()).await?;
        }
    }
    match &spec.endpoint {
        None => {
            let endpoint = spec.bind_address()?;
            socket.bind(&endpoint).await?;
            bound(&endpoint);
        }
        Some(endpoint) => socket.connect(endpoint).await?,
    }
    if spec.kind == Kind::Sub {
        socket.set_option_raw(SUBSCRIBE, b"").await?;
    }
    Ok(Rzmq { socket, routes: spec.kind == Kind::Router })
}
