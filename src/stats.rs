//! Counters: what became of every message, and what moving them cost.
//!
//! Two equations hold exactly, for each pipe and for the sum of a socket's pipes. For messages to send: **routed = written +
//! dropped + queued**, where dropped is [`Dropped::routed`]. For messages from peers: **messages = delivered + dropped +
//! waiting**.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use zeroxide_patterns::Cause;
use zeroxide_transports::pipe::{Arrivals, Tally};
use zeroxide_zmtp::{Peer, SocketType};

use crate::endpoints::EndpointStatus;
use crate::error::{Denial, ErrorKind, Turn};
use crate::history::{Loss, TurnedAway};

/// What became of a socket's messages, from [`Socket::stats`](crate::Socket::stats).
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SocketStats {
    /// Messages that `send` took.
    pub accepted: u64,
    /// Calls of `send` that returned the message because no peer could take it. Also calls of `request` that took the request
    /// back before it was written to a peer; such a request counts nowhere else.
    pub refused: u64,
    /// Accepted messages for which no peer had a subscription (PUB, XPUB) or was in the group (RADIO).
    pub unmatched: u64,
    /// Messages that entered a pipe or were dropped at its high-water mark. An accepted message counts once for each peer that
    /// it goes to.
    pub routed: u64,
    /// Of these: messages whose last byte the kernel took, or that an inproc queue took.
    pub written: u64,
    /// Of these: messages still on their way.
    pub queued: u64,
    /// Bytes that peers sent and nobody has received, as RCVHWM_BYTES_TOTAL counts them.
    pub waiting_bytes: u64,
    /// Messages to send that were dropped, by cause. [`Dropped::routed`] returns how many of them were routed.
    pub dropped: Dropped,
    /// What came from peers.
    pub received: Received,
    /// The counts of each pipe that exists now.
    pub pipes: Vec<PipeStats>,
    /// What moving the messages has cost.
    pub io: IoStats,
}

impl SocketStats {
    /// Adds the counts of a pipe that the socket has given up. If `goes_on`, its queued messages may still be written;
    /// otherwise they count as dropped (LINGER).
    pub(crate) fn add(&mut self, tally: Tally, goes_on: bool) {
        let mut dropped = |cause: Cause, n: u64| self.dropped.0[cause as usize] += n;
        dropped(Cause::PeerLost, tally.lost);
        dropped(Cause::Conflated, tally.conflated);
        dropped(Cause::Linger, if goes_on { 0 } else { tally.queued() });
        self.routed += tally.routed;
        self.written += tally.written;
        self.queued += if goes_on { tally.queued() } else { 0 };
    }
}

/// What became of the messages that peers sent: **messages = delivered + dropped + waiting**.
///
/// A message of several frames counts once. Messages that the library makes for the application do not count: an XPUB's reports
/// of subscriptions, a STREAM's notes of connections. Notices that it delivers as if the peer had sent them do count
/// (ROUTER_NOTIFY, HICCUP_MSG, DISCONNECT_MSG).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Received {
    /// Messages that came.
    pub messages: u64,
    /// The bytes of their frames. Messages over inproc are not included: to measure each of them would cost too much.
    pub bytes: u64,
    /// Of these: messages that the application has received.
    pub delivered: u64,
    /// Of these: messages that wait to be received.
    pub waiting: u64,
    /// Of these: messages that were dropped. A newer message replaced them (CONFLATE), the socket's rules do not want them, or
    /// they were unread when this side ended the connection.
    pub dropped: Dropped,
    /// When the last message came over a connection. It is noted once for all messages that are read together. Over inproc
    /// the clock is not read, and this is `None`.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub last: Option<Instant>,
}

impl Received {
    /// Returns the counts of a pipe. `rejected` is the number of messages that the socket's rules have dropped.
    pub(crate) fn new(arrivals: Arrivals, rejected: u64) -> Received {
        let Arrivals { messages, bytes, taken, conflated, unread, waiting, last } = arrivals;
        let mut dropped = Dropped::default();
        let counts = [(Cause::Conflated, conflated), (Cause::Unwanted, rejected), (Cause::Unread, unread)];
        counts.iter().for_each(|(cause, n)| dropped.0[*cause as usize] = *n);
        Received { messages, bytes, delivered: taken.saturating_sub(rejected), waiting, dropped, last }
    }

    /// Adds the counts of another pipe.
    pub(crate) fn add(&mut self, other: &Received) {
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.delivered += other.delivered;
        self.waiting += other.waiting;
        self.dropped.add(other.dropped);
        self.last = self.last.max(other.last);
    }

