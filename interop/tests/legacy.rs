//! Zeroxide and the peers of ZMTP 1.0, 2.0 and 3.0 that are written from the RFCs: each type that those versions have,
//! either side bound. The harness plays every scenario with them; this is what `cargo test` alone proves.

mod common;

use std::time::Duration;

use interop::pair::{Flow, PAIRS, Pair, Side};
use interop::words::retold;
use interop::{Failure, Peer, Program};

/// How long a message may take, in milliseconds.
const LIMIT: u32 = 10_000;

fn raw(version: &str) -> Program {
    let arguments = vec!["--zmtp".into(), version.into()];
    Program { name: "raw", command: env!("CARGO_BIN_EXE_raw-peer").into(), arguments }
}

/// A socket of each side, connected, named by its side.
fn meet(pair: &Pair, programs: [&Program; 2], binder: Side) -> Result<[Peer; 2], Failure> {
    let mut peers = [Peer::start(programs[0])?, Peer::start(programs[1])?];
    for side in Side::BOTH {
        let (peer, role) = (&mut peers[side as usize], pair.role(side));
        peer.ask(format!("socket s {}", role.socket_type))?;
        let_old_peers_in(peer, programs[side as usize])?;
        for (option, value) in role.options {
            peer.ask(format!("set s {option} {value}"))?;
        }
        if role.socket_type == "SUB" {
            peer.ask("subscribe s t:topic")?;
        }
    }
    let endpoint = peers[binder as usize].ask("bind s tcp://127.0.0.1:*")?.concat();
    let dialler = &mut peers[binder.other() as usize];
    if pair.name() == "ROUTER-ROUTER" {
        dialler.ask(format!("set s CONNECT_ROUTING_ID t:{}", binder.name()))?;
    }
    dialler.ask(format!("connect s {endpoint}"))?;
    Ok(peers)
}

/// Zeroxide talks with peers of ZMTP 1.0 and 2.0 only where it is told to.
fn let_old_peers_in(peer: &mut Peer, program: &Program) -> Result<(), Failure> {
    if program.name == Program::OURS {
        peer.ask("set s MIN_VERSION 1.0")?;
    }
    Ok(())
}

/// Passes a message of several frames, short and long ones.
fn pass(pair: &Pair, peers: &mut [Peer; 2], from: Side) -> Result<(), Failure> {
    let frames = ["t:topic", "-", "f:255:1", "f:300:2"];
    let words = |head: &[&str]| head.iter().chain(&frames).copied().collect::<Vec<_>>().join(" ");
    let send = format!("send s {LIMIT} {}", words(pair.role(from).sends));
    let expected = retold_all(&words(pair.role(from.other()).finds));
    for attempt in 0.. {
        match peers[from as usize].ask(&send) {
            // A ROUTER may not have met its peer yet.
            Err(failure) if failure.code() == "unroutable" && attempt < 200 => {}
            sent => drop(sent?),
        }
        // A PUB cannot tell whether anybody has asked yet, so it says it again, and so does who was refused.
        let limit = if may_be_lost(pair) && attempt < 200 { 50 } else { LIMIT };
        peers[from.other() as usize].tell(format!("recv s {limit}"))?;
        match peers[from.other() as usize].answer(Duration::from_millis(limit.into())) {
            Err(failure) if failure.code() == "again" && limit < LIMIT => {}
            seen => {
                assert_eq!(seen?.join(" "), expected, "{}", pair.name());
                return Ok(());
            }
        }
    }
    Ok(())
}

fn may_be_lost(pair: &Pair) -> bool {
    ["PUB", "ROUTER"].contains(&pair.left.socket_type)
}

fn retold_all(words: &str) -> String {
    words.split(' ').map(retold).collect::<Vec<_>>().join(" ")
}

