//! An iron house: everything is encrypted, the client knows the server by its key, and the server lets in only the
//! clients whose keys it knows. A stranger is told so, and the server's monitor knows who it was.
//!
//! `cargo run --example curve --features curve`

use std::time::Duration;

use zeroxide::{
    AccessList, Context, EventKind, Options, PublicKey, Result, SecretKey, Security, SocketType,
    generate_secret_key,
};

const LIMIT: Duration = Duration::from_secs(5);

fn main() -> Result<()> {
    // Each key is made where it is used; only the public ones travel.
    let (server_key, client_key, stranger_key) =
        (generate_secret_key()?, generate_secret_key()?, generate_secret_key()?);
    let house = server_key.public();

    let context = Context::new();
    context.authenticator("", AccessList::new().curve_key(client_key.public()))?;
    let server =
        context.socket_with(SocketType::Rep, &Options::new().security(Security::CurveServer(server_key)))?;
    let events = server.monitor();
    let endpoint = server.bind("tcp://127.0.0.1:*")?.to_string();
    println!("server: bound {endpoint}, key {house}");

    let door = server.clone();
    let answers = std::thread::spawn(move || -> Result<()> {
        let request = door.recv()?;
        let user = request.peer().map_or("nobody", |peer| &peer.user_id);
        println!("server: {:?} from {user}", request[0].as_str());
        Ok(door.send("come in")?)
    });

    println!("client: {:?}", ask(&endpoint, house, client_key));
    println!("stranger: {}", ask(&endpoint, house, stranger_key).expect_err("the door is shut"));
    let refused = loop {
        if let EventKind::HandshakeFailed(error) = events.recv_timeout(LIMIT)?.kind {
            break error;
        }
    };
    println!("server: {refused}");
    answers.join().expect("the server does not panic")
}

/// One question, as a client with a context of its own.
fn ask(endpoint: &str, house: PublicKey, me: SecretKey) -> Result<String> {
    let security = Security::CurveClient { server: house, me };
    let client = Context::new().socket_with(SocketType::Req, &Options::new().security(security))?;
    client.connect_ready(endpoint, LIMIT)?;
    client.send("may I?")?;
    Ok(String::from_utf8_lossy(&client.recv_timeout(LIMIT)?[0]).into_owned())
}
