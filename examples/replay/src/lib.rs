//! PUB and SUB without silent loss: gaps are noticed and filled.
//!
//! A PUB drops what a subscriber has not asked for yet, what does not fit its high-water mark, and what is on the wire when a
//! connection breaks. Here the publisher numbers the messages of each topic, and keeps the newest in a ring. The subscriber finds gaps
//! in the numbers and asks for what is missing over a second pair of sockets, DEALER and ROUTER. So each message comes once, in order;
//! what the ring no longer has is reported as a [`Event::Gap`] with its bounds, and never silently.
//!
//! ```
//! use std::time::Duration;
//! use replay_example::{Event, Publisher, Subscriber};
//! use zeroxide::{Context, SocketType};
//!
//! let context = Context::new();
//! let (live, replay) = (context.socket(SocketType::Pub)?, context.socket(SocketType::Router)?);
//! let (news, questions) = (live.bind("tcp://127.0.0.1:*")?, replay.bind("tcp://127.0.0.1:*")?);
//! let mut publisher = Publisher::new(live, replay, 1000);
//! publisher.publish("weather", "12 degrees")?;
//!
//! // It joins late, and misses nothing.
//! let (live, replay) = (context.socket(SocketType::Sub)?, context.socket(SocketType::Dealer)?);
//! live.connect(news)?;
//! replay.connect(questions)?;
//! let mut subscriber = Subscriber::new(live, replay, ["weather"], Duration::from_millis(500))?;
//! match subscriber.recv(Duration::from_secs(10))? {
//!     Some(Event::Message { number, message, .. }) => assert_eq!((number, &message[0][..]), (0, &b"12 degrees"[..])),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), zeroxide::Error>(())
//! ```
//!
//! # The protocol
//! - PUB to SUB: topic, *mark*, then the frames of the message. A mark is the number of the publisher's run and that of the message, 8
//!   bytes each, most significant byte first.
//! - DEALER to ROUTER: topic, the number of the first message that is wanted.
//! - ROUTER to DEALER: `message` and the same frames as from the PUB, for each message from there on; before them, if the ring no longer
//!   has the first ones, `gap`, topic, the mark of the first message that is there; last `end`, topic, the mark of the next message.

mod publisher;
mod ring;
mod subscriber;
mod wire;

pub use publisher::Publisher;
pub use subscriber::{Event, Subscriber};
