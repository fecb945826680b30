//! What a process does.

use serde::{Deserialize, Serialize};

/// One socket and its task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The socket's type.
    pub kind: Kind,
    /// What is done with it.
    pub task: Task,
    /// What carries the messages.
    pub transport: Transport,
    /// Where to connect; `None` binds.
    pub endpoint: Option<String>,
    /// Bytes of a message's body, at least 16.
    pub size: usize,
    /// How many sockets are at the other end.
    pub peers: usize,
    /// Keys, where the messages are under CURVE.
    pub curve: Option<Curve>,
    /// Which of a library's interfaces or modes; empty where it has one.
    pub mode: String,
}

/// Types of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the field's words")]
pub enum Kind {
    Push,
    Pull,
    Pub,
    /// Subscribed to everything.
    Sub,
    Req,
    Rep,
    Dealer,
    Router,
}

/// What a socket does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Sends without end.
    Flood,
    /// Receives without end, and counts.
    Drain,
    /// Receives from a [`Task::Flood`] that begins, and notes how much has come after each of [`crate::STARTS`].
    Begin,
    /// Sends one message and receives one, without end; measures each round trip.
    Ask,
    /// Sends back what it receives.
    Echo,
    /// Sends 20 messages, pauses, and so on.
    Burst,
    /// Receives from a [`Task::Burst`]; measures how long the last message of each burst takes.
    Tail,
}

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Over loopback.
    Tcp,
    /// A socket in the file system.
    Ipc,
    /// Both ends are in one process.
    Inproc,
}

/// Keys in Z85. The end that binds is the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curve {
    /// The server's public key.
    pub server_public: String,
    /// The server's secret key.
    pub server_secret: String,
    /// The client's public key.
    pub client_public: String,
    /// The client's secret key.
    pub client_secret: String,
}

impl Curve {
    /// The keys of libzmq's manual (zmq_curve).
    pub fn of_the_manual() -> Curve {
        Curve {
            server_public: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7".into(),
            server_secret: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6".into(),
            client_public: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID".into(),
            client_secret: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs".into(),
        }
    }
}

impl Spec {
    /// Whether this socket binds.
    pub fn binds(&self) -> bool {
        self.endpoint.is_none()
    }

    /// Where this socket binds: a port of the system's choice, a new file, or a name. Libraries that cannot choose a port
    /// themselves take it from [`Spec::bind_address`].
    pub fn bind_endpoint(&self) -> String {
        match self.transport {
            Transport::Tcp => "tcp://127.0.0.1:*".into(),
            Transport::Ipc => format!("ipc://{}", self.path().display()),
            Transport::Inproc => self.inproc(),
        }
    }

    /// The same with a number of a port that was free a moment ago.
    pub fn bind_address(&self) -> std::io::Result<String> {
        match self.transport {
            Transport::Tcp => {
                Ok(format!("tcp://{}", std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?))
            }
            _ => Ok(self.bind_endpoint()),
        }
    }

    /// The one name over inproc.
    pub fn inproc(&self) -> String {
        "inproc://cell".into()
    }

    fn path(&self) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("cell-{}.ipc", std::process::id()))
    }
}
