//! Uncompressed video from a file, in the format y4m (YUV4MPEG2).

use std::io::Read;
use std::time::Duration;

use image::{Rgb, RgbImage};
use y4m::{Colorspace, Decoder};

use crate::Failure;

/// Pictures of a y4m stream: 8 bits a sample, any of the usual ways to store colours.
pub struct Recording<R: Read> {
    decoder: Decoder<R>,
    /// How many pixels share a sample of colour, across and down; `None` is without colours.
    shared: Option<(usize, usize)>,
}

impl<R: Read> Recording<R> {
    /// Reads the head of a stream.
    ///
    /// # Errors
    /// Returns an error if it is no y4m, or its samples have more than 8 bits.
    pub fn new(stream: R) -> Result<Recording<R>, Failure> {
        let decoder = y4m::decode(stream).map_err(|error| format!("this is no y4m: {error}"))?;
        let shared = match decoder.get_colorspace() {
            Colorspace::Cmono => None,
            Colorspace::C420 | Colorspace::C420jpeg | Colorspace::C420mpeg2 | Colorspace::C420paldv => {
                Some((2, 2))
            }
            Colorspace::C422 => Some((2, 1)),
            Colorspace::C444 => Some((1, 1)),
            other => return Err(format!("{other:?} is not read here: give 8 bits a sample").into()),
        };
        Ok(Recording { decoder, shared })
    }

    /// Returns the time from one picture to the next, as the head says.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        let rate = self.decoder.get_framerate();
        (rate.num > 0 && rate.den > 0).then(|| Duration::from_secs(1) * rate.den as u32 / rate.num as u32)
    }

    /// Reads the next picture; `None` at the end.
    ///
    /// # Errors
    /// Returns an error if the stream breaks off or is damaged.
    pub fn next_picture(&mut self) -> Result<Option<RgbImage>, Failure> {
        let (width, height) = (self.decoder.get_width(), self.decoder.get_height());
        let frame = match self.decoder.read_frame() {
            Ok(frame) => frame,
            Err(y4m::Error::EOF) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let luma = frame.get_y_plane();
        let colour = |plane: &[u8], x: usize, y: usize| match self.shared {
            Some((across, down)) => plane[y / down * width.div_ceil(across) + x / across],
            None => 128,
        };
        let (blue, red) = (frame.get_u_plane(), frame.get_v_plane());
        Ok(Some(RgbImage::from_fn(width as u32, height as u32, |x, y| {
            let (x, y) = (x as usize, y as usize);
            rgb(luma[y * width + x], colour(blue, x, y), colour(red, x, y))
        })))
    }
}

/// Converts a pixel by ITU-R BT.601 in limited range (luma from 16 to 235), which is y4m's usual one; in 256ths.
fn rgb(luma: u8, blue: u8, red: u8) -> Rgb<u8> {
    let luma = 298 * (i32::from(luma) - 16) + 128;
    let (blue, red) = (i32::from(blue) - 128, i32::from(red) - 128);
    let byte = |value: i32| (value >> 8).clamp(0, 255) as u8;
    Rgb([byte(luma + 409 * red), byte(luma - 100 * blue - 208 * red), byte(luma + 516 * blue)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pictures of 3 by 2 pixels, one for each row of samples.
    fn recording(space: Colorspace, samples: &[[&[u8]; 3]]) -> Vec<u8> {
        let mut file = Vec::new();
        let rate = y4m::Ratio::new(25, 1);
        let mut encoder = y4m::encode(3, 2, rate).with_colorspace(space).write_header(&mut file).unwrap();
        for planes in samples {
            encoder.write_frame(&y4m::Frame::new(*planes, None)).unwrap();
        }
        file
    }

    const GREY: [u8; 6] = [126; 6];
    const RED: [u8; 6] = [81; 6];

    #[test]
    fn pictures_of_each_way_to_store_colours_are_read_to_the_end() {
        for (space, colours) in [
            (Colorspace::C420jpeg, 2),
            (Colorspace::C420mpeg2, 2),
            (Colorspace::C422, 4),
            (Colorspace::C444, 6),
        ] {
            let (grey, blue, red) = (vec![128; colours], vec![90; colours], vec![240; colours]);
            let file = recording(space, &[[&GREY, &grey, &grey], [&RED, &blue, &red]]);
            let mut recording = Recording::new(&file[..]).unwrap();
            assert_eq!(recording.interval(), Some(Duration::from_millis(40)));
            let picture = recording.next_picture().unwrap().unwrap();
            assert_eq!(picture.dimensions(), (3, 2));
            assert!(picture.pixels().all(|pixel| pixel.0 == [128, 128, 128]), "{space:?}: {picture:?}");
            let picture = recording.next_picture().unwrap().unwrap();
            let near = |pixel: &Rgb<u8>| pixel[0] > 250 && pixel[1] < 5 && pixel[2] < 5;
            assert!(picture.pixels().all(near), "{space:?}: {picture:?}");
            assert!(recording.next_picture().unwrap().is_none());
        }
    }

    #[test]
    fn what_is_no_y4m_or_has_more_bits_is_refused() {
        assert!(Recording::new(&b"RIFF....WAVE"[..]).is_err());
        assert!(Recording::new(&b"YUV4MPEG2 W3 H2 F25:1 C420p10\n"[..]).is_err());
    }
}
