//! Loopback ports for the private servers.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use aws_lc_rs::rand;

use crate::error::DevError;

/// The first port. The range is below the ports that Linux and macOS use for outgoing connections,
/// so that a server that is killed and started again finds its port free.
const FIRST: u16 = 20_000;
/// Number of ports in the range.
const COUNT: u16 = 12_000;

/// A free port of 127.0.0.1. Another process may take it before the server does: then the start is
/// tried again with another port.
pub(crate) fn free() -> Result<u16, DevError> {
    for _ in 0..100 {
        let mut random = [0; 2];
        rand::fill(&mut random).map_err(|_| no_port())?;
        let port = FIRST + u16::from_le_bytes(random) % COUNT;
        if is_free(port) {
            return Ok(port);
        }
    }
    Err(no_port())
}

/// The last port of this folder's server, so that programs configured with its URL still work; a
/// free port if it had none. Another process may have taken it since: see [`free`].
pub(crate) fn remembered(folder: &Path, server: &str) -> Result<u16, DevError> {
    let text = fs::read_to_string(folder.join(format!("{server}.port"))).unwrap_or_default();
    text.trim().parse().or_else(|_| free())
}

/// Writes the port of the folder's server to a file.
pub(crate) fn remember(folder: &Path, server: &str, port: u16) -> Result<(), DevError> {
    let path = folder.join(format!("{server}.port"));
    fs::write(&path, format!("{port}\n")).map_err(DevError::io("write", &path))
}

/// Whether no process listens on the port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn no_port() -> DevError {
    let what = format!("no free port of 127.0.0.1 from {FIRST} on");
    DevError::Io { what, error: std::io::ErrorKind::AddrInUse.into() }
}
