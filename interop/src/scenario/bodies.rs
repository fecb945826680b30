//! Bodies: what a message may be made of.

use super::talk;
use crate::peer::Failure;
use crate::stage::Stage;

/// One message each way.
pub(super) fn single(stage: &mut Stage<'_>) -> Result<(), Failure> {
    talk(stage, &["t:hello"])
}

/// One to a hundred frames, short and long ones mixed.
pub(super) fn multipart(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for count in 1..=100 {
        let frames: Vec<String> = (0..count).map(|n| format!("f:{}:{n}", (n * 7 + count) % 600)).collect();
        talk(stage, &frames.iter().map(String::as_str).collect::<Vec<_>>())?;
    }
    talk(stage, &["t:one", "f:300:1", "t:three", "f:100000:2", "t:five"])
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

/// Bodies at the borders of the framing: none, one, the longest short frame and the shortest long one, libzmq's
/// batch, and what no buffer holds.
pub(super) fn sizes(stage: &mut Stage<'_>) -> Result<(), Failure> {
    for size in [0, 1, 253, 254, 255, 256, 8191, 8192, 8193, 65_536, 1 << 20] {
        talk(stage, &[&format!("f:{size}:{}", size % 250)])?;
    }
    Ok(())
}

/// The largest body that Zeroxide takes unless told otherwise.
pub(super) fn huge(stage: &mut Stage<'_>) -> Result<(), Failure> {
    talk(stage, &[&format!("f:{}:7", 64 << 20)])
}
