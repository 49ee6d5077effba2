//! One onsale process of the operating system, always on the same port, with a right or a wrong
//! clock.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::dice::Dice;
use crate::support::faults::serve;

/// How long a start may take before it is tried again.
const START: Duration = Duration::from_secs(20);

/// A process that can be started repeatedly.
pub struct Node {
    pub addr: SocketAddr,
    database_url: String,
    redis_url: String,
    log: PathBuf,
    /// Determines the error of the clock at each start; `None` for a right clock.
    clock: Option<Dice>,
    child: Option<Child>,
}

/// The library that gives a process another clock, at the path that Debian uses.
fn faketime() -> PathBuf {
    format!("/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH).into()
}

/// Whether a process can be given another clock here.
pub fn has_faketime() -> bool {
    faketime().exists()
}

impl Node {
    pub fn new(database_url: String, redis_url: String, log: PathBuf, clock: Option<Dice>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let addr = free.expect("a free port");
        Self { addr, database_url, redis_url, log, clock, child: None }
    }

    /// Starts it and waits until it serves; tries again if it ends before that.
    pub async fn start(&mut self) {
        for _ in 0..5 {
            let mut child = self.command().spawn().expect("onsale");
            let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
            let ready = tokio::time::timeout(START, lines.next_line()).await;
            if matches!(ready, Ok(Ok(Some(_)))) {
                self.child = Some(child);
                return;
            }
            child.kill().await.expect("it ends");
        }
        panic!("onsale does not start: see {}", self.log.display());
    }

    fn command(&mut self) -> Command {
        let mut command = serve(&self.database_url, &self.redis_url);
        let log = File::options().create(true).append(true).open(&self.log).expect("a log");
        command.env("ONSALE_LISTEN", self.addr.to_string()).stderr(Stdio::from(log));
        if let Some(dice) = &mut self.clock {
            let (minutes, ahead) = (dice.between(1, 5), dice.percent(50));
            let offset = format!("{}{minutes}m", if ahead { '+' } else { '-' });
            command.env("LD_PRELOAD", faketime()).env("FAKETIME", offset);
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        command
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs");
        kill(Pid::from_raw(i32::try_from(id).expect("a process id")), signal).expect("it runs");
    }

    /// Ends it with SIGKILL.
    pub async fn kill(&mut self) {
        self.child.take().expect("it runs").kill().await.expect("it ends");
    }

    /// Ends it with SIGTERM; it finishes the requests in progress.
    pub async fn drain(&mut self) {
        self.signal(Signal::SIGTERM);
        self.child.take().expect("it runs").wait().await.expect("it ends");
    }

    /// Stops it (SIGSTOP).
    pub fn pause(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Ends a pause (SIGCONT).
    pub fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }
}
