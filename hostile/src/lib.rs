//! What a hostile or unlucky world does to an implementation of ZMTP, as programs that print figures and judge them.
//!
//! Most of them can be pointed at another implementation on loopback (`--target tcp://127.0.0.1:5555`); without that they start a
//! Zeroxide socket in a process of its own. A figure is a line `name value unit`; a line `BROKEN …` follows where it breaks
//! a rule, and the program ends with 1.
//!
//! | module | holds |
//! |---|---|
//! | [`kill`] | kill -9 at random moments, with sequence numbers and checksums |
//! | [`handshakes`] | connections that never become peers: slow, silent, short, HELLO floods |
//! | [`descriptors`] | no descriptor is left |
//! | [`sizes`], [`more`] | frames that announce more than anybody has; messages that do not end |
//! | [`storms`] | one command without pause |
//! | [`stopped`], [`slow`] | a peer that does not read; a subscriber that reads too little |
//! | [`memory`], [`signals`] | memory that is scarce; calls that are interrupted |
//! | [`names`], [`cable`] | a name server that does not answer; a network that is gone for a while ([`namespace`]) |
//! | [`churn`], [`ceiling`] | peers that come and go for ever; what a connection and a queued message cost |
//! | [`races`] | calls on eight threads while a socket or its context ends |
//! | [`all`] | all of these, one after the other |
//! | [`soak`] | all types, transports and mechanisms in one process, for minutes or days, and its memory |
//! | [`victim`] | the socket that is attacked; [`target`] is it or another implementation |
//! | [`neighbour`] | good peers, whose round trips are measured |
//! | [`numbered`] | messages that tell which one they are, and whether they are whole |
//! | [`wire`] | ZMTP as bytes, and a peer without any behaviour of its own |
//! | [`heap`] | what is live of the heap, exactly |
//! | [`report`], [`process`] | figures and rules; memory, processor time, limits |
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

pub mod all;
pub mod cable;
pub mod ceiling;
pub mod churn;
pub mod descriptors;
pub mod handshakes;
pub mod heap;
pub mod kill;
pub mod memory;
pub mod more;
pub mod names;
pub mod namespace;
pub mod neighbour;
pub mod numbered;
pub mod process;
pub mod races;
pub mod report;
pub mod signals;
pub mod sizes;
pub mod slow;
pub mod soak;
pub mod stopped;
pub mod storms;
pub mod target;
pub mod victim;
pub mod wire;
