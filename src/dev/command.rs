//! A command that runs beside the private stores: `onsale dev -- COMMAND`.

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

use super::environment::Environment;
use super::error::DevError;

/// How long a command may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Runs the command to its end, or ends it when `stop` is cancelled; returns its exit code (128
/// and the number of the signal where one ended it, as shells say).
pub(super) async fn run(
    words: &[OsString],
    environment: &Environment,
    stop: &CancellationToken,
) -> Result<ExitCode, DevError> {
    let [program, arguments @ ..] = words else {
        return Ok(ExitCode::SUCCESS);
    };
    // At a terminal the command shares our group, so that it may read the keyboard and Ctrl-C
    // reaches it; elsewhere it leads a group of its own, so that all it started can be ended.
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
        // What the command started and did not wait for.
        send(Signal::SIGKILL);
    }
    Ok(code(status.map_err(DevError::io("wait for", Path::new("the command")))?))
}

fn report(sent: nix::Result<()>) {
    match sent {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(errno) => tracing::warn!("the command could not be signalled: {errno}"),
    }
}

fn code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
