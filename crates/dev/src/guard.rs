//! Ends a server whose owner was killed, because then the owner cannot end it.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::Signal;

use crate::error::DevError;

/// A shell script that reads a pipe from us. A line means that the server has ended. The end of the
/// pipe without a line means that we were killed: then the shell ends the server.
///
/// The shell tries for 10 s to remove the folder, because the server may still write to it.
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
pub(crate) struct Guard {
    shell: Child,
}

impl Guard {
    /// Starts the guard of the process `server`. If we are killed, it sends `signal` and removes
    /// the folder `throwaway`.
    pub(crate) fn over(
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
            // Ctrl-C on the terminal must reach only us.
            .process_group(0)
            .spawn()
            .map_err(DevError::io("run", Path::new("sh")))?;
        Ok(Self { shell })
    }

    /// Ends the guard after the server has ended: its pid may soon belong to another process.
    pub(crate) fn dismiss(mut self) {
        if let Some(mut pipe) = self.shell.stdin.take()
            && let Err(error) = pipe.write_all(b"ended\n")
        {
            tracing::warn!(%error, "the guard of a server does not read its pipe");
        }
        if let Err(error) = self.shell.wait() {
            tracing::warn!(%error, "the end of a server's guard could not be awaited");
        }
    }
}
