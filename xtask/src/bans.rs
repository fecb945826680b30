//! What the source must not say: one table, each row with its reason, its places and its exceptions.
//!
//! A pattern is a row of tokens with a space between them, found in code but never in comments or strings.
//! `<Variant>` stands for a name in CamelCase, `<any>` for any one token, `...` for tokens that do not end the
//! statement. `use` trees are unfolded first, so `use std::{thread::sleep}` says `std :: thread :: sleep`.

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Ban {
    /// Its name in the list of faults.
    pub(crate) name: &'static str,
    /// What is looked for.
    pub(crate) patterns: &'static [&'static str],
    /// Why, and what to write instead.
    pub(crate) why: &'static str,
    /// Beginnings of the paths where it holds.
    pub(crate) places: &'static [&'static str],
    /// Whether tests are meant as well.
    pub(crate) code: Code,
    /// Files where the thing has its one home.
    pub(crate) homes: &'static [&'static str],
    /// Single lines that may say it all the same. One that matches nothing is a fault.
    pub(crate) allow: &'static [Allow],
}

/// Which code of a file a ban looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    All,
    Production,
    Tests,
}

/// One exception.
#[derive(Clone, Copy)]
pub(crate) struct Allow {
    /// The file.
    pub(crate) path: &'static str,
    /// What the line must contain; empty for the whole file.
    pub(crate) line: &'static str,
    /// Why it may.
    pub(crate) reason: &'static str,
}

/// The crates that carry messages.
const CORE: &[&str] = &["zmtp/src/", "patterns/src/", "transports/src/", "src/"];
/// Those of them that know neither sockets nor threads nor time.
const PURE: &[&str] = &["zmtp/src/", "patterns/src/"];
const EVERYWHERE: &[&str] = &[""];

/// Ready-made row: everywhere in the core's production code, no exception.
const ROW: Ban =
    Ban { name: "", patterns: &[], why: "", places: CORE, code: Code::Production, homes: &[], allow: &[] };

pub(crate) const BANS: &[Ban] = &[
    Ban {
        name: "writev",
        patterns: &["write_vectored", "writev"],
        why: "writev(2) raises SIGPIPE on a closed stream and kills the host process; use Stream::send (sendmsg)",
        places: &["transports/src/", "src/"],
        code: Code::All,
        ..ROW
    },
    Ban {
        name: "sleep in the core",
        patterns: &["thread :: sleep"],
        why: "an application thread sleeps only in src/signal, an I/O thread only in its poll",
        places: &[
            "zmtp/src/",
            "patterns/src/",
            "transports/src/",
            "src/",
            "capi/src/",
            "cli/src/",
            "interop/src/",
        ],
        ..ROW
    },
    Ban {
        name: "sleep in a test",
        patterns: &["thread :: sleep"],
        why: "a test that sleeps is slow or wrong; wait for the event itself, or use a virtual clock",
        places: EVERYWHERE,
        code: Code::Tests,
        ..ROW
    },
    Ban {
        name: "socket type",
        patterns: &["SocketType :: <Variant>", "SocketType :: {", "SocketType :: *"],
        why: "a fact about a socket type belongs in the table of zmtp/src/socket_type.rs, its rules in its pattern",
        homes: &["zmtp/src/socket_type.rs", "patterns/src/any.rs"],
        ..ROW
    },
    Ban {
        name: "unbounded queue",
        patterns: &["unbounded", "unbounded_channel", "mpsc :: channel"],
        why: "what a peer or a burst can fill must have a bound",
        allow: &[Allow {
            path: "src/socket/orders.rs",
            line: "crossbeam_channel::unbounded()",
            reason: "orders, never messages: one at a time from each flag (deferred socket, engine with an outcome) \
                     or call",
        }],
        ..ROW
    },
    Ban {
        name: "panic",
        patterns: &[
            ". unwrap (",
            ". unwrap_err (",
            ". expect (",
            ". expect_err (",
            "panic !",
            "todo !",
            "unimplemented !",
            "unreachable !",
        ],
        why: "no peer and no caller may end the process; return an error, or end the one connection",
        allow: PANICS,
        ..ROW
    },
    Ban {
        name: "waiting",
        patterns: &["thread :: park", "thread :: park_timeout", "Condvar", "Poll :: poll", ". poll ( & mut"],
        why: "application threads wait only in src/signal and I/O threads only in the reactor, so that a \
              simulation can drive everything else",
        homes: &["src/signal.rs", "src/io/reactor.rs"],
        ..ROW
    },
    Ban {
        name: "printing",
        patterns: &["println !", "eprintln !", "print !", "eprint !", "dbg !"],
        why: "a library's streams belong to its host; say it through an error, a monitor event or a counter",
        ..ROW
    },
    Ban {
        name: "global state",
        patterns: &[
            "static mut",
            "lazy_static",
            "static <any> : ... OnceLock",
            "static <any> : ... OnceCell",
            "static <any> : ... LazyLock",
            "static <any> : ... Mutex",
            "static <any> : ... RwLock",
        ],
        why: "contexts share nothing; two users of the library in one process must not meet",
        ..ROW
    },
    Ban {
        name: "unsafe",
        patterns: &["unsafe"],
        why: "the core has none; it may live in capi/, each block with its SAFETY line",
        code: Code::All,
        ..ROW
    },
    Ban {
        name: "clock",
        patterns: &["Instant :: now", "SystemTime :: now"],
        why: "time is an argument here, so that a run on a virtual clock replays exactly",
        places: PURE,
        ..ROW
    },
    Ban {
        name: "threads and sockets",
        patterns: &[
            "thread :: spawn",
            "TcpStream",
            "TcpListener",
            "UdpSocket",
            "UnixStream",
            "UnixListener",
            "mio",
        ],
        why: "these crates do no I/O and have no threads",
        places: PURE,
        ..ROW
    },
    Ban {
        name: "randomness",
        patterns: &["RandomState", "HashMap :: new", "HashSet :: new", "HashMap :: with_capacity"],
        why: "seeds are passed in: a run replays exactly, and no peer can choose colliding keys",
        places: PURE,
        ..ROW
    },
    Ban {
        name: "face",
        patterns: &["zeroxide :: face"],
        why: "the parts interface is for the C library alone and outside semver",
        places: &["cli/", "examples/", "tests/"],
        code: Code::All,
        ..ROW
    },
];

