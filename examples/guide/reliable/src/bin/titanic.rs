//! Titanic: requests on disk until they are done. It offers three services to a broker of majordomo, and is a client of all
//! others: it sends each stored request to its service, and stores the reply.
//!
//! Arguments: the broker's endpoint; the file; the time between two heartbeats, in ms.

use std::thread;
use std::time::Duration;

use guide_reliable::majordomo::{Client, Worker};
use guide_reliable::store::{Progress, Store};
use guide_reliable::{Failure, argument};
use uuid::Uuid;
use zeroxide::{Context, Message, SocketType};

fn main() -> Result<(), Failure> {
    let broker = argument::text(1, "tcp://127.0.0.1:5555");
    let file = argument::text(2, "titanic.redb");
    let interval = argument::milliseconds(3, 1000);

    let store = Store::open(file)?;
    let (requests, replies) = store.count()?;
    println!("{requests} requests and {replies} replies in the file");

    let context = Context::new();
    let (news, wake) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    news.bind("inproc://news")?;
    wake.connect("inproc://news")?;
    let worker = |service| Worker::new(&context, &broker, service, interval);
    thread::scope(|scope| -> Result<(), Failure> {
        scope.spawn(|| {
            worker("titanic.request").serve(|request| {
                let reply = code(add(&store, request));
                // Something may wait already; then the dispatcher is awake.
                let _ = wake.try_send("");
                reply
            })
        });
        scope.spawn(|| worker("titanic.reply").serve(|request| code(reply(&store, &request))));
        scope.spawn(|| worker("titanic.close").serve(|request| code(close(&store, &request))));
        loop {
            dispatch(&context, &broker, &store, interval)?;
            let _ = news.recv_timeout(interval);
        }
    })
}

/// Sends each request that waits to its service, if that has a worker, and stores the reply.
fn dispatch(context: &Context, broker: &str, store: &Store, limit: Duration) -> Result<(), Failure> {
    let mut client = Client::new(context, broker, limit, 1)?;
    for (id, mut request) in store.pending()? {
        let Some(service) = request.pop_front() else { continue };
        let service = service.as_str()?;
        // Without a worker the broker would keep the request, and get it again and again.
        let found = client.request("mmi.service", service)?;
        if found.is_none_or(|code| code[0] != "200") {
            continue;
        }
        // Without a reply the request stays in the file, and is sent again.
        if let Some(reply) = client.request(service, request)? {
            store.finish(id, &reply)?;
            println!("done {id}");
        }
    }
    Ok(())
}

/// `id, service, request`: stores the request.
fn add(store: &Store, mut request: Message) -> Result<Message, Failure> {
    let id = id(request.pop_front())?;
    if request.is_empty() {
        return Err("no service".into());
    }
    if store.progress(id)? == Progress::Unknown {
        store.add(id, &request)?;
    }
    Ok("200".into())
}

/// `id`: returns the reply, if there is one.
fn reply(store: &Store, request: &Message) -> Result<Message, Failure> {
    Ok(match store.progress(id(request.first().cloned())?)? {
        Progress::Done(reply) => {
            let mut message = Message::from("200");
            message.extend(reply);
            message
        }
        Progress::Pending => "300".into(),
        Progress::Unknown => "400".into(),
    })
}

/// `id`: forgets the request and its reply.
fn close(store: &Store, request: &Message) -> Result<Message, Failure> {
    store.close(id(request.first().cloned())?)?;
    Ok("200".into())
}

fn id(frame: Option<zeroxide::Frame>) -> Result<Uuid, Failure> {
    Ok(Uuid::from_slice(&frame.ok_or("no id")?)?)
}

/// What a service replies when its work fails.
fn code(done: Result<Message, Failure>) -> Message {
    done.unwrap_or_else(|failure| Message::from(["500", &failure.to_string()]))
}
