//! A subscriber: receives ten reports of one town, and prints their mean.

use std::env;

use zeroxide::{Context, SocketType};

const REPORTS: u32 = 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let town = env::args().nth(1).unwrap_or("bergen".into());
    let endpoint = env::args().nth(2).unwrap_or("tcp://127.0.0.1:5556".into());
    let context = Context::new();
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe(&town)?;
    subscriber.connect(&endpoint)?;
    let mut sum = 0.0;
    for _ in 0..REPORTS {
        let report = subscriber.recv()?;
        let celsius: f64 = report[1].as_str()?.parse()?;
        println!("{} {celsius}", report[0].as_str()?);
        sum += celsius;
    }
    println!("mean of {REPORTS} reports: {:.1}", sum / f64::from(REPORTS));
    Ok(())
}
