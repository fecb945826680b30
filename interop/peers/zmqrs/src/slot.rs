//! A socket with a task of its own: zmq.rs connects only while somebody waits for it, and other implementations in
//! the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zeromq::SocketOptions;
use zeromq::util::PeerIdentity;

use crate::any::{self, Any};
use crate::refusal::Refusal;
use crate::talk::{millis, talk};
use crate::words;

/// How long a socket that is closed may take to let its endpoints go.
const CLOSING: Duration = Duration::from_secs(1);
/// How long a bind may take.
const BINDING: Duration = Duration::from_secs(5);

/// A socket that the harness named. It is made when it is first used: its options are read then.
pub(crate) struct Slot {
    kind: String,
    options: SocketOptions,
    task: Option<(mpsc::UnboundedSender<Order>, JoinHandle<()>)>,
}

/// What the task of a socket is to do.
struct Order {
    words: Vec<String>,
    /// Taken by whoever is first: the task that begins, or the one that has waited long enough.
    claim: Arc<AtomicBool>,
    begun: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<String, Refusal>>,
}

impl Slot {
    pub(crate) fn new(kind: &str) -> Result<Slot, Refusal> {
        if !any::is_known(kind) {
            return Err(Refusal::usage("zmq.rs has no such socket type"));
        }
        let mut options = SocketOptions::default();
        options.no_connect_timeout();
        Ok(Slot { kind: kind.to_owned(), options, task: None })
    }

    pub(crate) async fn obey(&mut self, command: &str, words: &[&str]) -> Result<String, Refusal> {
        match (command, words) {
            ("set", [option, value]) => self.set(option, value),
            // Whoever asks others to connect or subscribe does not wait until it is done.
            ("connect", [_]) => self.order(command, words).map(|_| String::new()),
            ("subscribe" | "unsubscribe", [topic]) => {
                let topic = words::frame(topic).ok_or_else(|| Refusal::usage("not a frame"))?;
                let topic =
                    String::from_utf8(topic).map_err(|_| Refusal::usage("topics of zmq.rs are UTF-8"))?;
                self.order(command, &[topic.as_str()]).map(|_| String::new())
            }
            ("bind" | "unbind", [_]) => self.wait(command, words, BINDING).await,
            (_, [limit, ..]) => self.wait(command, words, millis(limit)?).await,
            _ => Err(Refusal::usage("unknown command, or not its words")),
        }
    }

    pub(crate) async fn close(self) {
        let Some((orders, task)) = self.task else { return };
        drop(orders);
        let abort = task.abort_handle();
        if timeout(CLOSING, task).await.is_err() {
            abort.abort();
        }
    }

    fn set(&mut self, option: &str, value: &str) -> Result<String, Refusal> {
        match (option, value) {
            ("ROUTING_ID", _) => {
                let id = words::frame(value).and_then(|id| PeerIdentity::try_from(id).ok());
                self.options.peer_identity(id.ok_or_else(|| Refusal::usage("not a routing id"))?);
            }
            // It has no other way.
            ("ROUTER_MANDATORY", "1") | ("LINGER", "0") => {}
            _ => return Err(Refusal::usage(&format!("zmq.rs has no option {option} {value}"))),
        }
        Ok(String::new())
    }

    /// Gives an order to the task of the socket.
    #[allow(clippy::type_complexity)]
    fn order(
        &mut self,
        command: &str,
        words: &[&str],
    ) -> Result<(Arc<AtomicBool>, oneshot::Receiver<()>, oneshot::Receiver<Result<String, Refusal>>), Refusal>
    {
        if self.task.is_none() {
            let socket = Any::new(&self.kind, std::mem::take(&mut self.options))?;
            let (orders, inbox) = mpsc::unbounded_channel();
            self.task = Some((orders, tokio::spawn(run(socket, inbox))));
        }
        let claim = Arc::new(AtomicBool::new(false));
        let ((begun, begins), (answer, answers)) = (oneshot::channel(), oneshot::channel());
        let words = std::iter::once(&command).chain(words).map(|word| (*word).to_owned()).collect();
        if let Some((orders, _)) = &self.task {
            let _ = orders.send(Order { words, claim: Arc::clone(&claim), begun, answer });
        }
        Ok((claim, begins, answers))
    }

    /// Gives an order and waits for its answer; for `limit` until it begins.
    async fn wait(&mut self, command: &str, words: &[&str], limit: Duration) -> Result<String, Refusal> {
        let (claim, begins, answers) = self.order(command, words)?;
        if timeout(limit, begins).await.is_err() && !claim.swap(true, Ordering::AcqRel) {
            return Err(Refusal::again("the socket still connects"));
        }
        answers
            .await
            .unwrap_or_else(|_| Err(Refusal { code: "other", text: "the socket's task died".to_owned() }))
    }
}

/// The task of a socket: one order after the other.
async fn run(mut socket: Any, mut inbox: mpsc::UnboundedReceiver<Order>) {
    while let Some(Order { words, claim, begun, answer }) = inbox.recv().await {
        if claim.swap(true, Ordering::AcqRel) {
            continue;
        }
        let _ = begun.send(());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = match words[..] {
            ["bind", endpoint] => socket.bind(endpoint).await.map(|bound| format!(" {bound}")),
            ["unbind", endpoint] => socket.unbind(endpoint).await.map(|()| String::new()),
            // Nobody waits to be told of a failure.
            ["connect", endpoint] => socket.connect(endpoint).await.map(|()| String::new()),
            ["subscribe", topic] => socket.subscribe(topic).await.map(|()| String::new()),
            ["unsubscribe", topic] => socket.unsubscribe(topic).await.map(|()| String::new()),
            _ => talk(&mut socket, &words).await,
        };
        if let Err(Err(refusal)) = answer.send(done) {
            eprintln!("zmqrs-peer: {}: {}", words.join(" "), refusal.text);
        }
    }
    socket.close().await;
}
