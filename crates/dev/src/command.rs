//! Runs a command beside the private stores: `onsale dev -- COMMAND`.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::environment::Environment;
use crate::error::DevError;

/// Time limit for the command to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the command to its end, or ends it when `stop` is cancelled. Returns its exit code: 128
/// plus the signal's number if a signal ended it, as in shells.
pub(crate) async fn run(
    words: &[OsString],
    environment: &Environment,
    stop: &CancellationToken,
) -> Result<ExitCode, DevError> {
    let [program, arguments @ ..] = words else {
        return Ok(ExitCode::SUCCESS);
    };
    // At a terminal the command shares our process group, so that it can read the keyboard and
    // Ctrl-C reaches it. Otherwise it leads its own group, so that its children can be ended too.
    let leads_group = !std::io::stdin().is_terminal();
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.variables()).kill_on_drop(true);
    if leads_group {
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(DevError::io("run", Path::new(program)))?;
    let status = tokio::select! {
        status = child.wait() => status,
        () = stop.cancelled() => return end(&mut child, leads_group).await,
    };
    Ok(code(status.map_err(DevError::io("wait for", Path::new(program)))?))
}

async fn end(child: &mut Child, leads_group: bool) -> Result<ExitCode, DevError> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
    let send = |signal| match pid {
        Some(pid) if leads_group => report(killpg(pid, signal)),
        Some(pid) => report(kill(pid, signal)),
        None => {}
    };
    send(Signal::SIGTERM);
    let status = if let Ok(status) = timeout(GRACE, child.wait()).await {
        status
    } else {
        send(Signal::SIGKILL);
        child.wait().await
    };
    if leads_group {
        // Ends the children that the command did not wait for.
        send(Signal::SIGKILL);
    }
    Ok(code(status.map_err(DevError::io("wait for", Path::new("the command")))?))
}

fn report(result: nix::Result<()>) {
    match result {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(errno) => tracing::warn!(%errno, "a signal to the command could not be sent"),
    }
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
