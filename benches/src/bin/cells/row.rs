//! What is measured.

use cell::{Kind, Task, Transport};

/// One row: two sides of sockets and what they do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) transport: Transport,
    /// Sends, or asks.
    pub(crate) first: Side,
    /// Receives, or sends back.
    pub(crate) second: Side,
    pub(crate) measure: Measure,
    pub(crate) curve: bool,
    /// Bytes of a body.
    pub(crate) sizes: &'static [usize],
}

/// Sockets of the same kind. The side with one socket binds; where both have one, the second does.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) count: usize,
    pub(crate) kind: Kind,
    pub(crate) task: Task,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Messages in a second, of all receivers together.
    Rate,
    /// Round trips: their median.
    RoundTrip,
    /// The last message of a burst: its median time.
    Tail,
    /// Messages in a second at the beginning of a flood.
    Start,
}

const SIZES: &[usize] = &[16, 64, 1024, 16_384];
const MORE_SIZES: &[usize] = &[16, 64, 1024, 16_384, 262_144, 1_048_576];

const fn side(count: usize, kind: Kind, task: Task) -> Side {
    Side { count, kind, task }
}

/// A row with one PUSH, one PULL and a flood between them; the others differ from it.
const FLOOD: Row = Row {
    name: "",
    title: "",
    transport: Transport::Tcp,
    first: side(1, Kind::Push, Task::Flood),
    second: side(1, Kind::Pull, Task::Drain),
    measure: Measure::Rate,
    curve: false,
    sizes: SIZES,
};

/// A row with one REQ and one REP.
const ASK: Row = Row {
    first: side(1, Kind::Req, Task::Ask),
    second: side(1, Kind::Rep, Task::Echo),
    measure: Measure::RoundTrip,
    ..FLOOD
};

/// A row with this many DEALERs that ask one ROUTER.
const fn clients(name: &'static str, title: &'static str, count: usize) -> Row {
    Row {
        name,
        title,
        first: side(count, Kind::Dealer, Task::Ask),
        second: side(1, Kind::Router, Task::Echo),
        measure: Measure::Rate,
        sizes: &[64, 1024],
        ..ASK
    }
}

const ALL: &[Row] = &[
    Row { name: "push-pull-tcp", title: "PUSH to PULL, tcp", sizes: MORE_SIZES, ..FLOOD },
    Row {
        name: "push-pull-ipc",
        title: "PUSH to PULL, ipc",
        transport: Transport::Ipc,
        sizes: MORE_SIZES,
        ..FLOOD
    },
    Row {
        name: "spread-tcp",
        title: "1 PUSH to 4 PULL, tcp",
        second: side(4, Kind::Pull, Task::Drain),
        ..FLOOD
    },
    Row {
        name: "gather-tcp",
        title: "4 PUSH to 1 PULL, tcp",
        first: side(4, Kind::Push, Task::Flood),
        ..FLOOD
    },
    Row {
        name: "publish-tcp",
        title: "PUB to 32 SUB, tcp",
        first: side(1, Kind::Pub, Task::Flood),
        second: side(32, Kind::Sub, Task::Drain),
        ..FLOOD
    },
    Row { name: "req-rep-tcp", title: "REQ and REP, tcp", ..ASK },
    Row { name: "req-rep-ipc", title: "REQ and REP, ipc", transport: Transport::Ipc, ..ASK },
    Row {
        name: "inproc-rate",
        title: "PUSH to PULL, inproc",
        transport: Transport::Inproc,
        sizes: &[64, 1024, 16_384],
        ..FLOOD
    },
    Row {
        name: "inproc-latency",
        title: "REQ and REP, inproc",
        transport: Transport::Inproc,
        sizes: &[64, 1024],
        ..ASK
    },
    clients("clients-1", "1 DEALER asks ROUTER, tcp", 1),
    clients("clients-10", "10 DEALERs ask ROUTER, tcp", 10),
    clients("clients-100", "100 DEALERs ask ROUTER, tcp", 100),
    Row {
        name: "curve-tcp",
        title: "PUSH to PULL under CURVE, tcp",
        curve: true,
        sizes: &[64, 1024, 16_384],
        ..FLOOD
    },
    Row {
        name: "burst-tcp",
        title: "last of 20 messages, PUSH to PULL, tcp",
        first: side(1, Kind::Push, Task::Burst),
        second: side(1, Kind::Pull, Task::Tail),
        measure: Measure::Tail,
        sizes: &[64],
        ..FLOOD
    },
    Row {
        name: "start-tcp",
        title: "how a flood begins, PUSH to PULL, tcp",
        second: side(1, Kind::Pull, Task::Begin),
        measure: Measure::Start,
        sizes: &[64, 1024],
        ..FLOOD
    },
];

impl Row {
    pub(crate) fn all() -> &'static [Row] {
        ALL
    }

    pub(crate) fn named(name: &str) -> Option<&'static Row> {
        ALL.iter().find(|row| row.name == name)
    }

    /// Those whose name begins with one of `names`; all if there are none.
    ///
    /// # Errors
    /// The name that no row has.
    pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Row>, String> {
        for name in names {
            if !ALL.iter().any(|row| row.name.starts_with(name.as_str())) {
                return Err(format!("no row is called {name:?}: `--list` shows them"));
            }
        }
        let is_chosen =
            |row: &&Row| names.is_empty() || names.iter().any(|name| row.name.starts_with(name.as_str()));
        Ok(ALL.iter().filter(is_chosen).collect())
    }

    /// Whether the first side binds.
    pub(crate) fn first_binds(&self) -> bool {
        self.second.count > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_one_name_and_one_side_that_binds() {
        for (at, row) in ALL.iter().enumerate() {
            assert!(ALL[at + 1..].iter().all(|other| other.name != row.name), "{}", row.name);
            assert!(row.first.count == 1 || row.second.count == 1, "{}", row.name);
            assert!(row.sizes.iter().all(|size| *size >= 16), "{}: room for a time", row.name);
        }
    }

    #[test]
    fn rows_are_chosen_by_how_their_names_begin() {
        let names = |chosen: &[&str]| {
            let chosen: Vec<String> = chosen.iter().map(|name| (*name).to_owned()).collect();
            Row::chosen(&chosen).map(|rows| rows.iter().map(|row| row.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["push-pull"]).unwrap(), ["push-pull-tcp", "push-pull-ipc"]);
        assert_eq!(names(&[]).unwrap().len(), ALL.len());
        assert!(names(&["push", "nothing"]).unwrap_err().contains("nothing"));
    }
}