    /// Counts one delivered message as waiting, because the pattern still holds it.
    pub(crate) fn hold(&mut self) {
        self.delivered = self.delivered.saturating_sub(1);
        self.waiting += 1;
    }

    /// Counts the waiting messages as unread, because nobody can receive them any more.
    pub(crate) fn end(&mut self) {
        self.dropped.0[Cause::Unread as usize] += std::mem::take(&mut self.waiting);
    }
}

/// What became of the messages to and from one peer.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PipeStats {
    /// The peer; `None` before its first connection, and over inproc.
    #[cfg_attr(feature = "serde", serde(serialize_with = "peer_as_text"))]
    pub peer: Option<Arc<Peer>>,
    /// Messages for it.
    pub routed: u64,
    /// Messages written to it.
    pub written: u64,
    /// Messages on their way to it.
    pub queued: u64,
    /// Messages for it that were dropped, by cause.
    pub dropped: Dropped,
    /// What came from it.
    pub received: Received,
    /// The bytes of its messages that wait to be received, as RCVHWM_BYTES counts them. Over inproc this is 0, because the
    /// queue belongs to the sender.
    pub waiting_bytes: u64,
}

/// How many causes a message can be dropped for.
const CAUSES: usize = Cause::ALL.len();

/// Drops by [`Cause`].
pub(crate) type Drops = [u64; CAUSES];

/// Dropped messages by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped(pub(crate) Drops);

impl Dropped {
    /// Returns how many messages were dropped for `cause`.
    #[must_use]
    pub fn by(&self, cause: Cause) -> u64 {
        self.0[cause as usize]
    }

    /// Returns how many messages were dropped after they had been routed to a peer, for any cause. Messages that reached no pipe
    /// do not count.
    #[must_use]
    pub fn routed(&self) -> u64 {
        ROUTED.iter().map(|cause| self.by(*cause)).sum()
    }

    /// Returns how many messages were dropped for any cause.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(crate) fn add(&mut self, other: Dropped) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum += n);
    }
}

/// `3: 2 hwm, 1 peer lost`; `0` for none.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.total())?;
        let told = Cause::ALL.into_iter().filter(|cause| self.by(*cause) > 0);
        told.enumerate().try_for_each(|(at, cause)| {
            write!(f, "{} {} {cause}", if at == 0 { ":" } else { "," }, self.by(cause))
        })
    }
}

/// Each count with its label.
impl fmt::Display for SocketStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketStats { accepted, refused, unmatched, routed, written, queued, dropped, received, .. } =
            self;
        write!(f, "sent: accepted {accepted}, refused {refused}, unmatched {unmatched}, routed {routed}, ")?;
        write!(f, "written {written}, queued {queued}, dropped {dropped}; {received}")
    }
}

/// Each count with its label.
impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Received { messages, bytes, delivered, waiting, dropped, .. } = self;
        write!(
            f,
            "received: {messages} ({bytes} bytes), delivered {delivered}, waiting {waiting}, dropped {dropped}"
        )
    }
}

/// A map from the label of each cause to its count.
#[cfg(feature = "serde")]
impl serde::Serialize for Dropped {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(Cause::ALL.into_iter().map(|cause| (cause.name(), self.by(cause))))
    }
}

#[cfg(feature = "serde")]
fn peer_as_text<S: serde::Serializer>(peer: &Option<Arc<Peer>>, serializer: S) -> Result<S::Ok, S::Error> {
    match peer {
        Some(peer) => serializer.collect_str(peer),
        None => serializer.serialize_none(),
    }
}

/// The causes for which a routed message can be dropped. The others are of messages that no pipe took, and of received
/// messages.
const ROUTED: [Cause; 4] = [Cause::Hwm, Cause::PeerLost, Cause::Linger, Cause::Conflated];

/// Returns whether a drop for `cause` is of a message that had been routed to a peer.
pub(crate) fn is_routed(cause: Cause) -> bool {
    ROUTED.contains(&cause)
}

