//! How a stage is set up.

use std::fmt;

use crate::mechanism::Mechanism;
use crate::pair::{Pair, Side};
use crate::program::Program;

/// What a scenario needs of its stage.
#[derive(Debug)]
pub struct Scene {
    /// Its name in the source.
    pub name: &'static str,
    /// Whether several scenarios are played on one such stage, one after the other.
    pub shared: bool,
    /// Whether the endpoint outlives whoever binds it, so that a restarted peer can come back to it.
    pub lasting: bool,
    /// Whether a relay stands between the two (tcp only).
    pub relayed: bool,
    /// Options beyond those of the roles.
    pub options: &'static [Setup],
}

/// An option that is set on some sockets of a scene.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// On which.
    pub who: Who,
    /// libzmq's name for it, without `ZMQ_`.
    pub option: &'static str,
    /// Its value, as a word of the line protocol.
    pub value: &'static str,
    /// Whether a peer that does not know the option can do without.
    pub optional: bool,
}

/// Some sockets of a stage.
#[derive(Clone, Copy, Debug)]
pub enum Who {
    /// Both.
    Both,
    /// Those of these types.
    Types(&'static [&'static str]),
    /// The one on this side.
    On(Side),
}

impl Setup {
    /// An option that the sockets need.
    #[must_use]
    pub const fn new(who: Who, option: &'static str, value: &'static str) -> Setup {
        Setup { who, option, value, optional: false }
    }

    /// An option that they can do without.
    #[must_use]
    pub const fn optional(who: Who, option: &'static str, value: &'static str) -> Setup {
        Setup { who, option, value, optional: true }
    }

    /// Whether it is for the socket of this type on this side.
    pub(super) fn is_for(&self, side: Side, socket_type: &str) -> bool {
        match self.who {
            Who::Both => true,
            Who::Types(types) => types.contains(&socket_type),
            Who::On(chosen) => chosen == side,
        }
    }
}

/// Who meets on a stage, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The types, and how messages flow.
    pub pair: &'static Pair,
    /// `tcp` or `ipc`.
    pub transport: &'static str,
    /// What must be shown, and to whom.
    pub mechanism: &'static Mechanism,
    /// The side that binds; the other connects.
    pub binder: Side,
    /// The programs of the left and the right side.
    pub programs: [&'a Program; 2],
    /// What the scenario needs.
    pub scene: &'static Scene,
}

impl<'a> Setting<'a> {
    /// The program that plays a side.
    #[must_use]
    pub fn program(&self, side: Side) -> &'a Program {
        self.programs[side as usize]
    }

    /// The type of the socket on a side.
    #[must_use]
    pub fn socket_type(&self, side: Side) -> &'static str {
        self.pair.role(side).socket_type
    }
}

impl fmt::Display for Setting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: Side| {
            let does = if side == self.binder { "binds" } else { "connects" };
            format!("{} ({}) {does}", self.socket_type(side), self.program(side).name)
        };
        let (left, right) = (side(Side::Left), side(Side::Right));
        write!(f, "{left}, {right}, {}, {}", self.transport, self.mechanism)
    }
}
