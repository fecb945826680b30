//! Many messages.

use crate::pair::{Flow, Side};
use crate::peer::Failure;
use crate::stage::Stage;

/// Messages of the ordered flood, each way that the pair allows.
const FLOOD: u32 = 100_000;
/// Questions, where each waits for its answer: a round trip costs what many messages of a flood do.
const QUESTIONS: u32 = 10_000;

/// Many messages, all there, in the order sent.
pub(super) fn order(stage: &mut Stage<'_>) -> Result<(), Failure> {
    match stage.setting().pair.flow {
        Flow::OneWay => stage.flood(Side::Left, FLOOD),
        Flow::BothWays => {
            stage.flood(Side::Left, FLOOD)?;
            stage.flood(Side::Right, FLOOD)
        }
        Flow::Turns { window } => stage.interrogate(QUESTIONS, window),
    }
}
