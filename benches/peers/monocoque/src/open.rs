//! Sockets, bound or connected, with the options of their task.

use std::io;
use std::net::SocketAddr;

use cell::{Kind, Spec, Task, Transport};
use monocoque::rt::{TcpListener, TcpStream, UnixListener, UnixStream, spawn_detached};
use monocoque::zmq::{
    DealerSocket, PubSocket, PullFanIn, PullSocket, PushFanOut, PushSocket, RepSocket, ReqSocket,
    RouterSocket, SocketOptions, SubSocket,
};

use crate::Socket;

/// What is read at once, and written at once, in a flood.
const BULK: usize = 64 * 1024;

pub(crate) async fn open(spec: &Spec, bound: impl FnOnce(&str)) -> Result<Socket, String> {
    if spec.transport == Transport::Inproc {
        return Err("has no inproc but for pairs of DEALERs".into());
    }
    if spec.transport == Transport::Ipc && spec.peers > 1 {
        return Err("has one connection over ipc".into());
    }
    let opened = match (&spec.endpoint, spec.transport) {
        (None, Transport::Ipc) => bind_ipc(spec, bound).await,
        (None, _) => bind(spec, bound).await,
        (Some(endpoint), Transport::Ipc) => connect_ipc(spec, endpoint.trim_start_matches("ipc://")).await,
        (Some(endpoint), _) => connect(spec, endpoint.trim_start_matches("tcp://")).await,
    };
    opened.map_err(|error| error.to_string())
}

fn options(spec: &Spec) -> SocketOptions {
    let options = match (spec.task, spec.kind) {
        (Task::Flood | Task::Burst, _) => SocketOptions::default()
            .with_buffer_sizes(BULK, BULK)
            .with_write_coalescing(true)
            .with_write_coalesce_threshold(BULK),
        (Task::Drain | Task::Begin | Task::Tail, _) => {
            SocketOptions::default().with_buffer_sizes(BULK, 8 * 1024)
        }
        (Task::Ask | Task::Echo, _) => SocketOptions::default().with_write_coalescing(false),
    };
    let Some(keys) = &spec.curve else { return options };
    let key = |text: &str| <[u8; 32]>::try_from(z85::decode(text).expect("Z85")).expect("a key");
    if spec.binds() {
        let keypair = (key(&keys.server_public), key(&keys.server_secret));
        options.with_curve_server(true).with_curve_keypair(keypair.0, keypair.1)
    } else {
        let keypair = (key(&keys.client_public), key(&keys.client_secret));
        options.with_curve_serverkey(key(&keys.server_public)).with_curve_keypair(keypair.0, keypair.1)
    }
}

async fn bind(spec: &Spec, bound: impl FnOnce(&str)) -> io::Result<Socket> {
    let options = options(spec);
    if spec.kind == Kind::Pub {
        let mut socket = PubSocket::bind_with_options("127.0.0.1:0", options).await?;
        bound(&format!("tcp://{}", socket.local_addr()?));
        for _ in 0..spec.peers {
            socket.accept_subscriber().await?;
        }
        return Ok(Socket::Pub(socket));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    bound(&format!("tcp://{}", listener.local_addr()?));
    if spec.peers > 1 {
        return many(spec, &listener, options).await;
    }
    let (stream, _) = listener.accept().await?;
    Ok(match spec.kind {
        Kind::Pull => Socket::Pull(PullSocket::from_tcp_with_options(stream, options).await?),
        Kind::Rep => Socket::Rep(RepSocket::from_tcp_with_options(stream, options).await?),
        Kind::Router => {
            route(stream, options).await?;
            Socket::Routers
        }
        kind => unreachable!("{kind:?} does not bind"),
    })
}

/// A socket for many connections.
async fn many(spec: &Spec, listener: &TcpListener, options: SocketOptions) -> io::Result<Socket> {
    Ok(match spec.kind {
        Kind::Push => Socket::PushMany(PushFanOut::accept_workers(listener, spec.peers, options).await?),
        Kind::Pull => Socket::PullMany(PullFanIn::accept_workers(listener, spec.peers, options).await?),
        Kind::Router => {
            for _ in 0..spec.peers {
                let (stream, _) = listener.accept().await?;
                route(stream, options.clone()).await?;
            }
            Socket::Routers
        }
        kind => unreachable!("{kind:?} does not bind"),
    })
}

/// Sends back what comes from one DEALER, until it is gone.
async fn route(stream: TcpStream, options: SocketOptions) -> io::Result<()> {
    let mut router = RouterSocket::from_tcp_with_options(stream, options).await?;
    spawn_detached(async move {
        while let Ok(Some(message)) = router.recv().await {
            if router.send(message).await.is_err() {
                return;
            }
        }
    });
    Ok(())
}

async fn bind_ipc(spec: &Spec, bound: impl FnOnce(&str)) -> io::Result<Socket> {
    let endpoint = spec.bind_endpoint();
    let listener = UnixListener::bind(endpoint.trim_start_matches("ipc://")).await?;
    bound(&endpoint);
    let (stream, _) = listener.accept().await?;
    Ok(match spec.kind {
        Kind::Pull => {
            Socket::PullIpc(PullSocket::from_unix_stream_with_options(stream, options(spec)).await?)
        }
        Kind::Rep => Socket::RepIpc(RepSocket::from_unix_stream_with_options(stream, options(spec)).await?),
        kind => unreachable!("{kind:?} does not bind"),
    })
}

async fn connect(spec: &Spec, address: &str) -> io::Result<Socket> {
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let stream = TcpStream::connect(address).await?;
    Ok(match spec.kind {
        Kind::Push => Socket::Push(PushSocket::from_tcp_with_options(stream, options(spec)).await?),
        Kind::Pull => Socket::Pull(PullSocket::from_tcp_with_options(stream, options(spec)).await?),
        Kind::Sub => {
            let mut socket = SubSocket::from_tcp_with_options(stream, options(spec)).await?;
            socket.subscribe(b"").await?;
            Socket::Sub(socket)
        }
        Kind::Req => Socket::Req(ReqSocket::from_tcp_with_options(stream, options(spec)).await?),
        Kind::Dealer => Socket::Dealer(DealerSocket::from_tcp_with_options(stream, options(spec)).await?),
        kind => unreachable!("{kind:?} does not connect"),
    })
}

async fn connect_ipc(spec: &Spec, path: &str) -> io::Result<Socket> {
    let stream = UnixStream::connect(path).await?;
    Ok(match spec.kind {
        Kind::Push => {
            Socket::PushIpc(PushSocket::from_unix_stream_with_options(stream, options(spec)).await?)
        }
        Kind::Req => Socket::ReqIpc(ReqSocket::from_unix_stream_with_options(stream, options(spec)).await?),
        kind => unreachable!("{kind:?} does not connect"),
    })
}