fn talk(pair: &Pair, programs: [&Program; 2], binder: Side) -> Result<(), Failure> {
    let mut peers = meet(pair, programs, binder)?;
    for _ in 0..2 {
        // A ROUTER that is bound hears of the other first.
        let first = if pair.name() == "ROUTER-ROUTER" { binder.other() } else { Side::Left };
        pass(pair, &mut peers, first)?;
        if pair.flow != Flow::OneWay {
            pass(pair, &mut peers, first.other())?;
        }
    }
    Ok(())
}

fn talks_with(version: &str) {
    let (ours, theirs) = (common::zeroxide(), raw(version));
    // XPUB and XSUB are there for applications alone: on the wire they are PUB and SUB (RFC 15).
    let known = PAIRS.iter().filter(|pair| Side::BOTH.iter().all(|side| !is_extended(pair, *side)));
    let mut played = 0;
    for pair in known {
        for programs in [[&ours, &theirs], [&theirs, &ours]] {
            for binder in Side::BOTH {
                if let Err(failure) = talk(pair, programs, binder) {
                    let [left, right] = programs.map(|program| program.name);
                    panic!(
                        "{} of {left} and {right}, ZMTP {version}, {binder:?} binds: {failure}",
                        pair.name()
                    );
                }
                played += 1;
            }
        }
    }
    assert_eq!(played, 9 * 4);
}

fn is_extended(pair: &Pair, side: Side) -> bool {
    pair.role(side).socket_type.starts_with('X')
}

#[test]
fn every_type_of_zmtp_1_0_talks_with_zeroxide() {
    talks_with("1.0");
}

#[test]
fn every_type_of_zmtp_2_0_talks_with_zeroxide() {
    talks_with("2.0");
}

#[test]
fn every_type_of_zmtp_3_0_talks_with_zeroxide() {
    talks_with("3.0");
}

/// A publisher cannot know what a subscriber of version 1.0 wants, and sends everything; one of later versions is told.
#[test]
fn an_xpub_hears_of_an_old_subscriber_what_its_version_can_tell() {
    for (version, told) in [("1.0", "h:01"), ("2.0", "h:01746f706963"), ("3.0", "h:01746f706963")] {
        let heard = (|| -> Result<String, Failure> {
            let mut publisher = Peer::start(&common::zeroxide())?;
            let mut subscriber = Peer::start(&raw(version))?;
            publisher.ask("socket s XPUB")?;
            publisher.ask("set s MIN_VERSION 1.0")?;
            subscriber.ask("socket s SUB")?;
            subscriber.ask("subscribe s t:topic")?;
            let endpoint = publisher.ask("bind s tcp://127.0.0.1:*")?.concat();
            subscriber.ask(format!("connect s {endpoint}"))?;
            Ok(publisher.ask(format!("recv s {LIMIT}"))?.join(" "))
        })();
        assert_eq!(heard.ok().as_deref(), Some(told), "ZMTP {version}");
    }
}

/// The socket of a cell is Zeroxide's as applications get it, unless a cell says otherwise.
#[test]
fn zeroxide_turns_old_peers_away_unless_it_is_told_otherwise() {
    for version in ["1.0", "2.0"] {
        let seen = (|| -> Result<String, Failure> {
            let (mut ours, mut theirs) = (Peer::start(&common::zeroxide())?, Peer::start(&raw(version))?);
            ours.ask("socket s PULL")?;
            theirs.ask("socket s PUSH")?;
            let endpoint = ours.ask("bind s tcp://127.0.0.1:*")?.concat();
            theirs.ask(format!("connect s {endpoint}"))?;
            let mut seen = String::new();
            for _ in 0..200 {
                ours.tell("recv s 50")?;
                match ours.answer(Duration::from_millis(50)) {
                    Err(failure) if failure.code() == "again" => {}
                    received => return Ok(format!("{:?}", received?)),
                }
                seen += &ours.ask("status s")?.join(" ");
                if seen.contains("Version") {
                    break;
                }
            }
            Ok(seen)
        })();
        assert!(seen.as_ref().is_ok_and(|seen| seen.contains("Version")), "ZMTP {version}: {seen:?}");
    }
}