/// Declares each counter once. All are fields of the public snapshot. Those in `cells` are also atomic cells; those in `locked`
/// are counted under the socket's lock, elsewhere.
macro_rules! counters {
    (cells {$($(#[doc = $doc:literal])+ $name:ident,)+} locked {$($(#[doc = $locked_doc:literal])+ $locked:ident,)+}) => {
        /// What moving the messages cost, since the socket was made: system calls, wakes, flushes, bytes.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize))]
        #[non_exhaustive]
        pub struct IoStats {
            $($(#[doc = $doc])+ pub $name: u64,)+
            $($(#[doc = $locked_doc])+ pub $locked: u64,)+
        }

        /// The live counters behind [`IoStats`].
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counters {
            pub(crate) fn snapshot(&self) -> IoStats {
                IoStats { $($name: self.$name.load(Ordering::Relaxed),)+ ..IoStats::default() }
            }
        }
    };
}

counters! {
    cells {
        /// `sendmsg` system calls.
        writes,
        /// `recv` system calls.
        reads,
        /// Waits for input in which the thread first read the connections itself (`ContextOptions::spin`).
        leads,
        /// `recv` system calls during leads that found nothing. They do not count in `reads`.
        polls,
        /// Calls of `send` and `recv` that had to wait, as a thread or as a task. A `recv` that gets its message while
        /// it leads does not count.
        waits,
        /// Waiting threads and tasks that were woken.
        wakes,
        /// Times that a sender left its open batches to the I/O thread.
        deferrals,
        /// Drives that did nothing, because another thread was driving the engine and does the work.
        engine_busy,
        /// Additional rounds of a drive, because another thread had found the engine busy.
        engine_again,
        /// Bytes that the kernel took.
        bytes_written,
        /// The part of `bytes_written` that the kernel took directly from the messages of large bodies, without a copy.
        bytes_referenced,
        /// Bytes that were read from the kernel. A body is copied into its message once, except the part of a large one that
        /// is read into the message directly.
        bytes_read,
        /// The part of `bytes_read` that was read directly into the messages of large bodies, without a copy.
        bytes_direct,
        /// Times that the memory of a body grew while it was received.
        growths,
        /// Connections that ended because there was no memory for what their peer sent.
        out_of_memory,
        /// Connections that ended because their peer sent a frame or a message beyond a limit (MAXMSGSIZE, MAX_MULTIPART,
        /// MAX_FRAMES). What it sent counts nowhere else.
        too_large,
        /// Connections that an accept filter closed at once (TCP_ACCEPT_FILTER, IPC_FILTER_UID, _GID, _PID).
        filtered,
        /// Notices of peers that come and go (ROUTER_NOTIFY, HICCUP_MSG, DISCONNECT_MSG) that were dropped, because too many peers
        /// had left something to be received (docs/LIMITS.md).
        notices_dropped,
        /// Peers that the authenticator or the ZAP handler has denied, or has not decided about.
        denied,
        /// Of these: peers without a decision. The authenticator or the ZAP handler panicked, was missing or overloaded, or sent
        /// an invalid reply.
        undecided,
    }
    locked {
        /// Batches flushed at once, because a token was left (`socket/flush`).
        flushes_by_token,
        /// Batches flushed because a full quantum was open.
        flushes_by_quantum,
        /// Batches flushed by the I/O thread, for a deferred socket.
        flushes_by_watch,
        /// Batches flushed because a call was about to wait or to refuse, or because a connection was made.
        flushes_by_wait,
        /// Reports of subscriptions and their ends that an XPUB dropped, because the application had left too many reports unread
        /// (docs/LIMITS.md).
        reports_dropped,
    }
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// Counts the decision about a peer. `denial` is the reason if the peer is denied.
    pub(crate) fn count_denial(&self, denial: Option<&Denial>) {
        let Some(denial) = denial else { return };
        Counters::add(&self.denied, 1);
        Counters::add(&self.undecided, u64::from(!matches!(denial, Denial::Said { .. })));
    }
}

impl IoStats {
    /// Returns how many bytes were copied between messages and system calls, at most. Framing is included, and so are the parts
    /// of large bodies that were read into their message directly.
    #[must_use]
    pub fn bytes_copied(&self) -> u64 {
        self.bytes_written.saturating_sub(self.bytes_referenced) + self.bytes_read
    }
}

/// A report that shows why nothing happens: print it. [`Socket::status`](crate::Socket::status) returns it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The socket's type.
    pub socket: SocketType,
    /// Its routing id, as text; empty for none.
    pub name: String,
    /// Why it can no longer be used: it is closed, or its context has ended.
    pub end: Option<ErrorKind>,
    /// Its endpoints.
    pub endpoints: Vec<EndpointStatus>,
    /// How many peers are connected, inproc included.
    pub peers: usize,
    /// How many peers are connected, whether they have subscribed or not (PUB, XPUB, RADIO).
    pub subscribers: Option<usize>,
    /// How many subscriptions it has (SUB, XSUB), or groups (DISH).
    pub subscriptions: Option<usize>,
    /// The first of these: at most [`Status::TOPICS`].
    pub topics: Vec<Bytes>,
    /// What the application must do next (REQ, REP).
    pub turn: Option<Turn>,
    /// The last connection with a peer that ended and that this side did not end.
    pub last_loss: Option<Loss>,
    /// How many connections were turned away, and why.
    pub turned_away: TurnedAway,
    /// Calls that wait in `send` now.
    pub senders_waiting: usize,
    /// How long the first of them has waited.
    pub longest_wait: Option<Duration>,
    /// Calls that wait in `recv` now.
    pub receivers_waiting: usize,
    /// How many of the unmatched messages were sent before the first subscription (PUB, XPUB, RADIO).
    pub before_subscriptions: u64,
    /// The counters.
    pub stats: SocketStats,
}

/// Writes one line: the type and the bound endpoints, the state of each connect, the peers, what waits, and what was lost.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.socket)?;
        if !self.name.is_empty() {
            write!(f, " {}", self.name)?;
        }
        let (bound, connecting): (Vec<_>, Vec<_>) = self.endpoints.iter().partition(|row| row.bound);
        bound
            .iter()
            .enumerate()
            .try_for_each(|(n, row)| write!(f, "{} {}", if n == 0 { "" } else { "," }, row.endpoint))?;
        let mut facts: Vec<String> = self.end.iter().map(|end| ended(*end).to_owned()).collect();
        facts.extend(connecting.iter().map(ToString::to_string));
        if self.endpoints.is_empty() && self.end.is_none() {
            facts.push("neither bound nor connected".to_owned());
        }
        facts.extend(self.who(!bound.is_empty()));
        facts.extend(self.waits());
        facts.extend(self.losses());
        write!(f, ": {}", facts.join("; "))
    }
}

impl Status {
    /// The most topics in [`Status::topics`].
    pub const TOPICS: usize = 5;

    /// Returns the numbers of subscriptions and peers. A socket that is not bound shows no "0 peers": its connects show their
    /// state.
    fn who(&self, is_bound: bool) -> Vec<String> {
        let peers = (is_bound || self.peers > 0).then(|| counted(self.peers, "peer"));
        let subscribers = self.subscribers.map(|n| counted(n, "subscriber"));
        let subscriptions = self.subscriptions.map(|n| counted(n, "subscription") + &self.first_topics(n));
        match subscribers {
            Some(subscribers) => vec![subscribers],
            None => subscriptions.into_iter().chain(peers).collect(),
        }
    }

    /// ` ("a", "b", …)`.
    fn first_topics(&self, of: usize) -> String {
        let mut shown: Vec<String> =
            self.topics.iter().map(|topic| format!("\"{}\"", topic.escape_ascii())).collect();
        if of > shown.len() {
            shown.push("…".to_owned());
        }
        if of == 0 { String::new() } else { format!(" ({})", shown.join(", ")) }
    }

    fn waits(&self) -> Vec<String> {
        let (mut facts, queued) = (Vec::new(), self.stats.queued);
        match (self.turn, self.socket.expects_reply_envelope()) {
            (Some(Turn::Recv), true) => facts.push("awaits a reply".to_owned()),
            (Some(Turn::Send), false) => facts.push("owes a reply".to_owned()),
            _ => {}
        }
        if self.senders_waiting > 0 {
            let since = self.longest_wait.unwrap_or_default().as_secs_f64();
            let why = if self.peers == 0 { "no peer" } else { "peers full" };
            facts.push(format!("{} waiting {since:.1} s ({why})", counted(self.senders_waiting, "sender")));
        }
        if self.receivers_waiting > 0 {
            facts.push(format!("{} waiting", counted(self.receivers_waiting, "receiver")));
        }
        if queued > 0 || self.senders_waiting > 0 {
            facts.push(format!("queued {queued}"));
        }
        facts
    }

    fn losses(&self) -> Vec<String> {
        let mut facts = Vec::new();
        let (unmatched, dropped) = (self.stats.unmatched, self.stats.dropped.total());
        if unmatched > 0 {
            let when = if self.before_subscriptions == unmatched {
                "before the first subscription"
            } else {
                "without a matching subscription"
            };
            facts.push(format!("{unmatched} sent {when} (unmatched); see wait_for_subscribers"));
        }
        if dropped > 0 {
            facts.push(format!("dropped {dropped}"));
        }
        let ignored = self.stats.received.dropped.total();
        if ignored > 0 {
            facts.push(format!("dropped {ignored} of those received"));
        }
        if self.turned_away.total() > 0 {
            facts.push(self.turned_away.to_string());
        }
        facts.extend(self.last_loss.iter().map(ToString::to_string));
        facts
    }
}

fn ended(end: ErrorKind) -> &'static str {
    match end {
        ErrorKind::Terminated => "its context is shut down",
        ErrorKind::Forked => "belongs to the parent of this process",
        _ => "closed",
    }
}

/// `1 peer`, `2 peers`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
