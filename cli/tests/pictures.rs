//! The screens that the guide's page "The tool" shows: each is made here by the commands above it, and compared with the page, numbers
//! apart. `ZEROXIDE_WRITE_DOCS=1` writes them anew.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;

use common::{Place, Running, zx};

/// The guide's page.
fn page() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/src/pages/tool.md"))
}

/// Compares what a command printed with the page's block that begins with its line, or writes it there. `alike` takes from both what is
/// the same in each run.
#[track_caller]
fn is_shown(command: &str, printed: &str, alike: impl Fn(&str) -> Vec<String>) {
    let text = std::fs::read_to_string(page()).unwrap();
    let begin = format!("```console\n$ {command}\n");
    let (before, rest) =
        text.split_once(&begin).unwrap_or_else(|| panic!("the page has no block of {command:?}"));
    let (shown, after) = rest.split_once("```").unwrap();
    if std::env::var_os("ZEROXIDE_WRITE_DOCS").is_some() {
        let printed = printed.trim_end();
        std::fs::write(page(), format!("{before}{begin}{printed}\n```{after}")).unwrap();
        return;
    }
    assert_eq!(alike(shown), alike(printed), "{command}: the page shows another screen:\n{printed}");
}

/// The lines, with each number as `#` and each run of spaces or line drawing as one.
fn lines(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let mut alike = String::new();
        for c in line.trim_end().chars() {
            let c = if c.is_ascii_digit() { '#' } else { c };
            let repeats = matches!(c, '#' | ' ' | '─') && alike.ends_with(c);
            if !repeats {
                alike.push(c);
            }
        }
        alike.replace("#.#", "#")
    };
    text.trim_end().lines().map(line).collect()
}

/// The first word of each line before the histogram, whose length differs.
fn head(text: &str) -> Vec<String> {
    let lines = text.lines().take_while(|line| !line.is_empty());
    lines
        .filter_map(|line| {
            line.split_whitespace().find(|word| !word.starts_with(|c: char| c.is_ascii_digit()))
        })
        .map(str::to_owned)
        .collect()
}

/// All at once: they write one file.
#[test]
fn the_screens_of_the_guide_are_those_of_the_tool() {
    // A publisher's messages as JSON, without their times.
    let mut sub = Running::start(&["sub", "-b", "tcp://127.0.0.1:*", "-t", "weather", "--json", "-n", "2"]);
    let at = sub.bound();
    zx(&["pub", &at, "-t", "weather", "-m", "sunny", "-m", "rain"]).assert().success();
    let printed = [sub.line_out(), sub.line_out()].join("\n");
    is_shown("zx sub -b tcp://127.0.0.1:5556 -t weather --json -n 2", &printed, lines);

    // A healthy server, and one that wants keys.
    let mut rep = Running::start(&["rep", "-b", "tcp://127.0.0.1:*", "--echo"]);
    let at = rep.bound();
    let healthy = zx(&["doctor", &at, "--as", "REQ"]).assert().success().get_output().stdout.clone();
    let healthy = String::from_utf8(healthy).unwrap().replace(&at[6..], "127.0.0.1:5555");
    is_shown("zx doctor tcp://127.0.0.1:5555 --as REQ", &healthy, lines);
    let place = Place::new();
    let key = place.folder.path().join("server");
    zx(&["keygen", key.to_str().unwrap()]).assert().success();
    let secret = format!("{}.key_secret", key.display());
    let secured =
        ["rep", "-b", "tcp://127.0.0.1:*", "--echo", "--curve-server", "--key", &secret, "--any-client"];
    let mut rep = Running::start(&secured);
    let at = rep.bound();
    let wants = zx(&["doctor", &at]).assert().code(1).get_output().stdout.clone();
    let wants = String::from_utf8(wants).unwrap().replace(&at[6..], "127.0.0.1:5558");
    is_shown("zx doctor tcp://127.0.0.1:5558", &wants, lines);

    // A broker with a publisher and a subscriber, and messages that have arrived.
    let ends = ["-f", "tcp://127.0.0.1:*", "-b", "tcp://127.0.0.1:*", "--status", &place.endpoint];
    let mut proxy = Running::start(&[&["proxy", "pubsub"][..], &ends].concat());
    let (front, back) = (proxy.bound(), proxy.bound());
    let mut sub = Running::start(&["sub", &back]);
    let mut publisher = Running::start(&["pub", &front]);
    for tick in ["one", "two", "three"] {
        publisher.line_in(tick);
        assert_eq!(sub.line_out(), tick);
    }
    let top = zx(&["top", &place.endpoint, "--once"]).assert().success().get_output().stdout.clone();
    let top = String::from_utf8(top).unwrap();
    let top = top.replace(&front, "tcp://127.0.0.1:6001").replace(&back, "tcp://127.0.0.1:6000");
    let is_row = |line: &&str| !line.chars().all(|c| c == '│' || c == ' ');
    let top: Vec<&str> = top.lines().filter(is_row).collect();
    is_shown("zx top ipc:///tmp/broker --once", &top.join("\n"), lines);

    let bench =
        zx(&["bench", "latency", "--duration", "300ms"]).assert().success().get_output().stdout.clone();
    is_shown("zx bench latency --duration 300ms", &String::from_utf8(bench).unwrap(), head);
}
