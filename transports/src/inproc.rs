//! The inproc names of one context: who is bound, and who waits for whom.
//!
//! This only tells who is joined to whom. The pipes between them are made by the sockets, outside the lock, which is a
//! leaf and never held while foreign code runs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name table. `B` stands for a bound socket, `W` for a connect that waits for one.
#[derive(Debug)]
pub struct Names<B, W> {
    table: Mutex<Table<B, W>>,
}

#[derive(Debug)]
struct Table<B, W> {
    bound: HashMap<String, B>,
    waiting: HashMap<String, Vec<(Ticket, W)>>,
    next: u64,
}

/// The name is bound already; here is what was to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrInUse<B>(pub B);

/// What a connect met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met<B, W> {
    /// The name is bound: join this with that.
    Bound(B, W),
    /// Nobody is bound; the connect waits, and can be taken back by its ticket.
    Parked(Ticket),
}

/// One waiting connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

impl<B, W> Default for Names<B, W> {
    fn default() -> Names<B, W> {
        let table = Table { bound: HashMap::new(), waiting: HashMap::new(), next: 0 };
        Names { table: Mutex::new(table) }
    }
}

impl<B: Clone, W> Names<B, W> {
    /// Binds a name, and takes out the connects that waited for it, oldest first.
    ///
    /// # Errors
    /// [`AddrInUse`] if the name is bound; it stays bound as it was, and nothing is taken out.
    pub fn bind(&self, name: &str, socket: B) -> Result<Vec<W>, AddrInUse<B>> {
        let mut table = self.table();
        match table.bound.entry(name.into()) {
            Entry::Occupied(_) => return Err(AddrInUse(socket)),
            Entry::Vacant(free) => free.insert(socket),
        };
        let waiting = table.waiting.remove(name).unwrap_or_default();
        Ok(waiting.into_iter().map(|(_, waiting)| waiting).collect())
    }

    /// Finds who is bound to a name, or parks the connect until somebody is.
    pub fn connect(&self, name: &str, connect: W) -> Met<B, W> {
        let mut table = self.table();
        if let Some(socket) = table.bound.get(name).cloned() {
            return Met::Bound(socket, connect);
        }
        let ticket = Ticket(table.next);
        table.next += 1;
        table.waiting.entry(name.into()).or_default().push((ticket, connect));
        Met::Parked(ticket)
    }

    /// Who is bound to a name.
    pub fn get(&self, name: &str) -> Option<B> {
        self.table().bound.get(name).cloned()
    }

    /// Frees a name, and gives back what was bound.
    pub fn unbind(&self, name: &str) -> Option<B> {
        self.table().bound.remove(name)
    }

    /// Takes a waiting connect back. `None`: a bind has taken it.
    pub fn cancel(&self, name: &str, ticket: Ticket) -> Option<W> {
        let mut table = self.table();
        let waiting = table.waiting.get_mut(name)?;
        let position = waiting.iter().position(|(other, _)| *other == ticket)?;
        let (_, connect) = waiting.remove(position);
        if waiting.is_empty() {
            table.waiting.remove(name);
        }
        Some(connect)
    }

    /// Frees every name and takes every waiting connect out, for a context that ends.
    pub fn clear(&self) -> (Vec<B>, Vec<W>) {
        let mut table = self.table();
        let (bound, waiting) = (std::mem::take(&mut table.bound), std::mem::take(&mut table.waiting));
        drop(table);
        (bound.into_values().collect(), waiting.into_values().flatten().map(|(_, waiting)| waiting).collect())
    }

    fn table(&self) -> MutexGuard<'_, Table<B, W>> {
        // No step of the above leaves a half-made change behind if it panics.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parked(met: Met<char, u32>) -> Ticket {
        match met {
            Met::Parked(ticket) => ticket,
            bound @ Met::Bound(..) => panic!("{bound:?}"),
        }
    }

    #[test]
    fn connecting_to_a_bound_name_gives_the_socket_and_the_connect_back() {
        let names = Names::default();
        assert_eq!(names.bind("a", 'A'), Ok(vec![]));
        assert_eq!((names.get("a"), names.get("b")), (Some('A'), None));
        assert_eq!(names.connect("a", 1), Met::Bound('A', 1));
        assert_eq!(names.connect("a", 2), Met::Bound('A', 2));
    }

    #[test]
    fn names_match_exactly() {
        let names = Names::default();
        names.bind("a", 'A').unwrap();
        for other in ["A", "a ", "", "aa"] {
            parked(names.connect(other, 1));
        }
    }

    #[test]
    fn binding_takes_the_waiting_connects_of_that_name_oldest_first() {
        let names = Names::default();
        for (name, connect) in [("a", 1), ("b", 2), ("a", 3), ("a", 4)] {
            parked(names.connect(name, connect));
        }
        assert_eq!(names.bind("a", 'A'), Ok(vec![1, 3, 4]));
        assert_eq!(names.bind("b", 'B'), Ok(vec![2]));
        assert_eq!(names.unbind("a"), Some('A'));
        assert_eq!(names.bind("a", 'C'), Ok(vec![]));
    }

    #[test]
    fn a_bound_name_is_in_use_until_it_is_unbound() {
        let names = Names::<_, u32>::default();
        names.bind("a", 'A').unwrap();
        assert_eq!(names.bind("a", 'B'), Err(AddrInUse('B')));
        assert_eq!(names.connect("a", 1), Met::Bound('A', 1));
        assert_eq!(names.unbind("a"), Some('A'));
        assert_eq!(names.unbind("a"), None);
        assert_eq!(names.bind("a", 'B'), Ok(vec![]));
    }

    #[test]
    fn a_cancelled_connect_waits_no_more() {
        let names = Names::default();
        let tickets: Vec<Ticket> = (1..=3).map(|connect| parked(names.connect("a", connect))).collect();
        assert_eq!(names.cancel("a", tickets[1]), Some(2));
        assert_eq!(names.cancel("a", tickets[1]), None);
        assert_eq!(names.cancel("b", tickets[0]), None);
        assert_eq!(names.bind("a", 'A'), Ok(vec![1, 3]));
        assert_eq!(names.cancel("a", tickets[0]), None);
    }

    #[test]
    fn cancelled_connects_leave_nothing_behind() {
        let names = Names::<char, u32>::default();
        let ticket = parked(names.connect("a", 1));
        names.cancel("a", ticket);
        assert!(names.table().waiting.is_empty());
    }

    /// Whatever the order, each connect meets the bind: at once, or out of its hands.
    #[test]
    fn a_connect_and_a_bind_at_once_meet() {
        for _ in 0..200 {
            let names = Names::default();
            let (bound, met) = std::thread::scope(|scope| {
                let connect = scope.spawn(|| names.connect("a", 1));
                let bind = scope.spawn(|| names.bind("a", 'A').unwrap());
                (bind.join().unwrap(), connect.join().unwrap())
            });
            assert_ne!(bound == [1], met == Met::Bound('A', 1));
        }
    }
}
