//! Clone, step 6: one of two servers. The passive one has a copy of the map, and takes over when the active one is gone.
//!
//! Arguments: `primary` or `backup`; the first of the four endpoints of this server, and of the other one; the time between two
//! signs of life, in ms.

use std::process::exit;
use std::time::{Duration, Instant};

use guide_publish::replica::{Place, Replica, alive};
use guide_publish::{Entry, Map, snapshot};
use guide_reliable::star::{Report, Star, State};
use guide_reliable::{Every, Failure, argument};
use zeroxide::{Context, Message, Options, PollItem, Ready, Socket, SocketType, opt, poll};

fn main() -> Result<(), Failure> {
    let role = argument::text(1, "primary");
    let own = Place::new(&argument::text(2, "tcp://127.0.0.1:5556"));
    let other = Place::new(&argument::text(3, "tcp://127.0.0.1:5566"));
    let interval = argument::milliseconds(4, 1000);

    let context = Context::new();
    let star = Star::new(role.parse()?, 3 * interval, Instant::now());
    let mut server = Server::new(context, role, &own, other, star, 3 * interval)?;
    let mut beat = Every::new(interval);
    loop {
        let mut items = vec![
            PollItem::new(&server.reports_in, Ready::IN),
            PollItem::new(&server.snapshots, Ready::IN),
            PollItem::new(&server.changes, Ready::IN),
        ];
        items.extend(server.replica.as_ref().map(|replica| PollItem::new(replica.socket(), Ready::IN)));
        poll(&mut items, Some(beat.left()))?;
        let ready: Vec<bool> = items.iter().map(|item| item.ready().is_in()).collect();

        if ready[0] {
            server.receive_report()?;
        }
        if ready[1] {
            server.receive_request()?;
        }
        if ready[2] {
            server.receive_change()?;
        }
        server.follow(ready.len() == 4 && ready[3], beat.is_due())?;
    }
}

struct Server {
    context: Context,
    role: String,
    other: Place,
    lifetime: Duration,
    star: Star,
    /// What `star` was when this server last looked.
    state: State,
    map: Map,
    /// At the passive server: the copy.
    replica: Option<Replica>,
    /// At the active server: the last update that the other one has copied.
    copied: u64,
    other_silent_at: Instant,
    snapshots: Socket,
    updates: Socket,
    changes: Socket,
    reports_out: Socket,
    reports_in: Socket,
}

impl Server {
    fn new(
        context: Context,
        role: String,
        own: &Place,
        other: Place,
        star: Star,
        lifetime: Duration,
    ) -> Result<Server, Failure> {
        let unlimited = Options::new().set(opt::SNDHWM, 0);
        let snapshots = context.socket_with(SocketType::Router, &unlimited)?;
        let updates = context.socket(SocketType::Pub)?;
        let changes = context.socket(SocketType::Pull)?;
        let reports_out = context.socket(SocketType::Pub)?;
        let reports_in = context.socket(SocketType::Sub)?;
        println!("bound {} and the next three", snapshots.bind(&own.snapshots)?);
        updates.bind(&own.updates)?;
        changes.bind(&own.changes)?;
        reports_out.bind(&own.reports)?;
        reports_in.subscribe("")?;
        reports_in.connect(&other.reports)?;
        Ok(Server {
            context,
            role,
            other,
            lifetime,
            state: star.state(),
            star,
            map: Map::default(),
            replica: None,
            copied: 0,
            other_silent_at: Instant::now(),
            snapshots,
            updates,
            changes,
            reports_out,
            reports_in,
        })
    }

    /// The other server says what it does, and which update it has copied.
    fn receive_report(&mut self) -> Result<(), Failure> {
        let message = self.reports_in.recv()?;
        let report: Report = message[0].as_str()?.parse()?;
        self.star.receive(report, Instant::now());
        self.copied = message[1].as_str()?.parse()?;
        self.other_silent_at = Instant::now() + self.lifetime;
        Ok(())
    }

    /// A client wants a snapshot. That is the request that makes a passive server active, if it has a copy.
    fn receive_request(&mut self) -> Result<(), Failure> {
        let request: Message = self.snapshots.recv()?;
        let has_copy = self.replica.is_some() || self.star.state() != State::Passive;
        if has_copy && self.star.request(Instant::now()) {
            self.take_over();
            snapshot::reply(&self.snapshots, request, &self.map);
        }
        Ok(())
    }

    /// A client changes something. Who is not active does not, and the client sends it to the other server.
    fn receive_change(&mut self) -> Result<(), Failure> {
        let Some(change) = Entry::from_message(self.changes.recv()?) else { return Ok(()) };
        // A client that is not sure sends a change again. If it is known, the client has it in its snapshot.
        let is_known = self.map.under(&change.key).any(|entry| entry.id == change.id);
        if self.star.state() == State::Active && !is_known {
            let update = self.map.set(change);
            self.updates.send(update.to_message())?;
        }
        Ok(())
    }

    /// Applies what the active server has published, follows the changes of state, and gives the signs of life.
    fn follow(&mut self, has_news: bool, is_due: bool) -> Result<(), Failure> {
        if let (true, Some(replica)) = (has_news, &mut self.replica) {
            replica.next(self.lifetime)?;
        }
        let changed = self.star.state() != self.state;
        self.state = self.star.state();
        if changed {
            println!("{} is {:?}", self.role, self.state);
        }
        self.take_over();
        if is_due && self.state == State::Active {
            for deletion in self.map.expired() {
                let update = self.map.set(deletion);
                self.updates.send(update.to_message())?;
            }
        }
        if is_due || changed {
            let sequence = self.replica.as_ref().map_or(0, |replica| replica.map().sequence());
            self.reports_out.send([self.star.report().to_string(), sequence.to_string()])?;
            // Without another server there is no copy to wait for.
            let alone = Instant::now() >= self.other_silent_at;
            self.updates.send(alive(if alone { self.map.sequence() } else { self.copied }))?;
        }
        if self.state == State::Outdated {
            exit(1);
        }
        let needs_copy = self.replica.as_ref().is_none_or(|replica| {
            // A copy whose server is gone is the one to take over with. Another one is made when a server is there again.
            replica.is_lost() && Instant::now() < self.other_silent_at
        });
        if self.state == State::Passive && needs_copy && is_due {
            let copy = Replica::join(&self.context, &self.other, "", self.lifetime)?;
            if let Some(copy) = copy {
                println!("copy of {} keys", copy.map().len());
                self.replica = Some(copy);
            }
        }
        Ok(())
    }

    /// At a server that has just become active: makes the copy its map.
    fn take_over(&mut self) {
        if self.star.state() == State::Active
            && let Some(replica) = self.replica.take()
        {
            self.map = replica.into_map();
        }
    }
}
