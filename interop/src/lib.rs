//! Zeroxide against other implementations of ZeroMQ.
//!
//! Each implementation is a program that does what it is told, a line at a time (`PROTOCOL.md`); this crate tells
//! two of them and compares what they say. Zeroxide itself is one of them (`src/bin/zeroxide-peer.rs`), so that
//! every cell can be run with either side, or both, replaced: that is how a failure finds its owner.
//!
//! | module | holds |
//! |---|---|
//! | [`words`] | frames as words of a line |
//! | [`program`] | a program that plays a part, and how it is started |
//! | [`setup`] | the foreign ones made ready: installed or built, once |
//! | [`peer`] | a running one |
//! | [`deadline`] | how long it is waited for |
//! | [`mechanism`] | the security mechanisms, and what each side is told |
//! | [`pair`] | the legal pairs of socket types, and how messages flow in each |
//! | [`stage`] | two sockets of one pair, set up and attached |
//! | [`scenario`] | what is tried on a stage |
//! | [`cell`] | one cell of the matrix: who, what, over what, which way round |
//! | [`subject`] | an implementation that takes part |
//! | [`select`] | which cells are run |
//! | [`run`] | running them |
//! | [`verdict`] | whose fault a failure is |
//! | [`known`] | the known faults of others |
//! | [`glob`] | patterns of cell ids |
//! | [`article`] | the set-up of the articles, each message accounted for |
//! | [`report`] | what a run found, and how it is shown |
//! | [`raw`] | peers of ZMTP 1.0, 2.0 and 3.0, written from the RFCs |
//! | [`recording`] | what two implementations say to each other, for the golden corpus |
//! | [`relay`] | a man in the middle that records, stalls and cuts |
//! | [`wire`] | reading a peer's bytes without any implementation in between |

pub mod article;
pub mod cell;
mod complaints;
pub mod deadline;
pub mod glob;
pub mod known;
pub mod mechanism;
pub mod pair;
pub mod peer;
pub mod program;
pub mod raw;
pub mod recording;
pub mod relay;
pub mod report;
pub mod run;
pub mod scenario;
pub mod select;
pub mod setup;
pub mod stage;
pub mod subject;
pub mod verdict;
pub mod wire;
pub mod words;

pub use cell::Cell;
pub use pair::{PAIRS, Pair};
pub use peer::{Failure, Peer};
pub use program::Program;
pub use relay::Relay;
pub use run::Runner;
pub use select::Choice;
pub use stage::Stage;
pub use subject::Subject;
