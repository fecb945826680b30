//! Pictures that are drawn here, and their encoding.

use std::fmt;
use std::str::FromStr;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use crate::header::now;
use crate::{Failure, Header};

/// How large pictures are, in pixels. It is written `640x480`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u16,
    /// From top to bottom.
    pub height: u16,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Size, String> {
        let side = |text: &str| text.parse().ok().filter(|side| *side > 0);
        text.split_once('x')
            .and_then(|(width, height)| Some(Size { width: side(width)?, height: side(height)? }))
            .ok_or_else(|| format!("{text} is no size such as 640x480"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// Draws picture `number`: colours that move, and a ball that crosses them.
#[must_use]
pub fn scene(size: Size, number: u64) -> RgbImage {
    let (width, height) = (u32::from(size.width), u32::from(size.height));
    let radius = (height / 8).max(1);
    let ball = (bounce(number * 5, width), bounce(number * 3, height));
    let shift = (number * 2) as u32;
    let wave = |from: u32, length: u32, count: u32| -> Vec<u8> {
        let at = |at: u32| ((from + at) % (2 * length)).abs_diff(length) * 255 / length;
        (0..count).map(|x| at(x) as u8).collect()
    };
    let red = wave(shift, width, width);
    let green = wave(shift, height, height);
    let blue = wave(0, width, width + height);
    RgbImage::from_fn(width, height, |x, y| {
        if x.abs_diff(ball.0).pow(2) + y.abs_diff(ball.1).pow(2) < radius * radius {
            return Rgb([255, 230, 40]);
        }
        let (x, y) = (x as usize, y as usize);
        Rgb([red[x], green[y], blue[x + y]])
    })
}

/// Where something is after `way` steps that goes to and fro between 0 and `side`.
fn bounce(way: u64, side: u32) -> u32 {
    let side = u64::from(side.max(1));
    side.abs_diff(way % (2 * side)) as u32
}

/// Returns the message of a picture that was taken at this moment: it is encoded with this quality, of 1 to 100.
///
/// # Errors
/// Returns an error if the picture is too large for its format.
pub fn jpeg(number: u64, picture: &RgbImage, quality: u8) -> Result<Vec<u8>, Failure> {
    let (width, height) = (picture.width().try_into()?, picture.height().try_into()?);
    let header = Header { number, taken: now(), width, height };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(picture)?;
    Ok(header.with(&jpeg))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size { width: 64, height: 48 };

    #[test]
    fn a_size_is_two_numbers_and_never_zero() {
        assert_eq!("64x48".parse(), Ok(SMALL));
        assert_eq!(SMALL.to_string(), "64x48");
        for wrong in ["", "64", "64x", "0x48", "64x-1", "64x48x1", "70000x1"] {
            assert!(wrong.parse::<Size>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn pictures_move() {
        assert_ne!(scene(SMALL, 1), scene(SMALL, 2));
        assert_eq!(scene(SMALL, 7), scene(SMALL, 7));
    }

    #[test]
    fn a_picture_survives_its_message() {
        let picture = scene(SMALL, 5);
        let message = jpeg(5, &picture, 90).unwrap();
        let (header, jpeg) = Header::read(&message).unwrap();
        assert_eq!((header.number, header.width, header.height), (5, 64, 48));
        let shown = image::load_from_memory(jpeg).unwrap().to_rgb8();
        let off = |(a, b): (&u8, &u8)| u64::from(a.abs_diff(*b));
        let mean = shown.iter().zip(picture.iter()).map(off).sum::<u64>() / shown.len() as u64;
        assert!(mean < 8, "{mean} of 255 off on average");
    }
}
