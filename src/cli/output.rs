//! Writes results to standard output, and messages to standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::exit;

/// Writes a text and a line break.
pub fn line(text: impl Display) {
    write(format_args!("{text}\n"));
}

/// Writes a text. If its reader has gone (`onsale check | head -1`), the rest is dropped and the exit
/// code still says what the command found. On any other failure, such as a full disk, the process
/// ends with exit code 1.
pub fn write(text: impl Display) {
    let mut out = stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            note(format_args!("onsale: standard output: {error}"));
            exit(1);
        }
        _ => {}
    }
}

/// Writes a message and a line break to standard error. If nobody can read it, it is dropped: with
/// `eprintln!` the command would panic in the middle of its work.
pub fn note(text: impl Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}
