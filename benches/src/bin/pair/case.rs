//! What is compared.

use std::fmt;

use clap::ValueEnum;

/// One row of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) pattern: Pattern,
    pub(crate) transport: Transport,
    pub(crate) mechanism: Mechanism,
    /// Bytes in a message's body.
    pub(crate) size: usize,
}

/// How many sockets talk to how many, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pattern {
    /// PUSH to PULL.
    Throughput,
    /// REQ to REP and back.
    Latency,
    /// One PUSH to four PULL.
    Spread,
    /// Four PUSH to one PULL.
    Gather,
    /// PUB to four SUB.
    Fanout4,
    /// PUB to 32 SUB.
    Fanout32,
}

/// What carries the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    Tcp,
    Ipc,
    /// Both ends are threads of one process.
    Inproc,
}

/// What the messages are under. Inproc has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    Null,
    #[cfg(feature = "curve")]
    Curve,
}

/// What one socket has to do with it. The end that binds is the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seal {
    None,
    #[cfg_attr(not(feature = "curve"), expect(dead_code, reason = "no CURVE in this build"))]
    Server,
    #[cfg_attr(not(feature = "curve"), expect(dead_code, reason = "no CURVE in this build"))]
    Client,
}

/// The keys of libzmq's manual (zmq_curve); here those that both libraries are given.
#[cfg(any(feature = "libzmq", feature = "curve"))]
pub(crate) const CLIENT_SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
#[cfg(any(feature = "libzmq", feature = "curve"))]
pub(crate) const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
#[cfg(any(feature = "libzmq", feature = "curve"))]
pub(crate) const SERVER_SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Implementation {
    Zeroxide,
    /// Zeroxide as another build of this program has it: with other features, or of another day.
    Other,
    Libzmq,
}

/// One end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum End {
    /// Sends or asks.
    First,
    /// Receives or answers.
    Second,
    /// Both in one process.
    Both,
}

/// The types of sockets that take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Push,
    Pull,
    Req,
    Rep,
    /// Never drops: it waits for its slowest subscriber (`ZMQ_XPUB_NODROP`), so that each message arrives.
    Pub,
    /// Subscribed to everything.
    Sub,
}

impl Pattern {
    /// How many sockets there are at the first end, and of which type.
    pub(crate) fn first(self) -> (usize, Kind) {
        match self {
            Pattern::Throughput | Pattern::Spread => (1, Kind::Push),
            Pattern::Gather => (4, Kind::Push),
            Pattern::Latency => (1, Kind::Req),
            Pattern::Fanout4 | Pattern::Fanout32 => (1, Kind::Pub),
        }
    }

    /// The same of the second end.
    pub(crate) fn second(self) -> (usize, Kind) {
        match self {
            Pattern::Throughput | Pattern::Gather => (1, Kind::Pull),
            Pattern::Spread => (4, Kind::Pull),
            Pattern::Latency => (1, Kind::Rep),
            Pattern::Fanout4 => (4, Kind::Sub),
            Pattern::Fanout32 => (32, Kind::Sub),
        }
    }

    /// The end that binds: the one with a single socket, else the second.
    pub(crate) fn binder(self) -> End {
        if self.second().0 > 1 { End::First } else { End::Second }
    }

    /// The end that knows when all is done, and whose clock counts.
    pub(crate) fn judge(self) -> End {
        if self == Pattern::Latency { End::First } else { End::Second }
    }

    /// Messages of a first short run, from which the length of the others is reckoned.
    pub(crate) fn trial(self, size: usize) -> u64 {
        let messages = 20_000_000 / (size as u64 + 1000);
        match self {
            Pattern::Latency => 500,
            Pattern::Fanout32 => (messages / 8).max(100),
            _ => messages.max(200),
        }
    }
}

impl Transport {
    /// Where the first socket binds.
    pub(crate) fn endpoint(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp://127.0.0.1:*",
            Transport::Ipc => "ipc://*",
            Transport::Inproc => "inproc://compare",
        }
    }
}

impl Implementation {
    /// Those that this program was built with, and the other build where there is one.
    pub(crate) fn available(other: bool) -> Vec<Implementation> {
        let all = [
            (Implementation::Zeroxide, true),
            (Implementation::Other, other),
            (Implementation::Libzmq, cfg!(feature = "libzmq")),
        ];
        all.into_iter().filter(|(_, there)| *there).map(|(one, _)| one).collect()
    }
}

/// The word that means `value` on the command line.
pub(crate) fn word<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map(|word| word.get_name().to_owned()).unwrap_or_default()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Case { pattern, transport, mechanism, size } = self;
        write!(f, "{} {} {} {size} B", word(pattern), word(transport), word(mechanism))
    }
}

/// What one end is told to do.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) implementation: Implementation,
    pub(crate) end: End,
    pub(crate) case: Case,
    /// Messages that the clock runs for; before them go [`Order::warm_up`].
    pub(crate) count: u64,
    /// Where to connect; empty for the end that binds.
    pub(crate) endpoint: String,
}

impl Order {
    /// Messages sent ahead of the clock.
    pub(crate) fn warm_up(&self) -> u64 {
        self.count / 20 + 16
    }

    /// Whether this end binds.
    pub(crate) fn binds(&self) -> bool {
        self.end == self.case.pattern.binder()
    }

    /// What its sockets have to do with the mechanism.
    pub(crate) fn seal(&self) -> Seal {
        match self.case.mechanism {
            Mechanism::Null => Seal::None,
            #[cfg(feature = "curve")]
            Mechanism::Curve if self.binds() => Seal::Server,
            #[cfg(feature = "curve")]
            Mechanism::Curve => Seal::Client,
        }
    }

    /// As one argument of a command line.
    pub(crate) fn text(&self) -> String {
        let Case { pattern, transport, mechanism, size } = &self.case;
        // The other build does not know that it is another.
        let implementation = match self.implementation {
            Implementation::Other => Implementation::Zeroxide,
            implementation => implementation,
        };
        let words = [word(&implementation), word(&self.end), word(pattern), word(transport), word(mechanism)];
        format!("{} {size} {} {}", words.join(" "), self.count, self.endpoint)
    }

    /// Reads what [`Order::text`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Order> {
        let mut words = text.split(' ');
        let implementation = Implementation::from_str(words.next()?, true).ok()?;
        let end = End::from_str(words.next()?, true).ok()?;
        let pattern = Pattern::from_str(words.next()?, true).ok()?;
        let transport = Transport::from_str(words.next()?, true).ok()?;
        let mechanism = Mechanism::from_str(words.next()?, true).ok()?;
        let size = words.next()?.parse().ok()?;
        let count = words.next()?.parse().ok()?;
        let endpoint = words.next().unwrap_or_default().to_owned();
        Some(Order {
            implementation,
            end,
            case: Case { pattern, transport, mechanism, size },
            count,
            endpoint,
        })
    }
}
