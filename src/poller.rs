//! Waiting for several sockets and file descriptors (libzmq `zmq_poll`, `zmq_poller`).
//!
//! Everything is **level-triggered**: every call reports what is ready until it is read, written to or removed. No change is
//! missed: a wait registers with every socket first, then looks, then sleeps. Before a look finds a socket not ready, it reads
//! input that waits for room and writes open batches.

mod files;
pub(crate) mod task;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{fmt, io};

#[cfg(unix)]
use std::os::fd::AsRawFd;
#[cfg(windows)]
use std::os::windows::io::AsRawSocket;

use crate::clock;
use crate::error::{Error, Result};
use crate::signal::{Parkers, Signal, wait_interruptible, wait_with};
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::lead::{lead, note_awake};
use files::{Fd, Files};

pub use crate::socket::ready::Ready;
pub(crate) use crate::socket::ready::readiness;

/// Waits until one of several sockets or file descriptors is ready.
///
/// It keeps no socket open: if the last handle of a watched socket is dropped, the socket closes. A socket that is closed or whose
/// context is shut down is reported as [`Ready::CLOSED`] until it is removed.
///
/// ```
/// use std::time::Duration;
/// use zeroxide::{Context, Poller, Ready, SocketType};
///
/// let context = Context::new();
/// let tasks = context.socket(SocketType::Pull)?;
/// let news = context.socket(SocketType::Sub)?;
/// tasks.bind("inproc://tasks")?;
/// let source = context.socket(SocketType::Push)?;
/// source.connect("inproc://tasks")?;
///
/// let mut poller = Poller::new();
/// poller.add(&tasks, 1, Ready::IN)?;
/// poller.add(&news, 2, Ready::IN)?;
/// source.send("one task")?;
///
/// let mut events = Vec::new();
/// poller.wait(&mut events, Some(Duration::from_secs(1)))?;
/// assert_eq!(events[0].key, 1);
/// assert_eq!(tasks.try_recv()?[0], "one task");
/// # Ok::<(), zeroxide::Error>(())
/// ```
pub struct Poller {
    items: Vec<Item>,
    wake: Arc<Wake>,
    /// Created when the first descriptor is added.
    files: Option<Files>,
}

/// An item that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PollEvent {
    /// The key that the item was added with.
    pub key: usize,
    /// The wanted events that it is ready for, and [`Ready::ERROR`] or [`Ready::CLOSED`] in any case.
    pub ready: Ready,
}

struct Item {
    key: usize,
    source: Source,
    wanted: Ready,
}

#[derive(Clone)]
enum Source {
    Socket(Weak<SocketBase>),
    #[cfg_attr(not(unix), allow(dead_code))]
    File(Fd),
}

/// An item of one wait. It holds the socket so that it can be looked at.
struct Look {
    key: usize,
    source: Held,
    wanted: Ready,
}

enum Held {
    /// `None` if the socket no longer exists.
    Socket(Option<Arc<SocketBase>>),
    File(Fd),
}

impl Poller {
    /// Creates a poller that watches nothing yet.
    #[must_use]
    pub fn new() -> Poller {
        Poller { items: Vec::new(), wake: Arc::default(), files: None }
    }

    /// Watches a socket for [`Ready::IN`], [`Ready::OUT`] or both. Its events have this `key`. The same socket may be watched
    /// under several keys.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `InvalidInput` if the key is in use (libzmq: `EINVAL`).
    pub fn add(&mut self, socket: &Socket, key: usize, wanted: Ready) -> Result<()> {
        self.push(key, Source::Socket(Arc::downgrade(socket.base())), wanted)
    }

