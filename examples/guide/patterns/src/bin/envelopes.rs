//! Messages of several frames: the first one is the envelope by which a publisher sorts, the others are the letter.

use zeroxide::{Context, Frame, SocketType};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let context = Context::new();
    let publisher = context.socket(SocketType::Pub)?;
    publisher.bind("inproc://letters")?;
    let subscriber = context.socket(SocketType::Sub)?;
    subscriber.subscribe("B")?;
    subscriber.connect("inproc://letters")?;
    publisher.wait_for_subscribers("B", 1, std::time::Duration::from_secs(60))?;

    publisher.send(["A", "publisher 1", "nobody gets this: B stands in no first frame"])?;
    publisher.send(["B", "publisher 1", "we like to see this"])?;
    publisher.send(["BC", "publisher 2", "a prefix is enough"])?;
    // Frames are bytes, of any length: none, too.
    publisher.send(vec![Frame::from("B"), Frame::new(), vec![0; 100_000].into()])?;

    for _ in 0..3 {
        let letter = subscriber.recv()?;
        let [envelope, from, text]: [Frame; 3] = letter.try_into()?;
        println!("{envelope:?} from {from:?}: {} bytes, {text:?}", text.len());
    }
    println!("{} published without a subscriber", publisher.stats().unmatched);
    Ok(())
}
