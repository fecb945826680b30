//! The interpreter.

use std::cell::Cell;
use std::ffi::{CString, c_int, c_void};
use std::fmt::Write as _;
use std::ptr;

use crate::{Api, Msg, PollItem};

const DONTWAIT: c_int = 1;
const SNDMORE: c_int = 2;
const RCVMORE: c_int = 13;
const EVENTS: c_int = 15;
const LINGER: c_int = 17;

const SNDHWM: c_int = 23;
const RCVHWM: c_int = 24;

/// More would only make a script slow.
const SOCKETS: usize = 5;
const NAMES: [&str; 6] = ["", "a", "ab", "abc", "\u{1}a", "\0a"];
/// What is wrong with an endpoint in many ways.
const WRONG: [&str; 8] =
    ["", "inproc", "inproc://", "a://b", "tcp://", "tcp://*", "ipc://", "tcp://127.0.0.1:x"];

/// Options whose value or effect depends neither on the machine nor on how the library was built (IPC_FILTER_GID,
/// CURVE). Left out, too: those that a REP has in libzmq, where it is a ROUTER inside (ROUTER_MANDATORY, PROBE_ROUTER,
/// ROUTER_HANDOVER), TOS, whose range is checked here, HEARTBEAT_TIMEOUT, which takes -1
/// back here, RECONNECT_IVL, whose two words for never are read as one here, and XPUB_MANUAL, which a PUB has in libzmq.
const OPTIONS: [c_int; 28] = [
    4, 5, 6, 7, 11, 12, 13, 16, 17, 21, 22, 23, 24, 27, 28, 34, 39, 40, 42, 43, 44, 52, 53, 54, 69, 70, 75,
    78,
];

/// Which types meet in scripts. DEALER and REP, REQ and ROUTER, XPUB and XSUB are left out: what one sends there is seldom
/// in the form that the other expects, and libzmq says that a REP can receive what it then drops.
const PEERS: [(c_int, c_int); 7] = [(0, 0), (1, 2), (9, 2), (3, 4), (5, 5), (5, 6), (7, 8)];

thread_local! {
    static SCRIPTS: Cell<u64> = const { Cell::new(0) };
}

#[derive(Clone, Copy)]
struct Open {
    handle: *mut c_void,
    kind: c_int,
    /// It was bound or connected, so others see its end. libzmq's reaper ends it on another thread, at a time that
    /// no script can know: it is closed at the end.
    attached: bool,
}

struct Run<'a> {
    api: &'a Api,
    context: *mut c_void,
    id: u64,
    data: &'a [u8],
    sockets: Vec<Open>,
    /// The types that were bound to a place or connected to it.
    met: Vec<(u8, &'static str, c_int, *mut c_void)>,
    /// Routing ids that a library made: their bytes are its own, so the text has their order of appearance.
    ids: Vec<Vec<u8>>,
    text: String,
}

/// Runs a script on `api` with the sockets of `context`. Returns a line for each call: what was asked, what was
/// returned, errno, and what can be done with each socket then.
///
/// # Safety
/// The functions are those of one library, and the context is its own and is not terminated.
pub unsafe fn run(api: &Api, context: *mut c_void, script: &[u8]) -> String {
    let id = SCRIPTS.replace(SCRIPTS.get() + 1);
    let mut run = Run {
        api,
        context,
        id,
        data: script,
        sockets: Vec::new(),
        met: Vec::new(),
        ids: Vec::new(),
        text: String::new(),
    };
    while !run.data.is_empty() {
        // SAFETY: the caller's promise.
        unsafe { run.step() };
    }
    for open in &run.sockets {
        let zero: c_int = 0;
        // SAFETY: an open socket of this library, and a value of four bytes.
        unsafe {
            (api.setsockopt)(open.handle, LINGER, ptr::from_ref(&zero).cast(), 4);
            (api.close)(open.handle);
        }
    }
    run.text
}

