//! One running server: signals, waiting for it, and never leaving it behind.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::time::sleep;

use super::claim::{Identity, ORDERLY, children, send};
use super::error::DevError;
use super::guard::Guard;

/// How often a server is looked at while it starts or ends.
const POLL: Duration = Duration::from_millis(2);

/// A server process and its guard. Dropped while it runs, it is asked to end orderly, or killed
/// where its data is thrown away.
#[derive(Debug)]
pub(super) struct Process {
    identity: Identity,
    child: Child,
    /// Present while the server runs.
    guard: Option<Guard>,
    throwaway: bool,
}

/// A command for a server: its messages in English, no folder that it may be unable to enter, and
/// a process group of its own, since Ctrl-C on the terminal is for us: we end the servers in order.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).process_group(0);
    command
}

impl Process {
    /// Starts the server with its output in `log`, locked by [`Identity::claim`]. `throwaway` is
    /// the folder to remove if we are killed.
    pub(super) fn start(
        identity: Identity,
        log: &File,
        mut command: Command,
        throwaway: Option<&Path>,
    ) -> Result<Self, DevError> {
        let output = || log.try_clone().map_err(DevError::io("share", &identity.log));
        let program = command.get_program().to_owned();
        let mut child = command
            .stdout(output()?)
            .stderr(output()?)
            .spawn()
            .map_err(DevError::io("run", Path::new(&program)))?;
        let end = if throwaway.is_some() { identity.abrupt } else { identity.orderly };
        match Guard::over(child.id(), end, throwaway) {
            Ok(guard) => {
                let throwaway = throwaway.is_some();
                Ok(Self { identity, child, guard: Some(guard), throwaway })
            }
            Err(error) => {
                send(pid_of(&child), identity.orderly);
                child.wait().map_err(DevError::io("wait for", Path::new(&program)))?;
                Err(error)
            }
        }
    }

    /// Waits until `ready` is true. The server may take `limit` for it, and must not end.
    pub(super) async fn until_ready(
        &mut self,
        limit: Duration,
        mut ready: impl AsyncFnMut(Pid) -> bool,
    ) -> Result<(), DevError> {
        let begun = Instant::now();
        loop {
            if let Some(reason) = self.ended()? {
                return Err(self.identity.did_not_start(reason));
            }
            if ready(self.pid()).await {
                return Ok(());
            }
            if begun.elapsed() > limit {
                return Err(self.identity.did_not_start(format!("no answer within {limit:?}")));
            }
            sleep(POLL).await;
        }
    }

    /// The server's own pid.
    pub(super) fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    /// Ends the server orderly; kills it where that takes too long.
    pub(super) async fn stop(&mut self) -> Result<(), DevError> {
        if !self.runs() {
            return Ok(());
        }
        send(self.pid(), Signal::SIGCONT);
        send(self.pid(), self.identity.orderly);
        if !self.ends_within(ORDERLY).await? {
            tracing::warn!("{} does not end: killing it", self.identity.name);
            self.kill().await?;
        }
        Ok(())
    }

    /// Kills the server and what it started, as a crash would.
    pub(super) async fn kill(&mut self) -> Result<(), DevError> {
        self.kill_all();
        while !self.ends_within(ORDERLY).await? {}
        Ok(())
    }

    /// Stops the server's clock, so to speak: it keeps its connections and answers nothing.
    pub(super) fn pause(&self) {
        if !self.runs() {
            return;
        }
        // The parent first, so that no child is started behind our back.
        send(self.pid(), Signal::SIGSTOP);
        for child in children(self.pid()) {
            send(child, Signal::SIGSTOP);
        }
    }

    /// Ends a pause.
    pub(super) fn resume(&self) {
        if !self.runs() {
            return;
        }
        for child in children(self.pid()) {
            send(child, Signal::SIGCONT);
        }
        send(self.pid(), Signal::SIGCONT);
    }

    /// Whether the pid is still the server's: once its end was seen, it may be a stranger's.
    fn runs(&self) -> bool {
        self.guard.is_some()
    }

    fn kill_all(&self) {
        if !self.runs() {
            return;
        }
        self.pause();
        for child in children(self.pid()) {
            send(child, Signal::SIGKILL);
        }
        send(self.pid(), Signal::SIGKILL);
    }

    async fn ends_within(&mut self, limit: Duration) -> Result<bool, DevError> {
        let begun = Instant::now();
        while self.ended()?.is_none() {
            if begun.elapsed() > limit {
                return Ok(false);
            }
            sleep(POLL).await;
        }
        Ok(true)
    }

    /// How the server ended, if it has.
    fn ended(&mut self) -> Result<Option<String>, DevError> {
        let status = self.child.try_wait().map_err(DevError::io("wait for", &self.identity.log))?;
        if status.is_some()
            && let Some(guard) = self.guard.take()
        {
            guard.dismiss();
        }
        Ok(status.map(|status| status.to_string()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Kept data: the guard, dropped with us, asks the server to end orderly.
        if !self.throwaway || !self.runs() {
            return;
        }
        self.kill_all();
        if let Err(error) = self.child.wait() {
            tracing::warn!("{} was not found at its end: {error}", self.identity.name);
        }
        if let Some(guard) = self.guard.take() {
            guard.dismiss();
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    // A pid fits i32 on every system that nix knows.
    Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX))
}
