//! Questions and answers over CURVE by the crate `zmq`; its functions come from Zeroxide (see Cargo.toml).

use std::thread;

fn main() -> zmq::Result<()> {
    let (major, minor, patch) = zmq::version();
    println!("libzmq's interface {major}.{minor}.{patch}; CURVE: {:?}", zmq::has("curve"));
    let context = zmq::Context::new();
    let keys = zmq::CurveKeyPair::new()?;

    let server = context.socket(zmq::REP)?;
    server.set_curve_server(true)?;
    server.set_curve_secretkey(&keys.secret_key)?;
    server.bind("tcp://127.0.0.1:*")?;
    let endpoint = server.get_last_endpoint()?.unwrap_or_default();
    let answers = thread::spawn(move || -> zmq::Result<()> {
        for _ in 0..3 {
            let question = server.recv_msg(0)?;
            server.send(format!("{} letters", question.len()).as_str(), 0)?;
        }
        Ok(())
    });

    let client = context.socket(zmq::REQ)?;
    let own = zmq::CurveKeyPair::new()?;
    client.set_curve_serverkey(&keys.public_key)?;
    client.set_curve_publickey(&own.public_key)?;
    client.set_curve_secretkey(&own.secret_key)?;
    client.set_rcvtimeo(10_000)?;
    client.connect(&endpoint)?;
    for word in ["pipe", "envelope", "linger"] {
        client.send(word, 0)?;
        let answer = client.recv_string(0)?.unwrap_or_default();
        println!("{word}: {answer}");
        assert_eq!(answer, format!("{} letters", word.len()));
    }
    answers.join().expect("the answering thread does not panic")
}
