//! bench, with a second process and with peers.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, Running, zx};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn json(arguments: &[&str]) -> serde_json::Value {
    let all = [&["bench"], arguments, &["--duration", "200ms", "--json"]].concat();
    serde_json::from_slice(&zx(&all).assert().success().get_output().stdout).unwrap()
}

#[test]
fn round_trips_and_throughput_are_measured_between_two_processes() {
    let latency = json(&["latency", "--over", "ipc://*", "--size", "10"]);
    let messages = latency["messages"].as_u64().unwrap();
    assert!(messages > 10 && latency["bytes"] == 10 * messages && latency["wrong"] == 0, "{latency}");
    let values: Vec<f64> =
        latency["percentiles"].as_array().unwrap().iter().map(|p| p["value"].as_f64().unwrap()).collect();
    assert!(values.len() == 5 && values.is_sorted() && values[0] > 0.0, "{latency}");

    let throughput = json(&["throughput", "--size", "100"]);
    assert!(throughput["messages_per_second"].as_f64().unwrap() > 100.0, "{throughput}");
    assert_eq!(throughput["bytes"].as_u64().unwrap(), 100 * throughput["messages"].as_u64().unwrap());
}

#[test]
fn any_peer_can_be_measured() {
    let place = Place::new();
    let _echo = Running::start(&["rep", "-b", &place.endpoint, "--echo", "--raw", "-q"]);
    assert_eq!(json(&["latency", "-c", &place.endpoint])["wrong"], 0);
    let place = Place::new();
    let _other = Running::start(&["rep", "-b", &place.endpoint, "-m", "other", "-q"]);
    let bench = ["bench", "latency", "-c", &place.endpoint, "--duration", "100ms"];
    zx(&bench).assert().success().stdout(contains("replies were not the request: does the peer echo?"));
}

#[test]
fn a_page_has_the_result_and_its_chart() {
    let place = Place::new();
    let page = place.folder.path().join("page.html").to_str().unwrap().to_owned();
    let bench = ["bench", "latency", "--duration", "100ms", "--html", &page];
    zx(&bench).assert().success().stdout(contains("p99.9").and(contains("|#")));
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && page.contains("round trips in") && page.ends_with("</html>\n"));
}

#[test]
fn a_wrong_endpoint_says_so() {
    zx(&["bench", "latency", "-c", "localhost:5"]).assert().code(1).stderr(contains("tcp://localhost:5"));
}
