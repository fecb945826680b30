//! A camera: takes pictures at a fixed rate and publishes them.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Parser;
use image::RgbImage;
use video_example::{Failure, Recording, Size, jpeg, scene};
use zeroxide::{Context, Options, SocketType, opt};

/// Publishes live video: one JPEG picture after the other.
///
/// Without --input it draws the pictures. It ends after --frames pictures, at the end of the file, or on Ctrl-C.
///
/// A camera, through ffmpeg:
///
///     ffmpeg -f v4l2 -i /dev/video0 -pix_fmt yuv420p -f yuv4mpegpipe - | source --input -
#[derive(Parser)]
#[command(verbatim_doc_comment)]
struct Arguments {
    /// Where viewers connect to
    #[arg(long, value_name = "ENDPOINT", default_value = "tcp://127.0.0.1:5557")]
    bind: String,
    /// How large the drawn pictures are
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "640x480", conflicts_with = "input")]
    size: Size,
    /// Pictures a second; with --input it is what the file says unless it is given [default: 30]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    fps: Option<u32>,
    /// A y4m file to read pictures from; - is standard input
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// How good JPEG pictures are, and how large: 1 to 100
    #[arg(long, value_name = "N", default_value_t = 75, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Ends after so many pictures
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let (stop, stopped) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = stop.send(());
    })?;

    let mut recording = arguments.input.as_ref().map(open).transpose()?;
    let of_file = recording.as_ref().and_then(Recording::interval);
    let of_rate = arguments.fps.map(|fps| Duration::from_secs(1) / fps);
    let interval = of_rate.or(of_file).unwrap_or(Duration::from_secs(1) / 30);

    let context = Context::new();
    // A subscriber that its network delays gets the newest picture next, and not those that waited.
    let publisher = context.socket_with(SocketType::Pub, &Options::new().set(opt::CONFLATE, true))?;
    println!("bound {}", publisher.bind(&*arguments.bind)?);

    let (mut bytes, mut busy, mut late) = (0, Duration::ZERO, 0);
    let mut due = Instant::now();
    let mut sent = 0;
    while arguments.frames != Some(sent) {
        let begin = Instant::now();
        let Some(picture) = next(recording.as_mut(), arguments.size, sent)? else { break };
        let message = jpeg(sent, &picture, arguments.quality)?;
        bytes += message.len();
        publisher.send(message)?;
        busy += begin.elapsed();
        sent += 1;

        // A picture that is late delays all that follow: a camera does not hurry.
        due += interval;
        late += u64::from(due < Instant::now());
        due = due.max(Instant::now());
        match stopped.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => break,
        }
    }
    let each = |sum: f64| sum / (sent.max(1) as f64);
    let (kilobytes, milliseconds) = (each(bytes as f64 / 1e3), each(busy.as_secs_f64() * 1e3));
    println!("{sent} pictures of {kilobytes:.1} kB, {milliseconds:.1} ms of work each; {late} came too late");
    Ok(())
}

fn open(path: &PathBuf) -> Result<Recording<Box<dyn Read>>, Failure> {
    let stream: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| format!("{}: {error}", path.display()))?)
    };
    Recording::new(Box::new(BufReader::new(stream)))
}

fn next(
    recording: Option<&mut Recording<Box<dyn Read>>>,
    size: Size,
    number: u64,
) -> Result<Option<RgbImage>, Failure> {
    match recording {
        Some(recording) => recording.next_picture(),
        None => Ok(Some(scene(size, number))),
    }
}
