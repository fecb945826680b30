//! The kernel as a process, driven by the real jupyter_client (`client.py`).
//!
//! `cargo xtask jupyter` sets its Python up and runs these tests.
#![cfg(feature = "jupyter")]

use std::env;
use std::process::Command;

/// Set by `cargo xtask jupyter`.
const PYTHON: &str = "ZEROXIDE_JUPYTER_PYTHON";

fn drive(transport: &str, mechanism: &str) {
    let python = env::var_os(PYTHON).expect("run by `cargo xtask jupyter`");
    let client = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/client.py");
    let output = Command::new(python)
        .args([client, env!("CARGO_BIN_EXE_jupyter-kernel"), transport, mechanism])
        .output()
        .expect("Python starts");
    let (said, faults) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{said}\n{faults}", output.status);
}

#[test]
fn jupyter_client_over_tcp() {
    drive("tcp", "null");
}

#[test]
fn jupyter_client_over_ipc() {
    drive("ipc", "null");
}

#[test]
fn jupyter_client_over_tcp_with_curve() {
    drive("tcp", "curve");
}

#[test]
fn jupyter_client_over_ipc_with_curve() {
    drive("ipc", "curve");
}
