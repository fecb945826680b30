//! What the source must not say and clippy cannot hold: one table, each row with its reason, its places and its homes.
//! What clippy can hold stands in clippy.toml and at the head of each crate ([`OPENING`]).
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
    pub(crate) in_tests: bool,
    /// Files where the thing has its one home.
    pub(crate) homes: &'static [&'static str],
}

/// The crates that carry messages.
pub(crate) const CORE: &[&str] = &["zmtp/src/", "patterns/src/", "transports/src/", "src/"];
/// Those of them that know neither sockets nor threads nor time.
const PURE: &[&str] = &["zmtp/src/", "patterns/src/"];

/// Ready-made row: everywhere in the core's production code.
const ROW: Ban = Ban { name: "", patterns: &[], why: "", places: CORE, in_tests: false, homes: &[] };

pub(crate) const BANS: &[Ban] = &[
    Ban {
        name: "socket type",
        patterns: &["SocketType :: <Variant>", "SocketType :: {", "SocketType :: *"],
        why: "a fact about a socket type belongs in the table of zmtp/src/socket_type.rs, its rules in its pattern",
        homes: &["zmtp/src/socket_type.rs", "patterns/src/any.rs"],
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
        name: "unbounded queue",
        patterns: &["mpsc :: channel"],
        why: "what a peer or a burst can fill must have a bound; a test may use it, so clippy cannot hold it",
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
        name: "clock",
        patterns: &["Instant :: now", "SystemTime :: now"],
        why: "a simulation sets the clock: read it by `clock::now`",
        places: &["src/"],
        homes: &["src/clock.rs"],
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
        places: &["examples/", "tests/"],
        in_tests: true,
        ..ROW
    },
];

/// What the lib.rs of each crate of the core says, line by line: the compiler refuses unsafe code there, and clippy what
/// could end the process or print in it. A place that may panic all the same has an `#[expect]` with its reason.
pub(crate) const OPENING: &[&str] = &[
    "#![forbid(unsafe_code)]",
    "#![cfg_attr(not(test), warn(clippy::expect_used, clippy::panic, clippy::unreachable))]",
    "#![cfg_attr(not(test), warn(clippy::todo, clippy::unimplemented))]",
    "#![cfg_attr(not(test), warn(clippy::dbg_macro, clippy::print_stderr, clippy::print_stdout))]",
];

/// What the lib.rs of a crate that reads what peers send says beside that: no input ends the process.
pub(crate) const STRICT: &[&str] = &[
    "#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice))]",
    "#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation))]",
];

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
