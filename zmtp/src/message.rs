//! Messages and frames: what an application sends and receives.
//!
//! A [`Message`] is one or more [`Frame`]s that travel together (RFC 23, "message"). A message of one frame allocates
//! nothing of its own, and a frame of up to [`INLINE`] bytes is stored in place. So the common small message is one
//! flat value, which moves through every queue without the heap.

mod frame;

use std::collections::VecDeque;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;

pub use self::frame::{Frame, INLINE};
use crate::Peer;
use crate::error::ProtocolError;

/// One or more frames that travel together: either all of them arrive, in order, or none.
///
/// ```
/// # extern crate zeroxide_zmtp as zeroxide;
/// use zeroxide::{Frame, Message};
/// let message = Message::from(("topic", "body"));
/// assert_eq!(message.len(), 2);
/// let [topic, body]: [Frame; 2] = message.try_into().unwrap();
/// assert_eq!((topic, body), ("topic".into(), "body".into()));
/// ```
#[derive(Clone, Default)]
pub struct Message {
    frames: Frames,
    about: About,
}

#[derive(Clone)]
enum Frames {
    One(Frame),
    Many(VecDeque<Frame>),
}

/// The properties of a message beside its frames.
#[derive(Clone, Default)]
enum About {
    #[default]
    Nothing,
    /// A received message, with the peer that sent it.
    From(Arc<Peer>),
    /// The address of a message of the thread-safe draft socket types (RFC 41, RFC 48).
    Draft(Box<Draft>),
}

#[derive(Clone, Default)]
struct Draft {
    peer: Option<Arc<Peer>>,
    routing_id: u32,
    group: Frame,
}

impl Default for Frames {
    fn default() -> Frames {
        Frames::Many(VecDeque::new())
    }
}

impl Message {
    /// Creates a message without frames, to be filled with [`Message::push_back`]. Sockets refuse to send it while it
    /// is empty.
    #[must_use]
    pub fn new() -> Message {
        Message::default()
    }

