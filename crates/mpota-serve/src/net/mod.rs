//! Sockets: accepting, TLS, time limits and the connection cap.

pub(crate) mod conns;
pub(crate) mod files;
pub(crate) mod listen;
pub(crate) mod tls;
