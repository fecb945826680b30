//! The service as a process, with HTTP on one side and ZeroMQ on the other.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use zeroxide::{Context, EventKind, Message, Socket, SocketType};

const LONG: Duration = Duration::from_secs(60);

struct Service {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
    http: String,
    workers: String,
    context: Context,
    publisher: Socket,
}

impl Service {
    fn start() -> Service {
        let context = Context::new();
        let publisher = context.socket(SocketType::Pub).unwrap();
        let at = publisher.bind("tcp://127.0.0.1:*").unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_axum-example"))
            .args(["127.0.0.1:0", &at.to_string(), "tcp://127.0.0.1:*"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = output.next().unwrap().unwrap();
        let (http, workers) = line.strip_prefix("http at ").unwrap().split_once(", workers at ").unwrap();
        let (http, workers) = (http.to_owned(), workers.to_owned());
        Service { process, output, http, workers, context, publisher }
    }

    /// A worker that is ready.
    fn worker(&self) -> Socket {
        let worker = self.context.socket(SocketType::Dealer).unwrap();
        worker.connect_ready(&*self.workers, LONG).unwrap();
        worker.send("ready").unwrap();
        worker
    }

    /// Sends a request and returns the connection, from which the response is to be read.
    fn ask(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.http).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        stream
    }

    /// The lines of the event stream of a topic, when the subscription has reached the publisher.
    fn follow(&self, topic: &str) -> Lines<BufReader<TcpStream>> {
        let stream = self.ask("GET", &format!("/events/{topic}"), "");
        self.publisher.wait_for_subscribers(topic, 1, LONG).unwrap();
        BufReader::new(stream).lines()
    }

    /// Waits until GET /status contains these words.
    fn wait_for_status(&self, words: &str) {
        while !response(self.ask("GET", "/status", "")).1.contains(words) {}
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
    }

    /// Waits for the end of the process; returns its exit code and its last line.
    fn end(mut self) -> (Option<i32>, String) {
        let last = self.output.by_ref().map(Result::unwrap).last().unwrap_or_default();
        (self.process.wait().unwrap().code(), last)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads a response to its end; returns its status and its body.
fn response(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// Takes a job, and returns its number and body.
fn job(worker: &Socket) -> (String, String) {
    let message = worker.recv_timeout(LONG).unwrap();
    (message[0].as_str().unwrap().to_owned(), message[1].as_str().unwrap().to_owned())
}

fn data(lines: &mut Lines<BufReader<TcpStream>>) -> String {
    lines.find_map(|line| line.unwrap().strip_prefix("data: ").map(str::to_owned)).unwrap()
}

#[test]
fn each_job_goes_to_one_ready_worker_and_its_result_to_whoever_asked() {
    let service = Service::start();
    let workers = [service.worker(), service.worker()];
    let serve = |worker: &Socket| {
        while let Ok(message) = worker.recv() {
            let result = message[1].as_str().unwrap().to_uppercase();
            worker.send([message[0].as_str().unwrap(), &result]).unwrap();
        }
    };
    thread::scope(|scope| {
        workers.iter().for_each(|worker| drop(scope.spawn(move || serve(worker))));
        let clients: Vec<_> = (0..20)
            .map(|number| {
                let service = &service;
                scope.spawn(move || response(service.ask("POST", "/jobs", &format!("job {number}"))))
            })
            .collect();
        for (number, client) in clients.into_iter().enumerate() {
            assert_eq!(client.join().unwrap(), (200, format!("JOB {number}")));
        }
        workers.iter().for_each(|worker| drop(worker.close()));
    });
}

#[test]
fn a_job_goes_on_to_the_next_worker_when_one_has_gone() {
    let service = Service::start();
    let (gone, worker) = (service.worker(), service.worker());
    service.wait_for_status("2 workers ready");
    gone.close().wait();
    service.wait_for_status("1 peer");
    let client = service.ask("POST", "/jobs", "go on");
    let (number, body) = job(&worker);
    assert_eq!(body, "go on");
    worker.send([number.as_str(), "done"]).unwrap();
    assert_eq!(response(client), (200, "done".to_owned()));
    service.wait_for_status("1 workers ready, 0 jobs open");
}

#[test]
fn a_client_that_goes_away_leaves_no_job_behind() {
    let service = Service::start();
    let worker = service.worker();
    service.wait_for_status("1 workers ready");
    drop({
        let client = service.ask("POST", "/jobs", "never mind");
        // The worker has the job. A job that nobody has when its client goes is never given out.
        service.wait_for_status("0 workers ready, 1 jobs open");
        client
    });
    service.wait_for_status("0 jobs open");
    let (number, _) = job(&worker);
    worker.send([number.as_str(), "nobody waits for this"]).unwrap();
    let client = service.ask("POST", "/jobs", "the next");
    let (number, body) = job(&worker);
    assert_eq!(body, "the next");
    worker.send([number.as_str(), "done"]).unwrap();
    assert_eq!(response(client), (200, "done".to_owned()));
}

#[test]
fn a_browser_gets_what_it_asks_for_until_it_goes() {
    let service = Service::start();
    let monitor = service.publisher.monitor();
    let mut weather = service.follow("weather");
    let mut news = service.follow("news");
    for (topic, text) in [("weather.paris", "rain"), ("news", "none\ntoday"), ("weather.rome", "sun")] {
        service.publisher.send([topic, text]).unwrap();
    }
    let read: Vec<String> = (0..4).map(|_| data(&mut weather)).collect();
    assert_eq!(read, ["weather.paris", "rain", "weather.rome", "sun"]);
    let read: Vec<String> = (0..3).map(|_| data(&mut news)).collect();
    assert_eq!(read, ["news", "none", "today"]);

    drop(weather);
    let gone = |kind: &EventKind| matches!(kind, EventKind::Disconnected { .. });
    while !gone(&monitor.recv_timeout(LONG).unwrap().kind) {}
    assert_eq!(service.publisher.peers().len(), 1, "the other stays");
}

#[test]
fn ctrl_c_ends_event_streams_and_waits_for_jobs() {
    let service = Service::start();
    let worker = service.worker();
    let events = service.follow("weather");
    let client = service.ask("POST", "/jobs", "the last");
    let (number, body) = job(&worker);
    assert_eq!(body, "the last");

    service.interrupt();
    // The stream ends while the job is still open.
    assert!(!events.map(Result::unwrap).any(|line| line.starts_with("data")));
    worker.send(Message::from([number.as_str(), "done"])).unwrap();
    assert_eq!(response(client), (200, "done".to_owned()));
    assert_eq!(service.end(), (Some(0), "end: 0 messages dropped".to_owned()));
}
