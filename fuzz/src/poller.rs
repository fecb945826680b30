//! Pollers of sockets and descriptors, beside a model.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use zeroxide::{Context, Options, PollEvent, PollItem, Poller, Ready, Socket, SocketType, opt, poll};

use crate::feed::Feed;

const KEYS: usize = 8;
const SOCKETS: usize = 4;
/// More than a wait that is ended takes, on any machine.
const LIMIT: Duration = Duration::from_secs(60);

thread_local! {
    static CONTEXT: Context = Context::new();
}

/// What is watched under a key.
#[derive(Clone, Copy)]
enum What {
    Socket(usize),
    Reader,
}

struct Script {
    sockets: Vec<Socket>,
    closed: [bool; SOCKETS],
    reader: UnixStream,
    writer: UnixStream,
    /// Bytes that the reader has not taken.
    unread: usize,
    poller: Poller,
    /// In the order in which they were added.
    items: Vec<(usize, What, Ready)>,
}

/// Runs a script. A look finds exactly what EVENTS of each socket and the bytes in a descriptor say, in the order in
/// which it was added, and again until it is taken.
pub fn poller(data: &[u8]) {
    let mut feed = Feed::new(data);
    let mut script = Script::new();
    while !feed.is_empty() {
        script.step(&mut feed);
        script.look();
    }
    for socket in &script.sockets {
        drop(socket.close());
    }
}

impl Script {
    fn new() -> Script {
        let options =
            Options::new().set(opt::SNDHWM, 2).set(opt::RCVHWM, 1).set(opt::LINGER, Some(Duration::ZERO));
        let kinds = [SocketType::Push, SocketType::Pull, SocketType::Pair, SocketType::Pair];
        let sockets: Vec<Socket> = CONTEXT
            .with(|context| kinds.map(|kind| context.socket_with(kind, &options).unwrap()))
            .into_iter()
            .collect();
        sockets[1].bind("inproc://pull").unwrap();
        sockets[0].connect("inproc://pull").unwrap();
        // The other pair is connected before it is bound, by the script.
        sockets[2].connect("inproc://pair").unwrap();
        let (reader, writer) = UnixStream::pair().unwrap();
        Script {
            sockets,
            closed: [false; SOCKETS],
            reader,
            writer,
            unread: 0,
            poller: Poller::new(),
            items: Vec::new(),
        }
    }

    fn step(&mut self, feed: &mut Feed<'_>) {
        let (verb, at, key) = (feed.byte(), feed.below(SOCKETS), feed.below(KEYS));
        let wanted = feed.pick(&[Ready::NONE, Ready::IN, Ready::OUT, Ready::IN | Ready::OUT]);
        let place = self.items.iter().position(|(other, ..)| *other == key);
        match verb % 12 {
            0 | 1 => {
                let added = self.poller.add(&self.sockets[at], key, wanted);
                assert_eq!(added.is_ok(), place.is_none());
                if added.is_ok() {
                    self.items.push((key, What::Socket(at), wanted));
                }
            }
            2 => {
                let added = self.poller.add_fd(&self.reader, key, wanted);
                assert_eq!(added.is_ok(), place.is_none());
                if added.is_ok() {
                    self.items.push((key, What::Reader, wanted));
                }
            }
            3 => {
                assert_eq!(self.poller.modify(key, wanted).is_ok(), place.is_some());
                if let Some(place) = place {
                    self.items[place].2 = wanted;
                }
            }
            4 => {
                assert_eq!(self.poller.remove(key).is_ok(), place.is_some());
                if let Some(place) = place {
                    self.items.remove(place);
                }
            }
            5 | 6 => _ = self.sockets[at].try_send("x"),
            7 | 8 => _ = self.sockets[at].try_recv(),
            9 if wanted.is_in() => {
                self.writer.write_all(b"x").unwrap();
                self.unread += 1;
            }
            9 if self.unread > 0 => {
                self.reader.read_exact(&mut [0]).unwrap();
                self.unread -= 1;
            }
            10 if verb & 0x80 != 0 => {
                drop(self.sockets[at].close());
                self.closed[at] = true;
            }
            10 => _ = self.sockets[3].bind("inproc://pair"),
            11 => {
                self.poller.waker().wake();
                let start = Instant::now();
                self.poller.wait(&mut Vec::new(), Some(LIMIT)).unwrap();
                assert!(start.elapsed() < LIMIT, "a wake was lost");
            }
            _ => {}
        }
    }

    fn ready(&self, what: What, wanted: Ready) -> Ready {
        let found = match what {
            What::Socket(at) if self.closed[at] => return Ready::CLOSED,
            What::Socket(at) => {
                let events = self.sockets[at].get(opt::EVENTS).unwrap();
                [(1, Ready::IN), (2, Ready::OUT)]
                    .into_iter()
                    .filter(|(bit, _)| events & bit != 0)
                    .fold(Ready::NONE, |sum, (_, ready)| sum | ready)
            }
            What::Reader if self.unread > 0 => Ready::IN | Ready::OUT,
            What::Reader => Ready::OUT,
        };
        [Ready::IN, Ready::OUT]
            .into_iter()
            .filter(|ready| found.contains(*ready) && wanted.contains(*ready))
            .fold(Ready::NONE, |sum, ready| sum | ready)
    }

    /// Both ways to look find the same, twice.
    fn look(&mut self) {
        // A socket that finds nothing to read gives credit back, so what one can do depends on looks at the others.
        for socket in &self.sockets {
            let _ = socket.get(opt::EVENTS);
        }
        let expected: Vec<(usize, Ready)> = self
            .items
            .iter()
            .map(|(key, what, wanted)| (*key, self.ready(*what, *wanted)))
            .filter(|(_, ready)| !ready.is_none())
            .collect();
        for _ in 0..2 {
            let mut events: Vec<PollEvent> = Vec::new();
            let found = self.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
            assert_eq!(found, events.len());
            let events: Vec<(usize, Ready)> = events.iter().map(|event| (event.key, event.ready)).collect();
            assert_eq!(events, expected);
        }
        let mut items: Vec<PollItem<'_>> = self
            .items
            .iter()
            .map(|(_, what, wanted)| match what {
                What::Socket(at) => PollItem::new(&self.sockets[*at], *wanted),
                What::Reader => PollItem::fd(&self.reader, *wanted),
            })
            .collect();
        let found = poll(&mut items, Some(Duration::ZERO)).unwrap();
        assert_eq!(found, expected.len());
        let ready = items.iter().map(PollItem::ready).filter(|ready| !ready.is_none());
        assert!(ready.eq(expected.iter().map(|(_, ready)| *ready)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn poller(data in prop::collection::vec(any::<u8>(), 0..300)) {
            super::poller(&data);
        }
    }
}
