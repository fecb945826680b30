//! libzmq's C interface (`zmq.h`, ABI of libzmq.so.5, version 4.3.5) on Zeroxide.
//!
//! Every function does the same: check the arguments, convert them, call [`zeroxide::face`], put an error into `errno`.
//! A wrong handle (NULL, closed, closed twice, not created here) is an error and not undefined behaviour: see `handles`. No panic
//! crosses the boundary: see `boundary`.
//!
//! | module | holds |
//! |---|---|
//! | `boundary` | errno, and what every function does at the boundary |
//! | `handles`, `fork` | from `void *` to what it refers to, and the process that has created it |
//! | `ctx`, `socket`, `options` | contexts and sockets |
//! | `forms`, `option_value`, `kept` | options: which bytes mean which value, and those without effect |
//! | `msg`, `transfer` | `zmq_msg_t`, and sending and receiving |
//! | `poll`, `ppoll`, `poller`, `proxy`, `monitor` | waiting, forwarding, events |
//! | `util`, `timers`, `z85`, `version` | functions without a socket |
//! | `draft` | draft functions that are not in `poller` and `msg`: groups, peers by number |

mod boundary;
mod ctx;
mod draft;
mod fork;
mod forms;
mod handles;
mod kept;
mod monitor;
mod msg;
mod option_value;
mod options;
mod poll;
mod poller;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod ppoll;
mod proxy;
mod pump;
mod raw;
mod sender;
mod sock;
mod socket;
mod timers;
mod transfer;
mod util;
mod version;
mod z85;

pub use boundary::*;
pub use ctx::*;
pub use draft::*;
pub use monitor::*;
pub use msg::*;
pub use options::*;
pub use poll::*;
pub use poller::*;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use ppoll::*;
pub use proxy::*;
pub use socket::*;
pub use timers::*;
pub use transfer::*;
pub use util::*;
pub use version::*;
pub use z85::*;
