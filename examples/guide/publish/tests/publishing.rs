//! The suicidal snail, espresso and the last value cache as processes.
#![cfg(unix)]

use guide_running::{ANY, Program};

/// A program that binds for publishers and for subscribers, and the two endpoints.
fn proxy(path: &str) -> (Program, String, String) {
    let mut proxy = Program::start(path, &[ANY, ANY]);
    let [front, back] = [proxy.line("bound "), proxy.line("bound ")];
    let endpoint = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    (proxy, endpoint(front), endpoint(back))
}

fn subscriber(back: &str, topic: &str, messages: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_topic_subscriber"), &[back, topic, messages])
}

fn publisher(front: &str, topics: &str, interval: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_topic_publisher"), &[front, topics, interval])
}

/// Milliseconds that no test waits.
const NEVER: &str = "600000";

#[test]
fn a_slow_subscriber_ends_itself_and_a_fast_one_goes_on() {
    let mut publisher = Program::start(env!("CARGO_BIN_EXE_snail_publisher"), &[ANY, "1"]);
    let endpoint = publisher.line("bound ");
    let start = |work| Program::start(env!("CARGO_BIN_EXE_snail_subscriber"), &[&endpoint, "300", work]);
    let mut fast = Program::start(env!("CARGO_BIN_EXE_snail_subscriber"), &[&endpoint, "60000", "0"]);
    let ended = start("20").end();
    assert_eq!((ended.code, ended.count("too slow: message ")), (Some(1), 1));
    fast.line("messages received in time");
}

#[test]
fn espresso_shows_subscriptions_and_messages() {
    let (mut espresso, front, back) = proxy(env!("CARGO_BIN_EXE_espresso"));
    let two = subscriber(&back, "topic-000", "2");
    assert_eq!(espresso.line("subscribe "), "topic-000");
    let _publisher = publisher(&front, "3", "1");
    let ended = two.end();
    assert_eq!(ended.lines, ["topic-000 = value 1", "topic-000 = value 2"]);
    assert_eq!(espresso.line("unsubscribe "), "topic-000");
    let messages: Vec<&String> =
        espresso.printed().iter().filter(|line| line.starts_with("message")).collect();
    // The publisher filters: what nobody has subscribed to does not reach the proxy.
    assert_eq!(messages[..2], [r#"message ["topic-000", "value 1"]"#, r#"message ["topic-000", "value 2"]"#]);
}

#[test]
fn a_new_subscriber_has_the_last_value_of_its_topics_at_once() {
    let (mut cache, front, back) = proxy(env!("CARGO_BIN_EXE_last_value_cache"));
    let mut publisher = publisher(&front, "100", NEVER);
    publisher.line("round 1");
    cache.line("topics: 100");

    assert_eq!(subscriber(&back, "topic-042", "1").end().lines, ["topic-042 = value 1"]);
    // Two at a time: the second subscription to a topic counts as the first one does.
    let mut first = subscriber(&back, "topic-007", "2");
    first.line("topic-007 = value 1");
    assert_eq!(subscriber(&back, "topic-007", "1").end().lines, ["topic-007 = value 1"]);
    let mut ten = subscriber(&back, "topic-09", "10").end().lines;
    ten.sort();
    let expected: Vec<String> = (90..100).map(|topic| format!("topic-{topic:03} = value 1")).collect();
    assert_eq!(ten, expected);
}

#[test]
fn the_cache_keeps_the_newest_value() {
    let (_cache, front, back) = proxy(env!("CARGO_BIN_EXE_last_value_cache"));
    let mut publisher = publisher(&front, "1", "1");
    publisher.line("round 5 ");
    let mut watcher = subscriber(&back, "topic-000", "1000000");
    while watcher.line("topic-000 = value ").parse().is_ok_and(|value: u64| value < 50) {}
    let late = subscriber(&back, "topic-000", "1").end();
    let value: u64 = late.after("topic-000 = value ").parse().unwrap_or_default();
    assert!(value >= 50, "{value}");
}
