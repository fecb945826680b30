//! A socket as a stream of messages and as a sink for them (feature `stream`).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use zeroxide_zmtp::Message;

use super::receive::Recv;
use super::send::Sending;
use crate::error::{Error, Result, SendError};
use crate::socket::Socket;
use crate::socket::base::SocketBase;

/// The stream of [`Socket::messages`].
///
/// # Cancel safety
/// Dropping it takes no message.
#[must_use = "a stream does nothing unless it is polled"]
pub struct Messages {
    base: Arc<SocketBase>,
    next: Option<Recv>,
}

impl Stream for Messages {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Message>>> {
        let Messages { base, next } = &mut *self;
        let recv = next.get_or_insert_with(|| Recv::new(base));
        let received = ready!(Pin::new(recv).poll(cx));
        *next = None;
        Poll::Ready(match received {
            Err(Error::Closed | Error::Terminated) => None,
            received => Some(received),
        })
    }
}

/// The stream of [`Socket::into_messages`].
///
/// # Cancel safety
/// Dropping it takes no message. If it has the last handle of the socket, the socket closes.
#[must_use = "a stream does nothing unless it is polled"]
pub struct IntoMessages {
    messages: Messages,
    socket: Socket,
}

impl IntoMessages {
    /// Returns the socket.
    #[must_use]
    pub fn socket(&self) -> &Socket {
        &self.socket
    }
}

impl Stream for IntoMessages {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<Result<Message>>> {
        Pin::new(&mut self.messages).poll_next(cx)
    }
}

/// The sink of [`Socket::sink`].
///
/// # Cancel safety
/// It holds at most one message that is not sent. Dropping the sink drops that message; [`MessageSink::cancel`] returns it instead.
#[must_use = "a sink does nothing unless it is polled"]
pub struct MessageSink {
    base: Arc<SocketBase>,
    sending: Option<Sending>,
}

impl MessageSink {
    /// Gives up, and returns the message that is not sent, if there is one.
    #[must_use = "the message is not sent"]
    pub fn cancel(self) -> Option<Message> {
        self.sending.and_then(Sending::cancel)
    }
}

impl Sink<Message> for MessageSink {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError>> {
        self.poll_flush(cx)
    }

    /// # Errors
    /// Returns [`Error::WouldBlock`] with the message if the message before it is not sent yet and cannot be sent now. This cannot
    /// happen after `poll_ready` has returned `Ok`. Returns the errors of [`Socket::send`], too.
    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        if let Some(Err(error)) = self.sending.as_mut().map(Sending::send_now) {
            return Err(SendError { error, message });
        }
        self.sending = Some(Sending::new(&self.base, message));
        Ok(())
    }

    /// Waits until the socket has taken the message, not until a peer has.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError>> {
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(())) };
        let sent = ready!(Pin::new(sending).poll(cx));
        self.sending = None;
        Poll::Ready(sent)
    }

    /// Flushes. The socket stays open.
    fn poll_close(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Result<(), SendError>> {
        self.poll_flush(cx)
    }
}

impl Socket {
    /// Returns the received messages as a stream. It ends when the socket is closed or its context is shut down. It
    /// goes on after any other error, for example when RCVTIMEO has passed. Unlike [`Socket::into_messages`], it does
    /// not keep the socket open.
    ///
    /// ```
    /// use futures_util::{SinkExt, StreamExt};
    /// use zeroxide::{Context, Message, SocketType};
    ///
    /// # let context = Context::new();
    /// # let (pull, push) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    /// # push.connect(pull.bind("inproc://tasks")?)?;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// push.sink().send(Message::from("hello")).await?;
    /// let mut messages = pull.messages();
    /// while let Some(message) = messages.next().await {
    ///     assert_eq!(message?[0], "hello");
    ///     drop(pull.close());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn messages(&self) -> Messages {
        Messages { base: Arc::clone(self.base()), next: None }
    }

    /// Returns the received messages as a stream that keeps the socket open, so that a function can create a socket and
    /// return its messages. In all other respects it is like [`Socket::messages`].
    ///
    /// ```
    /// use futures_util::StreamExt;
    /// use zeroxide::{Context, IntoMessages, SocketType};
    ///
    /// fn jobs(context: &Context) -> zeroxide::Result<IntoMessages> {
    ///     let pull = context.socket(SocketType::Pull)?;
    ///     pull.bind("inproc://jobs")?;
    ///     Ok(pull.into_messages())
    /// }
    ///
    /// # let context = Context::new();
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    /// # runtime.block_on(async {
    /// let mut jobs = jobs(&context)?;
    /// # let push = context.socket(SocketType::Push)?;
    /// # push.connect("inproc://jobs")?;
    /// # push.send_async("the first").await?;
    /// while let Some(job) = jobs.next().await {
    ///     assert_eq!(job?[0], "the first");
    ///     context.shutdown();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_messages(self) -> IntoMessages {
        IntoMessages { messages: self.messages(), socket: self }
    }

    /// Returns a sink that sends each message as [`Socket::send_async`] does. An error of the sink contains the message.
    pub fn sink(&self) -> MessageSink {
        MessageSink { base: Arc::clone(self.base()), sending: None }
    }
}

debug!(Messages, IntoMessages, MessageSink);
