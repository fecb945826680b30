//! The comparison from end to end, with our own programs: they are started, they send, and what they measured is written.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Compares our two modes in `rows`, and returns the cells of the record.
fn cells(rows: &str) -> Vec<Value> {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(rows);
    let program = |library: &str| format!("{library}={}", env!("CARGO_BIN_EXE_cell-zeroxide"));
    let output = Command::new(env!("CARGO_BIN_EXE_cells"))
        .args(["--rows", rows, "--peers", "zeroxide,zeroxide-tokio", "--sizes", "64"])
        .args(["--rounds", "1", "--seconds", "0.05"])
        .args(["--program", &program("zeroxide"), "--program", &program("zeroxide-tokio")])
        .arg("--out")
        .arg(&out)
        .output()
        .expect("a program that starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = fs::read_to_string(out.join("cells.json")).expect("a record");
    let record: Value = serde_json::from_str(&text).expect("JSON");
    record["cells"].as_array().expect("cells").clone()
}

#[test]
fn a_flood_between_two_processes_has_a_rate_and_costs() {
    let cells = cells("push-pull-tcp");
    assert_eq!(cells.len(), 1);
    for results in cells[0]["results"].as_array().expect("one of each library") {
        assert_eq!(results["failure"], Value::Null, "{results}");
        let sample = &results["samples"][0];
        assert!(sample["rate"].as_f64() > Some(0.0), "{sample}");
        assert!(sample["second"]["peak"].as_f64() > Some(0.0), "{sample}");
    }
}

#[test]
fn round_trips_have_a_distribution() {
    for results in cells("req-rep-ipc")[0]["results"].as_array().expect("one of each library") {
        let latencies = results["samples"][0]["latencies"].as_array().expect("a distribution").clone();
        let latencies: Vec<f64> = latencies.iter().filter_map(Value::as_f64).collect();
        assert_eq!(latencies.len(), cell::QUANTILES.len());
        assert!(latencies[0] > 0.0 && latencies.is_sorted(), "{latencies:?}");
    }
}

#[test]
fn a_row_that_does_not_exist_is_refused() {
    let output = Command::new(env!("CARGO_BIN_EXE_cells")).args(["--rows", "nonsense"]).output();
    let output = output.expect("a program that starts");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nonsense"));
}
