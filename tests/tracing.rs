//! The feature `tracing`: one event for each event of a monitor, in a span for each connection.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use common::{LONG, Soon};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use zeroxide::{Context, SocketType};

/// Keeps what is traced: the message of each event, and the span that it is in.
#[derive(Clone, Default)]
struct Kept {
    told: Arc<Mutex<Told>>,
    ids: Arc<AtomicU64>,
}

#[derive(Clone, Default)]
struct Told {
    events: Vec<(String, Option<u64>)>,
    spans: Vec<String>,
}

thread_local! {
    static ENTERED: std::cell::Cell<Option<u64>> = const { std::cell::Cell::new(None) };
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0 = format!("{value:?}"),
            name => self.0 += &format!(" {name}={value:?}"),
        }
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "zeroxide"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut text = Text::default();
        span.record(&mut text);
        self.told.lock().unwrap().spans.push(text.0);
        Id::from_u64(self.ids.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        self.told.lock().unwrap().events.push((text.0, ENTERED.get()));
    }

    fn enter(&self, span: &Id) {
        ENTERED.set(Some(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.set(None);
    }
}

#[test]
fn each_event_of_a_monitor_is_traced_in_the_span_of_its_connection() {
    let kept = Kept::default();
    tracing::subscriber::set_global_default(kept.clone()).unwrap();
    let cx = Context::new();
    let (push, pull) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Pull).unwrap());
    let (ours, theirs) = (push.monitor(), pull.monitor());
    push.connect_ready(pull.bind("tcp://127.0.0.1:*").unwrap(), LONG).unwrap();
    push.send("x").unwrap();
    pull.recv_soon();
    push.close().wait();
    pull.close().wait();
    let told = ours.count() + theirs.count();
    let Told { events, spans } = kept.told.lock().unwrap().clone();
    assert_eq!(events.len(), told, "{events:?}");
    assert_eq!(spans.len(), 2, "one at each side: {spans:?}");
    assert!(spans.iter().all(|span| span.contains("local=") && span.contains("remote=")), "{spans:?}");
    for text in ["peer is there: #", "peer is gone: "] {
        let found = events.iter().filter(|(event, span)| event.contains(text) && span.is_some());
        assert!(found.count() >= 1, "{text}: {events:?}");
    }
    assert!(events.iter().any(|(event, span)| event.contains("listening") && span.is_none()), "{events:?}");
}
