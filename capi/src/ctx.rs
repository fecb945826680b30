//! Contexts.

use std::collections::BTreeSet;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use zeroxide::{Context, ContextOptions, face};

use crate::boundary::{ETERM, Errno, call};
use crate::handles::{Held, Slots};
use crate::option_value::{CValue, give};

static CONTEXTS: Slots<Ctx> = Slots::new();

/// What a context handle refers to. The context itself is created with its first socket, when its options are final.
pub(crate) struct Ctx {
    settings: Mutex<Settings>,
    context: OnceLock<Context>,
    ended: AtomicBool,
}

/// The options of a context, as C sets them.
#[derive(Clone)]
struct Settings {
    io_threads: c_int,
    max_sockets: c_int,
    max_msgsz: c_int,
    ipv6: c_int,
    blocky: c_int,
    zero_copy_recv: c_int,
    sched_policy: c_int,
    priority: c_int,
    /// The processors that the threads are to run on. They are kept without effect.
    processors: BTreeSet<c_int>,
    name_prefix: String,
}

const IO_THREADS: c_int = 1;
const MAX_SOCKETS: c_int = 2;
/// `ZMQ_SOCKET_LIMIT` (to read) and `ZMQ_THREAD_PRIORITY` (to set) are one number.
const SOCKET_LIMIT: c_int = 3;
const THREAD_PRIORITY: c_int = 3;
const THREAD_SCHED_POLICY: c_int = 4;
const MAX_MSGSZ: c_int = 5;
const MSG_T_SIZE: c_int = 6;
const THREAD_AFFINITY_CPU_ADD: c_int = 7;
const THREAD_AFFINITY_CPU_REMOVE: c_int = 8;
const THREAD_NAME_PREFIX: c_int = 9;
const ZERO_COPY_RECV: c_int = 10;
const IPV6: c_int = 42;
const BLOCKY: c_int = 70;
/// The limit that libzmq reports with epoll. It accepts larger numbers; this library does not.
const MOST_SOCKETS: c_int = 65_535;

impl Ctx {
    /// Returns the context of a handle.
    ///
    /// # Errors
    /// Returns `EFAULT` if there is none, and `ETERM` in a fork child if the parent has created it.
    pub(crate) fn of(handle: *mut c_void) -> Result<Held<Ctx>, Errno> {
        CONTEXTS.own(handle, libc::EFAULT)
    }

    /// Checks that the context has not ended.
    ///
    /// # Errors
    /// `ETERM`.
    pub(crate) fn alive(&self) -> Result<(), Errno> {
        if self.ended.load(Ordering::SeqCst) { Err(Errno(ETERM)) } else { Ok(()) }
    }

    /// Returns the context to make a socket in.
    ///
    /// # Errors
    /// `ETERM`.
    pub(crate) fn context(&self) -> Result<&Context, Errno> {
        self.alive()?;
        let context = self.context.get_or_init(|| {
            let settings = self.settings().clone();
            let name = match settings.name_prefix.as_str() {
                "" => "ZMQbg".to_owned(),
                prefix => format!("{prefix}/ZMQbg").chars().take(15).collect(),
            };
            let options = ContextOptions::new()
                .io_threads(u32::try_from(settings.io_threads).unwrap_or(1).min(1024))
                .max_sockets(settings.max_sockets.clamp(1, MOST_SOCKETS).unsigned_abs())
                .thread_name(name)
                .linger(None);
            Context::with(options).unwrap_or_default()
        });
        if self.ended.load(Ordering::SeqCst) {
            // It was shut down in between, before the context existed.
            context.shutdown();
            return Err(Errno(ETERM));
        }
        Ok(context)
    }

    /// Returns whether new sockets speak IPv6, and whether they keep libzmq's LINGER.
    pub(crate) fn socket_defaults(&self) -> (bool, bool) {
        let settings = self.settings();
        (settings.ipv6 != 0, settings.blocky != 0)
    }

    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shut_down(&self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(context) = self.context.get() {
            context.shutdown();
        }
    }

    fn set(&self, option: c_int, value: c_int) -> Result<c_int, Errno> {
        let mut settings = self.settings();
        let place = match option {
            IO_THREADS => &mut settings.io_threads,
            MAX_SOCKETS if value >= 1 => &mut settings.max_sockets,
            // The scheduling of I/O threads is kept without effect.
            THREAD_PRIORITY => &mut settings.priority,
            THREAD_SCHED_POLICY => &mut settings.sched_policy,
            MAX_MSGSZ => &mut settings.max_msgsz,
            ZERO_COPY_RECV => &mut settings.zero_copy_recv,
            IPV6 => &mut settings.ipv6,
            BLOCKY => &mut settings.blocky,
            THREAD_NAME_PREFIX => {
                settings.name_prefix = value.to_string();
                return Ok(0);
            }
            THREAD_AFFINITY_CPU_ADD if value >= 0 => {
                settings.processors.insert(value);
                return Ok(0);
            }
            THREAD_AFFINITY_CPU_REMOVE if settings.processors.remove(&value) => return Ok(0),
            _ => return Err(Errno(libc::EINVAL)),
        };
        if value < 0 {
            return Err(Errno(libc::EINVAL));
        }
        // The three switches are read as 1 or 0.
        *place = if matches!(option, ZERO_COPY_RECV | IPV6 | BLOCKY) { value.min(1) } else { value };
        Ok(0)
    }

