//! The command line: every command with its examples.

use clap::{CommandFactory, Parser, Subcommand};
use zeroxide::SocketType;

use crate::bench::{self, BenchArgs, PeerArgs};
use crate::doctor::{self, DoctorArgs};
use crate::exit::Outcome;
use crate::generate::{self, CompletionsArgs, ManArgs};
use crate::keygen::{self, KeygenArgs};
use crate::monitor::{self, MonitorArgs};
use crate::proxy::{self, ProxyArgs};
use crate::sockets::SocketArgs;
use crate::sockets::both::{self, BothArgs, XSubArgs};
use crate::sockets::receive::{self, DishArgs, SubArgs};
use crate::sockets::record::{self, RecordArgs};
use crate::sockets::replay::{self, ReplayArgs};
use crate::sockets::reply::{self, RepArgs};
use crate::sockets::request::{self, ReqArgs};
use crate::sockets::send::{self, PubArgs, RadioArgs, SendArgs};
use crate::top::{self, TopArgs};

/// ZeroMQ on the command line: send, receive, watch and measure
#[derive(Parser)]
#[command(
    name = "zx",
    bin_name = "zx",
    version,
    disable_help_subcommand = true,
    max_term_width = 110,
    after_help = "Exit codes: 0 well, 1 failed, 2 timed out.\n\
                  In one terminal: zx pub -b tcp://127.0.0.1:5556\n\
                  In another:      zx sub tcp://127.0.0.1:5556\n\
                  Help with examples: zx COMMAND --help"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish each line of standard input to all subscribers
    #[command(after_help = "Examples:
  seq 10 | zx pub -b 'tcp://*:5556'                 waits for a subscriber, publishes 1 to 10
  zx pub -b ipc:///tmp/feed -t weather -m sunny     one message of two frames: weather, sunny
  zx pub tcp://127.0.0.1:6001 -m tick -n 100 --rate 10
  zx pub -b 'tcp://*:5556' --wait 0 --raw < photo.jpg")]
    Pub(PubArgs),
    /// Print what publishers send
    #[command(after_help = "Examples:
  zx sub tcp://127.0.0.1:5556                       everything, until Ctrl-C
  zx sub tcp://h:5556 -t weather --json -n 3        three messages whose topic begins with weather
  zx sub -c tcp://a:5556 -c tcp://b:5556 --timeout 10
  zx sub tcp://h:5556 --opt CONFLATE=on --raw -n 1 > newest.jpg")]
    Sub(SubArgs),
    /// Send each line of standard input to one of the pullers in turn
    #[command(after_help = "Examples:
  zx push -b 'tcp://*:5557' < tasks.txt             ends when every task was taken
  zx push tcp://127.0.0.1:5557 -m one -m two
  zx pull -b 'tcp://*:5557' --len | zx push tcp://next:5557 --len")]
    Push(SendArgs),
    /// Print what pushers send
    #[command(after_help = "Examples:
  zx pull -b 'tcp://*:5557'
  zx pull tcp://127.0.0.1:5557 -n 100 --hex")]
    Pull(SocketArgs),
    /// Send each line of standard input as a request, and print its reply
    #[command(after_help = "Examples:
  zx req tcp://127.0.0.1:5555 -m hello --timeout 2
  zx req tcp://127.0.0.1:5555 < questions.txt > replies.txt
  zx req tcp://h:5555 --server-key server.key -m hello")]
    Req(ReqArgs),
    /// Print requests, and reply to each
    #[command(after_help = "Examples:
  zx rep -b 'tcp://*:5555' --echo
  zx rep -b 'tcp://*:5555' -m fine                  the same reply to all
  zx rep -b 'tcp://*:5555' --exec 'tr a-z A-Z'      the output of a command
  zx rep -b 'tcp://*:5555'                          type each reply")]
    Rep(RepArgs),
    /// Exchange messages with peers by their routing ids: the first frame is the peer's
    #[command(after_help = "Examples:
  zx router -b 'tcp://*:5555' --json                {\"frames\":[\"w1\",\"\",\"hello\"]}, both ways
  zx router -b 'tcp://*:5555'                       the frames with tabs between them, both ways")]
    Router(BothArgs),
    /// Exchange messages with any of several peers, in turn
    #[command(after_help = "Examples:
  zx dealer tcp://127.0.0.1:5555 --opt ROUTING_ID=w1 -m hello -n 1
  zx dealer tcp://h:5555 --frames '|' -m '|hello'   an empty frame first, as a REP wants it")]
    Dealer(BothArgs),
    /// Exchange messages with one peer
    #[command(after_help = "Examples:
  zx pair -b ipc:///tmp/chat                        in one terminal
  zx pair ipc:///tmp/chat                           in another; type in both")]
    Pair(BothArgs),
    /// Publish lines, and print the subscriptions that come in
    #[command(after_help = "Example:
  zx xpub -b 'tcp://*:5556' --hex                   01776561... is a subscription, 00... the end of one")]
    Xpub(BothArgs),
    /// Print what publishers send; lines of standard input go to the publishers
    #[command(after_help = "Example:
  zx xsub tcp://127.0.0.1:5556 -t weather")]
    Xsub(XSubArgs),
    /// Exchange bytes with TCP peers that do not speak ZeroMQ
    #[command(after_help = "Example:
  zx stream -b 'tcp://*:8080' --hex                 the peer's id, then its bytes; an empty frame: it came or went")]
    Stream(BothArgs),
    /// Exchange messages with a server (one frame each)
    #[command(after_help = "Example:
  zx client tcp://127.0.0.1:5558 -m hello -n 1")]
    Client(BothArgs),
    /// Exchange messages with clients: the number of a client, a tab, the message
    #[command(after_help = "Example:
  zx server -b 'tcp://*:5558'")]
    Server(BothArgs),
    /// Send each line of standard input to the members of a group
    #[command(after_help = "Examples:
  zx radio -b 'tcp://*:5559' -g weather -m sunny
  printf 'weather\\tsunny\\n' | zx radio -b 'tcp://*:5559'")]
    Radio(RadioArgs),
    /// Print what is sent to groups: the group, a tab, the message
    #[command(after_help = "Example:
  zx dish tcp://127.0.0.1:5559 -g weather -g news")]
    Dish(DishArgs),
    /// Send each line of standard input to one of the gatherers in turn (one frame each)
    #[command(after_help = "Example:
  zx scatter -b 'tcp://*:5560' < tasks.txt          ends when every task was taken")]
    Scatter(SendArgs),
    /// Print what scatterers send
    #[command(after_help = "Example:
  zx gather tcp://127.0.0.1:5560 -n 100")]
    Gather(SocketArgs),
    /// Exchange messages with peers by their numbers: a peer's number, a tab, the message (one frame each)
    #[command(after_help = "Examples:
  zx peer -b ipc:///tmp/peer                        prints the number of each peer that sends
  zx peer ipc:///tmp/peer                           in another terminal")]
    Peer(BothArgs),
    /// Exchange messages with one peer (one frame each)
    #[command(after_help = "Examples:
  zx channel -b ipc:///tmp/chat                     in one terminal
  zx channel ipc:///tmp/chat                        in another; type in both")]
    Channel(BothArgs),
    /// Forward messages between two sockets: a broker
    #[command(after_help = "Examples:
  zx proxy pubsub -f 'tcp://*:6001' -b 'tcp://*:6000' --stats 1
  zx proxy reqrep -f 'tcp://*:5555' -b 'tcp://*:5560' --status ipc:///tmp/broker
  zx proxy pipeline --front-connect tcp://h:5557 -b 'tcp://*:5558' --capture tasks.zxrec
Ends with Ctrl-C, and prints what it has forwarded and dropped")]
    Proxy(ProxyArgs),
    /// Watch a running proxy: peers, rates, queues and drops
    #[command(after_help = "Examples:
  zx proxy pubsub -f 'tcp://*:6001' -b 'tcp://*:6000' --status ipc:///tmp/broker
  zx top ipc:///tmp/broker                          q ends
  zx req ipc:///tmp/broker -m status                the same as JSON")]
    Top(TopArgs),
    /// Record what a SUB or a PULL receives into a file
    #[command(after_help = "Examples:
  zx record -o feed.zxrec tcp://h:5556 -t weather   until Ctrl-C
  zx record -o tasks.zxrec -b 'tcp://*:5557' --as pull -n 1000")]
    Record(RecordArgs),
    /// Send a recording with a PUB or a PUSH, at the pace at which it was recorded
    #[command(after_help = "Examples:
  zx replay -i feed.zxrec -b 'tcp://*:5556'
  zx replay -i feed.zxrec tcp://h:5556 --speed 10
  zx replay -i tasks.zxrec --as push tcp://h:5557 --speed 0
A recording that was cut, as by kill -9, is sent up to its last whole message")]
    Replay(ReplayArgs),
    /// Measure round trips or throughput
    #[command(after_help = "Examples:
  zx bench latency                                  REQ and REP in two processes, over tcp
  zx bench throughput --size 1024 --over 'ipc://*' --html throughput.html
  zx bench latency -c tcp://h:5555 --duration 10    with `zx rep -b tcp://*:5555 --echo -q` there
  zx bench throughput -c tcp://h:5557 --json        with a PUSH there")]
    Bench(BenchArgs),
    /// The second process of `bench`
    #[command(hide = true)]
    BenchPeer(PeerArgs),
    /// Find out why an endpoint does not work
    #[command(after_help = "Examples:
  zx doctor tcp://127.0.0.1:5555
  zx doctor tcp://h:5555 --as SUB                   whether a SUB fits what is there
  zx doctor tcp://h:5555 --server-key server.key    with CURVE
Exit codes: 0 all is well, 1 the line FAIL says what is wrong, 2 a step took too long")]
    Doctor(DoctorArgs),
    /// Print the events of a socket: connections that come, fail and go
    #[command(after_help = "Examples:
  zx monitor tcp://127.0.0.1:5555
  zx monitor -b 'tcp://*:5555' --as ROUTER --json")]
    Monitor(MonitorArgs),
    /// Make a pair of CURVE keys
    #[command(after_help = "Examples:
  zx keygen server                                  server.key and server.key_secret
  zx rep -b 'tcp://*:5555' --echo --curve-server --key server.key_secret --any-client
  zx req tcp://h:5555 -m hello --server-key server.key")]
    Keygen(KeygenArgs),
    /// Print a script for your shell, which completes commands and flags
    #[command(after_help = "Examples:
  zx completions bash > ~/.local/share/bash-completion/completions/zx
  zx completions zsh > ~/.zfunc/_zx")]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = "Examples:
  zx man | man -l -
  zx man --dir /usr/local/share/man/man1")]
    Man(ManArgs),
}

