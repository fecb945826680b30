//! A Zeroxide socket in a process of its own, so that kills, limits and signals touch nothing else.
//!
//! It prints `endpoint ENDPOINT` when it is bound and, with CURVE, `key KEY` before. It ends when its standard input does.
//! A REP echoes, a publisher sends [`TICK`] every 10 ms to whoever has subscribed to it, all others throw away what they receive.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use crossbeam_channel::{Receiver, bounded};
use rustix::process::{Pid, Resource};
use zeroxide::{
    AccessList, Context, Message, Options, Security, Socket, SocketType, generate_secret_key, opt,
};

use crate::process;

/// The topic and the group that a publisher sends.
pub const TICK: &str = "tick";

/// Between two ticks.
const EVERY: Duration = Duration::from_millis(10);

/// What a victim is.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// The socket's type.
    #[arg(long = "type")]
    pub socket: SocketType,
    /// How many sockets.
    #[arg(long, default_value_t = 1)]
    pub sockets: usize,
    /// Where it binds.
    #[arg(long, default_value = "tcp://127.0.0.1:*")]
    pub endpoint: String,
    /// Connects there and does not bind.
    #[arg(long)]
    pub connect: Option<String>,
    /// Has libzmq's defaults: no limits on peers, and ZMTP 1.0 is spoken.
    #[arg(long)]
    pub libzmq_defaults: bool,
    /// Keeps whatever it receives, without a high-water mark, and takes none of it.
    #[arg(long)]
    pub hoard: bool,
    /// Is a CURVE server that lets any key in.
    #[arg(long)]
    pub curve: bool,
    /// Has no more descriptors than these.
    #[arg(long)]
    pub descriptors: Option<u64>,
    /// Has no more MiB of address space.
    #[arg(long)]
    pub memory: Option<u64>,
    /// Handles SIGUSR1.
    #[arg(long)]
    pub signals: bool,
    /// Sends PINGs, and gives up a peer that is silent for three times as many milliseconds.
    #[arg(long)]
    pub heartbeat: Option<u64>,
}

impl Settings {
    /// A socket of this type with nothing special.
    #[must_use]
    pub fn new(socket: SocketType) -> Settings {
        Settings {
            socket,
            sockets: 1,
            endpoint: "tcp://127.0.0.1:*".to_owned(),
            connect: None,
            libzmq_defaults: false,
            hoard: false,
            curve: false,
            descriptors: None,
            memory: None,
            signals: false,
            heartbeat: None,
        }
    }

    /// The arguments that say the same.
    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![format!("--type={}", self.socket), format!("--endpoint={}", self.endpoint)];
        arguments.push(format!("--sockets={}", self.sockets));
        let flags = [
            ("--libzmq-defaults", self.libzmq_defaults),
            ("--hoard", self.hoard),
            ("--curve", self.curve),
            ("--signals", self.signals),
        ];
        arguments.extend(flags.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned()));
        let numbers =
            [("descriptors", self.descriptors), ("memory", self.memory), ("heartbeat", self.heartbeat)];
        arguments.extend(numbers.iter().filter_map(|(name, value)| Some(format!("--{name}={}", (*value)?))));
        arguments.extend(self.connect.iter().map(|endpoint| format!("--connect={endpoint}")));
        arguments
    }
}

/// A started victim. It is killed when it is dropped.
#[derive(Debug)]
pub struct Victim {
    child: Child,
    _stdin: Option<ChildStdin>,
    /// Where it is bound.
    pub endpoint: String,
    /// Its public key, with CURVE.
    pub key: Option<String>,
}

impl Victim {
    /// Starts one and waits until it is bound.
    ///
    /// # Errors
    /// It does not come so far.
    pub fn start(settings: &Settings) -> Result<Victim> {
        Victim::start_with(settings, Command::new(std::env::current_exe()?))
    }

