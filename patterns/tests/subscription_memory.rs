//! The memory of a million subscriptions, counted by the allocator. A subscriber must not be able to exhaust a
//! publisher with few bytes, and must leave nothing behind.
//!
//! One test in one process: the counter sees every allocation.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use zeroxide_patterns::PipeId;
use zeroxide_patterns::subscriptions::{Subscriptions, Topics};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the pointer came from `System.alloc` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Returns the bytes allocated since `before`. A few of them belong to the test harness, which keeps the output of this
/// test.
fn grown(before: usize) -> usize {
    live().saturating_sub(before)
}

const TOPICS: u64 = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };

/// Returns 24 bytes: a common beginning and a running number, like real topics.
fn numbered(i: u64) -> [u8; 24] {
    format!("stock/nasdaq/{i:011}").into_bytes().try_into().expect("24 bytes")
}

/// Returns 24 random bytes (one step of splitmix64 for each eight).
fn scattered(i: u64) -> [u8; 24] {
    let mut topic = [0; 24];
    for (n, eight) in topic.chunks_mut(8).enumerate() {
        let mut z = (3 * i + n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        eight.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes());
    }
    topic
}

#[test]
fn a_topic_costs_little_and_its_memory_comes_back() {
    for (name, topic) in [("numbered", numbered as fn(u64) -> [u8; 24]), ("scattered", scattered)] {
        let before = live();
        let mut subscriptions = Subscriptions::new();
        PEAK.store(live(), Ordering::Relaxed);
        for i in 0..TOPICS {
            subscriptions.add(&topic(i), PipeId(0));
        }
        let per_topic = grown(before) as f64 / TOPICS as f64;
        let peak = (PEAK.load(Ordering::Relaxed) - before) as f64 / TOPICS as f64;
        println!("{name}: {per_topic:.1} bytes per topic of 24, {peak:.1} at the peak");
        assert!(per_topic <= 120.0 && peak <= 120.0, "{name}: {per_topic} bytes per topic, peak {peak}");

        for i in (0..TOPICS).filter(|i| i % 10 != 0) {
            subscriptions.remove(&topic(i), PipeId(0));
        }
        let rest = grown(before) as f64 / TOPICS as f64;
        println!("{name}: {rest:.1} bytes per former topic when one in ten is left");
        assert!(rest <= per_topic / 5.0, "a tenth of the topics keeps {rest} of {per_topic} bytes");

        subscriptions.remove_pipe(PipeId(0), |_, last| assert!(last));
        let left = grown(before);
        assert!(left <= 32 << 10, "{name}: {left} bytes left of {TOPICS} topics");
        drop(subscriptions);
        assert!(grown(before) <= 4 << 10, "{name}: {} bytes leaked", grown(before));
    }
    own_topics();
    churn();
}

fn own_topics() {
    let before = live();
    let mut topics = Topics::new();
    (0..TOPICS).for_each(|i| topics.add(&numbered(i)));
    let per_topic = grown(before) as f64 / TOPICS as f64;
    println!("own: {per_topic:.1} bytes per topic of 24");
    assert!(per_topic <= 100.0, "own: {per_topic} bytes per topic");
    (0..TOPICS).for_each(|i| assert!(topics.remove(&numbered(i))));
    assert!(grown(before) <= 32 << 10);
}

/// Ten subscribers leave no memory behind when they are gone, whatever mixture of their topics exists in between.
fn churn() {
    let before = live();
    let mut subscriptions = Subscriptions::new();
    for round in 0..TOPICS / 100 {
        let pipe = PipeId((round % 10) as u32);
        subscriptions.remove_pipe(pipe, |_, _| ());
        (0..50).for_each(|i| _ = subscriptions.add(&scattered((round * 7 + i) % 5000), pipe));
    }
    let most = 10 * 50 * 120 + (64 << 10);
    assert!(grown(before) <= most, "{} bytes for at most 500 topics", grown(before));
    (0..10).for_each(|pipe| subscriptions.remove_pipe(PipeId(pipe), |_, _| ()));
    assert_eq!((subscriptions.topics(), subscriptions.nodes()), (0, 1));
}
