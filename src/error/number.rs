//! libzmq's `errno` number for each error.

use std::io;

use zeroxide_transports::{EndpointError, ResolveError};

use super::errno::*;
use super::{BindError, Error, Op, SecurityError};

impl Error {
    /// Returns the number that libzmq's function would leave in `errno`: the system's own, or one of libzmq's from
    /// 156384712 on, such as `EFSM` 156384763 and `ETERM` 156384765.
    #[must_use]
    pub fn errno(&self) -> i32 {
        of(self)
    }
}

/// Returns the number of an error (libzmq's manual pages; a timeout is `EAGAIN` there).
fn of(error: &Error) -> i32 {
    match error {
        Error::WouldBlock(_) | Error::TimedOut(_) => EAGAIN,
        Error::WrongState { .. } => EFSM,
        // zmq_socket(3) knows no such type then.
        Error::NotSupported { op: Op::Open | Op::Multipart, .. } => EINVAL,
        Error::NotSupported { .. } => ENOTSUP,
        Error::Unroutable { .. } => EHOSTUNREACH,
        Error::EmptyMessage | Error::Group(_) | Error::Option(_) => EINVAL,
        Error::Endpoint(error) => of_endpoint(error),
        Error::RoutingId(_) => EINVAL,
        // What does not resolve to an address to bind is no device (zmq_bind(3)).
        Error::Bind(error) if no_such_host(error) => ENODEV,
        Error::Bind(error) => of_io(&error.source),
        Error::NoSuchEndpoint(_) => ENOENT,
        Error::Security(error) => of_security(error),
        Error::Handshake(_) => EPROTO,
        Error::Closed => ENOTSOCK,
        // In a fork's child libzmq's functions that do not abort find their context terminated.
        Error::Terminated | Error::Forked => ETERM,
        Error::Interrupted => EINTR,
        Error::NoIoThread => EMTHREAD,
        // The C face knows no other limit than this (zmq_socket).
        Error::Limit(_) => EMFILE,
        Error::Io(error) => of_io(error),
    }
}

fn no_such_host(error: &BindError) -> bool {
    let cause = error.source.get_ref().and_then(|cause| cause.downcast_ref::<ResolveError>());
    let unknown = error.source.kind() == io::ErrorKind::NotFound || cause == Some(&ResolveError::Ipv6Off);
    error.endpoint.starts_with("tcp:") && unknown
}

fn of_security(error: &SecurityError) -> i32 {
    match error {
        SecurityError::DomainInUse { .. } => EADDRINUSE,
        _ => EINVAL,
    }
}

/// A malformed endpoint is `EINVAL` (zmq_bind(3), zmq_connect(3)).
fn of_endpoint(error: &EndpointError) -> i32 {
    match error {
        EndpointError::UnknownTransport { .. }
        | EndpointError::AbstractUnsupported(_)
        | EndpointError::IpcUnsupported(_) => EPROTONOSUPPORT,
        EndpointError::PathTooLong(_) => ENAMETOOLONG,
        _ => EINVAL,
    }
}