    /// The same by another command, which ends with this program's path.
    ///
    /// # Errors
    /// It does not come so far.
    pub fn start_with(settings: &Settings, mut command: Command) -> Result<Victim> {
        command.arg("victim").args(settings.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the victim")?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let stdin = child.stdin.take();
        let mut victim = Victim { child, _stdin: stdin, endpoint: String::new(), key: None };
        for line in lines {
            let line = line?;
            match line.split_once(' ') {
                Some(("endpoint", endpoint)) => {
                    victim.endpoint = endpoint.to_owned();
                    return Ok(victim);
                }
                Some(("key", key)) => victim.key = Some(key.to_owned()),
                _ => bail!("the victim says {line}"),
            }
        }
        bail!("the victim ended before it was bound")
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Whether it runs.
    ///
    /// # Errors
    /// The system's.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the process of a victim does.
///
/// # Errors
/// A limit is refused, or the socket cannot be made or bound.
pub fn serve(settings: &Settings) -> Result<()> {
    if let Some(count) = settings.descriptors {
        process::limit(Resource::Nofile, count)?;
    }
    if let Some(mib) = settings.memory {
        process::limit(Resource::As, mib << 20)?;
    }
    let context = Context::new();
    let (options, key) = options(settings, &context)?;
    let sockets: Vec<Socket> = (0..settings.sockets)
        .map(|_| context.socket_with(settings.socket, &options))
        .collect::<Result<_, _>>()?;
    if settings.signals {
        // Nobody reads the flag that the handler sets: what matters is that calls are interrupted.
        signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::default())?;
    }
    let mut endpoint = settings.connect.clone();
    for socket in &sockets {
        if socket.socket_type() == SocketType::Sub {
            socket.subscribe("")?;
        }
        match &settings.connect {
            Some(endpoint) => drop(socket.connect(endpoint)?),
            None => endpoint = Some(socket.bind(&settings.endpoint)?.to_string()),
        }
    }
    if let Some(key) = key {
        println!("key {key}");
    }
    println!("endpoint {}", endpoint.context("no socket")?);
    work(&sockets, settings.hoard, &until_input_ends())
}

fn options(settings: &Settings, context: &Context) -> Result<(Options, Option<String>)> {
    let mut options = if settings.libzmq_defaults { Options::with_libzmq_defaults() } else { Options::new() };
    if settings.hoard {
        options = options.set(opt::RCVHWM, 0);
    }
    if let Some(millis) = settings.heartbeat {
        options = options
            .set(opt::HEARTBEAT_IVL, Some(Duration::from_millis(millis)))
            .set(opt::HEARTBEAT_TIMEOUT, Some(Duration::from_millis(3 * millis)));
    }
    if !settings.curve {
        return Ok((options, None));
    }
    context.authenticator("", AccessList::new().allow_any_curve_key())?;
    let secret = generate_secret_key()?;
    let key = secret.public().to_string();
    Ok((options.security(Security::CurveServer(secret)), Some(key)))
}

/// A channel that is closed when the standard input ends, as it does when the one who started this process does.
fn until_input_ends() -> Receiver<()> {
    let (sender, ended) = bounded(0);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop::<crossbeam_channel::Sender<()>>(sender);
    });
    ended
}

fn work(sockets: &[Socket], hoards: bool, ended: &Receiver<()>) -> Result<()> {
    let pause = |time| ended.recv_timeout(time) == Err(crossbeam_channel::RecvTimeoutError::Timeout);
    loop {
        let mut idle = true;
        for socket in sockets {
            let kind = socket.socket_type();
            if kind.publishes() {
                // Who has no room gets the next one.
                let _ = socket.try_send(Message::from(TICK).with_group(TICK));
            }
            if hoards || !kind.receives() {
                continue;
            }
            let mut received = match sockets.len() {
                1 if !kind.publishes() => socket.recv_timeout(EVERY),
                _ => socket.try_recv(),
            };
            while let Ok(message) = received {
                idle = false;
                if kind == SocketType::Rep {
                    // Who is gone needs no reply.
                    let _ = socket.send_timeout(message, EVERY);
                }
                received = socket.try_recv();
            }
        }
        if !pause(if idle { EVERY } else { Duration::ZERO }) {
            return Ok(());
        }
    }
}