    /// Returns the number of frames.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.frames {
            Frames::One(_) => 1,
            Frames::Many(frames) => frames.len(),
        }
    }

    /// Returns whether there is no frame at all. (A message of one empty frame is not empty.)
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the sum of the frames' lengths, in bytes.
    #[must_use]
    #[inline]
    pub fn size(&self) -> usize {
        match &self.frames {
            Frames::One(frame) => frame.len(),
            Frames::Many(frames) => frames.iter().map(|frame| frame.len()).sum(),
        }
    }

    /// Adds a frame at the end.
    pub fn push_back(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        match &mut self.frames {
            Frames::Many(frames) if frames.is_empty() => self.frames = Frames::One(frame),
            _ => self.many().push_back(frame),
        }
    }

    /// Adds a frame at the front.
    pub fn push_front(&mut self, frame: impl Into<Frame>) {
        let frame = frame.into();
        match &mut self.frames {
            Frames::Many(frames) if frames.is_empty() => self.frames = Frames::One(frame),
            _ => self.many().push_front(frame),
        }
    }

    /// Reserves room for another frame at the end.
    ///
    /// # Errors
    /// Returns [`ProtocolError::OutOfMemory`] if there is not enough memory.
    pub(crate) fn reserve_frame(&mut self) -> Result<(), ProtocolError> {
        match &mut self.frames {
            Frames::One(_) => Ok(()),
            Frames::Many(frames) => {
                let bytes = frames.len().saturating_add(1).saturating_mul(size_of::<Frame>());
                frames.try_reserve(1).map_err(|_| ProtocolError::OutOfMemory { bytes: bytes as u64 })
            }
        }
    }

    /// Removes the first frame and returns it.
    pub fn pop_front(&mut self) -> Option<Frame> {
        match &mut self.frames {
            Frames::Many(frames) => frames.pop_front(),
            Frames::One(_) => match std::mem::take(&mut self.frames) {
                Frames::One(frame) => Some(frame),
                Frames::Many(_) => None,
            },
        }
    }

    /// Removes the last frame and returns it.
    ///
    /// ```
    /// # extern crate zeroxide_zmtp as zeroxide;
    /// use zeroxide::Message;
    /// let mut reply = Message::from(["job 7", "please"]);
    /// assert_eq!(reply.pop_back().unwrap(), "please");
    /// reply.push_back("done");
    /// assert_eq!(reply.last().unwrap(), "done");
    /// ```
    pub fn pop_back(&mut self) -> Option<Frame> {
        match &mut self.frames {
            Frames::Many(frames) => frames.pop_back(),
            Frames::One(_) => self.pop_front(),
        }
    }

    /// Returns the last frame.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<&Frame> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Returns the first frame.
    #[must_use]
    #[inline]
    pub fn first(&self) -> Option<&Frame> {
        self.get(0)
    }

    /// Returns frame `index`, counted from 0.
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Frame> {
        match &self.frames {
            Frames::One(frame) => (index == 0).then_some(frame),
            Frames::Many(frames) => frames.get(index),
        }
    }

    /// Returns the block of a message of one frame that is stored in place.
    #[inline]
    pub(crate) fn single_block(&self) -> Option<(&[u8; INLINE], u8)> {
        if let Frames::One(frame) = &self.frames { frame.block() } else { None }
    }

    /// Returns the block of a message of one frame that is stored in place, if the message has no other properties.
    #[inline]
    pub(crate) fn plain_block(&self) -> Option<(&[u8; INLINE], u8)> {
        if let About::Nothing = self.about { self.single_block() } else { None }
    }

    /// Returns the frames, first to last.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Frame> + ExactSizeIterator {
        let (one, many) = match &self.frames {
            Frames::One(frame) => (Some(frame), None),
            Frames::Many(frames) => (None, Some(frames)),
        };
        Iter { one, many: many.map(VecDeque::iter).unwrap_or_default() }
    }

    /// Splits the message at the first empty frame. Returns the frames before it (the envelope of RFC 28, without the
    /// delimiter) and the frames after it. Without an empty frame, the envelope is empty and the body is the whole
    /// message.
    #[must_use]
    pub fn split_envelope(self) -> (Message, Message) {
        let Some(at) = self.iter().position(|frame| frame.is_empty()) else {
            return (Message::new(), self);
        };
        let about = self.about.clone();
        let mut frames = self.into_iter();
        let envelope = frames.by_ref().take(at).collect();
        frames.next();
        (envelope, Message { about, ..frames.collect() })
    }

    /// Returns the peer that sent this message, or `None` for a message made here or received over inproc. This is the
    /// peer of the connection on which the message came, even if the endpoint is connected to another peer by now. (For
    /// a subscription that an XPUB reports, it is the newest peer of the pipe.) A message that is received and
    /// forwarded over inproc keeps its peer.
    #[must_use]
    pub fn peer(&self) -> Option<&Arc<Peer>> {
        match &self.about {
            About::Nothing => None,
            About::From(peer) => Some(peer),
            About::Draft(draft) => draft.peer.as_ref(),
        }
    }

    /// Sets the peer that sent this message.
    #[inline]
    pub fn set_peer(&mut self, peer: Option<Arc<Peer>>) {
        match (&mut self.about, peer) {
            (About::Draft(draft), peer) => draft.peer = peer,
            // The common case has an arm of its own, because it has nothing to drop.
            (about @ About::Nothing, Some(peer)) => {
                std::mem::forget(std::mem::replace(about, About::From(peer)))
            }
            (about, Some(peer)) => *about = About::From(peer),
            (about, None) => *about = About::Nothing,
        }
    }

    /// Replaces the message by one frame: the first `len` bytes of `bytes`.
    #[inline]
    pub(crate) fn set_prefix(&mut self, bytes: &[u8], len: usize) {
        *self = Frame::copy_prefix(bytes, len).into();
    }

    /// Returns the only frame of a message of which nothing else is to be sent.
    #[inline]
    pub(crate) fn only_frame(&self) -> Option<&Frame> {
        match (&self.frames, &self.about) {
            (Frames::One(frame), About::Nothing | About::From(_)) => Some(frame),
            _ => None,
        }
    }

    /// Removes the peer that sent this message and returns it.
    pub fn take_peer(&mut self) -> Option<Arc<Peer>> {
        match &mut self.about {
            About::Nothing => None,
            About::From(_) => match std::mem::take(&mut self.about) {
                About::From(peer) => Some(peer),
                About::Nothing | About::Draft(_) => None,
            },
            About::Draft(draft) => draft.peer.take(),
        }
    }

    /// Returns the number of the peer that a message of SERVER or PEER came from or goes to (RFC 41), or 0 for none.
    #[must_use]
    pub fn routing_id(&self) -> u32 {
        if let About::Draft(draft) = &self.about { draft.routing_id } else { 0 }
    }

    /// Returns the message, addressed to peer `routing_id` of a SERVER or PEER.
    #[must_use]
    pub fn with_routing_id(mut self, routing_id: u32) -> Message {
        self.draft().routing_id = routing_id;
        self
    }

    /// Returns the group of a RADIO or DISH message (RFC 48); empty for none.
    #[must_use]
    pub fn group(&self) -> &[u8] {
        if let About::Draft(draft) = &self.about { &draft.group } else { &[] }
    }

    /// Returns the message in `group`, for a RADIO to send. A group has at most 255 bytes, none of them zero.
    ///
    /// ```
    /// # extern crate zeroxide_zmtp as zeroxide;
    /// use zeroxide::Message;
    /// let message = Message::from("12 degrees").with_group("weather");
    /// assert_eq!((message.group(), &message[0][..]), (&b"weather"[..], &b"12 degrees"[..]));
    /// ```
    #[must_use]
    pub fn with_group(mut self, group: impl Into<Frame>) -> Message {
        self.draft().group = group.into();
        self
    }

    /// Removes the group and returns it.
    pub(crate) fn take_group(&mut self) -> Frame {
        if let About::Draft(draft) = &mut self.about {
            std::mem::take(&mut draft.group)
        } else {
            Frame::new()
        }
    }

    /// Makes every frame cheap to clone ([`Frame::share`]), for a message that goes to several peers.
    pub fn share(&mut self) {
        match &mut self.frames {
            Frames::One(frame) => frame.share(),
            Frames::Many(frames) => frames.iter_mut().for_each(Frame::share),
        }
    }

    fn many(&mut self) -> &mut VecDeque<Frame> {
        if let Frames::One(_) = self.frames {
            if let Frames::One(frame) = std::mem::take(&mut self.frames) {
                // This is room for an envelope and a body, so that most messages allocate once.
                let mut frames = VecDeque::with_capacity(4);
                frames.push_back(frame);
                self.frames = Frames::Many(frames);
            }
        }
        match &mut self.frames {
            Frames::Many(frames) => frames,
            #[expect(clippy::unreachable, reason = "the lines before have put the other variant there")]
            Frames::One(_) => unreachable!("just replaced by Many"),
        }
    }

    fn draft(&mut self) -> &mut Draft {
        if !matches!(self.about, About::Draft(_)) {
            let peer = self.peer().cloned();
            self.about = About::Draft(Box::new(Draft { peer, ..Draft::default() }));
        }
        match &mut self.about {
            About::Draft(draft) => draft,
            #[expect(clippy::unreachable, reason = "the lines before have put the other variant there")]
            About::Nothing | About::From(_) => unreachable!("just replaced by Draft"),
        }
    }
}

