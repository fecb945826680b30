//! The sockets of a proxy, and the check that they fit together.

use crate::error::{Error, Op, Result, Why};
use crate::socket::Socket;

/// The sockets of a proxy.
#[derive(Clone, Debug)]
pub(super) struct Sockets {
    pub(super) front: Socket,
    pub(super) back: Socket,
    pub(super) capture: Option<Socket>,
    pub(super) control: Option<Socket>,
}

impl Sockets {
    pub(super) fn check(&self) -> Result<()> {
        let (front, back) = (self.front.socket_type(), self.back.socket_type());
        let (forth, back_again) = (front.receives() && back.sends(), back.receives() && front.sends());
        if !forth && !back_again {
            return Err(if front.receives() {
                Error::NotSupported { socket: back, op: Op::Send }
            } else {
                Error::NotSupported { socket: back, op: Op::Recv }
            });
        }
        if let Some(socket) = self.capture.as_ref().map(Socket::socket_type).filter(|it| !it.sends()) {
            return Err(Error::NotSupported { socket, op: Op::Send });
        }
        if let Some(socket) = self.control.as_ref().map(Socket::socket_type).filter(|it| !it.receives()) {
            return Err(Error::NotSupported { socket, op: Op::Recv });
        }
        self.all().try_for_each(|socket| socket.base().context.check_process())?;
        if self.all().any(|socket| socket.base().context.is_own_thread()) {
            Err(Error::WouldBlock(Why::NoEvent))
        } else {
            Ok(())
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Socket> {
        [&self.front, &self.back].into_iter().chain(&self.capture).chain(&self.control)
    }
}
