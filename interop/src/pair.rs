//! The legal pairs of socket types, and how messages flow in each: one table.

/// One side of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The type named first.
    Left,
    /// The type named second.
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    /// The opposite one.
    #[must_use]
    pub fn other(self) -> Side {
        match self {
            Side::Left => Side::Right,
            Side::Right => Side::Left,
        }
    }

    /// Its name on stage, which is the routing id of sockets that have one.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }
}

/// How messages flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// From left to right only.
    OneWay,
    /// Both ways, independently.
    BothWays,
    /// Left asks, right answers, in turns.
    Turns {
        /// How many questions may be open at once.
        window: u32,
    },
}

/// One socket of a pair.
#[derive(Clone, Copy, Debug)]
pub struct Role {
    /// Its type.
    pub socket_type: &'static str,
    /// Options that it needs for the scenarios.
    pub options: &'static [(&'static str, &'static str)],
    /// Options that most scenarios can do without.
    pub wishes: &'static [(&'static str, &'static str)],
    /// The frames that it puts before each message, as words.
    pub sends: &'static [&'static str],
    /// The frames that it finds before each message.
    pub finds: &'static [&'static str],
}

/// Two types that may talk to each other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The one that sends, or asks, first.
    pub left: Role,
    /// The other.
    pub right: Role,
    /// How messages flow.
    pub flow: Flow,
}

impl Pair {
    /// One of the two.
    #[must_use]
    pub fn role(&self, side: Side) -> &Role {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }

    /// Whether both sides are the same.
    #[must_use]
    pub fn is_symmetric(&self) -> bool {
        self.left.socket_type == self.right.socket_type
    }

    /// Its name, such as `PUSH-PULL`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.left.socket_type, self.right.socket_type)
    }
}

const fn role(socket_type: &'static str) -> Role {
    Role { socket_type, options: &[], wishes: &[], sends: &[], finds: &[] }
}

/// A publisher is not to drop what the scenarios count.
const fn publisher(socket_type: &'static str) -> Role {
    Role { wishes: &[("SNDHWM", "0")], ..role(socket_type) }
}

/// A socket with a routing id.
const fn named(socket_type: &'static str, id: &'static [(&'static str, &'static str)]) -> Role {
    Role { options: id, ..role(socket_type) }
}

/// A ROUTER that is to refuse what it cannot route, and talks to a peer with this envelope.
const fn router(envelope: &'static [&'static str]) -> Role {
    Role { wishes: MANDATORY, sends: envelope, finds: envelope, ..role("ROUTER") }
}

const fn pair(left: Role, right: Role, flow: Flow) -> Pair {
    Pair { left, right, flow }
}

const LEFT: &[(&str, &str)] = &[("ROUTING_ID", "t:left")];
const MANDATORY: &[(&str, &str)] = &[("ROUTER_MANDATORY", "1")];
const RIGHT: &[(&str, &str)] = &[("ROUTING_ID", "t:right")];

/// Every legal pair of the eleven stable types but STREAM, which speaks no ZMTP.
pub const PAIRS: [Pair; 12] = [
    pair(role("PAIR"), role("PAIR"), Flow::BothWays),
    pair(publisher("PUB"), role("SUB"), Flow::OneWay),
    pair(publisher("PUB"), role("XSUB"), Flow::OneWay),
    pair(publisher("XPUB"), role("SUB"), Flow::OneWay),
    pair(publisher("XPUB"), role("XSUB"), Flow::OneWay),
    pair(role("REQ"), role("REP"), Flow::Turns { window: 1 }),
    pair(named("REQ", LEFT), router(&["t:left", "-"]), Flow::Turns { window: 1 }),
    pair(Role { sends: &["-"], finds: &["-"], ..role("DEALER") }, role("REP"), Flow::Turns { window: 100 }),
    pair(role("DEALER"), role("DEALER"), Flow::BothWays),
    pair(named("DEALER", LEFT), router(&["t:left"]), Flow::BothWays),
    pair(
        Role { options: LEFT, ..router(&["t:right"]) },
        Role { options: RIGHT, ..router(&["t:left"]) },
        Flow::BothWays,
    ),
    pair(role("PUSH"), role("PULL"), Flow::OneWay),
];

/// The pair with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Pair> {
    PAIRS.iter().find(|pair| pair.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroxide::SocketType;

    #[test]
    fn the_table_holds_every_legal_pair_of_stable_types_and_no_other() {
        let stable: Vec<SocketType> = (0..11).filter_map(SocketType::from_number).collect();
        let mut legal = Vec::new();
        for (n, a) in stable.iter().enumerate() {
            legal.extend(stable[n..].iter().filter(|b| a.talks_to(**b)).map(|b| (*a, *b)));
        }
        let of = |role: &Role| SocketType::from_name(role.socket_type.as_bytes()).unwrap();
        let mut listed: Vec<_> = PAIRS
            .iter()
            .map(|pair| (of(&pair.left).min(of(&pair.right)), of(&pair.left).max(of(&pair.right))))
            .collect();
        listed.sort();
        legal.sort();
        assert_eq!(listed, legal);
    }
}
