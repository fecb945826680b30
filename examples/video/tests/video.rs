//! Source and viewer as processes.

use guide_running::{ANY, Ended, LONG, Program};
use video_example::Header;
use zeroxide::{Context, SocketType};

const SOURCE: &str = env!("CARGO_BIN_EXE_source");
const VIEWER: &str = env!("CARGO_BIN_EXE_viewer");
/// Small pictures: these tests are about messages.
const SMALL: [&str; 2] = ["--size", "96x64"];

/// A source, and where it publishes.
fn source(arguments: &[&str]) -> (Program, String) {
    let mut source = Program::start(SOURCE, &[&["--bind", ANY], arguments].concat());
    let bound = source.line("bound ");
    (source, bound)
}

/// A viewer that has ended.
fn view(endpoint: &str, arguments: &[&str]) -> Ended {
    Program::start(VIEWER, &[&["--connect", endpoint], arguments].concat()).end()
}

/// What a viewer has counted in all: pictures shown, pictures lost, and the latency of the oldest in milliseconds.
fn totals(ended: &Ended) -> (u64, u64, f64) {
    assert!(ended.success, "{ended:?}");
    let total = ended.after("total: ");
    let number = |part: &str| {
        let words: Vec<&str> = total.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        words[words.iter().position(|word| *word == part).expect("a number") - 1].parse().expect("a number")
    };
    let oldest = total.split_once("max ").expect("a latency").1;
    (number("shown"), number("lost"), oldest.trim().parse().expect("a latency"))
}

#[test]
fn what_is_drawn_is_shown_and_becomes_an_animation() {
    let folder = tempfile::tempdir().expect("a folder");
    let gif = folder.path().join("video.gif");
    let (source, endpoint) = source(&SMALL);
    let ended = view(&endpoint, &["--frames", "20", "--image", &gif.to_string_lossy()]);
    assert_eq!(totals(&ended).0, 20);
    let gif = std::fs::read(gif).expect("a file");
    assert!(gif.starts_with(b"GIF89a") && gif.ends_with(b";"), "a whole GIF");
    let pictures = gif.windows(3).filter(|bytes| *bytes == b"\x21\xf9\x04").count();
    assert!(pictures >= 2, "{pictures} pictures");
    source.kill();
}

/// Ten pictures with 300 ms after each are three seconds. A viewer that took one picture after the other would show the
/// last one more than two seconds late, and would lose none.
#[test]
fn a_slow_viewer_loses_pictures_and_stays_up_to_date() {
    let (source, endpoint) = source(&SMALL);
    let (shown, lost, oldest) = totals(&view(&endpoint, &["--frames", "10", "--pause", "300"]));
    assert_eq!(shown, 10);
    assert!(lost >= 30, "{lost} lost");
    assert!(oldest > 0.0 && oldest < 1000.0, "{oldest} ms");
    source.kill();
}

#[test]
fn a_source_that_starts_again_is_viewed_on() {
    let (first, endpoint) = source(&SMALL);
    let mut viewer = Program::start(VIEWER, &["--connect", &endpoint]);
    viewer.line(" shown, ");
    first.kill();
    let _second = Program::start(SOURCE, &[&["--bind", &endpoint], &SMALL[..]].concat());
    viewer.line("1 restarts of the source");
    #[cfg(unix)]
    assert!(viewer.interrupt().has("total: "));
}

#[test]
fn what_is_no_picture_is_counted_and_viewed_past() {
    let context = Context::new();
    let publisher = context.socket(SocketType::Pub).expect("a socket");
    let endpoint = publisher.bind(ANY).expect("a port").to_string();
    let mut viewer = Program::start(VIEWER, &["--connect", &endpoint, "--timeout", "2"]);
    publisher.wait_for_subscribers(Header::TOPIC, 1, LONG).expect("the viewer");
    let header = Header { number: 1, taken: 2, width: 3, height: 4 };
    publisher.send(header.with(b"\xff\xd8no picture")).expect("sent");
    assert!(viewer.line("total: ").ends_with(", 1 unreadable"));
}

#[test]
fn a_file_is_published_at_its_own_rate_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grey.y4m");
    let mut file = Vec::new();
    let mut encoder = y4m::encode(32, 16, y4m::Ratio::new(100, 1)).write_header(&mut file).expect("a head");
    for luma in 0..50 {
        let planes: [&[u8]; 3] = [&[luma * 4; 512], &[128; 128], &[128; 128]];
        encoder.write_frame(&y4m::Frame::new(planes, None)).expect("a picture");
    }
    std::fs::write(&path, file).expect("a file");
    let (source, endpoint) = source(&["--input", &path.to_string_lossy()]);
    let viewer = Program::start(VIEWER, &["--connect", &endpoint, "--timeout", "20", "--frames", "2"]);
    assert!(source.end().has("50 pictures of"));
    viewer.kill();
}

#[test]
fn what_is_no_video_is_an_error_with_its_name() {
    let wrong =
        Program::start(SOURCE, &["--input", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]).end();
    assert!(!wrong.success && wrong.has("this is no y4m"), "{wrong:?}");
    let missing = Program::start(SOURCE, &["--input", "missing.y4m"]).end();
    assert!(!missing.success && missing.has("missing.y4m: "), "{missing:?}");
}