    /// Watches a file descriptor, which must stay open until it is removed. A regular file is always ready, as in poll(2). A
    /// descriptor that was closed is reported as [`Ready::ERROR`].
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `InvalidInput` if the key is in use, or with the system's error if the poller gets no descriptor
    /// of its own.
    #[cfg(unix)]
    pub fn add_fd(&mut self, fd: &impl AsRawFd, key: usize, wanted: Ready) -> Result<()> {
        let fd = fd.as_raw_fd();
        if self.files.is_none() {
            self.files = Some(Files::new().map_err(Error::Io)?);
        }
        self.push(key, Source::File(fd), wanted)?;
        self.rewatch(&Source::File(fd));
        Ok(())
    }

    /// Returns an error: file descriptors cannot be watched on this platform.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `Unsupported`.
    #[cfg(windows)]
    pub fn add_fd(&mut self, _fd: &impl AsRawSocket, _key: usize, _wanted: Ready) -> Result<()> {
        Err(Error::Io(io::ErrorKind::Unsupported.into()))
    }

    /// Changes the events that the item with this key is watched for. [`Ready::NONE`] suspends it.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `InvalidInput` when there is none.
    pub fn modify(&mut self, key: usize, wanted: Ready) -> Result<()> {
        let item = self.items.iter_mut().find(|item| item.key == key).ok_or_else(|| no_such_key(key))?;
        item.wanted = wanted;
        let source = item.source.clone();
        self.rewatch(&source);
        Ok(())
    }

    /// Removes the item with this key.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with `InvalidInput` when there is none.
    pub fn remove(&mut self, key: usize) -> Result<()> {
        let at = self.items.iter().position(|item| item.key == key).ok_or_else(|| no_such_key(key))?;
        let item = self.items.remove(at);
        self.rewatch(&item.source);
        Ok(())
    }

    /// Waits until at least one item is ready, and fills `events` with all ready items, in the order in which they were added.
    /// Returns their number: 0 if `limit` has passed or [`PollWaker::wake`] was called. Without a limit it waits for ever; with a
    /// limit of zero it does not wait.
    ///
    /// # Errors
    /// Returns [`Error::Forked`], or [`Error::Io`] if descriptors are watched and the system fails.
    pub fn wait(&mut self, events: &mut Vec<PollEvent>, limit: Option<Duration>) -> Result<usize> {
        let looks: Vec<Look> = self.items.iter().map(Item::hold).collect();
        let (files, wake) = (&mut self.files, &*self.wake);
        wait_for(&looks, files.as_mut(), wake, limit, false, |found| fill(events, found))
    }

    /// Returns a handle with which any thread can end a wait of this poller.
    #[must_use]
    pub fn waker(&self) -> PollWaker {
        PollWaker(Arc::clone(&self.wake))
    }

    fn has_descriptors(&self) -> bool {
        self.items.iter().any(|item| matches!(item.source, Source::File(_)))
    }

    fn push(&mut self, key: usize, source: Source, wanted: Ready) -> Result<()> {
        if self.items.iter().any(|item| item.key == key) {
            let text = format!("key {key} is in use in this poller");
            return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidInput, text)));
        }
        self.items.push(Item { key, source, wanted });
        Ok(())
    }

    /// Watches a descriptor for what all its items want together.
    fn rewatch(&mut self, source: &Source) {
        let (Source::File(fd), Some(files)) = (source, &mut self.files) else { return };
        let same = |item: &&Item| matches!(item.source, Source::File(other) if other == *fd);
        let wanted = self.items.iter().filter(same).fold(Ready::NONE, |sum, item| sum | item.wanted);
        files.watch(*fd, wanted);
    }
}

impl Default for Poller {
    fn default() -> Poller {
        Poller::new()
    }
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").field("items", &self.items.len()).finish_non_exhaustive()
    }
}

/// Ends a wait of a [`Poller`] from any thread.
#[derive(Clone)]
pub struct PollWaker(Arc<Wake>);

impl PollWaker {
    /// Ends the present wait. If there is none, the next wait ends at once.
    pub fn wake(&self) {
        self.0.asked.store(true, Ordering::SeqCst);
        self.0.signal.notify_all();
    }
}