    fn get(&self, option: c_int) -> Result<c_int, Errno> {
        let settings = self.settings();
        Ok(match option {
            IO_THREADS => settings.io_threads,
            MAX_SOCKETS => settings.max_sockets,
            SOCKET_LIMIT => MOST_SOCKETS,
            THREAD_SCHED_POLICY => settings.sched_policy,
            MAX_MSGSZ => settings.max_msgsz,
            MSG_T_SIZE => size_of::<crate::msg::zmq_msg_t>() as c_int,
            ZERO_COPY_RECV => settings.zero_copy_recv,
            IPV6 => settings.ipv6,
            BLOCKY => settings.blocky,
            // The prefix that was set as a number.
            THREAD_NAME_PREFIX => settings.name_prefix.parse().unwrap_or(0),
            _ => return Err(Errno(libc::EINVAL)),
        })
    }
}

/// Creates a context. Returns NULL with `EMFILE` if there are too many.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_new() -> *mut c_void {
    call(std::ptr::null_mut(), || {
        let settings = Settings {
            io_threads: 1,
            max_sockets: 1023,
            max_msgsz: c_int::MAX,
            ipv6: 0,
            blocky: 1,
            zero_copy_recv: 1,
            sched_policy: -1,
            priority: -1,
            processors: BTreeSet::new(),
            name_prefix: String::new(),
        };
        let ctx =
            Ctx { settings: Mutex::new(settings), context: OnceLock::new(), ended: AtomicBool::new(false) };
        let handle = CONTEXTS.insert(ctx);
        if handle.is_null() { Err(Errno(libc::EMFILE)) } else { Ok(handle) }
    })
}

/// Ends a context: blocked and later calls on its sockets fail with `ETERM`. Waits until all sockets are closed and have
/// lingered. In a fork child only the handle of a context of the parent is freed. Fails with `EFAULT` or `EINTR` (then call it
/// again).
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_term(context: *mut c_void) -> c_int {
    call(-1, || {
        let ctx = CONTEXTS.get(context).ok_or(Errno(libc::EFAULT))?;
        if !ctx.is_inherited() {
            ctx.shut_down();
            if let Some(context) = ctx.context.get() {
                face::term_after_closes(context)?;
            }
        }
        // While it is held, so that its slot is not used again yet.
        CONTEXTS.retire(context).map(|_| 0).ok_or(Errno(libc::EFAULT))
    })
}

/// Ends a context like `zmq_ctx_term`, but does not wait and does not free it. Fails with `EFAULT`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_shutdown(context: *mut c_void) -> c_int {
    call(-1, || {
        let ctx = CONTEXTS.get(context).ok_or(Errno(libc::EFAULT))?;
        if !ctx.is_inherited() {
            ctx.shut_down();
        }
        Ok(0)
    })
}

/// Sets an option of a context. Fails with `EFAULT`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_set(context: *mut c_void, option: c_int, optval: c_int) -> c_int {
    call(-1, || Ctx::of(context)?.set(option, optval))
}

/// Returns the value of an option of a context. Fails with `EFAULT`, `EINVAL`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_get(context: *mut c_void, option: c_int) -> c_int {
    call(-1, || Ctx::of(context)?.get(option))
}

/// Sets an option of a context, also one that is text. Fails with `EFAULT`, `EINVAL`.
///
/// # Safety
/// `optval` points to `optvallen` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ctx_set_ext(
    context: *mut c_void,
    option: c_int,
    optval: *const c_void,
    optvallen: usize,
) -> c_int {
    call(-1, || {
        let ctx = Ctx::of(context)?;
        // SAFETY: the caller's promise.
        let bytes = unsafe { crate::boundary::bytes(optval.cast(), optvallen) }?;
        if option == THREAD_NAME_PREFIX
            && (1..=16).contains(&bytes.len())
            && bytes.len() != size_of::<c_int>()
        {
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            let text = std::str::from_utf8(text).map_err(|_| Errno(libc::EINVAL))?;
            text.clone_into(&mut ctx.settings().name_prefix);
            return Ok(0);
        }
        let value = <[u8; 4]>::try_from(bytes).map_err(|_| Errno(libc::EINVAL))?;
        ctx.set(option, c_int::from_ne_bytes(value))
    })
}

/// Returns the value of an option of a context, also one that is text. Fails with `EFAULT`, `EINVAL`.
///
/// # Safety
/// `optval` points to `*optvallen` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_ctx_get_ext(
    context: *mut c_void,
    option: c_int,
    optval: *mut c_void,
    optvallen: *mut usize,
) -> c_int {
    call(-1, || {
        let ctx = Ctx::of(context)?;
        // SAFETY: the caller's promise.
        let room = *unsafe { optvallen.as_ref() }.ok_or(Errno(libc::EFAULT))?;
        if option == THREAD_NAME_PREFIX && room != size_of::<c_int>() {
            // With a NUL only if there is room for it. `optvallen` is not changed (libzmq ctx.cpp).
            let text = CValue::Bytes(ctx.settings().name_prefix.clone().into_bytes());
            // SAFETY: the caller's promise.
            return unsafe { give(&text, true, optval, &mut { room }) };
        }
        let raw = CValue::Int(ctx.get(option)?);
        // SAFETY: the caller's promise.
        unsafe { give(&raw, false, optval, optvallen) }
    })
}

/// Creates a context with this number of I/O threads. Fails with `EINVAL` for a negative number.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_init(io_threads: c_int) -> *mut c_void {
    if io_threads < 0 {
        return call(std::ptr::null_mut(), || Err(Errno(libc::EINVAL)));
    }
    let context = zmq_ctx_new();
    if !context.is_null() {
        zmq_ctx_set(context, IO_THREADS, io_threads);
    }
    context
}

/// `zmq_ctx_term`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_term(context: *mut c_void) -> c_int {
    zmq_ctx_term(context)
}

/// `zmq_ctx_term`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_ctx_destroy(context: *mut c_void) -> c_int {
    zmq_ctx_term(context)
}
