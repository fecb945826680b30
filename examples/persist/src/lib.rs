//! Messages on disk until they are acknowledged.
//!
//! An [`Outbox`] stores each message in a file before it sends it, and sends it again until an [`Inbox`] has acknowledged it.
//! So nothing is lost when the network fails or either side is killed: *at least once*. A message may arrive twice, and each has
//! an id: the sender and a number. The inbox remembers in a file of its own which ids are done, and drops what comes once more.
//! What the receiver does with a message can be part of the same transaction as its acknowledgement
//! ([`Inbox::acknowledge_with`]): then its *effect* happens exactly once, whoever is killed when.
//!
//! ```
//! use std::time::Duration;
//! use zeroxide::Context;
//! use zeroxide_persist::{Inbox, Outbox};
//!
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(&folder)?;
//! let context = Context::new();
//! let mut inbox = Inbox::open("inbox.redb", &context, "tcp://127.0.0.1:*")?;
//!
//! let outbox = Outbox::open("outbox.redb", &context, inbox.endpoint())?;
//! // It is on disk when `send` returns, whether somebody receives or not.
//! outbox.send("10 EUR from Ann to Bob")?;
//!
//! let transfer = inbox.recv()?;
//! assert_eq!(transfer.message[0], "10 EUR from Ann to Bob");
//! inbox.acknowledge([transfer.id])?;
//! assert!(outbox.wait_until_acknowledged(Duration::from_secs(60))?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The protocol
//! The outbox is a DEALER and the inbox a ROUTER. Numbers are 8 bytes, the most significant first.
//! - ROUTER to DEALER, when they are connected: `hello`. The outbox sends all that is not acknowledged.
//! - DEALER to ROUTER: a frame of 32 bytes, and the message. The 32 bytes are the id of the sender (16), the number of the
//!   message, and the smallest number that is not acknowledged yet. A sender counts its messages from 1, and sends none that is
//!   [`WINDOW`] or more above the smallest unacknowledged one. So an inbox remembers for each sender one number, below which all is
//!   done, and a set of at most [`WINDOW`] above it.
//! - ROUTER to DEALER: a frame of numbers. All below the first are done, and the others are, too.

mod error;
mod inbox;
pub mod numbered;
mod outbox;
mod outbox_file;
mod seen;
mod wire;

pub use error::Error;
pub use inbox::{Counts, Delivered, Inbox};
pub use outbox::Outbox;
/// The database, for the effects of [`Inbox::acknowledge_with`].
pub use redb;
pub use wire::{MessageId, WINDOW};
