//! A task of an application: a future of a socket and the waker that marks it. Whoever polls it is the executor.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use zeroxide::{
    Error, Event, Message, NextEvent, PollEvent, Poller, ProxyRun, ProxyStats, Ready, Recv, Request,
    RequestError, SendError, Sending, Socket, Why, simulation,
};

use crate::ledger::Label;

/// What a task waits for.
#[derive(Debug)]
pub(crate) enum Job {
    Receive(Recv),
    Send(Sending, Label),
    Ask(Request, Label),
    /// A poller, or a wait for peers or subscribers.
    Look(Look),
    Event(NextEvent),
    /// A proxy, which forwards until it is dropped.
    Forward(ProxyRun),
}

/// A future that ends with what a socket is ready for; nothing if it has waited for peers or subscribers.
pub(crate) struct Look(Pin<Box<dyn Future<Output = Result<Ready, Error>>>>);

impl Look {
    /// Waits with a poller until a socket is ready.
    pub(crate) fn poller(socket: &Socket, wanted: Ready, limit: Option<Duration>) -> Result<Look, Error> {
        let (mut poller, mut events) = (Poller::new(), Vec::<PollEvent>::new());
        poller.add(socket, 0, wanted)?;
        Ok(Look(Box::pin(async move {
            poller.wait_async(&mut events, limit).await?;
            let ready = events.first().map(|event| event.ready);
            match ready {
                Some(ready) if ready.is_closed() => Err(Error::Closed),
                Some(ready) => Ok(ready),
                None => Err(Error::TimedOut(Why::NoEvent)),
            }
        })))
    }

    /// Waits for peers or subscribers.
    pub(crate) fn others(wait: impl Future<Output = Result<(), Error>> + 'static) -> Look {
        Look(Box::pin(async move { wait.await.map(|()| Ready::NONE) }))
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

/// How a task has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    Received(Message),
    Sent,
    Replied(Label, Message),
    /// The socket is ready for this.
    Ready(Ready),
    Happened(Event),
    /// Its time is over. Nobody has this message.
    TimedOut(Option<Label>),
    /// It is not its turn, or nobody is there with this routing id. Nobody has this message.
    Refused(Option<Label>),
    /// Its socket has closed. Nobody has this message.
    Closed(Option<Label>),
}

/// A waker that only marks.
#[derive(Debug, Default)]
struct Mark(AtomicBool);

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A task.
#[derive(Debug)]
pub(crate) struct Task {
    job: Job,
    mark: Arc<Mark>,
    /// How long it may wait, if that is limited, and since when it waits at the earliest and at the latest.
    limit: Option<Duration>,
    since: Option<(Duration, Duration)>,
}

impl Task {
    /// A new task, which is polled at once.
    pub(crate) fn new(job: Job, limit: Option<Duration>) -> Task {
        Task { job, mark: Arc::new(Mark(AtomicBool::new(true))), limit, since: None }
    }

    pub(crate) fn is_awake(&self) -> bool {
        self.mark.0.load(Ordering::Relaxed)
    }

    pub(crate) fn asks(&self) -> bool {
        matches!(self.job, Job::Ask(..))
    }

    /// Whether it ends later than its application's socket closes.
    pub(crate) fn outlives_socket(&self) -> bool {
        matches!(self.job, Job::Event(_) | Job::Forward(_))
    }

    /// What it has forwarded, if it is a proxy.
    pub(crate) fn forwarded(&self) -> Option<ProxyStats> {
        if let Job::Forward(proxy) = &self.job { Some(proxy.stats()) } else { None }
    }