/// The panics of production code, each with the reason why no peer can bring it about.
const PANICS: &[Allow] = &[
    Allow {
        path: "zmtp/src/message.rs",
        line: "unreachable!(\"just replaced by Many\")",
        reason: "the line before has put that variant there",
    },
    Allow {
        path: "zmtp/src/message.rs",
        line: "unreachable!(\"just replaced by Draft\")",
        reason: "the line before has put that variant there",
    },
    Allow {
        path: "zmtp/src/message.rs",
        line: "panic!(\"no frame {index} in a message of {}\"",
        reason: "Index must panic on the caller's own mistake, as slices do; get() is beside it",
    },
];

/// What the source must say, and where.
pub(crate) struct Demand {
    pub(crate) path: &'static str,
    pub(crate) pattern: &'static str,
    pub(crate) why: &'static str,
}

pub(crate) const DEMANDS: &[Demand] = &[
    Demand { path: "zmtp/src/lib.rs", pattern: FORBID, why: FORBID_WHY },
    Demand { path: "patterns/src/lib.rs", pattern: FORBID, why: FORBID_WHY },
    Demand { path: "transports/src/lib.rs", pattern: FORBID, why: FORBID_WHY },
    Demand { path: "src/lib.rs", pattern: FORBID, why: FORBID_WHY },
];
const FORBID: &str = "# ! [ forbid ( unsafe_code )";
const FORBID_WHY: &str = "the compiler itself must refuse unsafe code here";

/// What no file of the project may contain, whatever its kind, with the reason. Written in pieces, so that this
/// file does not contain it either.
pub(crate) const WORDS: &[(&str, &str)] = &[
    (concat!("/wo", "rk/"), "a path of one machine; write paths relative to the repository"),
    (concat!("/tm", "p/t-"), "a path of one machine; write paths relative to the repository"),
    (concat!("far", "m-"), "a name of one place of work, which means nothing to a reader elsewhere"),
    (concat!("index.", "crates.io"), REGISTRY),
    (concat!("static.", "crates.io"), REGISTRY),
    (concat!("python", "hosted.org"), REGISTRY),
    (concat!("arti", "factory"), REGISTRY),
    (concat!("repo.maven.", "apache.org"), REGISTRY),
];
const REGISTRY: &str = "a registry's host belongs in a client's own settings, not in the project";