struct Iter<'a> {
    one: Option<&'a Frame>,
    many: std::collections::vec_deque::Iter<'a, Frame>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Frame;

    #[inline]
    fn next(&mut self) -> Option<&'a Frame> {
        self.one.take().or_else(|| self.many.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.many.len().saturating_add(usize::from(self.one.is_some()));
        (n, Some(n))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.many.next_back().or_else(|| self.one.take())
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// The frames of a message, by value; made by [`Message::into_iter`].
pub struct IntoIter(Message);

impl Iterator for IntoIter {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        self.0.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for IntoIter {}

impl IntoIterator for Message {
    type Item = Frame;
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self)
    }
}

impl FromIterator<Frame> for Message {
    fn from_iter<I: IntoIterator<Item = Frame>>(frames: I) -> Message {
        let mut message = Message::new();
        message.extend(frames);
        message
    }
}

/// Adds frames at the end: those of another message, for example.
///
/// ```
/// # extern crate zeroxide_zmtp as zeroxide;
/// use zeroxide::Message;
/// let mut envelope = Message::from(["client", ""]);
/// envelope.extend(Message::from(["one", "two"]));
/// assert_eq!(envelope, Message::from(["client", "", "one", "two"]));
/// ```
impl Extend<Frame> for Message {
    fn extend<I: IntoIterator<Item = Frame>>(&mut self, frames: I) {
        frames.into_iter().for_each(|frame| self.push_back(frame));
    }
}

