//! The messages of the task farm. Each is one message between a DEALER (worker, submitter, dashboard) and the
//! broker's ROUTER. The first frame is a word; the table of the guide's page has the frames that follow.

use std::fmt;
use std::time::Duration;

use zeroxide::{Bytes, Context, Frame, Message, Options, Result, Socket, SocketType, opt};

/// Ids of tasks, names of workers and prefixes have at most so many bytes.
pub const LONGEST_NAME: usize = 200;
/// A worker may have at most so many tasks at once.
pub const MOST_CREDIT: usize = 1000;

/// What the broker's socket receives when a connection ends, behind all that the peer has sent
/// (DISCONNECT_MSG).
pub const GONE: &str = "GONE";
/// What the socket of a worker or a submitter receives when its connection to the broker ends (HICCUP_MSG).
pub const LOST: &str = "LOST";

/// A message to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A submitter wants a task to be done: `SUBMIT id body`.
    Submit {
        /// The task's id. The submitter invents it, so it can send the task again.
        id: String,
        /// What is to be done.
        body: Frame,
    },
    /// A submitter wants the results of all tasks whose ids begin so: `COLLECT prefix`.
    Collect {
        /// The beginning of the ids.
        prefix: String,
    },
    /// A submitter has the result of a task: `SEEN id`.
    Seen {
        /// The task's id.
        id: String,
    },
    /// A worker is there: `READY name credit`.
    Ready {
        /// The worker's name, for people.
        name: String,
        /// How many tasks it takes at once.
        credit: usize,
    },
    /// A worker has done a task: `DONE id result`.
    Done {
        /// The task's id.
        id: String,
        /// The result.
        result: Frame,
    },
    /// A dashboard wants the state: `STATUS`.
    Status,
    /// The connection has ended: `GONE`.
    Gone,
}

/// Why a message to the broker means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadRequest {
    /// The first frame is no word of the protocol.
    Word,
    /// The word has other frames behind it.
    Frames {
        /// The word.
        word: &'static str,
        /// How many frames belong behind it.
        expected: usize,
    },
    /// An id, a name or a prefix is too long, or no text; an id is empty.
    Name,
    /// A worker's credit is not a number from 1 to [`MOST_CREDIT`].
    Credit,
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadRequest::Word => f.write_str("the first frame is no word of the task farm"),
            BadRequest::Frames { word, expected } => write!(f, "{word} needs {expected} frames behind it"),
            BadRequest::Name => write!(f, "an id or name is text of 1 to {LONGEST_NAME} bytes"),
            BadRequest::Credit => write!(f, "the credit is a number from 1 to {MOST_CREDIT}"),
        }
    }
}

impl std::error::Error for BadRequest {}

impl Request {
    /// Reads a message to the broker.
    ///
    /// # Errors
    /// Returns why the message means nothing.
    pub fn parse(mut message: Message) -> Result<Request, BadRequest> {
        let word = message.pop_front().unwrap_or_default();
        match word.as_str().unwrap_or_default() {
            "SUBMIT" => {
                let [id, body] = frames("SUBMIT", message)?;
                Ok(Request::Submit { id: name(&id, 1)?, body })
            }
            "COLLECT" => {
                let [prefix] = frames("COLLECT", message)?;
                Ok(Request::Collect { prefix: name(&prefix, 0)? })
            }
            "SEEN" => {
                let [id] = frames("SEEN", message)?;
                Ok(Request::Seen { id: name(&id, 1)? })
            }
            "READY" => {
                let [name_frame, credit] = frames("READY", message)?;
                let credit = credit.as_str().ok().and_then(|text| text.parse().ok());
                let credit = credit.filter(|credit| (1..=MOST_CREDIT).contains(credit));
                Ok(Request::Ready { name: name(&name_frame, 1)?, credit: credit.ok_or(BadRequest::Credit)? })
            }
            "DONE" => {
                let [id, result] = frames("DONE", message)?;
                Ok(Request::Done { id: name(&id, 1)?, result })
            }
            "STATUS" => frames::<0>("STATUS", message).map(|_| Request::Status),
            GONE => frames::<0>(GONE, message).map(|_| Request::Gone),
            _ => Err(BadRequest::Word),
        }
    }
}

fn frames<const N: usize>(word: &'static str, message: Message) -> Result<[Frame; N], BadRequest> {
    let frames: Vec<Frame> = message.into_iter().collect();
    frames.try_into().map_err(|_| BadRequest::Frames { word, expected: N })
}

fn name(frame: &Frame, shortest: usize) -> Result<String, BadRequest> {
    let text = frame.as_str().map_err(|_| BadRequest::Name)?;
    if (shortest..=LONGEST_NAME).contains(&text.len()) { Ok(text.to_owned()) } else { Err(BadRequest::Name) }
}

/// Returns a DEALER that is connected to the broker. Nothing is queued while the broker is away: `send`
/// waits. When the connection ends, the socket receives [`LOST`]; a broker that stops answering is such an
/// end, too.
///
/// # Errors
/// Returns an error if the endpoint is wrong.
pub fn dealer(context: &Context, broker: &str) -> Result<Socket> {
    let options = Options::new()
        .set(opt::IMMEDIATE, true)
        .set(opt::HICCUP_MSG, Some(Bytes::from(LOST)))
        .set(opt::HEARTBEAT_IVL, Some(Duration::from_secs(1)))
        .set(opt::HEARTBEAT_TIMEOUT, Some(Duration::from_secs(3)))
        .set(opt::LINGER, Some(Duration::ZERO));
    let dealer = context.socket_with(SocketType::Dealer, &options)?;
    dealer.connect(broker)?;
    Ok(dealer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_is_read() {
        let read = |frames: &[&str]| Request::parse(frames.iter().copied().map(Frame::from).collect());
        let text = |text: &str| text.to_owned();
        assert_eq!(
            read(&["SUBMIT", "a/1", "7"]),
            Ok(Request::Submit { id: text("a/1"), body: Frame::from("7") })
        );
        assert_eq!(read(&["COLLECT", ""]), Ok(Request::Collect { prefix: text("") }));
        assert_eq!(read(&["SEEN", "a/1"]), Ok(Request::Seen { id: text("a/1") }));
        assert_eq!(read(&["READY", "w", "10"]), Ok(Request::Ready { name: text("w"), credit: 10 }));
        assert_eq!(
            read(&["DONE", "a/1", "4"]),
            Ok(Request::Done { id: text("a/1"), result: Frame::from("4") })
        );
        assert_eq!((read(&["STATUS"]), read(&["GONE"])), (Ok(Request::Status), Ok(Request::Gone)));
    }

    #[test]
    fn what_is_wrong_has_a_cause() {
        let read = |frames: &[&[u8]]| Request::parse(frames.iter().copied().map(Frame::from).collect());
        let long = [b'x'; LONGEST_NAME + 1];
        assert_eq!(read(&[]), Err(BadRequest::Word));
        assert_eq!(read(&[b"submit", b"a", b"b"]), Err(BadRequest::Word));
        assert_eq!(read(&[b"SUBMIT", b"a"]), Err(BadRequest::Frames { word: "SUBMIT", expected: 2 }));
        assert_eq!(read(&[b"GONE", b"a"]), Err(BadRequest::Frames { word: "GONE", expected: 0 }));
        for id in [b"".as_slice(), b"\xff", &long] {
            assert_eq!(read(&[b"SEEN", id]), Err(BadRequest::Name));
        }
        for credit in [b"0".as_slice(), b"1001", b"-1", b"", b"\xff"] {
            assert_eq!(read(&[b"READY", b"w", credit]), Err(BadRequest::Credit));
        }
    }
}
