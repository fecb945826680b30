//! The commands that send and receive.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep, timeout_at};
use zeromq::ZmqMessage;

use crate::any::Any;
use crate::refusal::Refusal;
use crate::words::{frame, numbered, told};

/// How long to wait after a receive that failed at once.
const PAUSE: Duration = Duration::from_millis(5);

/// A socket and how long each message may take.
struct Talk<'a> {
    socket: &'a mut Any,
    limit: Duration,
}

/// Does what the words, of which the first is the command, say.
pub(crate) async fn talk(socket: &mut Any, words: &[&str]) -> Result<String, Refusal> {
    let limit = words.get(1).map_or(Ok(Duration::ZERO), |word| millis(word))?;
    let mut talk = Talk { socket, limit };
    match words {
        ["send", _, frames @ ..] => talk.send(bytes(frames)?).await?,
        ["recv", _] => {
            return Ok(talk.recv().await?.iter().map(|frame| format!(" {}", told(frame))).collect());
        }
        ["burst", _, count, head @ ..] => {
            let head = bytes(head)?;
            for n in 0..number(count)? {
                talk.send(with(&head, n)).await?;
            }
        }
        ["fill", _, count, head @ ..] => return talk.fill(number(count)?, &bytes(head)?).await,
        ["expect", _, count, head @ ..] => {
            let head = Head::new(head)?;
            for n in 0..number(count)? {
                head.check(n, &talk.recv().await?)?;
            }
        }
        ["take", _, count, head @ ..] => return talk.take(number(count)?, &Head::new(head)?).await,
        ["drain", _, head @ ..] => return talk.drain(&Head::new(head)?).await,
        ["request", _, count, window, head @ ..] => {
            let (count, window) = (number(count)?, number(window)?);
            let (frames, head) = (bytes(head)?, Head::new(head)?);
            let mut sent = 0;
            for n in 0..count {
                while sent < count.min(n.saturating_add(window)) {
                    talk.send(with(&frames, sent)).await?;
                    sent += 1;
                }
                head.check(n, &talk.recv().await?)?;
            }
        }
        ["echo", _, count] => {
            for _ in 0..number(count)? {
                let message = talk.recv().await?;
                talk.send(message).await?;
            }
        }
        _ => return Err(Refusal::usage("zmq.rs cannot do that, or these are not its words")),
    }
    Ok(String::new())
}

impl Talk<'_> {
    async fn send(&mut self, frames: Vec<Vec<u8>>) -> Result<(), Refusal> {
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        let message =
            ZmqMessage::try_from(frames).map_err(|_| Refusal::usage("a message without a frame"))?;
        let end = Instant::now() + self.limit;
        loop {
            match timeout_at(end, self.socket.send(message.clone())).await {
                // Without a peer it is refused at once.
                Ok(Err(refusal)) if refusal.code == "again" && Instant::now() + PAUSE < end => {
                    sleep(PAUSE).await
                }
                Ok(sent) => return sent,
                Err(_) => return Err(Refusal::again("not taken in time")),
            }
        }
    }

    /// Receives a message. That a connection ended, which a receive reports, is no message.
    async fn recv(&mut self) -> Result<Vec<Vec<u8>>, Refusal> {
        let end = Instant::now() + self.limit;
        loop {
            match timeout_at(end, self.socket.recv()).await {
                Ok(Ok(message)) => {
                    return Ok(message.into_vec().iter().map(|frame| frame.to_vec()).collect());
                }
                Ok(Err(refusal)) if refusal.code != "other" => return Err(refusal),
                Ok(Err(refusal)) if Instant::now() + PAUSE >= end => {
                    return Err(Refusal::again(&refusal.text));
                }
                Ok(Err(_)) => sleep(PAUSE).await,
                Err(_) => return Err(Refusal::again("no message in time")),
            }
        }
    }

    async fn fill(&mut self, count: u32, head: &[Vec<u8>]) -> Result<String, Refusal> {
        for n in 0..count {
            match self.send(with(head, n)).await {
                Err(Refusal { code: "again", .. }) => return Ok(format!(" {n}")),
                other => other?,
            }
        }
        Ok(format!(" {count}"))
    }

    /// The numbers of the first and the last of `count` messages.
    async fn take(&mut self, count: u32, head: &Head) -> Result<String, Refusal> {
        let (mut first, mut last) = (None, None);
        for _ in 0..count {
            last = Some(head.next(&self.recv().await?, last)?);
            first = first.or(last);
        }
        Ok(told_number(first) + &told_number(last))
    }

    /// How many messages came until none did, the numbers of the first and the last.
    async fn drain(&mut self, head: &Head) -> Result<String, Refusal> {
        let (mut count, mut first, mut last) = (0, None, None);
        loop {
            match self.recv().await {
                Ok(message) => last = Some(head.next(&message, last)?),
                Err(Refusal { code: "again", .. }) => break,
                Err(refusal) => return Err(refusal),
            }
            first = first.or(last);
            count += 1;
        }
        Ok(format!(" {count}{}{}", told_number(first), told_number(last)))
    }
}

/// The frames before a numbered one; `None` stands for any.
struct Head(Vec<Option<Vec<u8>>>);

impl Head {
    fn new(words: &[&str]) -> Result<Head, Refusal> {
        let one = |word: &&str| if *word == "*" { Ok(None) } else { byte(word).map(Some) };
        words.iter().map(one).collect::<Result<_, _>>().map(Head)
    }

    fn check(&self, n: u32, message: &[Vec<u8>]) -> Result<(), Refusal> {
        let same = message.len() == self.0.len() + 1
            && self.0.iter().zip(message).all(|(want, have)| want.as_ref().is_none_or(|want| want == have))
            && message[self.0.len()] == numbered(n);
        if same {
            return Ok(());
        }
        let frames: Vec<String> = message.iter().map(|frame| told(frame)).collect();
        Err(Refusal { code: "order", text: format!("message {n} is {}", frames.join(" ")) })
    }

    /// The number of a message, which must be greater than `last`.
    fn next(&self, message: &[Vec<u8>], last: Option<u32>) -> Result<u32, Refusal> {
        let number = message.last().and_then(|frame| frame.get(..4)?.try_into().ok());
        let n = number.map_or(0, u32::from_be_bytes);
        self.check(n, message)?;
        match last {
            Some(last) if n <= last => {
                Err(Refusal { code: "order", text: format!("message {n} came after {last}") })
            }
            _ => Ok(n),
        }
    }
}

fn with(head: &[Vec<u8>], n: u32) -> Vec<Vec<u8>> {
    head.iter().cloned().chain([numbered(n)]).collect()
}

fn told_number(n: Option<u32>) -> String {
    n.map_or_else(|| " -".to_owned(), |n| format!(" {n}"))
}

fn bytes(words: &[&str]) -> Result<Vec<Vec<u8>>, Refusal> {
    words.iter().filter(|word| **word != "*").map(|word| byte(word)).collect()
}

fn byte(word: &str) -> Result<Vec<u8>, Refusal> {
    frame(word).ok_or_else(|| Refusal::usage("not a frame"))
}

fn number(word: &str) -> Result<u32, Refusal> {
    word.parse().map_err(|_| Refusal::usage("not a number"))
}

pub(crate) fn millis(word: &str) -> Result<Duration, Refusal> {
    number(word).map(|ms| Duration::from_millis(ms.into()))
}
