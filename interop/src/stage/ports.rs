//! Ports for endpoints that are known before they are bound, and stay their binder's while it is killed and comes back.
//!
//! The system has no such ports to give: one that it chose is anybody's as soon as its binder is dead. So each run owns
//! whole blocks of ports, outside the range that the system gives to others by itself. Whoever listens on the first
//! port of a block owns the block: that excludes every other run on the machine, whatever its user and its folder for
//! temporary files are, and ends with the process however it ends. A bound socket could not keep the ports themselves:
//! those that are bound with SO_REUSEADDR, as all peers bind, share a port until one of them listens.
//!
//! What other programs have taken in the middle of a block is found by binding it before it is given, and skipped.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use socket2::{Domain, Protocol, Socket, Type};

/// Those of this run.
pub(super) static OURS: Ports = Ports::new();

/// Ports of a block, with the one that guards it: more than any run has endpoints at a time, so that a port rests for
/// many cells before it is given again. A peer of an old cell may not have stopped dialling it yet.
const BLOCK: u16 = 128;
/// Where blocks begin: most programs that are asked to listen on a port of the user's choice do so below.
const FIRST: u16 = 20_000;
/// Where the system's own range begins if it does not tell: Linux' default, which is lower than that of others.
const SYSTEMS: u16 = 32_768;

/// The ports of one run.
pub(super) struct Ports(Mutex<Owned>);

struct Owned {
    /// What makes the blocks this run's, as long as it listens.
    guards: Vec<TcpListener>,
    /// Those that may be given, the one that rested longest first.
    free: VecDeque<u16>,
}

/// A port that nobody else gets until it is dropped.
pub(super) struct Port<'a> {
    ports: &'a Ports,
    pub(super) number: u16,
}

impl Ports {
    const fn new() -> Ports {
        Ports(Mutex::new(Owned { guards: Vec::new(), free: VecDeque::new() }))
    }

    /// A port that nobody is bound to.
    ///
    /// # Errors
    /// `AddrInUse` when every block has an owner.
    pub(super) fn lease(&self) -> io::Result<Port<'_>> {
        let mut owned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            for _ in 0..owned.free.len() {
                let Some(number) = owned.free.pop_front() else { break };
                if is_free(number) {
                    return Ok(Port { ports: self, number });
                }
                owned.free.push_back(number);
            }
            let (guard, block) = take_block(region(), BLOCK)?;
            owned.guards.push(guard);
            owned.free.extend(block);
        }
    }
}

impl Drop for Port<'_> {
    fn drop(&mut self) {
        self.ports.0.lock().unwrap_or_else(PoisonError::into_inner).free.push_back(self.number);
    }
}

/// A block that had no owner: its guard, and the ports behind that.
fn take_block(within: Range<u16>, size: u16) -> io::Result<(TcpListener, Range<u16>)> {
    for first in (within.start..=within.end - size).step_by(size.into()) {
        if let Ok(guard) = TcpListener::bind((Ipv4Addr::LOCALHOST, first)) {
            return Ok((guard, first + 1..first + size));
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "every block of ports has an owner"))
}

/// Where blocks are.
fn region() -> Range<u16> {
    FIRST..end(&fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default())
}

/// Where they end: at the first port that the system gives by itself. One that gives nearly all of its ports leaves none;
/// then those are used that it would leave by default.
fn end(systems: &str) -> u16 {
    let begins = systems.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(SYSTEMS);
    if begins < FIRST + BLOCK { SYSTEMS } else { begins }
}

/// Whether a peer could bind the port now. The socket that tries it does what theirs does, but never listens: a process
/// that another worker starts at this moment has a copy of it until it becomes its program, and one that listened would
/// turn the peer away.
fn is_free(port: u16) -> bool {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let tried = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).and_then(|socket| {
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())
    });
    tried.is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// The numbers of these ports, each of which must be there once.
    fn distinct(ports: &[Port<'_>]) -> HashSet<u16> {
        let numbers: HashSet<u16> = ports.iter().map(|port| port.number).collect();
        assert_eq!(numbers.len(), ports.len(), "a port was given twice");
        numbers
    }

    #[test]
    fn runs_at_the_same_time_never_get_the_same_port() {
        let runs = [(); 4].map(|()| Ports::new());
        let more_than_a_block = usize::from(BLOCK) + 10;
        let all: Vec<Port<'_>> = std::thread::scope(|scope| {
            let takers = runs.each_ref().map(|run| {
                scope.spawn(move || (0..more_than_a_block).map(|_| run.lease().unwrap()).collect::<Vec<_>>())
            });
            takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect()
        });
        assert_eq!(distinct(&all).len(), 4 * more_than_a_block);
    }

    #[test]
    fn a_port_that_is_taken_is_skipped_and_given_when_it_is_free() {
        let run = Ports::new();
        let rest = usize::from(BLOCK) - 2;
        let first = run.lease().unwrap().number;
        let next = run.lease().unwrap().number;
        // Given back, both stand at the end of the queue, behind all others.
        let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, next)).unwrap();
        let others: Vec<Port<'_>> = (0..rest).map(|_| run.lease().unwrap()).collect();
        let others = distinct(&others);
        assert!(others.contains(&first) && !others.contains(&next), "{others:?}");
        drop(stranger);
        assert!((0..2 * BLOCK).any(|_| run.lease().unwrap().number == next), "{next} is free again");
    }

    #[test]
    fn a_port_that_is_given_back_rests_longest() {
        let run = Ports::new();
        let first = run.lease().unwrap().number;
        let others: Vec<u16> = (0..BLOCK / 2).map(|_| run.lease().unwrap().number).collect();
        assert!(!others.contains(&first), "{first} in {others:?}");
    }

    #[test]
    fn a_block_has_one_owner_and_is_free_when_that_is_gone() {
        // Nobody else takes what is in a block that has an owner.
        let (_owner, block) = take_block(region(), BLOCK).unwrap();
        let take = || take_block(block.start..block.start + 6, 3);
        let ((first, one), (_second, two)) = (take().unwrap(), take().unwrap());
        assert_eq!([&one, &two], [&(block.start + 1..block.start + 3), &(block.start + 4..block.start + 6)]);
        assert_eq!(take().unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(first);
        assert_eq!(take().unwrap().1, one);
    }

    #[test]
    fn blocks_end_where_the_ports_begin_that_the_system_gives_by_itself() {
        assert_eq!(end("49152\t65535\n"), 49_152);
        assert_eq!([end("32768\t60999\n"), end(""), end("1024 65535")], [SYSTEMS; 3]);
    }
}
