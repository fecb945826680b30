//! A client that knows the server by its public key. Without arguments it makes a key and prints it, for the server's list.

use std::env;
use std::time::Duration;

use zeroxide::{Context, Options, SecretKey, Security, SocketType, generate_secret_key};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [me, server, endpoint] = &arguments[..] else {
        let key = generate_secret_key()?;
        // Nothing prints a secret key unless it is asked to.
        println!("public {}\nsecret {}", key.public(), String::from_utf8_lossy(key.expose_z85().expose()));
        return Ok(());
    };
    let me: SecretKey = me.parse()?;
    let security = Security::CurveClient { server: server.parse()?, me };
    let context = Context::new();
    let client = context.socket_with(SocketType::Req, &Options::new().security(security))?;
    // Unlike `connect`, this fails when the handshake does, and says why.
    client.connect_ready(endpoint, Duration::from_secs(10)).map_err(|error| error.to_string())?;
    println!("reply {:?}", client.request("a secret, please", Duration::from_secs(10))?[0]);
    Ok(())
}
