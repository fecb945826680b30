//! Subscriptions.

use crate::pair::Side;
use crate::peer::Failure;
use crate::stage::{PATIENCE, Stage};

/// A subscriber to everything narrows that to one prefix: others stop coming, and that one comes.
pub(super) fn subscriptions(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let pair = stage.setting().pair;
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
