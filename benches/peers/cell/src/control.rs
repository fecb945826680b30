//! The lines from and to the parent: `benches/peers/README.md`.

use std::io::{BufRead, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread;

use futures_channel::oneshot::{self, Receiver, Sender};

use crate::meter::Meter;
use crate::peer::Peer;
use crate::spec::Spec;
use crate::task;

/// The specifications that the argument has: one for each socket of the process.
///
/// # Errors
/// The exit code of a program that was started by hand.
pub fn specs() -> Result<Vec<Spec>, ExitCode> {
    let argument = std::env::args().nth(1).unwrap_or_default();
    match serde_json::from_str::<Vec<Spec>>(&argument) {
        Ok(specs) if !specs.is_empty() => Ok(specs),
        _ => {
            eprintln!("the argument is a list of specifications: see benches/peers/README.md");
            Err(ExitCode::FAILURE)
        }
    }
}

/// The `main` of a program: does what `specs` say until the parent has its results.
///
/// # Panics
/// Where a call fails that this program needs: its parent sees that it ends.
pub fn program<P: Peer>(specs: &[Spec]) -> ExitCode {
    let context = P::context(&specs[0]);
    let meter = Arc::new(Meter::new());
    let mut gates = Vec::new();
    let mut places = Vec::new();
    for _ in specs {
        let (gate, place) = oneshot::channel();
        gates.push(gate);
        places.push(place);
    }
    let places = Mutex::new(places);
    thread::spawn({
        let meter = meter.clone();
        move || obey(gates, &meter)
    });
    P::run(specs, |spec| {
        let place = places.lock().expect("no panic").pop().expect("a place for each");
        take_part::<P>(spec, context.clone(), place, &meter)
    });
    ExitCode::SUCCESS
}

async fn take_part<P: Peer>(spec: Spec, context: P::Context, go: Receiver<()>, meter: &Meter) {
    match P::open(&context, &spec, |endpoint| say(&format!("bound {endpoint}"))).await {
        Ok(peer) => {
            say("ready");
            if go.await.is_ok() {
                task::run(&spec, peer, meter).await;
            }
        }
        Err(reason) => {
            say(&format!("refused {reason}"));
            std::process::exit(0);
        }
    }
}

/// Reads the parent's lines. The end of its pipe ends the process, so nothing outlives a parent that was killed.
fn obey(gates: Vec<Sender<()>>, meter: &Meter) {
    let mut gates = gates.into_iter();
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        match line.as_str() {
            "go" => gates.by_ref().for_each(|gate| _ = gate.send(())),
            "start" => meter.start(),
            "stop" => {
                // The task goes on: others are still measured.
                let outcome = meter.stop();
                say(&serde_json::to_string(&outcome).expect("plain numbers"));
            }
            _ => eprintln!("not a line of the protocol: {line:?}"),
        }
    }
    // The process is its own measure: nothing lingers, and tearing down is not what is compared.
    std::process::exit(0);
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("a parent that listens");
}