impl Run<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.data.split_first().unwrap_or((&0, &[]));
        self.data = rest;
        *first
    }

    fn name(&mut self) -> &'static str {
        NAMES[usize::from(self.byte()) % NAMES.len()]
    }

    fn endpoint(&self, place: u8) -> CString {
        let text = match place {
            0xF0.. => WRONG[usize::from(place) % WRONG.len()].to_owned(),
            _ => format!("inproc://{}-{}", self.id, place % 3),
        };
        CString::new(text).unwrap_or_default()
    }

    /// Adds a line: the call, and what it returned. `errno` counts only where the call failed.
    fn tell(&mut self, call: &str, returned: i64) {
        // SAFETY: it takes nothing.
        let errno = if returned == -1 { unsafe { (self.api.errno)() } } else { 0 };
        let _ = write!(self.text, "{call} -> {returned}");
        if returned == -1 {
            let _ = write!(self.text, " errno {errno}");
        }
        // SAFETY: the sockets are open.
        let events: Vec<i64> = unsafe { self.settle() };
        let _ = writeln!(self.text, " events {events:?}");
    }

    /// Lets each socket take in what the others did. Returns the EVENTS of each.
    unsafe fn settle(&self) -> Vec<i64> {
        let mut events = Vec::new();
        for _ in 0..4 {
            events = self
                .sockets
                .iter()
                // SAFETY: the caller's promise.
                .map(|open| unsafe { self.int(open.handle, EVENTS) })
                .collect();
        }
        events
    }

    unsafe fn int(&self, socket: *mut c_void, option: c_int) -> i64 {
        let (mut value, mut size): (c_int, usize) = (0, 4);
        // SAFETY: the value has four bytes.
        let done =
            unsafe { (self.api.getsockopt)(socket, option, ptr::from_mut(&mut value).cast(), &mut size) };
        if done == 0 { value.into() } else { -1 }
    }

    unsafe fn step(&mut self) {
        let verb = self.byte();
        if verb % 16 == 0 || self.sockets.is_empty() {
            // SAFETY: the caller's promise.
            return unsafe { self.open() };
        }
        let at = usize::from(self.byte()) % self.sockets.len();
        // SAFETY: the caller's promise.
        unsafe {
            match verb % 16 {
                1 | 2 => self.attach("bind", self.api.bind, at),
                3 | 4 => self.attach("connect", self.api.connect, at),
                5 => self.attach("unbind", self.api.unbind, at),
                6 => self.attach("disconnect", self.api.disconnect, at),
                7 | 8 => self.send(at),
                9 | 10 => self.recv(at),
                11 => self.set(at),
                12 => self.get(at),
                13 => self.poll(),
                14 => self.message(at),
                _ if self.sockets[at].attached => self.z85(),
                _ => {
                    let open = self.sockets.remove(at);
                    let done = (self.api.close)(open.handle);
                    self.tell("close", done.into());
                }
            }
        }
    }

    unsafe fn open(&mut self) {
        // All but STREAM, which has no use over inproc; and two numbers that no type has.
        let kind = match self.byte() % 13 {
            11 => -1,
            12 => 99,
            kind => c_int::from(kind),
        };
        if self.sockets.len() >= SOCKETS {
            return;
        }
        // SAFETY: the caller's promise.
        let handle = unsafe { (self.api.socket)(self.context, kind) };
        if !handle.is_null() {
            self.sockets.push(Open { handle, kind, attached: false });
        }
        self.tell(&format!("socket {kind}"), if handle.is_null() { -1 } else { 0 });
    }

    unsafe fn attach(
        &mut self,
        name: &'static str,
        function: unsafe extern "C" fn(*mut c_void, *const std::ffi::c_char) -> c_int,
        at: usize,
    ) {
        let place = self.byte();
        if !self.fits(name, place, at) {
            return;
        }
        let endpoint = self.endpoint(place);
        // SAFETY: an open socket, and a string.
        let done = unsafe { function(self.sockets[at].handle, endpoint.as_ptr()) };
        self.sockets[at].attached |= done == 0;
        let endpoint = endpoint.to_string_lossy().replace(&format!("{}-", self.id), "");
        self.tell(&format!("{name} {at} {endpoint}"), done.into());
    }

    /// Whether a socket may be bound or connected there: only where all that meet are of types that fit. Over inproc
    /// libzmq joins any two, a socket with itself, too, and what follows is nobody's rule.
    fn fits(&mut self, name: &'static str, place: u8, at: usize) -> bool {
        if place >= 0xF0 {
            return true;
        }
        if !["bind", "connect"].contains(&name) {
            // Only where nobody else is: libzmq drops what was received through a pipe that ends, and a connect that
            // nobody is bound for goes on.
            let place = place % 3;
            let own = self.sockets[at].handle;
            let alone =
                !self.met.iter().any(|(at, how, _, who)| *at == place && (*who != own || *how == "connect"));
            if alone {
                self.met.retain(|(at, ..)| *at != place);
            }
            return alone;
        }
        let (place, Open { handle, kind, .. }) = (place % 3, self.sockets[at]);
        let fits = |(at, how, other, who): &(u8, &str, c_int, *mut c_void)| {
            let of_types =
                PEERS.iter().any(|(a, b)| (*a, *b) == (kind, *other) || (*b, *a) == (kind, *other));
            *at != place || *how == name || (of_types && *who != handle)
        };
        // One pipe for each socket, but for those of publishers: which of several is read first is nobody's rule. A
        // second peer of a PAIR waits for the place here; in libzmq it is let go, or keeps the first one out.
        let alone = |(at, how, _, who): &(u8, &str, c_int, *mut c_void)| {
            *who != handle && (*at != place || *how != name || kind == 2)
        };
        let fit = self.met.iter().all(|met| fits(met) && alone(met));
        if fit {
            self.met.push((place, name, kind, handle));
        }
        fit
    }

    /// A frame to be sent: a name, a long one, or the routing id of a peer that was heard.
    fn frame(&mut self) -> (String, Vec<u8>) {
        let choice = self.byte();
        match choice {
            0..64 => {
                let name = NAMES[usize::from(choice) % NAMES.len()];
                (format!("{name:?}"), name.into())
            }
            64..96 => (format!("long {choice}"), vec![b'x'; usize::from(choice)]),
            _ if self.ids.is_empty() => ("nobody".to_owned(), b"nobody".to_vec()),
            _ => {
                let at = usize::from(choice) % self.ids.len();
                (format!("id {at}"), self.ids[at].clone())
            }
        }
    }

    /// Sends a whole message, part by part, as far as it is taken. What happens between the parts is left out: here the
    /// first part decides for all, in libzmq each is for itself.
    unsafe fn send(&mut self, at: usize) {
        let parts = 1 + self.byte() % 3;
        for part in 1..=parts {
            let more = if part < parts { SNDMORE } else { 0 };
            let (shown, frame) = self.frame();
            // SAFETY: an open socket, and a frame with its length.
            let done = unsafe {
                (self.api.send)(self.sockets[at].handle, frame.as_ptr().cast(), frame.len(), DONTWAIT | more)
            };
            self.tell(&format!("send {at} {shown} more {more}"), done.into());
            if done == -1 {
                return;
            }
        }
    }

    unsafe fn recv(&mut self, at: usize) {
        let mut buffer = [0; 100];
        let room = if self.byte() & 7 == 7 { 3 } else { buffer.len() };
        let handle = self.sockets[at].handle;
        // SAFETY: an open socket, and a buffer of at least `room` bytes.
        let length = unsafe { (self.api.recv)(handle, buffer.as_mut_ptr().cast(), room, DONTWAIT) };
        let mut call = format!("recv {at}");
        if let Ok(length) = usize::try_from(length) {
            // What is cut may be the beginning of a routing id that the library made.
            let shown = if length <= room { self.shown(&buffer[..length]) } else { "cut".to_owned() };
            // SAFETY: an open socket.
            let more = unsafe { self.int(handle, RCVMORE) };
            let _ = write!(call, " {shown} more {more}");
        }
        self.tell(&call, length.into());
    }

    /// The bytes as text; a routing id that a library made by its order of appearance.
    fn shown(&mut self, bytes: &[u8]) -> String {
        if bytes.len() != 5 || bytes[0] != 0 {
            return format!("{bytes:?}");
        }
        let known = self.ids.iter().position(|id| id == bytes);
        let at = known.unwrap_or_else(|| {
            self.ids.push(bytes.to_vec());
            self.ids.len() - 1
        });
        format!("id {at}")
    }

    unsafe fn set(&mut self, at: usize) {
        let option = OPTIONS[usize::from(self.byte()) % OPTIONS.len()];
        let choice = self.byte();
        if [SNDHWM, RCVHWM].contains(&option) && self.sockets[at].attached {
            // They change live pipes here.
            return;
        }
        let value: Vec<u8> = match choice {
            0..96 => c_int::from(choice % 6).wrapping_sub(1).to_ne_bytes().to_vec(),
            96..128 => (c_int::from(choice) * 1000).to_ne_bytes().to_vec(),
            128..160 => i64::from(choice % 3).wrapping_sub(1).to_ne_bytes().to_vec(),
            _ => self.name().into(),
        };
        // SAFETY: an open socket, and a value with its length.
        let done = unsafe {
            (self.api.setsockopt)(self.sockets[at].handle, option, value.as_ptr().cast(), value.len())
        };
        self.tell(&format!("setsockopt {at} {option} {value:?}"), done.into());
    }

    unsafe fn get(&mut self, at: usize) {
        let option = OPTIONS[usize::from(self.byte()) % OPTIONS.len()];
        let room = [4, 8, 64, 3][usize::from(self.byte()) % 4];
        let (mut buffer, mut size) = ([0u8; 64], room);
        // SAFETY: an open socket, and a buffer of at least `room` bytes.
        let done = unsafe {
            let handle = self.sockets[at].handle;
            (self.api.getsockopt)(handle, option, buffer.as_mut_ptr().cast(), &mut size)
        };
        let value = if done == 0 { self.shown(&buffer[..size.min(room)]) } else { String::new() };
        self.tell(&format!("getsockopt {at} {option} {room} {value}"), done.into());
    }

    unsafe fn poll(&mut self) {
        let wanted = i16::from(self.byte() & 7);
        let mut items: Vec<PollItem> = self
            .sockets
            .iter()
            .map(|open| PollItem { socket: open.handle, fd: 0, events: wanted, revents: 0 })
            .collect();
        // SAFETY: as many items as it says.
        let found = unsafe { (self.api.poll)(items.as_mut_ptr().cast(), items.len() as c_int, 0) };
        let ready: Vec<i16> = items.iter().map(|item| item.revents).collect();
        self.tell(&format!("poll {wanted} {ready:?}"), found.into());
    }

    /// Makes a message, copies or moves it, sends what remains, or receives one.
    unsafe fn message(&mut self, at: usize) {
        let verb = self.byte();
        let (shown, frame) = self.frame();
        let (api, handle) = (self.api, self.sockets[at].handle);
        let (mut first, mut second) = (Msg([0; 64]), Msg([0; 64]));
        let (one, two): (*mut c_void, *mut c_void) =
            (ptr::from_mut(&mut first).cast(), ptr::from_mut(&mut second).cast());
        // SAFETY: both messages are made before anything else, and closed at the end; the data has the frame's size.
        unsafe {
            (api.msg_init_size)(one, frame.len());
            (api.msg_init_size)(two, 2);
            ptr::copy_nonoverlapping(frame.as_ptr(), (api.msg_data)(one).cast(), frame.len());
            ptr::write_bytes((api.msg_data)(two).cast::<u8>(), b'2', 2);
            let changed = match verb % 3 {
                0 => (api.msg_copy)(two, one),
                1 => (api.msg_move)(two, one),
                _ => 0,
            };
            let property = (api.msg_get)(two, c_int::from(verb / 16));
            let done = match verb & 8 {
                0 => (api.msg_send)(two, handle, DONTWAIT),
                _ => (api.msg_recv)(two, handle, DONTWAIT),
            };
            let errno = (api.errno)();
            let mut sizes = String::new();
            // What a failed receive leaves in its message is of no use.
            let last = if verb & 8 != 0 && done == -1 { 1 } else { 2 };
            for message in [one, two].into_iter().take(last) {
                let size = (api.msg_size)(message);
                let bytes = std::slice::from_raw_parts((api.msg_data)(message).cast::<u8>(), size).to_vec();
                let _ = write!(sizes, " {} {}", self.shown(&bytes), (api.msg_more)(message));
            }
            let closed = ((api.msg_close)(one), (api.msg_close)(two));
            let result = if done == -1 { format!("-1 errno {errno}") } else { done.to_string() };
            let call =
                format!("message {at} {} {shown} {changed} {property} {result}{sizes} {closed:?}", verb & 11);
            self.tell(&call, 0);
        }
    }

    unsafe fn z85(&mut self) {
        let size = usize::from(self.byte() % 24);
        let (bytes, rest) = self.data.split_at(size.min(self.data.len()));
        self.data = rest;
        let mut text = [0; 40];
        // SAFETY: the text has room for 24 bytes.
        let encoded = unsafe { (self.api.z85_encode)(text.as_mut_ptr(), bytes.as_ptr(), bytes.len()) };
        self.tell(&format!("z85_encode {bytes:?} {text:?}"), if encoded.is_null() { -1 } else { 0 });
        let Ok(string) = CString::new(bytes) else { return };
        let mut decoded = [0; 40];
        // SAFETY: what 24 characters stand for is shorter.
        let done = unsafe { (self.api.z85_decode)(decoded.as_mut_ptr(), string.as_ptr()) };
        // A part may be written before the fault.
        let decoded = if done.is_null() { String::new() } else { format!("{decoded:?}") };
        self.tell(&format!("z85_decode {string:?} {decoded}"), if done.is_null() { -1 } else { 0 });
    }
}
