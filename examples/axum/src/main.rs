//! An HTTP service in front of services that speak ZeroMQ, with axum on tokio.
//!
//! ```text
//! GET  /events/TOPIC   server-sent events    SUB    <──  PUB     publishers
//! POST /jobs           one job, one result   ROUTER <─>  DEALER  workers
//! GET  /status         what the ROUTER sees
//! ```
//!
//! `cargo run -p axum-example -- 127.0.0.1:8080 tcp://127.0.0.1:5556 tcp://127.0.0.1:5557` serves HTTP on the first
//! address, subscribes to the publisher at the second, and waits for workers at the third. Then `curl -N
//! 127.0.0.1:8080/events/weather` shows what is published under topics that begin with `weather`.
//!
//! A worker is a DEALER in any language. It sends `ready` when it is connected. For a job it receives the number of the job and
//! its body, and sends the same number and the result, which also says that it is ready again.
//!
//! Ctrl-C ends the service without losing work: it accepts no more requests, ends the event streams, and waits for the
//! jobs that it has.
//!
//! `desk` gives jobs to workers; this file is the HTTP side.

mod desk;

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use futures_util::{Stream, stream};
use tokio::net::TcpListener;
use zeroxide::{Context, Message, Socket, SocketType};

use desk::{Desk, NoResult};

/// What the handlers share.
#[derive(Clone)]
struct Service {
    /// The context of the event streams. It is not that of the jobs, so that its shutdown ends the event streams alone.
    events: Context,
    /// Where the publisher is.
    publisher: Arc<str>,
    desk: Arc<Desk>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [http, publisher, workers] = &arguments[..] else {
        return Err("arguments: HTTP address, publisher's endpoint, workers' endpoint".into());
    };

    let (events, jobs) = (Context::new(), Context::new());
    let router = jobs.socket(SocketType::Router)?;
    let workers = router.bind(workers)?;
    let desk = Arc::new(Desk::new(router));
    let results = tokio::spawn(Arc::clone(&desk).receive());

    let service = Service { events: events.clone(), publisher: publisher.as_str().into(), desk };
    let routes = Router::new()
        .route("/events/{topic}", get(follow))
        .route("/jobs", post(submit))
        .route("/status", get(status))
        .with_state(service);
    let listener = TcpListener::bind(http).await?;
    println!("http at {}, workers at {workers}", listener.local_addr()?);

    axum::serve(listener, routes).with_graceful_shutdown(end_of_events(events)).await?;

    // No request is left. The ROUTER closes, which ends the task that receives from it; unsent messages are sent first.
    let report = jobs.term().await;
    results.await??;
    println!("end: {} messages dropped", report.dropped);
    Ok(())
}

/// Returns after Ctrl-C, when the event streams have been told to end. A graceful shutdown waits for all responses, and an
/// event stream has no end of its own.
async fn end_of_events(events: Context) {
    if let Err(error) = tokio::signal::ctrl_c().await {
        eprintln!("no Ctrl-C: {error}");
    }
    events.shutdown();
}

/// `GET /events/TOPIC`: a SUB for each browser. So the publisher sends what browsers ask for and nothing else, and a slow
/// browser fills its own queues and nobody else's.
async fn follow(
    State(service): State<Service>,
    Path(topic): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, (StatusCode, String)> {
    let unavailable = |error: zeroxide::Error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string());
    let sub = subscribe(&service, &topic).map_err(unavailable)?;
    // The stream owns the socket: when the browser goes, axum drops the stream, and the socket closes. It ends when the
    // context is shut down, because `recv_async` fails then.
    let events = stream::unfold(sub, |sub| async {
        let message = sub.recv_async().await.ok()?;
        Some((Ok(event(&message)), sub))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn subscribe(service: &Service, topic: &str) -> zeroxide::Result<Socket> {
    let sub = service.events.socket(SocketType::Sub)?;
    sub.subscribe(topic)?;
    sub.connect(&*service.publisher)?;
    Ok(sub)
}

/// A message as an event: a line for each frame. Frames are bytes, events are text.
fn event(message: &Message) -> Event {
    let frames: Vec<_> = message.iter().map(|frame| String::from_utf8_lossy(frame)).collect();
    Event::default().data(frames.join("\n"))
}

/// `POST /jobs`: gives the body to a worker and returns its result.
async fn submit(State(service): State<Service>, body: Bytes) -> Result<Bytes, (StatusCode, String)> {
    service.desk.run(body).await.map_err(|error| {
        let status = match error {
            NoResult::NoWorker => StatusCode::SERVICE_UNAVAILABLE,
            NoResult::TooLate => StatusCode::GATEWAY_TIMEOUT,
            NoResult::Socket(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, format!("{error}\n"))
    })
}

/// `GET /status`: the peers of the ROUTER, its queues, and what it waits for, for people.
async fn status(State(service): State<Service>) -> String {
    service.desk.to_string()
}
