//! Shows live video: how many pictures come, how old they are, and what they look like.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use clap::Parser;
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, DynamicImage, Frame, ImageFormat};
use video_example::{Failure, Header, Meter};
use zeroxide::{Context, Error, Options, SocketType, opt};

/// Receives live video, always the latest picture, and prints each second what it has shown.
///
/// A picture is lost when a newer one arrives before the viewer has taken it. Latency is the time from the moment when the
/// source has the picture to the moment when it is decoded here. Both clocks must agree, as on one machine they do.
#[derive(Parser)]
struct Arguments {
    /// Where the source is
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5557")]
    connect: String,
    /// Writes an animated GIF of what it shows, five pictures a second at half the size
    #[arg(long, value_name = "FILE.gif")]
    image: Option<PathBuf>,
    /// How long the animation becomes at most
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    image_seconds: u64,
    /// Ends after so many pictures
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// Ends when no picture has come for so long
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Waits after each picture, to play a viewer that is too slow
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pause: u64,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let context = Context::new();
    let sub = context.socket_with(SocketType::Sub, &Options::new().set(opt::CONFLATE, true))?;
    sub.set(opt::RCVTIMEO, arguments.timeout.map(Duration::from_secs))?;
    sub.subscribe(Header::TOPIC)?;
    sub.connect(&*arguments.connect)?;
    let mut animation = arguments.image.as_deref().map(Animation::create).transpose()?;

    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
        context.shutdown();
    })?;

    let (mut total, mut second) = (Meter::new(None)?, Meter::new(None)?);
    while arguments.frames != Some(total.shown()) {
        let message = match sub.recv() {
            Ok(message) => message,
            // Ctrl-C, or no picture for too long.
            Err(Error::Terminated | Error::Closed | Error::WouldBlock(_) | Error::TimedOut(_)) => break,
            Err(error) => return Err(error.into()),
        };
        let Some((header, picture)) = read(&message[0]) else {
            total.refuse();
            second.refuse();
            continue;
        };
        if total.shown() == 0 {
            // What was before the first picture is not counted.
            (total, second) = (Meter::new(None)?, Meter::new(None)?);
        }
        total.show(&header);
        second.show(&header);
        if let Some(animation) = animation.as_mut().filter(|it| it.lasts() < arguments.image_seconds * 1000) {
            animation.add(&header, &picture)?;
        }
        if second.lasts() >= Duration::from_secs(1) {
            println!("{second}");
            second = Meter::new(second.last())?;
        }
        if arguments.pause > 0 && stopped.recv_timeout(Duration::from_millis(arguments.pause)).is_ok() {
            break;
        }
    }
    println!("total: {total}");
    Ok(())
}

/// Returns a picture and its header, or `None` for a message that is none.
fn read(message: &[u8]) -> Option<(Header, DynamicImage)> {
    let (header, jpeg) = Header::read(message)?;
    Some((header, image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).ok()?))
}

/// An animated GIF that is written while its pictures come.
struct Animation {
    encoder: GifEncoder<BufWriter<File>>,
    /// When its first and its last picture were taken.
    taken: Option<(u64, u64)>,
}

/// How far apart its pictures are at least, in microseconds: a bit less than six pictures of thirty a second. The choice of
/// colours takes as long as encoding a picture as JPEG.
const APART: u64 = 195_000;

impl Animation {
    fn create(path: &Path) -> Result<Animation, Failure> {
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        // 30 is the fastest choice of colours, and the least exact.
        let mut encoder = GifEncoder::new_with_speed(BufWriter::new(file), 30);
        encoder.set_repeat(Repeat::Infinite)?;
        Ok(Animation { encoder, taken: None })
    }

    /// Adds the picture if it is not too near to the one before.
    fn add(&mut self, header: &Header, picture: &DynamicImage) -> Result<(), Failure> {
        let (first, last) = self.taken.unwrap_or((header.taken, header.taken.saturating_sub(APART)));
        let since = header.taken.saturating_sub(last);
        if since < APART {
            return Ok(());
        }
        self.taken = Some((first, header.taken));
        let small = picture.thumbnail(picture.width() / 2, picture.height() / 2).to_rgba8();
        let delay = Delay::from_saturating_duration(Duration::from_micros(since));
        Ok(self.encoder.encode_frame(Frame::from_parts(small, 0, 0, delay))?)
    }

    /// How long it is, in milliseconds.
    fn lasts(&self) -> u64 {
        self.taken.map_or(0, |(first, last)| last.saturating_sub(first) / 1000)
    }
}
