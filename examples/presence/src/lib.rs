//! Who is there. [`Roll`] says who has joined a hub, who has left, and why, from the hub's monitor and its
//! messages. [`Beacon`] and [`Neighbours`] find the nodes of a network without a broker. The programs are in
//! `src/bin`.

mod beacon;
mod neighbours;
mod roll;

pub use beacon::{BadBeacon, Beacon, BeaconSocket};
pub use neighbours::{Neighbours, News};
pub use roll::{Change, Farewell, Roll};

/// What ends a program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
