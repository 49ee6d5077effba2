//! Ends a server whose owner was killed: the one case in which the owner cannot do it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use super::error::DevError;

/// A shell that waits on a pipe from us. A line means that the server has ended; the end of the
/// pipe without one means that we were killed, and the shell ends the server in our place.
///
/// Removing is tried for 10 s: the server may still write while it ends.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
server=$1 signal=$2 throwaway=$3
read -r ended && exit
kill -CONT "$server"
kill -"$signal" "$server"
[ -n "$throwaway" ] || exit
tries=0
until rm -rf "$throwaway" || [ $tries -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
"#;

/// Watches over one server process.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Watches the process `server`. `signal` is what makes it end; `throwaway` is removed then.
    pub(super) fn over(
        server: u32,
        signal: Signal,
        throwaway: Option<&Path>,
    ) -> Result<Self, DevError> {
        let signal = signal.as_str().trim_start_matches("SIG");
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "onsale-guard", &server.to_string(), signal])
            .arg(throwaway.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C on the terminal is for us alone.
            .process_group(0)
            .spawn()
            .map_err(DevError::io("run", Path::new("sh")))?;
        Ok(Self { shell })
    }

    /// The server has ended, and its pid may become another's: do nothing any more.
    pub(super) fn dismiss(mut self) {
        if let Some(mut pipe) = self.shell.stdin.take()
            && let Err(error) = pipe.write_all(b"ended\n")
        {
            tracing::warn!("the guard of a server is gone: {error}");
        }
        if let Err(error) = self.shell.wait() {
            tracing::warn!("the guard of a server was not found: {error}");
        }
    }
}
