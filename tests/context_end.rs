//! The end of a context: what is left of it when its closing is done. Alone in its program, whose threads and
//! descriptors it counts.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::fs;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};

use common::{LONG, Soon};
use zeroxide::{AccessList, CloseReport, Context, ContextOptions, Options, Socket, SocketType, opt};

/// The names of the entries of a folder of this process.
fn entries(of: &str) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(format!("/proc/self/{of}")).unwrap().map(name).collect();
    names.sort();
    names
}

/// The threads and the descriptors of this process. Looking needs one descriptor each time, the lowest that is free.
fn now() -> (Vec<String>, Vec<String>) {
    (entries("task"), entries("fd"))
}

/// A context that has two I/O threads, an authenticator, and peers over every transport; some of it is still unsent.
fn busy() -> (Context, Vec<Socket>) {
    let context = Context::with(ContextOptions::new().io_threads(2)).unwrap();
    context.authenticator("", AccessList::new().allow_net("127.0.0.1").unwrap()).unwrap();
    let mut sockets = Vec::new();
    for endpoint in ["tcp://127.0.0.1:*", "ipc://*", "inproc://end"] {
        let (pull, push) =
            (context.socket(SocketType::Pull).unwrap(), context.socket(SocketType::Push).unwrap());
        let endpoint = pull.bind(endpoint).unwrap();
        push.connect(endpoint.to_string()).unwrap();
        push.send("first").unwrap();
        pull.recv_soon();
        push.send("last").unwrap();
        sockets.extend([pull, push]);
    }
    let nobody = context.socket_with(SocketType::Push, &Options::new().set(opt::LINGER, None)).unwrap();
    nobody.set(opt::LINGER, Some(std::time::Duration::from_millis(1))).unwrap();
    nobody.connect("tcp://127.0.0.1:1").unwrap();
    nobody.send("to nobody").unwrap();
    sockets.push(nobody);
    (context, sockets)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on(future: impl Future<Output = CloseReport>) -> CloseReport {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut TaskContext::from_waker(&waker)) {
            Poll::Ready(report) => return report,
            #[expect(clippy::disallowed_methods, reason = "an executor of its own")]
            Poll::Pending => thread::park_timeout(LONG),
        }
    }
}

#[test]
fn when_a_closing_is_done_no_thread_and_no_descriptor_of_the_context_is_left() {
    let before = now();
    for round in 0..100 {
        let (context, sockets) = busy();
        assert!(now().0.len() >= before.0.len() + 3, "two I/O threads and an authenticator's");
        match round % 3 {
            0 => drop(context.term().wait()),
            1 => drop(context.term().wait_timeout(LONG).unwrap()),
            _ => drop(block_on(context.term())),
        }
        assert_eq!(now(), before, "round {round}, with the handles still there");
        drop((context, sockets));
        assert_eq!(now(), before, "round {round}");
    }
}
