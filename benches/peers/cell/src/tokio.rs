//! What programs on tokio share.

use std::future::Future;

use futures_util::future::join_all;
use tokio::runtime::{Builder, Runtime};

use crate::spec::Spec;

/// [`crate::Peer::run`] on a runtime that has one thread.
pub fn run_on_one_thread<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F) {
    run(Builder::new_current_thread().enable_all().build().expect("a runtime"), specs, task);
}

/// [`crate::Peer::run`] on a runtime with a thread for each processor. The tasks themselves stay on the main thread.
pub fn run_on_threads<F: Future<Output = ()>>(specs: &[Spec], task: impl Fn(Spec) -> F) {
    run(Builder::new_multi_thread().enable_all().build().expect("a runtime"), specs, task);
}

fn run<F: Future<Output = ()>>(runtime: Runtime, specs: &[Spec], task: impl Fn(Spec) -> F) {
    runtime.block_on(join_all(specs.iter().cloned().map(task)));
}
