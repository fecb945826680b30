//! The floors inside each crate, from the top. `cargo xtask floor` checks them (`floor/storeys`).

use crate::floor::storeys::{Circle, House};

/// The crates whose floors are checked.
pub(crate) const HOUSES: &[House] = &[
    House {
        src: "zmtp/src",
        floors: &[
            "lib",
            "connection",
            "greeting mechanism",
            "mechanism/step mechanism/curve/channel mechanism/no_channel",
            "config",
            "values",
            "decoder encoder command frame groups heartbeat memory message queue raw run traffic mechanism/zap",
            "error",
            "gate",
            "entropy peer short socket_type mechanism/settings mechanism/secret mechanism/z85 \
                mechanism/curve/boxes mechanism/curve/keys mechanism/curve/multiply mechanism/curve/wire",
        ],
        circles: &[],
    },
    House {
        src: "patterns/src",
        floors: &[
            "lib",
            "any",
            "pair pipeline pubsub reqrep server stream radio dish",
            "addressed distributor load_balancer fair_queue downstream upstream subscriptions",
            "pattern chosen ring waiting",
            "routing_ids",
            "by_pipe",
            "pipes seeded",
        ],
        circles: &[],
    },
    House {
        src: "transports/src",
        floors: &[
            "lib",
            "listener stream",
            "tcp ipc simulated",
            "resolve socks endpoint_text",
            "endpoint",
            "error",
            "pipe",
            "budget",
            "system groups credentials inproc options scheme sync",
        ],
        circles: &[],
    },
    House {
        src: "capi/src",
        floors: &[
            "lib",
            "draft monitor poller ppoll proxy socket timers transfer util version z85",
            "poll options",
            "sock",
            "ctx pump",
            "msg kept forms",
            "sender raw option_value handles",
            "boundary fork",
        ],
        circles: &[],
    },
    House {
        src: "cli/src",
        floors: &[
            "lib",
            "arguments generate",
            "bench monitor proxy sockets top",
            "status",
            "attach doctor source",
            "notices security",
            "files format keygen keys recording stop totals words time",
            "stdout",
            "exit",
        ],
        circles: &[],
    },
    House {
        src: "hostile/src",
        floors: &[
            "lib arguments",
            "all cable ceiling churn descriptors handshakes kill memory more names races signals sizes slow soak stopped storms",
            "namespace neighbour target",
            "victim",
            "heap numbered process report wire",
        ],
        circles: &[],
    },
    House {
        src: "simulator/src",
        floors: &[
            "main",
            "run",
            "shrink",
            "session",
            "motion actor",
            "handler hostile task",
            "bytes choices keys ledger memory panics",
            "fault",
        ],
        circles: &[],
    },
    House {
        src: "src",
        floors: &[
            "lib face",
            "metrics",
            "proxy poller context secret_key",
            "io",
            "socket",
            "engine",
            "stats endpoints threads",
            "monitor",
            "history",
            "events",
            "signal",
            "user_code",
            "error",
            "options",
            "security peers",
            "clock random sync",
        ],
        circles: &[
            Circle {
                files: "io/acceptor io/connections io/dialer io/half_closed io/reactor io/reaper \
                    io/session io/simulated io/watch",
                reason: "the state of an I/O thread has a part of each, and each is methods of it",
            },
            Circle {
                files: "options/kind options/row options/table",
                reason: "one macro makes the rows and the values that a row shows and copies",
            },
            Circle {
                files: "socket/after_unlock socket/authorities socket/base socket/context socket/inproc \
                    socket/news socket/orders socket/past socket/pipe_ends socket/pipes",
                reason: "sockets, their context and their pipes over inproc hold one another",
            },
        ],
    },
];
