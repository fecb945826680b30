//! The inproc names of one context: the bound sockets, and the connects that wait for a name.
//!
//! This table only finds the two sockets to join. The sockets make the pipes themselves, outside the lock. The lock is
//! a leaf, and no foreign code runs under it.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name table. `B` is a bound socket, `W` a connect that waits for one.
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

/// The error for a name that is already bound. It contains the socket that was to be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddrInUse<B>(pub B);

/// The result of a connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met<B, W> {
    /// The name is bound: join the socket and the connect.
    Bound(B, W),
    /// The name is not bound. The connect waits, and can be cancelled by its ticket.
    Parked(Ticket),
}

/// The number of a waiting connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

impl<B, W> Default for Names<B, W> {
    fn default() -> Names<B, W> {
        let table = Table { bound: HashMap::new(), waiting: HashMap::new(), next: 0 };
        Names { table: Mutex::new(table) }
    }
}

impl<B: Clone, W> Names<B, W> {
    /// Binds a name. Returns the connects that waited for it, oldest first.
    ///
    /// # Errors
    /// Returns [`AddrInUse`] if the name is already bound. Nothing changes then.
    pub fn bind(&self, name: &str, socket: B) -> Result<Vec<W>, AddrInUse<B>> {
        let mut table = self.table();
        match table.bound.entry(name.into()) {
            Entry::Occupied(_) => return Err(AddrInUse(socket)),
            Entry::Vacant(free) => free.insert(socket),
        };
        let waiting = table.waiting.remove(name).unwrap_or_default();
        Ok(waiting.into_iter().map(|(_, waiting)| waiting).collect())
    }

    /// Finds the socket that is bound to a name, or lets the connect wait until one is.
    pub fn connect(&self, name: &str, connect: W) -> Met<B, W> {
        let mut table = self.table();
        if let Some(socket) = table.bound.get(name).cloned() {
            return Met::Bound(socket, connect);
        }
        let ticket = Ticket(table.next);
        table.next = table.next.wrapping_add(1);
        table.waiting.entry(name.into()).or_default().push((ticket, connect));
        Met::Parked(ticket)
    }

    /// Returns the socket that is bound to a name.
    pub fn get(&self, name: &str) -> Option<B> {
        self.table().bound.get(name).cloned()
    }

    /// Frees a name. Returns the socket that was bound to it.
    pub fn unbind(&self, name: &str) -> Option<B> {
        self.table().bound.remove(name)
    }

    /// Cancels a waiting connect and returns it, or `None` if a bind has already taken it.
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

    /// Frees every name and cancels every waiting connect, for a context that ends. Returns them.
    pub fn clear(&self) -> (Vec<B>, Vec<W>) {
        let mut table = self.table();
        let (bound, waiting) = (std::mem::take(&mut table.bound), std::mem::take(&mut table.waiting));
        drop(table);
        (bound.into_values().collect(), waiting.into_values().flatten().map(|(_, waiting)| waiting).collect())
    }

    fn table(&self) -> MutexGuard<'_, Table<B, W>> {
        // No method leaves a half-made change behind if it panics.
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

    /// In any order, a connect and a bind meet: the connect finds the socket, or the bind takes the waiting connect.
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
