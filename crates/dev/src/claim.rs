//! Ensures one server per data folder: ends a server that a killed run has left, before a new
//! server starts.
//!
//! A server's output goes to its log, and the log is locked before the server starts. The lock
//! belongs to the open file, so it lasts exactly as long as a process of that server lives. The
//! lock shows whether a server is still alive; an old pid file alone proves nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::error::DevError;

/// Time limit for a shutdown, after which the server is killed: PostgreSQL writes a checkpoint.
pub(crate) const ORDERLY: Duration = Duration::from_secs(30);
/// Time limit for the system to remove a killed process.
const KILLED: Duration = Duration::from_secs(10);
/// Maximum size of a log, in bytes; a larger log is emptied at the next start.
const LOG_BYTES: u64 = 1 << 20;

/// How to recognize and end the server of a folder.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The server's name, for messages.
    pub(crate) name: &'static str,
    /// The file with the server's output.
    pub(crate) log: PathBuf,
    /// The file with the server's pid on the first line.
    pub(crate) pid_file: PathBuf,
    /// A path in this folder that is part of the server's command line.
    pub(crate) mark: PathBuf,
    /// The signal that shuts the server down.
    pub(crate) orderly: Signal,
    /// The signal that ends the server and its children at once.
    pub(crate) abrupt: Signal,
}

impl Identity {
    /// Ends the server that still runs in this folder, waits until none of its processes lives, and
    /// returns the log, locked for the next server.
    pub(crate) async fn claim(&self) -> Result<File, DevError> {
        let begun = Instant::now();
        let mut signalled = false;
        loop {
            let log = File::options().create(true).append(true).open(&self.log);
            let log = log.map_err(DevError::io("open", &self.log))?;
            match log.try_lock() {
                Ok(()) => return self.empty_if_large(log),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => {
                    return Err(DevError::io("lock", &self.log)(error));
                }
            }
            if begun.elapsed() > ORDERLY + KILLED {
                return Err(DevError::Leftover { server: self.name, log: self.log.clone() });
            }
            if let Some(pid) = self.leftover() {
                if begun.elapsed() > ORDERLY {
                    send(pid, Signal::SIGKILL);
                } else if !signalled {
                    tracing::info!(server = self.name, "ending the server of an earlier run");
                    send(pid, Signal::SIGCONT);
                    send(pid, self.orderly);
                    signalled = true;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process in the pid file, if it is this folder's server and not another process that got
    /// the same pid later.
    fn leftover(&self) -> Option<Pid> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        command_line(pid).contains(self.mark.to_str()?).then(|| Pid::from_raw(pid))
    }

    fn empty_if_large(&self, log: File) -> Result<File, DevError> {
        let length = log.metadata().map_err(DevError::io("read the size of", &self.log))?.len();
        if length > LOG_BYTES {
            log.set_len(0).map_err(DevError::io("empty", &self.log))?;
        }
        Ok(log)
    }

    /// The error for a server that ended or gave no answer, with the last lines of its log.
    pub(crate) fn did_not_start(&self, reason: String) -> DevError {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let log = lines[lines.len().saturating_sub(10)..].join("\n");
        DevError::Start { server: self.name, reason, log }
    }
}

/// Sends a signal. It is no error if the process has already ended.
pub(crate) fn send(pid: Pid, signal: Signal) {
    if let Err(errno) = kill(pid, signal) {
        tracing::debug!(%signal, %pid, %errno, "a signal could not be sent");
    }
}

/// The live child processes of `parent`.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let linux = format!("/proc/{parent}/task/{parent}/children");
    if let Ok(text) = fs::read_to_string(linux) {
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        return pids.map(Pid::from_raw).collect();
    }
    let table = output("ps", &["-A", "-o", "pid=,ppid="]);
    let pairs = table.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let pid: i32 = columns.next()?.parse().ok()?;
        let started_by: i32 = columns.next()?.parse().ok()?;
        (started_by == parent.as_raw()).then(|| Pid::from_raw(pid))
    });
    pairs.collect()
}

/// The command line of a process; empty if there is no such process.
fn command_line(pid: i32) -> String {
    if Path::new("/proc/self/cmdline").exists() {
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        return String::from_utf8_lossy(&words).replace('\0', " ");
    }
    output("ps", &["-ww", "-o", "command=", "-p", &pid.to_string()])
}

fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    output.map_or_else(|_| String::new(), |it| String::from_utf8_lossy(&it.stdout).into_owned())
}
