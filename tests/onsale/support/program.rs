//! The program as an operator runs it: a separate process, whose output is kept.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::client::Client;
use super::wait::until;
use super::world::{JWT_SECRET, QUEUE_SECRET, World};

/// A running `onsale serve`.
pub struct Program {
    pub addr: SocketAddr,
    child: Child,
    output: Arc<Mutex<String>>,
}

/// The program with an environment that has only `PATH`.
pub fn bare(arguments: &[&str]) -> Command {
    // When the tests run from a nextest archive, the program is in the archive.
    let built = std::env::var_os("NEXTEST_BIN_EXE_onsale");
    let mut command = Command::new(built.unwrap_or_else(|| env!("CARGO_BIN_EXE_onsale").into()));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

/// The program with the settings that `onsale serve` needs, on the stores of `world`.
pub fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command
        .env("DATABASE_URL", &world.database_url)
        .env("REDIS_URL", &world.redis_url)
        .env("ONSALE_JWT_SECRET", JWT_SECRET)
        .env("ONSALE_QUEUE_SECRETS", QUEUE_SECRET)
        .env("ONSALE_LISTEN", "127.0.0.1:0")
        .env("ONSALE_OPEN_SIGNUP", "true")
        .env("ONSALE_DRAIN_DELAY", "0s")
        .env("ONSALE_UNSAFE_POSTGRES", "true");
    command
}

impl Program {
    /// Starts it and waits until it prints the address at which it listens.
    pub async fn start(world: &World, environment: &[(&str, &str)]) -> Self {
        let mut command = command(world, &["serve"]);
        command.envs(environment.iter().copied());
        Self::run(command).await
    }

    /// As [`Program::start`], with every system call in the file `log` (strace).
    pub async fn start_traced(world: &World, log: &Path) -> Self {
        let plain = command(world, &["serve"]);
        let mut command = Command::new("strace");
        // With -D the child is the program, and not strace.
        command.args(["-D", "-f", "-q", "-o"]).arg(log).arg(plain.get_program());
        command.args(plain.get_args()).env_clear();
        command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Self::run(command).await
    }

    async fn run(mut command: Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program");
        let output = Arc::new(Mutex::new(String::new()));
        keep(child.stdout.take().expect("its output"), &output);
        keep(child.stderr.take().expect("its log"), &output);
        let addr = until("the line with the address", async || {
            let text = output.lock().unwrap();
            let line =
                text.lines().find_map(|line| line.strip_prefix("onsale is listening on http://"));
            line.and_then(|addr| addr.parse().ok())
        })
        .await;
        Self { addr, child, output }
    }

    /// A client without a token.
    pub fn anonymous(&self) -> Client {
        Client::new(self.addr)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has written so far to stdout and stderr.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM)
            .expect("it runs");
    }

    /// Waits for its end; returns its exit code.
    pub async fn wait(&mut self) -> Option<i32> {
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn keep(from: impl Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut text = output.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    });
}
