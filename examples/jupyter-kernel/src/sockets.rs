//! The connection file, which tells a kernel where to bind and with which keys; and the five sockets.

use std::error::Error;

use serde::Deserialize;
use zeroxide::{AccessList, Context, Options, PublicKey, SecretKey, Security, Socket, SocketType, opt};

use crate::wire::Session;

/// The domains of those who may come in under CURVE: front ends have the keys of the connection file, and the
/// heartbeat of a front end has a key that nobody knows.
const FRONT_ENDS: &str = "front ends";
const ANYBODY: &str = "anybody";

/// What the connection file says.
#[derive(Deserialize)]
pub(crate) struct Connection {
    transport: String,
    ip: String,
    shell_port: u16,
    iopub_port: u16,
    stdin_port: u16,
    control_port: u16,
    hb_port: u16,
    signature_scheme: String,
    key: String,
    curve_publickey: Option<String>,
    curve_secretkey: Option<String>,
}

impl Connection {
    /// Returns what signs and checks messages.
    pub(crate) fn session(&self) -> Result<Session, Box<dyn Error>> {
        if self.signature_scheme != "hmac-sha256" && !self.key.is_empty() {
            return Err(format!("unknown signature scheme {:?}", self.signature_scheme).into());
        }
        Ok(Session::new(self.key.as_bytes()))
    }

    /// Over ipc a port is a part of the path.
    fn endpoint(&self, port: u16) -> String {
        let Connection { transport, ip, .. } = self;
        let colon = if transport == "ipc" { '-' } else { ':' };
        format!("{transport}://{ip}{colon}{port}")
    }

    /// Returns the options of a socket that lets in the peers of a domain.
    fn options(&self, context: &Context, domain: &str) -> Result<Options, Box<dyn Error>> {
        let (Some(public), Some(secret)) = (&self.curve_publickey, &self.curve_secretkey) else {
            return Ok(Options::new());
        };
        let (public, secret): (PublicKey, SecretKey) = (public.parse()?, secret.parse()?);
        let list = AccessList::new();
        let list = if domain == ANYBODY { list.allow_any_curve_key() } else { list.curve_key(public) };
        context.authenticator(domain, list)?;
        Ok(Options::new().security(Security::CurveServer(secret)).set(opt::ZAP_DOMAIN, domain))
    }
}

/// The sockets of a kernel, bound.
pub(crate) struct Sockets {
    pub(crate) shell: Socket,
    pub(crate) control: Socket,
    pub(crate) stdin: Socket,
    pub(crate) iopub: Socket,
    pub(crate) heartbeat: Socket,
}

impl Sockets {
    pub(crate) fn bind(context: &Context, connection: &Connection) -> Result<Sockets, Box<dyn Error>> {
        let options = connection.options(context, FRONT_ENDS)?;
        // A front end that comes back has the same routing id as before.
        let for_router = options.clone().set(opt::ROUTER_HANDOVER, true);
        let open = |socket_type, options: &Options, port| -> Result<Socket, Box<dyn Error>> {
            let socket = context.socket_with(socket_type, options)?;
            socket.bind(connection.endpoint(port))?;
            Ok(socket)
        };
        Ok(Sockets {
            shell: open(SocketType::Router, &for_router, connection.shell_port)?,
            control: open(SocketType::Router, &for_router, connection.control_port)?,
            stdin: open(SocketType::Router, &for_router, connection.stdin_port)?,
            iopub: open(SocketType::Pub, &options, connection.iopub_port)?,
            heartbeat: open(SocketType::Rep, &connection.options(context, ANYBODY)?, connection.hb_port)?,
        })
    }
}