    pub(crate) fn sends(&self) -> bool {
        matches!(self.job, Job::Send(..))
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// If it ends for another cause than those that are known, or for want of time before that is over.
    pub(crate) fn poll(&mut self) -> Result<Option<Ended>, String> {
        self.mark.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.mark));
        let (cx, before) = (&mut Context::from_waker(&waker), simulation::now());
        let ended = match &mut self.job {
            Job::Receive(recv) => Pin::new(recv).poll(cx).map(|received| match received {
                Ok(message) => Ok(Ended::Received(message)),
                Err(error) => Err((error, None)),
            }),
            Job::Send(sending, label) => Pin::new(sending).poll(cx).map(|sent| match sent {
                Ok(()) => Ok(Ended::Sent),
                Err(SendError { error, message }) => Err((error, (!message.is_empty()).then_some(*label))),
            }),
            Job::Ask(request, label) => Pin::new(request).poll(cx).map(|reply| match reply {
                Ok(message) => Ok(Ended::Replied(*label, message)),
                Err(RequestError { error, unsent }) => Err((error, unsent.map(|_| *label))),
            }),
            Job::Look(look) => {
                look.0.as_mut().poll(cx).map(|ready| ready.map(Ended::Ready).map_err(|error| (error, None)))
            }
            Job::Forward(proxy) => {
                Pin::new(proxy).poll(cx).map(|ended| Err((ended.err().unwrap_or(Error::Closed), None)))
            }
            Job::Event(next) => {
                Pin::new(next).poll(cx).map(|event| event.map(Ended::Happened).map_err(|error| (error, None)))
            }
        };
        let (begun, _) = *self.since.get_or_insert((before, simulation::now()));
        match ended {
            Poll::Pending => Ok(None),
            Poll::Ready(Ok(ended)) => Ok(Some(ended)),
            Poll::Ready(Err((error, unsent))) => self.fails(&error, unsent, begun).map(Some),
        }
    }

    fn fails(&self, error: &Error, unsent: Option<Label>, begun: Duration) -> Result<Ended, String> {
        if self.sends() && unsent.is_none() {
            return Err(format!("{error}, without the message"));
        }
        match error {
            Error::TimedOut(_) => {
                let over = self.limit.is_some_and(|limit| begun + limit <= simulation::now());
                if !over {
                    return Err(format!("{error}, before {:?} are over", self.limit));
                }
            }
            Error::WrongState { .. } | Error::Unroutable { .. } => return Ok(Ended::Refused(unsent)),
            Error::Closed | Error::Terminated => return Ok(Ended::Closed(unsent)),
            error => return Err(error.to_string()),
        }
        Ok(Ended::TimedOut(unsent))
    }

    /// Whether its time is over for more than a moment.
    pub(crate) fn is_late(&self) -> bool {
        let moment = Duration::from_millis(1);
        let end = self.since.zip(self.limit).map(|((_, begun), limit)| begun + limit + moment);
        end.is_some_and(|end| end < simulation::now())
    }

    /// Gives it up. Returns the label of a message that nobody has.
    pub(crate) fn give_up(self, cancels: bool) -> Result<Option<Label>, String> {
        match self.job {
            Job::Send(sending, label) if cancels => match sending.cancel() {
                Some(message) if !message.is_empty() => Ok(Some(label)),
                _ => Err(format!("{label:?} is not given back")),
            },
            Job::Send(_, label) => Ok(Some(label)),
            // What was asked may be on its way.
            Job::Ask(..) | Job::Receive(_) | Job::Look(_) | Job::Event(_) | Job::Forward(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use zeroxide::{Context, Socket, SocketType};

    use super::*;
    use crate::memory;

    fn pair() -> Option<(Socket, Socket)> {
        memory::share();
        simulation::begin(1, Duration::ZERO);
        let context = Context::new();
        let (a, b) = (context.socket(SocketType::Pair).ok()?, context.socket(SocketType::Pair).ok()?);
        a.bind("inproc://a").ok()?;
        b.connect("inproc://a").ok()?;
        Some((a, b))
    }

    #[test]
    fn a_task_sleeps_until_there_is_what_it_waits_for() {
        let Some((a, b)) = pair() else { panic!("no sockets") };
        let mut task = Task::new(Job::Receive(a.recv_async()), None);
        assert!(task.is_awake(), "it is polled at once");
        assert!(matches!(task.poll(), Ok(None)));
        assert!(!task.is_awake());
        assert!(b.try_send("x").is_ok());
        assert!(task.is_awake());
        assert!(matches!(task.poll(), Ok(Some(Ended::Received(message))) if message == Message::from("x")));
    }

    #[test]
    fn what_a_task_has_not_sent_is_named_however_it_ends() {
        let Some((a, _b)) = pair() else { panic!("no sockets") };
        let label = Label { sender: 1, number: 0 };
        for cancels in [true, false] {
            let task = Task::new(Job::Send(a.send_async("x"), label), None);
            assert_eq!(task.give_up(cancels), Ok(Some(label)));
        }
        let mut task = Task::new(Job::Send(a.send_async("x"), label), None);
        drop(a.close());
        assert!(matches!(task.poll(), Ok(Some(Ended::Closed(Some(unsent)))) if unsent == label));
    }
}
