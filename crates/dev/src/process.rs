//! One running server: its signals, waiting for it, and its end together with its owner.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::time::sleep;

use crate::claim::{Identity, ORDERLY, children, send};
use crate::error::DevError;
use crate::guard::Guard;

/// Interval of checks while a server starts or ends.
const POLL: Duration = Duration::from_millis(2);

/// A server process and its guard. If it is dropped while it runs, the server is shut down, or
/// killed if its data is throwaway.
#[derive(Debug)]
pub(crate) struct Process {
    identity: Identity,
    child: Child,
    /// Present while the server runs.
    guard: Option<Guard>,
    throwaway: bool,
}

/// A command for a server. Its messages are in English, and its working directory is `/`, which
/// every account can enter. It has its own process group, so that Ctrl-C on the terminal reaches
/// only us and we end the servers in order.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null()).process_group(0);
    command
}

impl Process {
    /// Starts the server with its output in `log`, locked by [`Identity::claim`]. `throwaway` is
    /// the folder to remove if we are killed.
    pub(crate) fn start(
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

    /// Waits up to `limit` until `ready` returns true; an error if the server ends before.
    pub(crate) async fn until_ready(
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

    /// The server's pid.
    pub(crate) fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    /// Shuts the server down; kills it if that takes longer than [`ORDERLY`].
    pub(crate) async fn stop(&mut self) -> Result<(), DevError> {
        if !self.runs() {
            return Ok(());
        }
        send(self.pid(), Signal::SIGCONT);
        send(self.pid(), self.identity.orderly);
        if !self.ends_within(ORDERLY).await? {
            tracing::warn!(server = self.identity.name, "a server did not shut down: killing it");
            self.kill().await?;
        }
        Ok(())
    }

    /// Kills the server and its child processes, like a crash.
    pub(crate) async fn kill(&mut self) -> Result<(), DevError> {
        self.kill_all();
        while !self.ends_within(ORDERLY).await? {}
        Ok(())
    }

    /// Stops the server and its children (SIGSTOP): it keeps its connections and answers nothing.
    pub(crate) fn pause(&self) {
        if !self.runs() {
            return;
        }
        // The parent first, so that it cannot start another child meanwhile.
        send(self.pid(), Signal::SIGSTOP);
        for child in children(self.pid()) {
            send(child, Signal::SIGSTOP);
        }
    }

    /// Ends a pause.
    pub(crate) fn resume(&self) {
        if !self.runs() {
            return;
        }
        for child in children(self.pid()) {
            send(child, Signal::SIGCONT);
        }
        send(self.pid(), Signal::SIGCONT);
    }

    /// Whether the pid still belongs to the server: after its end, another process may get the pid.
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

    /// The server's exit status, if it has ended.
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
        // With kept data, the guard shuts the server down when it is dropped here.
        if !self.throwaway || !self.runs() {
            return;
        }
        self.kill_all();
        if let Err(error) = self.child.wait() {
            tracing::warn!(server = self.identity.name, %error, "a server's end was not awaited");
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
