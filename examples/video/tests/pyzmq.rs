//! The programs and their twins in Python, both ways. `cargo run -p interop` sets the Python up; `cargo xtask test` says when
//! there is none.

use guide_running::{ANY, Program, pyzmq};
use video_example::{Header, Size, jpeg, scene};

/// A program of `python/`, whose lines come as they are printed.
fn python(program: &str, arguments: &[&str]) -> Program {
    let program = format!("{}/python/{program}", env!("CARGO_MANIFEST_DIR"));
    Program::start(pyzmq(), &[&["-u", &program], arguments].concat())
}

#[test]
fn pyzmq_views_our_source() {
    let mut source =
        Program::start(env!("CARGO_BIN_EXE_source"), &["--bind", ANY, "--size", "96x64", "--fps", "60"]);
    let endpoint = source.line("bound ");
    let viewer = python("viewer.py", &[&endpoint, "-n", "40"]).end();
    assert!(viewer.success && viewer.has("40 shown, ") && viewer.has(" lost, 96x64, latency"), "{viewer:?}");
}

#[test]
fn we_view_pyzmqs_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ball.jpg");
    let message = jpeg(0, &scene(Size { width: 96, height: 64 }, 40), 75).expect("a picture");
    std::fs::write(&file, Header::read(&message).expect("a header").1).expect("a file");
    let mut source = python("source.py", &[ANY, &file.to_string_lossy(), "--fps", "60"]);
    let endpoint = source.line("bound ");
    let viewer =
        Program::start(env!("CARGO_BIN_EXE_viewer"), &["--connect", &endpoint, "--frames", "40"]).end();
    assert!(viewer.success && viewer.has("total: 40 shown, "), "{viewer:?}");
}
