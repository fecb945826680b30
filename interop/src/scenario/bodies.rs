//! Bodies: what a message may be made of.

use super::talk;
use crate::peer::Failure;
use crate::stage::Stage;

/// One message each way.
pub(super) fn single(stage: &mut Stage<'_>) -> Result<(), Failure> {
    talk(stage, &["t:hello"])
}

/// Bodies at the borders of the framing: none, one, the longest short frame and the shortest long one, libzmq's
/// batch, and what no buffer holds.
pub(super) fn sizes(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for size in [0, 1, 2, 255, 256, 8191, 8192, 8193, 65_536, 1 << 20] {
        talk(stage, &[&format!("f:{size}:{}", size % 250)])?;
    }
    Ok(())
}

/// Messages of several frames, short and long ones mixed.
pub(super) fn multipart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    talk(stage, &["t:a", "t:b"])?;
    talk(stage, &["t:one", "f:300:1", "t:three", "f:100000:2", "t:five"])?;
    let many: Vec<String> = (0..100).map(|n| format!("f:{}:{n}", n * 7)).collect();
    talk(stage, &many.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Empty frames in every place.
pub(super) fn empty_frames(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for message in
        [&["-"][..], &["-", "-"], &["-", "t:a"], &["t:a", "-"], &["t:a", "-", "-", "t:b"], &["-", "-", "-"]]
    {
        talk(stage, message)?;
    }
    Ok(())
}
