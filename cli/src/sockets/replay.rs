//! `zx replay`: sends a recording through a PUB or a PUSH, at the pace of the recording.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use zeroxide::SocketType;

use super::send::{losses, wait_for};
use super::{Working, send_one};
use crate::attach::AttachArgs;
use crate::exit::{End, Outcome};
use crate::notices::Say;
use crate::recording::Player;
use crate::time::duration;
use crate::totals::{Totals, counted};

/// What `replay` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ReplayArgs {
    /// The recording
    #[arg(short, long, value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    attach: AttachArgs,
    /// The type of the socket
    #[arg(long = "as", value_name = "TYPE", value_enum, default_value_t = Sender::Pub)]
    own: Sender,
    /// So many times as fast as it was recorded; 0 is without waiting
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// PUB: wait until so many subscribers want the first message
    #[arg(long, value_name = "N", default_value_t = 1)]
    wait: usize,
    /// End after so many messages
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Give up (exit code 2) when there is no peer or no room for so long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sender {
    Pub,
    Push,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if speed.is_finite() && speed >= 0.0 {
        Ok(speed)
    } else {
        Err("not a speed; try 1, 0.5 or 10".to_owned())
    }
}

pub(crate) fn run(arguments: &ReplayArgs) -> Outcome {
    let t = match arguments.own {
        Sender::Pub => SocketType::Pub,
        Sender::Push => SocketType::Push,
    };
    let name = arguments.input.display();
    let file =
        File::open(&arguments.input).map_err(|error| End::failed(format!("cannot read {name}: {error}")))?;
    let mut player = Player::new(BufReader::with_capacity(64 << 10, file))
        .map_err(|what| End::failed(format!("{name}: {what}")))?;
    let attached = arguments.attach.open(t, |_| Ok(()))?;
    let (count, timeout, say) = (arguments.count, arguments.timeout, attached.say);
    let working = Working { attached, totals: Totals::new().into(), count, timeout };
    let done = play(&working, &mut player, arguments);
    let socket = working.socket().clone();
    let closed = working.close(done);
    if say != Say::Errors {
        if player.torn > 0 {
            let (bytes, whole) = (counted(player.torn, "byte"), counted(player.count, "whole message"));
            eprintln!("zx: {name} ends inside a message ({bytes}), after {whole}");
        }
        losses(&socket).iter().for_each(|loss| eprintln!("zx: {loss}"));
    }
    closed
}

fn play(working: &Working, player: &mut Player<impl std::io::Read>, arguments: &ReplayArgs) -> Outcome {
    let name = arguments.input.display();
    let mut start = None;
    while let Some((time, message)) = player.next().map_err(|what| End::failed(format!("{name}: {what}")))? {
        let (began, first) = match start {
            Some(start) => start,
            None => {
                if working.socket().socket_type() == SocketType::Pub {
                    wait_for(working, message.first().map_or(&[][..], |frame| frame), arguments.wait)?;
                }
                *start.insert((Instant::now(), time))
            }
        };
        // If the clock was set back during the recording, the message is sent at once.
        let seconds = time.saturating_sub(first).as_secs_f64() / arguments.speed;
        if let Some(moment) =
            Duration::try_from_secs_f64(seconds).ok().and_then(|after| began.checked_add(after))
        {
            working.attached.stop.wait_until(moment)?;
        }
        let sent = send_one(working.socket(), message, working.timeout, &working.totals)?;
        if working.is_enough(sent) {
            break;
        }
    }
    Ok(())
}
