//! The mechanisms, and the keys of CURVE, which are made once for all sessions.

use zeroxide::{Options, SecretKey, Security};

/// The keys of both sides.
#[derive(Debug)]
pub(crate) struct Keys {
    server: SecretKey,
    client: SecretKey,
}

impl Keys {
    pub(crate) fn new() -> Keys {
        Keys { server: SecretKey::from_bytes([1; 32]), client: SecretKey::from_bytes([2; 32]) }
    }

    /// The server's options for NULL (0), PLAIN (1) or CURVE.
    pub(crate) fn server(&self, options: Options, mechanism: u8) -> Options {
        match mechanism {
            0 => options,
            1 => options.security(Security::PlainServer),
            _ => options.security(Security::CurveServer(self.server.clone())),
        }
    }

    /// The client's options.
    pub(crate) fn client(&self, options: Options, mechanism: u8) -> Options {
        match mechanism {
            0 => options,
            1 => options.security(Security::PlainClient { user: "user".into(), password: "password".into() }),
            _ => options
                .security(Security::CurveClient { server: self.server.public(), me: self.client.clone() }),
        }
    }
}
