//! A socket of any type; zmq.rs has a Rust type for each.

use zeromq::{
    DealerSocket, Endpoint, PubSocket, PullSocket, PushSocket, RepSocket, ReqSocket, RouterSocket, Socket,
    SocketOptions, SocketRecv, SocketSend, SubSocket, TryIntoEndpoint, XPubSocket, XSubSocket, ZmqError,
    ZmqMessage,
};

use crate::refusal::Refusal;

/// Whether zmq.rs has a type of this name.
pub(crate) fn is_known(kind: &str) -> bool {
    ["PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB"].contains(&kind)
}

/// A socket.
pub(crate) enum Any {
    Pub(PubSocket),
    Sub(SubSocket),
    Req(ReqSocket),
    Rep(RepSocket),
    Dealer(DealerSocket),
    Router(RouterSocket),
    Pull(PullSocket),
    Push(PushSocket),
    XPub(XPubSocket),
    XSub(XSubSocket),
}

/// The same for every type.
macro_rules! each {
    ($any:expr, $socket:ident => $body:expr) => {
        match $any {
            Any::Pub($socket) => $body,
            Any::Sub($socket) => $body,
            Any::Req($socket) => $body,
            Any::Rep($socket) => $body,
            Any::Dealer($socket) => $body,
            Any::Router($socket) => $body,
            Any::Pull($socket) => $body,
            Any::Push($socket) => $body,
            Any::XPub($socket) => $body,
            Any::XSub($socket) => $body,
        }
    };
}

impl Any {
    pub(crate) fn new(kind: &str, options: SocketOptions) -> Result<Any, Refusal> {
        Ok(match kind {
            "PUB" => Any::Pub(Socket::with_options(options)),
            "SUB" => Any::Sub(Socket::with_options(options)),
            "REQ" => Any::Req(Socket::with_options(options)),
            "REP" => Any::Rep(Socket::with_options(options)),
            "DEALER" => Any::Dealer(Socket::with_options(options)),
            "ROUTER" => Any::Router(Socket::with_options(options)),
            "PULL" => Any::Pull(Socket::with_options(options)),
            "PUSH" => Any::Push(Socket::with_options(options)),
            "XPUB" => Any::XPub(Socket::with_options(options)),
            "XSUB" => Any::XSub(Socket::with_options(options)),
            _ => return Err(Refusal::usage("zmq.rs has no such socket type")),
        })
    }

    /// Binds; the endpoint with its real port.
    pub(crate) async fn bind(&mut self, endpoint: &str) -> Result<String, Refusal> {
        let endpoint = endpoint.replace(":*", ":0");
        let bound: Endpoint = each!(self, socket => socket.bind(&endpoint).await)?;
        Ok(bound.to_string())
    }

    pub(crate) async fn connect(&mut self, endpoint: &str) -> Result<(), Refusal> {
        Ok(each!(self, socket => socket.connect(endpoint).await)?)
    }

    pub(crate) async fn unbind(&mut self, endpoint: &str) -> Result<(), Refusal> {
        let endpoint = TryIntoEndpoint::try_into(endpoint).map_err(ZmqError::from)?;
        Ok(each!(self, socket => socket.unbind(endpoint).await)?)
    }

    pub(crate) async fn subscribe(&mut self, topic: &str) -> Result<(), Refusal> {
        match self {
            Any::Sub(socket) => Ok(socket.subscribe(topic).await?),
            _ => Err(Refusal::usage("only SUB subscribes")),
        }
    }

    pub(crate) async fn unsubscribe(&mut self, topic: &str) -> Result<(), Refusal> {
        match self {
            Any::Sub(socket) => Ok(socket.unsubscribe(topic).await?),
            _ => Err(Refusal::usage("only SUB subscribes")),
        }
    }

    pub(crate) async fn send(&mut self, message: ZmqMessage) -> Result<(), Refusal> {
        match self {
            Any::Pub(socket) => socket.send(message).await?,
            Any::Req(socket) => socket.send(message).await?,
            Any::Rep(socket) => socket.send(message).await?,
            Any::Dealer(socket) => socket.send(message).await?,
            Any::Router(socket) => socket.send(message).await?,
            Any::Push(socket) => socket.send(message).await?,
            Any::XPub(socket) => socket.send(message).await?,
            Any::XSub(socket) => socket.send(message).await?,
            Any::Sub(_) | Any::Pull(_) => return Err(Refusal::usage("this type cannot send")),
        }
        Ok(())
    }

    pub(crate) async fn recv(&mut self) -> Result<ZmqMessage, Refusal> {
        Ok(match self {
            Any::Sub(socket) => socket.recv().await?,
            Any::Req(socket) => socket.recv().await?,
            Any::Rep(socket) => socket.recv().await?,
            Any::Dealer(socket) => socket.recv().await?,
            Any::Router(socket) => socket.recv().await?,
            Any::Pull(socket) => socket.recv().await?,
            Any::XPub(socket) => socket.recv().await?,
            Any::XSub(socket) => socket.recv().await?,
            Any::Pub(_) | Any::Push(_) => return Err(Refusal::usage("this type cannot receive")),
        })
    }

    pub(crate) async fn close(self) {
        each!(self, socket => drop(socket.close().await));
    }
}
