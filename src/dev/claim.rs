//! One server per data folder: ending what a killed run left behind, before a new server starts.
//!
//! A server's output is its log, and the log is locked before the server gets it. The lock goes
//! with the open file, so it lasts exactly as long as any process of that server lives, whoever
//! started it: nothing else needs to be believed about a pid file that was left behind.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::sleep;

use super::error::DevError;

/// How long a server may take to end orderly before it is killed: PostgreSQL writes a checkpoint.
pub(super) const ORDERLY: Duration = Duration::from_secs(30);
/// How long the system may take to remove a killed process.
const KILLED: Duration = Duration::from_secs(10);
/// A log larger than this starts anew.
const LOG_BYTES: u64 = 1 << 20;

/// What tells a folder's server from every other process.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    /// For messages.
    pub(super) name: &'static str,
    /// Its output.
    pub(super) log: PathBuf,
    /// Where it writes its pid, on the first line.
    pub(super) pid_file: PathBuf,
    /// A path of this folder that stands on its command line.
    pub(super) mark: PathBuf,
    /// What asks it to end orderly.
    pub(super) orderly: Signal,
    /// What ends it at once, and also the children that it has.
    pub(super) abrupt: Signal,
}

impl Identity {
    /// Waits until no process of this server lives, ending the one that does, and returns the
    /// log, locked for the next one.
    pub(super) async fn claim(&self) -> Result<File, DevError> {
        let begun = Instant::now();
        let mut asked = false;
        loop {
            let log = File::options().create(true).append(true).open(&self.log);
            let log = log.map_err(DevError::io("open", &self.log))?;
            match log.try_lock() {
                Ok(()) => return self.fresh(log),
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
                } else if !asked {
                    tracing::info!("ending the {} that an earlier run left behind", self.name);
                    send(pid, Signal::SIGCONT);
                    send(pid, self.orderly);
                    asked = true;
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// The process that the pid file names, if it is this folder's server and not a stranger
    /// that was given the same number since.
    fn leftover(&self) -> Option<Pid> {
        let text = fs::read_to_string(&self.pid_file).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        command_line(pid).contains(self.mark.to_str()?).then(|| Pid::from_raw(pid))
    }

    fn fresh(&self, log: File) -> Result<File, DevError> {
        let length = log.metadata().map_err(DevError::io("look at", &self.log))?.len();
        if length > LOG_BYTES {
            log.set_len(0).map_err(DevError::io("empty", &self.log))?;
        }
        Ok(log)
    }

    /// The error for a server that ended, or stayed silent, with the last lines of its log.
    pub(super) fn did_not_start(&self, reason: String) -> DevError {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        let log = lines[lines.len().saturating_sub(10)..].join("\n");
        DevError::Start { server: self.name, reason, log }
    }
}

/// Sends a signal; a process that is gone already is no error.
pub(super) fn send(pid: Pid, signal: Signal) {
    if let Err(errno) = kill(pid, signal) {
        tracing::debug!("{signal} to {pid}: {errno}");
    }
}

/// The processes that `parent` started and that still live.
pub(super) fn children(parent: Pid) -> Vec<Pid> {
    let linux = format!("/proc/{parent}/task/{parent}/children");
    if let Ok(text) = fs::read_to_string(linux) {
        let pids = text.split_whitespace().filter_map(|pid| pid.parse().ok());
        return pids.map(Pid::from_raw).collect();
    }
    let listed = output("ps", &["-A", "-o", "pid=,ppid="]);
    let pairs = listed.lines().filter_map(|line| {
        let mut columns = line.split_whitespace();
        let pid: i32 = columns.next()?.parse().ok()?;
        let started_by: i32 = columns.next()?.parse().ok()?;
        (started_by == parent.as_raw()).then(|| Pid::from_raw(pid))
    });
    pairs.collect()
}

/// The words that a process was started with; empty where there is no such process.
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
