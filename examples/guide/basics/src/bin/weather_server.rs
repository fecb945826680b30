//! A publisher: sends the temperature of four towns, ten times a second.

use std::env;
use std::time::Duration;

use zeroxide::{Context, Result, SocketType, poll};

const TOWNS: [&str; 4] = ["athens", "bergen", "cairo", "delhi"];

fn main() -> Result<()> {
    let endpoint = env::args().nth(1).unwrap_or("tcp://127.0.0.1:5556".into());
    let context = Context::new();
    let publisher = context.socket(SocketType::Pub)?;
    println!("bound {}", publisher.bind(&endpoint)?);
    for number in 0u32.. {
        for (town, mean) in TOWNS.into_iter().zip([18, 8, 22, 25]) {
            // In the place of a thermometer: up and down around the mean of the town.
            let celsius = f64::from(mean) + 8.0 * (f64::from(number) / 10.0).sin();
            publisher.send([town, &format!("{celsius:.1}")])?;
        }
        // Without sockets to look at, this waits for the time alone.
        poll(&mut [], Some(Duration::from_millis(100)))?;
    }
    Ok(())
}
