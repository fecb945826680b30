//! Received messages as an iterator.

use zeroxide_zmtp::Message;

use super::Socket;
use crate::error::{Error, Result};

/// The iterator of [`Socket::iter`].
#[derive(Debug)]
#[must_use = "it receives only when it is used"]
pub struct Iter<'a>(&'a Socket);

impl Iterator for Iter<'_> {
    type Item = Result<Message>;

    fn next(&mut self) -> Option<Result<Message>> {
        match self.0.recv() {
            Err(Error::Closed | Error::Terminated) => None,
            received => Some(received),
        }
    }
}

impl<'a> IntoIterator for &'a Socket {
    type Item = Result<Message>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl Socket {
    /// Returns an iterator over the received messages. Each step waits for a message, at most for RCVTIMEO. It ends
    /// when the socket is closed or its context is shut down. It goes on after any other error, for example when
    /// RCVTIMEO has passed.
    ///
    /// ```
    /// use zeroxide::{Context, SocketType};
    ///
    /// let context = Context::new();
    /// let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    /// push.connect(pull.bind("inproc://iter")?)?;
    /// push.send("hello")?;
    /// for message in &pull {
    ///     assert_eq!(message?[0], "hello");
    ///     drop(pull.close()); // from any thread; it ends the loop
    /// }
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    ///
    /// # Errors
    /// Each item may be an error of [`Socket::recv`].
    pub fn iter(&self) -> Iter<'_> {
        Iter(self)
    }
}
