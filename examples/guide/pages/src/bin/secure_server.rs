//! A server that encrypts everything, proves itself by its key, and lets in the clients whose keys it knows.

use std::env;

use zeroxide::{AccessList, Context, Options, SecretKey, Security, SocketType, generate_secret_key};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5571".into());
    let known = env::args().skip(2).map(|key| key.parse()).collect::<Result<Vec<_>, _>>()?;

    let context = Context::new();
    let clients = known.into_iter().fold(AccessList::new(), AccessList::curve_key);
    context.authenticator("", clients)?;

    // A real server keeps its key in a file, so that its clients know it tomorrow as well.
    let key: SecretKey = generate_secret_key()?;
    let public = key.public();
    let options = Options::new().security(Security::CurveServer(key));
    let server = context.socket_with(SocketType::Rep, &options)?;
    println!("bound {}", server.bind(&endpoint)?);
    println!("key {public}");
    loop {
        let request = server.recv()?;
        // Who this is has been proved by the handshake.
        let user = request.peer().map_or("nobody", |peer| &peer.user_id).to_owned();
        println!("received {:?} from {user}", request[0]);
        server.send("this is secret")?;
    }
}
