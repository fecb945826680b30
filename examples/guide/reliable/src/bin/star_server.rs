//! Binary star: one of two servers. The active one serves clients, the passive one takes over when it falls silent.
//!
//! Arguments: `primary` or `backup`; the endpoint to bind for clients; the endpoint to bind for the other server; the endpoint of
//! the other server; the time between two reports to it, in ms.

use std::process::exit;
use std::time::Instant;

use guide_reliable::star::{Report, Star, State};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, PollItem, Ready, SocketType, poll};

fn main() -> Result<(), Failure> {
    let role = argument::text(1, "primary");
    let for_clients = argument::text(2, "tcp://127.0.0.1:5001");
    let for_peer = argument::text(3, "tcp://127.0.0.1:5003");
    let peer = argument::text(4, "tcp://127.0.0.1:5004");
    let interval = argument::milliseconds(5, 1000);

    let context = Context::new();
    let front = context.socket(SocketType::Router)?;
    let reports = context.socket(SocketType::Pub)?;
    let peer_reports = context.socket(SocketType::Sub)?;
    println!("bound {} for clients", front.bind(for_clients)?);
    println!("bound {} for the other server", reports.bind(for_peer)?);
    peer_reports.subscribe("")?;
    peer_reports.connect(peer)?;

    let mut star = Star::new(role.parse()?, 3 * interval, Instant::now());
    let mut state = star.state();
    let mut beat = Every::new(interval);
    loop {
        let mut items = [PollItem::new(&peer_reports, Ready::IN), PollItem::new(&front, Ready::IN)];
        poll(&mut items, Some(beat.left()))?;
        let [reported, requested] = items.map(|item| item.ready().is_in());

        if reported {
            let report: Report = peer_reports.recv()?[0].as_str()?.parse()?;
            star.receive(report, Instant::now());
        }
        if requested {
            let (client, request) = front.recv_from()?;
            // Who is not active does not reply: the client tries the other server.
            if star.request(Instant::now()) {
                let (mut reply, request) = request.split_envelope();
                reply.push_back("");
                reply.push_back(format!("{} from {role}", request[0].as_str()?));
                // A client that has gone needs no reply.
                let _ = front.send_to(&client, reply);
            }
        }
        // A change is told at once, and not only with the next report.
        let changed = star.state() != state;
        if changed {
            state = star.state();
            println!("{role} is {state:?}");
        }
        if changed || beat.is_due() {
            reports.send(star.report().to_string())?;
        }
        if state == State::Outdated {
            // Started again, by whatever starts services here, it is the passive one.
            exit(1);
        }
    }
}