impl fmt::Debug for PollWaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PollWaker").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Wake {
    asked: AtomicBool,
    signal: Signal,
}

impl Wake {
    /// Returns whether the present wait is to end.
    fn is_asked(&self) -> bool {
        self.asked.swap(false, Ordering::SeqCst)
    }
}

/// One item for [`poll`].
#[derive(Debug)]
pub struct PollItem<'a> {
    source: Polled<'a>,
    wanted: Ready,
    found: Ready,
}

#[derive(Debug)]
enum Polled<'a> {
    Socket(&'a Socket),
    #[cfg_attr(not(unix), allow(dead_code))]
    File(Fd),
}

impl<'a> PollItem<'a> {
    /// Creates an item of a socket and the wanted events.
    #[must_use]
    pub fn new(socket: &'a Socket, wanted: Ready) -> PollItem<'a> {
        PollItem { source: Polled::Socket(socket), wanted, found: Ready::NONE }
    }

    /// Creates an item of a file descriptor and the wanted events.
    #[cfg(unix)]
    #[must_use]
    pub fn fd(fd: &'a impl AsRawFd, wanted: Ready) -> PollItem<'a> {
        PollItem { source: Polled::File(fd.as_raw_fd()), wanted, found: Ready::NONE }
    }

    /// Returns the wanted events that the last [`poll`] has found, and [`Ready::ERROR`] or [`Ready::CLOSED`] in any case.
    #[must_use]
    pub fn ready(&self) -> Ready {
        self.found
    }
}

/// Waits until at least one item is ready, and returns how many are ready: 0 if `limit` has passed. Without items it sleeps. For
/// repeated waits on the same items, a [`Poller`] costs less. (libzmq `zmq_poll`.)
///
/// ```
/// use std::time::Duration;
/// use zeroxide::{Context, PollItem, Ready, SocketType, poll};
///
/// let context = Context::new();
/// let (left, right) = (context.socket(SocketType::Pair)?, context.socket(SocketType::Pair)?);
/// left.bind("inproc://pair")?;
/// right.connect("inproc://pair")?;
/// left.send("hello")?;
///
/// let mut items = [PollItem::new(&left, Ready::IN), PollItem::new(&right, Ready::IN)];
/// assert_eq!(poll(&mut items, Some(Duration::from_secs(1)))?, 1);
/// assert!(items[1].ready().is_in());
/// # Ok::<(), zeroxide::Error>(())
/// ```
///
/// # Errors
/// Returns the errors of [`Poller::wait`].
pub fn poll(items: &mut [PollItem<'_>], limit: Option<Duration>) -> Result<usize> {
    poll_interruptible(items, limit, false)
}

/// Does the same as [`poll`]. If `interruptible`, a signal of the system that arrives while it sleeps ends it.
pub(crate) fn poll_interruptible(
    items: &mut [PollItem<'_>],
    limit: Option<Duration>,
    signals: bool,
) -> Result<usize> {
    let mut files = None;
    let mut looks = Vec::with_capacity(items.len());
    for (key, item) in items.iter().enumerate() {
        let source = match &item.source {
            Polled::Socket(socket) => Held::Socket(Some(Arc::clone(socket.base()))),
            Polled::File(fd) => {
                if files.is_none() {
                    files = Some(Files::new().map_err(Error::Io)?);
                }
                if let Some(files) = &mut files {
                    files.watch_also(*fd, item.wanted);
                }
                Held::File(*fd)
            }
        };
        looks.push(Look { key, source, wanted: item.wanted });
    }
    wait_for(&looks, files.as_mut(), &Wake::default(), limit, signals, |found| {
        found.map(|(look, ready)| items[look.key].found = ready).count();
        items.iter().filter(|item| !item.found.is_none()).count()
    })
}

impl Item {
    fn hold(&self) -> Look {
        let source = match &self.source {
            Source::Socket(base) => Held::Socket(base.upgrade()),
            Source::File(fd) => Held::File(*fd),
        };
        Look { key: self.key, source, wanted: self.wanted }
    }
}

impl Look {
    /// Returns the events that the item is ready for now. Descriptors have been looked at before, all together.
    fn look(&self, files: Option<&Files>) -> Ready {
        match &self.source {
            Held::Socket(Some(base)) => readiness(base, self.wanted).unwrap_or(Ready::CLOSED),
            Held::Socket(None) => Ready::CLOSED,
            Held::File(fd) => files.map_or(Ready::NONE, |files| files.found(*fd, self.wanted)),
        }
    }

    fn base(&self) -> Option<&Arc<SocketBase>> {
        if let Held::Socket(base) = &self.source { base.as_ref() } else { None }
    }
}

/// The result of a look, item by item.
type Found<'a> = dyn Iterator<Item = (&'a Look, Ready)> + 'a;

/// Replaces the events by those that a look has found. Returns how many they are.
fn fill(events: &mut Vec<PollEvent>, found: &mut Found<'_>) -> usize {
    events.clear();
    let ready = found.filter(|(_, ready)| !ready.is_none());
    events.extend(ready.map(|(look, ready)| PollEvent { key: look.key, ready }));
    events.len()
}

/// Looks at the items until at least one is ready or `limit` has passed. `tell` gets the result of each look, and returns how many
/// items are ready.
fn wait_for(
    looks: &[Look],
    files: Option<&mut Files>,
    wake: &Wake,
    limit: Option<Duration>,
    interruptible: bool,
    mut tell: impl FnMut(&mut Found<'_>) -> usize,
) -> Result<usize> {
    let deadline = limit.and_then(|limit| clock::now().checked_add(limit));
    let mut look = |files: Option<&mut Files>| -> Option<Result<usize>> {
        let files = match files {
            None => None,
            // Descriptors first, because their poll takes wakes that are meant for this look.
            Some(files) => match files.look() {
                Ok(()) => Some(&*files),
                Err(error) => return Some(Err(Error::Io(error))),
            },
        };
        let count = tell(&mut looks.iter().map(|item| (item, item.look(files))));
        (count > 0 || wake.is_asked()).then_some(Ok(count))
    };
    let mut files = files;
    if let Some(found) = look(files.as_deref_mut()) {
        return found;
    }
    let bases = || looks.iter().filter_map(Look::base);
    if limit == Some(Duration::ZERO) || bases().any(|base| base.context.is_own_thread()) {
        return Ok(0);
    }
    bases().try_for_each(|base| base.context.check_process())?;
    let wants_input = |item: &&Look| item.wanted.is_in();
    let readers = || looks.iter().filter(wants_input).filter_map(Look::base);
    if let Some(found) = lead(readers(), deadline, || look(files.as_deref_mut())) {
        return found;
    }
    let signals: Vec<&Signal> =
        bases().map(|base| &base.watch).chain(std::iter::once(&wake.signal)).collect();
    let found = match files {
        None => {
            // Without a socket there is no context that keeps a place to sleep.
            let own = Parkers::default();
            let parkers = bases().next().map_or(&own, |base| &base.context.parkers);
            wait_interruptible(interruptible.then_some(parkers), &signals, deadline, || look(None))
        }
        Some(files) => wait_with(files, &signals, deadline, |files| match look(Some(files)) {
            Some(found) => Some(Ok(found)),
            None => (files.take_interrupted() && interruptible).then_some(Err(Error::Interrupted)),
        }),
    };
    if matches!(&found, Some(Ok(Ok(1..)))) {
        note_awake(readers());
    }
    found.unwrap_or(Ok(Ok(0)))?
}

fn no_such_key(key: usize) -> Error {
    Error::Io(io::Error::new(io::ErrorKind::InvalidInput, format!("no item of this poller has key {key}")))
}
