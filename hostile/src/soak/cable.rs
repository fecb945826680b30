//! A listener that hands on every connection to an endpoint, tcp or ipc, until it is cut.

use std::net::{Ipv4Addr, Shutdown, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::{io, mem};

use anyhow::{Context as _, Result, anyhow};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::wire;

/// What hands on.
pub(super) struct Cable {
    /// Where the other side connects.
    pub(super) endpoint: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    listener: Socket,
    address: SockAddr,
    target: Mutex<SockAddr>,
    /// Both ends of each connection, and what copies between them.
    live: Mutex<Vec<Wire>>,
    stop: AtomicBool,
}

struct Wire {
    ends: [Arc<Socket>; 2],
    copies: [JoinHandle<()>; 2],
}

impl Cable {
    /// Lays one to this endpoint; over ipc its own path lies in `folder`.
    pub(super) fn lay(target: &str, folder: &Path, number: u64) -> Result<Cable> {
        let target = address(target)?;
        let (from, path) = if target.is_unix() {
            let path = folder.join(format!("c{number}"));
            (SockAddr::unix(&path)?, Some(path))
        } else {
            (SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))), None)
        };
        let listener = Socket::new(from.domain(), Type::STREAM, None)?;
        listener.bind(&from)?;
        listener.listen(16)?;
        let address = listener.local_addr()?;
        let endpoint = match path {
            Some(path) => format!("ipc://{}", path.display()),
            None => format!("tcp://{}", address.as_socket().context("no address")?),
        };
        let (target, live) = (Mutex::new(target), Mutex::default());
        let shared = Arc::new(Shared { listener, address, target, live, stop: AtomicBool::new(false) });
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept()
        });
        Ok(Cable { endpoint, shared, thread: Some(thread) })
    }

    /// Later connections are handed on to this endpoint.
    pub(super) fn point_to(&self, target: &str) -> Result<()> {
        *lock(&self.shared.target) = address(target)?;
        Ok(())
    }

    /// Kills all connections in both directions.
    pub(super) fn cut(&self) -> Result<()> {
        let wires = mem::take(&mut *lock(&self.shared.live));
        for wire in &wires {
            // A side that has closed already is not connected.
            wire.ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
        }
        for copy in wires.into_iter().flat_map(|wire| wire.copies) {
            copy.join().map_err(|_| anyhow!("a copy panicked"))?;
        }
        Ok(())
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // It wakes the accepting thread.
        let _ = Socket::new(self.shared.address.domain(), Type::STREAM, None)
            .and_then(|socket| socket.connect(&self.shared.address));
        let _ = self.thread.take().map(JoinHandle::join);
        let _ = self.cut();
        if let Some(path) = self.shared.address.as_pathname() {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Shared {
    fn accept(&self) {
        while let Ok((from, _)) = self.listener.accept() {
            if self.stop.load(Ordering::SeqCst) {
                return;
            }
            let target = lock(&self.target).clone();
            // A connection that cannot be handed on is closed; the other side dials again.
            let Ok(to) = Socket::new(target.domain(), Type::STREAM, None) else { continue };
            if to.connect(&target).is_err() {
                continue;
            }
            if target.domain() != Domain::UNIX {
                // Without it, what is small would wait.
                let _ = (from.set_tcp_nodelay(true), to.set_tcp_nodelay(true));
            }
            let ends = [Arc::new(from), Arc::new(to)];
            let copies = [copy(&ends[0], &ends[1]), copy(&ends[1], &ends[0])];
            let mut live = lock(&self.live);
            // Those that are over are forgotten.
            live.retain(|wire| !wire.copies.iter().all(JoinHandle::is_finished));
            live.push(Wire { ends, copies });
        }
    }
}

/// Copies one way until the source ends or either side fails, and ends both then.
fn copy(from: &Arc<Socket>, to: &Arc<Socket>) -> JoinHandle<()> {
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    thread::spawn(move || {
        let whole = io::copy(&mut &*from, &mut &*to).is_ok();
        let _ = to.shutdown(Shutdown::Write);
        if !whole {
            let _ = from.shutdown(Shutdown::Read);
        }
    })
}

fn address(endpoint: &str) -> Result<SockAddr> {
    match endpoint.strip_prefix("ipc://") {
        Some(path) => Ok(SockAddr::unix(path)?),
        None => Ok(SockAddr::from(wire::address(endpoint)?)),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