impl Cli {
    pub(crate) fn run(&self) -> Outcome {
        match &self.command {
            Command::Pub(arguments) => send::run_pub(arguments),
            Command::Sub(arguments) => receive::run_sub(arguments),
            Command::Push(arguments) => send::run(arguments, SocketType::Push),
            Command::Pull(arguments) => receive::run(arguments, SocketType::Pull),
            Command::Req(arguments) => request::run(arguments),
            Command::Rep(arguments) => reply::run(arguments),
            Command::Router(arguments) => both::run(arguments, SocketType::Router),
            Command::Dealer(arguments) => both::run(arguments, SocketType::Dealer),
            Command::Pair(arguments) => both::run(arguments, SocketType::Pair),
            Command::Xpub(arguments) => both::run(arguments, SocketType::XPub),
            Command::Xsub(arguments) => both::run_xsub(arguments),
            Command::Stream(arguments) => both::run(arguments, SocketType::Stream),
            Command::Client(arguments) => both::run(arguments, SocketType::Client),
            Command::Server(arguments) => both::run(arguments, SocketType::Server),
            Command::Radio(arguments) => send::run_radio(arguments),
            Command::Dish(arguments) => receive::run_dish(arguments),
            Command::Scatter(arguments) => send::run(arguments, SocketType::Scatter),
            Command::Gather(arguments) => receive::run(arguments, SocketType::Gather),
            Command::Peer(arguments) => both::run(arguments, SocketType::Peer),
            Command::Channel(arguments) => both::run(arguments, SocketType::Channel),
            Command::Proxy(arguments) => proxy::run(arguments),
            Command::Top(arguments) => top::run(arguments),
            Command::Record(arguments) => record::run(arguments),
            Command::Replay(arguments) => replay::run(arguments),
            Command::Bench(arguments) => bench::run(arguments),
            Command::BenchPeer(arguments) => bench::run_peer(arguments),
            Command::Doctor(arguments) => doctor::run(arguments),
            Command::Monitor(arguments) => monitor::run(arguments),
            Command::Keygen(arguments) => keygen::run(arguments),
            Command::Completions(arguments) => generate::completions(arguments, Cli::command()),
            Command::Man(arguments) => generate::man(arguments, Cli::command()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The commands `zx ...` of a text, as the shell hands them over. What stands behind three spaces is a comment.
    fn commands(text: &str) -> Vec<Vec<String>> {
        let lines =
            text.lines().map(|line| line.trim_start_matches("$ ").trim().split("   ").next().unwrap());
        lines.flat_map(|line| line.split(" | ")).filter(|line| line.starts_with("zx ")).map(words).collect()
    }

    /// The words of one command, up to a redirection.
    fn words(line: &str) -> Vec<String> {
        let words = shlex::split(line).unwrap_or_else(|| panic!("a quote has no end: {line}"));
        words.into_iter().take_while(|word| !["<", ">", "&"].contains(&&**word)).collect()
    }

    fn assert_understood(commands: &[Vec<String>]) {
        for command in commands {
            if let Err(error) = Cli::try_parse_from(command) {
                panic!("{command:?}: {error}");
            }
        }
    }

    #[test]
    fn the_commands_of_the_readme_are_understood() {
        let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
        let mut commands = commands(&readme);
        assert!(commands.len() >= 10, "{commands:?}");
        commands.retain(|words| words[1] != "COMMAND");
        assert_understood(&commands);
    }

    #[test]
    fn every_help_fits_and_shows_examples_that_are_understood() {
        let mut whole = Cli::command();
        for command in whole.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
            let help = command.render_help().to_string();
            assert!(help.lines().all(|line| line.chars().count() <= 110), "{help}");
            let (_, below) = help.split_once("\nExample").unwrap_or_else(|| panic!("no example:\n{help}"));
            let examples = commands(below);
            assert!(!examples.is_empty(), "{help}");
            assert_understood(&examples);
        }
    }
}
