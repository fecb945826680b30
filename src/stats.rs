//! Counters: what became of every message, and what moving them cost.
//!
//! For every pipe, and summed over a socket's pipes, to the message: **routed = written + dropped + queued** of what it
//! sends, and **received = delivered + dropped + waiting** of what it receives.

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
    /// Calls of `send` that gave the message back because nobody could take it, and of `request` that took it back
    /// because nobody had: such a request counts nowhere else.
    pub refused: u64,
    /// Messages taken for which nobody had subscribed (PUB, XPUB).
    pub unmatched: u64,
    /// Messages that entered a pipe or were dropped at its high-water mark; one accepted message counts for each
    /// peer it goes to.
    pub routed: u64,
    /// Of these: messages whose last byte the kernel took, or that an inproc queue took.
    pub written: u64,
    /// Of these: messages still on their way.
    pub queued: u64,
    /// Bytes that peers sent and nobody has received, as RCVHWM_BYTES_TOTAL counts them.
    pub waiting_bytes: u64,
    /// Messages that were to be sent and were dropped, by cause.
    pub dropped: Dropped,
    /// What came from peers.
    pub received: Received,
    /// The same for each pipe there is now.
    pub pipes: Vec<PipeStats>,
    /// What it cost.
    pub io: IoStats,
}

impl SocketStats {
    /// Adds a pipe that is not the socket's any more; `goes_on`: what it still holds may be written.
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
/// A message of several frames counts once. What the library itself makes for the application (an XPUB's reports of
/// subscriptions, a STREAM's notes of connections) does not count; a notice in a peer's place (ROUTER_NOTIFY, HICCUP_MSG,
/// DISCONNECT_MSG) does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Received {
    /// Messages that came.
    pub messages: u64,
    /// The bytes of their frames, without those of messages that came over inproc: there each message would have to be
    /// measured.
    pub bytes: u64,
    /// Of these: messages that the application has received.
    pub delivered: u64,
    /// Of these: messages that wait to be received.
    pub waiting: u64,
    /// Of these: messages that were dropped: replaced by newer ones (CONFLATE), unwanted by the socket's rules, or unread
    /// when this side ended the connection.
    pub dropped: Dropped,
    /// When the last message came over a connection. It is noted once for all messages that are read together. Over inproc
    /// the clock is not read, and this is `None`.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub last: Option<Instant>,
}

impl Received {
    /// Returns the counts of a pipe; `rejected` are those that the socket's rules have dropped.
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

    /// Counts one delivered message as one that waits: the pattern holds it.
    pub(crate) fn hold(&mut self) {
        self.delivered = self.delivered.saturating_sub(1);
        self.waiting += 1;
    }

    /// Counts what waits as unread, because nobody can receive it any more.
    pub(crate) fn end(&mut self) {
        self.dropped.0[Cause::Unread as usize] += std::mem::take(&mut self.waiting);
    }
}

/// What became of the messages to and from one peer.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PipeStats {
    /// The peer, once it was connected and unless it is in this context (inproc).
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
    /// The bytes of its messages that wait to be received, as RCVHWM_BYTES counts them. Over inproc the queue is the
    /// sender's, and 0 is told.
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
    /// Messages dropped for `cause`.
    #[must_use]
    pub fn by(&self, cause: Cause) -> u64 {
        self.0[cause as usize]
    }

    /// Messages dropped for any cause, of those that had been routed to a peer: all but those that reached no pipe.
    #[must_use]
    pub fn routed(&self) -> u64 {
        ROUTED.iter().map(|cause| self.by(*cause)).sum()
    }

    /// Messages dropped for any cause.
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

/// The causes that a routed message can be dropped for; the others concern messages that no pipe took.
const ROUTED: [Cause; 4] = [Cause::Hwm, Cause::PeerLost, Cause::Linger, Cause::Conflated];

/// Returns whether a drop for `cause` is of a message that had been routed to a peer.
pub(crate) fn is_routed(cause: Cause) -> bool {
    ROUTED.contains(&cause)
}

/// Declares the counters once: as a public snapshot, and those that no lock guards as live cells.
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
        /// `sendmsg` calls.
        writes,
        /// `recv` calls.
        reads,
        /// Calls of `send` and `recv` that had to sleep.
        waits,
        /// Waiting threads and tasks that were woken.
        wakes,
        /// Times that open messages were left to the I/O thread.
        deferrals,
        /// Times that an engine was busy when somebody wanted it.
        engine_busy,
        /// Times that an engine was wanted again while it was driven.
        engine_again,
        /// Bytes that the kernel took.
        bytes_written,
        /// Of these: bytes of bodies that were given to the kernel where they stood, without a copy.
        bytes_referenced,
        /// Bytes that the kernel gave; each body among them was copied once.
        bytes_read,
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
        /// Peers that were not let in by who decides about them, for whatever reason.
        denied,
        /// Of these: peers about whom there was no decision, because who decides panicked, was gone or overloaded, or
        /// sent what is no answer.
        undecided,
    }
    locked {
        /// Batches flushed at once, because a token was left (`socket/flush`).
        flushes_by_token,
        /// Batches flushed because a full quantum was open.
        flushes_by_quantum,
        /// Batches flushed by the I/O thread, for a deferred socket.
        flushes_by_watch,
        /// Batches flushed because somebody was about to wait or to refuse, or because a connection was made.
        flushes_by_wait,
        /// Subscriptions and their ends that an XPUB was not told of, because it had left too many unread (docs/LIMITS.md).
        reports_dropped,
    }
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    /// A decision about a peer came, with the reason if it may not come in.
    pub(crate) fn count_denial(&self, denial: Option<&Denial>) {
        let Some(denial) = denial else { return };
        Counters::add(&self.denied, 1);
        Counters::add(&self.undecided, u64::from(!matches!(denial, Denial::Said { .. })));
    }
}

impl IoStats {
    /// Bytes copied between messages and system calls, framing included.
    #[must_use]
    pub fn bytes_copied(&self) -> u64 {
        self.bytes_written.saturating_sub(self.bytes_referenced) + self.bytes_read
    }
}

/// Says "why is nothing happening?": print it. From [`Socket::status`](crate::Socket::status).
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
    /// How many subscribers are connected (PUB, XPUB).
    pub subscribers: Option<usize>,
    /// Its own subscriptions (SUB, XSUB).
    pub subscriptions: Option<usize>,
    /// The first of these: at most [`Status::TOPICS`].
    pub topics: Vec<Bytes>,
    /// Whose turn it is: what the application must do next (REQ, REP).
    pub turn: Option<Turn>,
    /// The last connection with a peer that was lost, and was not ended by this side.
    pub last_loss: Option<Loss>,
    /// How many connections were turned away, and why.
    pub turned_away: TurnedAway,
    /// Calls that wait in `send` now.
    pub senders_waiting: usize,
    /// How long the first of them has waited.
    pub longest_wait: Option<Duration>,
    /// Calls that wait in `recv` now.
    pub receivers_waiting: usize,
    /// Of the messages that nobody had subscribed to: those sent before there was any subscription (PUB, XPUB).
    pub before_subscriptions: u64,
    /// The counters.
    pub stats: SocketStats,
}

/// One line: what it is and where it is bound, then how its connects fare, its peers, and what waits or was lost.
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

    /// Subscriptions and peers; a connect that tells of itself needs no "0 peers".
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
