//! What is said on a stage. A scenario knows neither programs nor transports.

use crate::pair::{Flow, Side};
use crate::peer::Failure;
use crate::stage::{PATIENCE, Stage};

/// Messages of the ordered flood; questions and answers count alike.
pub const FLOOD: u32 = 10_000;

/// A thing to try on a stage where contact is made.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Its name in reports.
    pub name: &'static str,
    /// Plays it.
    pub play: fn(&mut Stage<'_>) -> Result<(), Failure>,
}

/// What every cell is tried with, in this order, on one stage.
pub const SCENARIOS: &[Scenario] = &[
    Scenario { name: "sizes", play: sizes },
    Scenario { name: "multipart", play: multipart },
    Scenario { name: "empty frames", play: empty_frames },
    Scenario { name: "order", play: order },
    Scenario { name: "subscriptions", play: subscriptions },
];

/// What lasting cells are tried with.
pub const RESTART: &[Scenario] = &[Scenario { name: "restart", play: restart }];

/// Bodies at the borders of the framing: none, one, the longest short frame and the shortest long one, libzmq's
/// batch, and what no buffer holds.
fn sizes(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for size in [0, 1, 2, 255, 256, 8191, 8192, 8193, 65_536, 1 << 20] {
        talk(stage, &[&format!("f:{size}:{}", size % 250)])?;
    }
    Ok(())
}

/// Messages of several frames, short and long ones mixed.
fn multipart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    talk(stage, &["t:a", "t:b"])?;
    talk(stage, &["t:one", "f:300:1", "t:three", "f:100000:2", "t:five"])?;
    let many: Vec<String> = (0..100).map(|n| format!("f:{}:{n}", n * 7)).collect();
    talk(stage, &many.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Empty frames in every place.
fn empty_frames(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for message in
        [&["-"][..], &["-", "-"], &["-", "t:a"], &["t:a", "-"], &["t:a", "-", "-", "t:b"], &["-", "-", "-"]]
    {
        talk(stage, message)?;
    }
    Ok(())
}

/// Many messages, all there, in the order sent.
fn order(stage: &mut Stage<'_>) -> Result<(), Failure> {
    match stage.cell().pair.flow {
        Flow::OneWay => stage.flood(Side::Left, FLOOD),
        Flow::BothWays => {
            stage.flood(Side::Left, FLOOD)?;
            stage.flood(Side::Right, FLOOD)
        }
        Flow::Turns { window } => stage.interrogate(FLOOD / 2, window),
    }
}

/// A subscriber to everything narrows that to one prefix: others stop coming, and that one comes.
fn subscriptions(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let pair = stage.cell().pair;
    if !["SUB", "XSUB"].contains(&pair.right.socket_type) {
        return Ok(());
    }
    stage.subscribe(Side::Right, "t:a.")?;
    stage.unsubscribe(Side::Right, "-")?;
    if pair.left.socket_type == "XPUB" {
        // The first was to everything, when the socket was opened.
        for request in ["h:01", "h:01612e", "h:00"] {
            let seen = stage.recv(Side::Left, PATIENCE)?.unwrap_or_default().join(" ");
            if seen != request {
                return Err(Failure::NoContact { what: format!("XPUB found {seen:?}, not {request}") });
            }
        }
    }
    // A PUB tells nobody when it has heard of the change, and an XSUB filters nothing: so rounds, until one is as
    // it should be from then on.
    for round in 0..1000 {
        let (stranger, friend) = (format!("t:b.{round}"), format!("t:a.{round}"));
        stage.send(Side::Left, &[&stranger], PATIENCE)?;
        stage.send(Side::Left, &[&friend], PATIENCE)?;
        let seen = stage.recv(Side::Right, PATIENCE)?.unwrap_or_default();
        if seen == [crate::words::retold(&friend)] {
            return stage.pass(Side::Left, &["t:a.", "t:more"]);
        }
        if seen != [crate::words::retold(&stranger)] {
            return Err(Failure::NoContact { what: format!("round {round} of topics found {seen:?}") });
        }
        stage.recv(Side::Right, PATIENCE)?;
    }
    Err(Failure::NoContact { what: "the cancelled subscription stayed in force".to_owned() })
}

/// Each side in turn is killed and comes back; messages pass again, each way.
fn restart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for side in [Side::Right, Side::Left] {
        stage.restart(side)?;
        stage.make_contact()?;
        talk(stage, &[&format!("t:{}-is-back", side.name()), "f:70000:3"])?;
    }
    Ok(())
}

/// Passes a message each way that the pair allows.
fn talk(stage: &mut Stage<'_>, message: &[&str]) -> Result<(), Failure> {
    stage.pass(Side::Left, message)?;
    match stage.cell().pair.flow {
        Flow::OneWay => Ok(()),
        Flow::BothWays | Flow::Turns { .. } => stage.pass(Side::Right, message),
    }
}