impl Index<usize> for Message {
    type Output = Frame;

    /// # Panics
    /// Panics if there is no frame `index`. [`Message::get`] returns `None` instead.
    #[expect(clippy::panic, reason = "the caller's own mistake, as with slices; get() is beside it")]
    fn index(&self, index: usize) -> &Frame {
        self.get(index).unwrap_or_else(|| panic!("no frame {index} in a message of {}", self.len()))
    }
}

impl PartialEq for Message {
    /// Compares the frames. The peers that sent the messages do not matter.
    fn eq(&self, other: &Message) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a == b)
    }
}

impl Eq for Message {}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Everything that converts into a frame converts into a message of that one frame.
impl<T: Into<Frame>> From<T> for Message {
    #[inline]
    fn from(frame: T) -> Message {
        Message { frames: Frames::One(frame.into()), about: About::Nothing }
    }
}

impl<A: Into<Frame>, B: Into<Frame>> From<(A, B)> for Message {
    fn from((a, b): (A, B)) -> Message {
        Message::from([a.into(), b.into()])
    }
}

impl<A: Into<Frame>, B: Into<Frame>, C: Into<Frame>> From<(A, B, C)> for Message {
    fn from((a, b, c): (A, B, C)) -> Message {
        Message::from([a.into(), b.into(), c.into()])
    }
}

impl<T: Into<Frame>, const N: usize> From<[T; N]> for Message {
    fn from(frames: [T; N]) -> Message {
        const { assert!(N > 0, "a message has at least one frame") };
        frames.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Frame>> From<Vec<T>> for Message {
    /// An empty vector makes a message without frames, which sockets refuse to send.
    fn from(frames: Vec<T>) -> Message {
        frames.into_iter().map(Into::into).collect()
    }
}

/// The error for a message with another number of frames than expected.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameCountError {
    /// The message itself.
    pub message: Message,
    /// The number of frames that was expected.
    pub expected: usize,
}

impl fmt::Display for FrameCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a message of {} frames; {} were expected", self.message.len(), self.expected)
    }
}

impl std::error::Error for FrameCountError {}

impl<const N: usize> TryFrom<Message> for [Frame; N] {
    type Error = FrameCountError;

    /// Returns the message in the error if it does not have exactly `N` frames.
    fn try_from(message: Message) -> Result<[Frame; N], FrameCountError> {
        if message.len() != N {
            return Err(FrameCountError { message, expected: N });
        }
        let mut frames = message.into_iter();
        Ok(std::array::from_fn(|_| frames.next().unwrap_or_default()))
    }
}
