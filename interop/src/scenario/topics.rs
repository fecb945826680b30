//! Subscriptions: a subscriber gets what it asked for, once, and nothing else.

use crate::pair::Side;
use crate::peer::Failure;
use crate::stage::{PATIENCE, Stage};
use crate::words;

/// The topic that ends each round; it stays subscribed to throughout.
const MARK: &str = "!end";
/// Rounds until a change of subscriptions must be in force. Each is a message there and back through the harness.
const ROUNDS: u32 = 1000;

/// Prefixes, the empty topic, long ones around the border of short frames, bytes that are no text, one that is
/// subscribed to twice.
pub(super) fn topics(stage: &mut Stage<'_>) -> Result<(), Failure> {
    let mut told = Told::default();
    told.change(stage, true, &format!("t:{MARK}"))?;
    told.change(stage, false, "-")?;
    expect(stage, &[], &["-", "t:a", "t:!en"])?;

    told.change(stage, true, "t:a.")?;
    expect(stage, &["t:a.", "t:a.b"], &["-", "t:a", "t:b.", "t:ba."])?;
    // What two subscriptions ask for comes once.
    told.change(stage, true, "t:a.b")?;
    expect(stage, &["t:a.b", "t:a.c"], &["t:b"])?;
    // Taken back once, a topic that was subscribed to twice stays.
    told.repeat(stage, true, "t:a.")?;
    told.repeat(stage, false, "t:a.")?;
    // Nothing changes, which a publisher that has not heard yet shows as well: what is asked for next says that it has.
    told.change(stage, true, "t:heard")?;
    expect(stage, &["t:a.b", "t:a.c", "t:heard"], &["t:b"])?;
    told.change(stage, false, "t:heard")?;
    told.change(stage, false, "t:a.")?;
    expect(stage, &["t:a.b"], &["t:a.c", "t:a."])?;

    told.change(stage, true, "f:255:7")?;
    told.change(stage, true, "f:256:9")?;
    expect(stage, &["f:255:7", "f:300:7", "f:256:9"], &["f:254:7", "f:255:9", "f:256:8"])?;

    told.change(stage, true, "h:00ff00")?;
    told.change(stage, true, "h:01")?;
    expect(stage, &["h:00ff00", "h:00ff0001", "h:0102"], &["h:00ff01", "h:00", "h:10"])?;

    told.change(stage, true, "-")?;
    expect(stage, &["-", "t:zebra", "h:00", "t:a.b"], &[])?;
    told.change(stage, false, "-")?;
    expect(stage, &["t:a.b", "h:0102"], &["-", "t:zebra", "h:00"])?;
    told.check(stage)
}

/// What an XPUB must have heard, in this order: each subscription that is new, and each that is the last to go.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    /// A subscription that comes or goes.
    fn change(&mut self, stage: &mut Stage<'_>, comes: bool, topic: &str) -> Result<(), Failure> {
        let mut message = vec![u8::from(comes)];
        message.extend(words::frame(topic).unwrap_or_default());
        self.0.push(words::told(&message));
        self.repeat(stage, comes, topic)
    }

    /// One that changes nothing for the publisher.
    fn repeat(&mut self, stage: &mut Stage<'_>, comes: bool, topic: &str) -> Result<(), Failure> {
        if comes { stage.subscribe(Side::Right, topic) } else { stage.unsubscribe(Side::Right, topic) }
    }

    fn check(&self, stage: &mut Stage<'_>) -> Result<(), Failure> {
        if stage.setting().socket_type(Side::Left) != "XPUB" {
            return Ok(());
        }
        // The first was to everything, when the socket was opened.
        for request in std::iter::once("h:01").chain(self.0.iter().map(String::as_str)) {
            let seen = stage.recv(Side::Left, PATIENCE)?.unwrap_or_default().join(" ");
            if seen != request {
                return Err(stage.unlike(Side::Left, "recv", request, seen));
            }
        }
        Ok(())
    }
}

/// Sends a message of each topic, until a round gives exactly those that are `wanted`, and the next one, too: a PUB tells
/// nobody when it has heard of a change, and a SUB that filters by itself hides for a round that it has not.
fn expect(stage: &mut Stage<'_>, wanted: &[&str], unwanted: &[&str]) -> Result<(), Failure> {
    let expected: Vec<String> = wanted.iter().map(|topic| words::retold(topic)).collect();
    let (mut last, mut right) = (Vec::new(), 0);
    for n in 0..ROUNDS {
        last = round(stage, n, wanted, unwanted)?;
        right = if last == expected { right + 1 } else { 0 };
        if right == 2 {
            return Ok(());
        }
    }
    Err(stage.unlike(Side::Right, "recv", &format!("soon {}", expected.join(" ")), last.join(" ")))
}

/// What comes of one message of each topic.
fn round(stage: &mut Stage<'_>, n: u32, wanted: &[&str], unwanted: &[&str]) -> Result<Vec<String>, Failure> {
    for topic in unwanted.iter().chain(wanted) {
        stage.send(Side::Left, &[topic], PATIENCE)?;
    }
    let mark = format!("t:{MARK}{n}");
    stage.send(Side::Left, &[&mark], PATIENCE)?;
    let mut seen = Vec::new();
    loop {
        let message = stage.recv(Side::Right, PATIENCE)?;
        let message = message.map(|frames| frames.join(" "));
        match message {
            Some(message) if message == words::retold(&mark) => return Ok(seen),
            Some(message) => seen.push(message),
            None => return Err(stage.unlike(Side::Right, "recv", &mark, "nothing".to_owned())),
        }
    }
}
