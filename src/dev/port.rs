//! Loopback ports for the private servers.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use aws_lc_rs::rand;

use super::error::DevError;

/// Below the ports that Linux and macOS give to outgoing connections, so that a server that is
/// killed and started again finds its port still free.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of 127.0.0.1 that nobody listened on a moment ago. Somebody may take it before the
/// server does: starting is tried again with another one then.
pub(super) fn free() -> Result<u16, DevError> {
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

/// The port that this folder's server had before, so that what was set up with its URL goes on
/// working; a free one where it had none. Somebody may have taken it since: see [`free`].
pub(super) fn remembered(folder: &Path, server: &str) -> Result<u16, DevError> {
    let text = fs::read_to_string(folder.join(format!("{server}.port"))).unwrap_or_default();
    text.trim().parse().or_else(|_| free())
}

/// Notes the port that the folder's server got.
pub(super) fn remember(folder: &Path, server: &str, port: u16) -> Result<(), DevError> {
    let path = folder.join(format!("{server}.port"));
    fs::write(&path, format!("{port}\n")).map_err(DevError::io("write", &path))
}

/// Whether nobody listens on the port.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn no_port() -> DevError {
    let what = format!("no free port of 127.0.0.1 from {FIRST} on");
    DevError::Io { what, error: std::io::ErrorKind::AddrInUse.into() }
}
