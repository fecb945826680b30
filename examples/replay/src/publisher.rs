//! The side that numbers, keeps and answers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::SystemTime;

use zeroxide::{Frame, Message, RoutingId, SendError, Socket};

use crate::ring::Ring;
use crate::wire::{END, GAP, MESSAGE, Mark, number_of};

/// The most messages in one answer. A subscriber that misses more asks again.
const ANSWER: usize = 500;

/// Publishes on a PUB, and answers subscribers that miss something on a ROUTER, on a thread of its own. Its drop ends the thread.
#[derive(Debug)]
pub struct Publisher {
    live: Socket,
    replay: Socket,
    kept: Arc<Kept>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Kept {
    /// Tells one run of the publisher from another.
    run: u64,
    keep: usize,
    rings: Mutex<HashMap<Frame, Ring>>,
}

impl Publisher {
    /// Creates a publisher that keeps the newest `keep` messages of each topic. `live` is a PUB and `replay` a ROUTER; both are bound,
    /// or connected, by the caller.
    #[must_use]
    pub fn new(live: Socket, replay: Socket, keep: usize) -> Publisher {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let run = since.as_nanos() as u64;
        let kept = Arc::new(Kept { run, keep, rings: Mutex::default() });
        let (router, theirs) = (replay.clone(), Arc::clone(&kept));
        let thread = Some(thread::spawn(move || theirs.answer_all(&router)));
        Publisher { live, replay, kept, thread }
    }

    /// Publishes a message under a topic. Returns its number, which counts the messages of the topic from 0.
    ///
    /// # Errors
    /// Returns the errors of [`Socket::send`]. The message has its number then, and subscribers that ask get it.
    pub fn publish(
        &mut self,
        topic: impl Into<Frame>,
        message: impl Into<Message>,
    ) -> Result<u64, SendError> {
        let (topic, message) = (topic.into(), message.into());
        let mut rings = self.kept.rings();
        let ring = rings.entry(topic.clone()).or_default();
        let number = ring.push(message.clone(), self.kept.keep);
        drop(rings);
        self.live.send(self.kept.marked(topic, number, message))?;
        Ok(number)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        drop(self.replay.close());
        self.thread.take().map(JoinHandle::join);
    }
}

impl Kept {
    fn rings(&self) -> MutexGuard<'_, HashMap<Frame, Ring>> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, number: u64) -> Frame {
        Mark { run: self.run, number }.frame()
    }

    fn marked(&self, topic: Frame, number: u64, mut message: Message) -> Message {
        message.push_front(self.mark(number));
        message.push_front(topic);
        message
    }

    /// Answers until the socket is closed.
    fn answer_all(&self, router: &Socket) {
        loop {
            match router.recv_from() {
                Ok((peer, question)) => self.answer(router, &peer, &question),
                Err(zeroxide::Error::Closed | zeroxide::Error::Terminated) => return,
                Err(_) => {}
            }
        }
    }

    /// Answers one question, as far as the peer takes the answer now: what is missing then it asks for again.
    fn answer(&self, router: &Socket, peer: &RoutingId, question: &Message) {
        let (Some(topic), Some(first)) =
            (question.first(), question.get(1).and_then(|frame| number_of(frame)))
        else {
            return;
        };
        let _ =
            self.answers(topic, first).into_iter().try_for_each(|answer| router.try_send_to(peer, answer));
    }

    fn answers(&self, topic: &Frame, first: u64) -> Vec<Message> {
        let mut rings = self.rings();
        let ring = rings.entry(topic.clone()).or_default();
        let mut answers = Vec::new();
        if first < ring.oldest() {
            answers.push(Message::from((GAP, topic, self.mark(ring.oldest()))));
        }
        answers.extend(ring.from(first).take(ANSWER).map(|(number, message)| {
            let mut answer = self.marked(topic.clone(), number, message.clone());
            answer.push_front(MESSAGE);
            answer
        }));
        answers.push(Message::from((END, topic, self.mark(ring.next()))));
        answers
    }
}
