//! A socket as a specification wants it.

use std::time::Duration;

use cell::{Kind, Spec};
use zeroxide::{Context, Options, Socket, SocketType};

/// A connection on loopback that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bound or connected, with default options.
pub(crate) fn open(context: &Context, spec: &Spec, bound: impl FnOnce(&str)) -> Result<Socket, String> {
    let socket_type = match spec.kind {
        Kind::Push => SocketType::Push,
        Kind::Pull => SocketType::Pull,
        Kind::Pub => SocketType::Pub,
        Kind::Sub => SocketType::Sub,
        Kind::Req => SocketType::Req,
        Kind::Rep => SocketType::Rep,
        Kind::Dealer => SocketType::Dealer,
        Kind::Router => SocketType::Router,
    };
    let options = options(context, spec)?;
    let socket = context.socket_with(socket_type, &options).map_err(|error| error.to_string())?;
    if spec.kind == Kind::Sub {
        socket.subscribe("").map_err(|error| error.to_string())?;
    }
    match &spec.endpoint {
        None => bound(&socket.bind(spec.bind_endpoint()).map_err(|error| error.to_string())?.to_string()),
        Some(endpoint) => {
            socket.connect_ready(endpoint.as_str(), PATIENCE).map_err(|error| error.to_string())?;
        }
    }
    Ok(socket)
}

#[cfg(not(feature = "curve"))]
fn options(_: &Context, spec: &Spec) -> Result<Options, String> {
    match spec.curve {
        None => Ok(Options::new()),
        Some(_) => Err("built without the feature curve".into()),
    }
}

/// Whoever knows the server's key may come in, as with a libzmq that has no ZAP handler.
#[cfg(feature = "curve")]
fn options(context: &Context, spec: &Spec) -> Result<Options, String> {
    use zeroxide::{AccessList, Security};
    let Some(keys) = &spec.curve else { return Ok(Options::new()) };
    let security = if spec.binds() {
        let everybody = AccessList::new().allow_any_curve_key();
        context.authenticator("", everybody).map_err(|error| error.to_string())?;
        Security::CurveServer(keys.server_secret.parse().expect("a key"))
    } else {
        let server = keys.server_public.parse().expect("a key");
        Security::CurveClient { server, me: keys.client_secret.parse().expect("a key") }
    };
    Ok(Options::new().security(security))
}
