//! One side is killed, and comes back.

use super::talk;
use crate::pair::Side;
use crate::peer::Failure;
use crate::stage::{Scene, Setup, Stage, Who};

/// Contact can be made again quickly and for certain when one side is killed at any moment: a REQ may ask again, and
/// a ROUTER takes a peer back that it has not missed yet.
pub(super) static SCENE: Scene = Scene {
    name: "restart",
    shared: false,
    lasting: true,
    relayed: false,
    options: &[
        Setup::optional(Who::Both, "RECONNECT_IVL", "20"),
        Setup::new(Who::Types(&["REQ"]), "REQ_RELAXED", "1"),
        Setup::new(Who::Types(&["REQ"]), "REQ_CORRELATE", "1"),
        Setup::optional(Who::Types(&["ROUTER"]), "ROUTER_HANDOVER", "1"),
    ],
};

/// Each side in turn is killed and comes back; messages pass again, each way.
pub(super) fn restart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for side in [Side::Right, Side::Left] {
        stage.restart(side)?;
        talk_again(stage, side)?;
    }
    Ok(())
}

/// After `side` has come back: contact, and messages each way.
pub(super) fn talk_again(stage: &mut Stage<'_>, side: Side) -> Result<(), Failure> {
    stage.make_contact()?;
    talk(stage, &[&format!("t:{}-is-back", side.name()), "f:70000:3"])
}
