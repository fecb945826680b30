//! Provokes the errors that people meet, and prints their texts.

use std::fmt::Display;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use zeroxide::{Context, Options, Security, Socket, SocketType, generate_secret_key, opt};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);
const ANY: &str = "tcp://127.0.0.1:*";

fn main() -> Outcome {
    let context = Context::new();
    endpoints(&context)?;
    peers(&context)?;
    handshakes(&context)?;
    messages(&context)?;
    sockets(&context)
}

/// Prints the text of an error.
fn show<T, E: Display>(result: Result<T, E>) {
    match result {
        Ok(_) => println!("no error"),
        Err(error) => println!("{error}"),
    }
}

fn socket(context: &Context, socket_type: SocketType) -> zeroxide::Result<Socket> {
    context.socket(socket_type)
}

fn endpoints(context: &Context) -> Outcome {
    let (first, second) = (socket(context, SocketType::Rep)?, socket(context, SocketType::Rep)?);
    let endpoint = first.bind(ANY)?;
    show(second.bind(&endpoint));
    show(second.bind("tcp://192.0.2.1:5555"));
    show(second.bind("tcp://127.0.0.1"));
    show(second.connect("tcp//127.0.0.1:5555"));
    show(second.connect("http://127.0.0.1:5555"));
    show(second.connect("tcp://*:5555"));
    show(second.disconnect("tcp://127.0.0.1:5555"));
    Ok(())
}

fn peers(context: &Context) -> Outcome {
    // One attempt, and the next one much later.
    let once = Options::new().set(opt::RECONNECT_IVL, Some(LONG));
    let req = context.socket_with(SocketType::Req, &once)?;
    show(req.connect_ready("tcp://127.0.0.1:1", SHORT * 10));
    let publisher = socket(context, SocketType::Pub)?;
    show(publisher.wait_for_subscribers("news", 2, SHORT));
    show(publisher.wait_for_peers(1, SHORT));
    Ok(())
}

fn handshakes(context: &Context) -> Outcome {
    let server = socket(context, SocketType::Rep)?;
    let publisher = socket(context, SocketType::Sub)?;
    show(publisher.connect_ready(server.bind(ANY)?, LONG));

    context.authenticator("", zeroxide::AccessList::new().allow_any_curve_key())?;
    let secure = Options::new().security(Security::CurveServer(generate_secret_key()?));
    let server = context.socket_with(SocketType::Rep, &secure)?;
    show(socket(context, SocketType::Req)?.connect_ready(server.bind(ANY)?, LONG));

    // Something that is no ZeroMQ socket.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let at = listener.local_addr()?;
    let web = std::thread::spawn(move || -> std::io::Result<_> {
        let (mut stream, _) = listener.accept()?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")?;
        Ok(stream)
    });
    show(socket(context, SocketType::Req)?.connect_ready(format!("tcp://{at}"), LONG));
    web.join().expect("it does not panic")?;
    Ok(())
}

fn messages(context: &Context) -> Outcome {
    let (push, pull) = (socket(context, SocketType::Push)?, socket(context, SocketType::Pull)?);
    show(push.try_send("task"));
    show(push.send_timeout("task", SHORT));
    show(pull.try_recv());
    show(pull.recv_timeout(SHORT));
    show(push.send(Vec::<&str>::new()));
    pull.bind("inproc://full")?;
    push.set(opt::SNDHWM, 1)?;
    pull.set(opt::RCVHWM, 1)?;
    push.connect("inproc://full")?;
    while push.try_send("task").is_ok() {}
    show(push.try_send("task"));
    let router = socket(context, SocketType::Router)?;
    show(router.send(["bob", "hello"]));
    Ok(())
}

fn sockets(context: &Context) -> Outcome {
    let req = socket(context, SocketType::Req)?;
    req.connect("inproc://nobody")?;
    show(req.recv());
    show(req.request("hello", SHORT));
    show(req.subscribe("news"));
    show(socket(context, SocketType::Push)?.recv());
    show(socket(context, SocketType::Sub)?.send("news"));
    show(context.socket_with(SocketType::Req, &Options::new().set(opt::LINGER, Some(Duration::MAX))));
    show(context.socket_with(SocketType::Req, &Options::new().set(opt::ROUTING_ID, "")));
    drop(req.close());
    show(req.send("hello"));
    let last = socket(context, SocketType::Pull)?;
    context.shutdown();
    show(last.recv());
    Ok(())
}
