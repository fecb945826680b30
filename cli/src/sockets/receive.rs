//! SUB, PULL, DISH and GATHER: from the socket to standard output.

use clap::Args;
use zeroxide::{Socket, SocketType};

use super::SocketArgs;
use crate::exit::Outcome;

/// What `sub` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct SubArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// Receive only messages that begin with this; repeatable [default: all messages]
    #[arg(short, long = "topic", value_name = "PREFIX")]
    topics: Vec<String>,
}

/// What `dish` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct DishArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// Join this group; repeatable
    #[arg(short, long = "group", value_name = "NAME", required = true)]
    groups: Vec<String>,
}

pub(crate) fn run(arguments: &SocketArgs, t: SocketType) -> Outcome {
    receive(arguments, t, |_| Ok(()))
}

pub(crate) fn run_sub(arguments: &SubArgs) -> Outcome {
    receive(&arguments.socket, SocketType::Sub, |socket| {
        if arguments.topics.is_empty() {
            socket.subscribe("")?;
        }
        Ok(arguments.topics.iter().try_for_each(|topic| socket.subscribe(topic))?)
    })
}

pub(crate) fn run_dish(arguments: &DishArgs) -> Outcome {
    receive(&arguments.socket, SocketType::Dish, |socket| {
        Ok(arguments.groups.iter().try_for_each(|group| socket.join(group))?)
    })
}

fn receive(arguments: &SocketArgs, t: SocketType, prepare: impl FnOnce(&Socket) -> Outcome) -> Outcome {
    let working = arguments.open(t, prepare)?;
    let mut out = arguments.writer(t);
    let done = working.receive_all(&mut out);
    let written = out.flush();
    working.close(done.and(written.map_err(Into::into)))
}
