//! A private Redis (or Valkey) server.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use super::claim::Identity;
use super::folder::{self, Folder};
use super::process::{Process, command};
use super::{DevError, find, port};

/// Loading what was kept may take a while.
const START: Duration = Duration::from_mins(1);
/// How often another port is tried: somebody may take one between its choice and its use.
const PORTS: usize = 5;

/// A running redis-server on a loopback port of its own.
#[derive(Debug)]
pub struct RedisServer {
    // Before the folder, which it must not outlive.
    process: Process,
    port: u16,
    password: Option<String>,
    folder: Folder,
}

impl RedisServer {
    /// Starts a server whose data stays in `folder/redis` (append-only file, written out every
    /// second) behind a password of its own. What an earlier start left there is found again.
    pub async fn start(folder: &Path) -> Result<Self, DevError> {
        let folder = Folder::kept(folder, "redis")?;
        let password = folder::secret(&folder.private("redis")?.join("password"))?;
        Self::launch(folder, Some(password)).await
    }

    /// Starts an empty server that keeps nothing: its folder goes with it, and a restart after
    /// [`RedisServer::kill`] finds it wiped.
    pub async fn throwaway() -> Result<Self, DevError> {
        Self::launch(Folder::throwaway()?, None).await
    }

    async fn launch(folder: Folder, password: Option<String>) -> Result<Self, DevError> {
        let mut port = port::remembered(folder.path(), "redis")?;
        let mut tries = 0;
        loop {
            tries += 1;
            match run(&folder, port, password.as_deref()).await {
                Ok(process) => {
                    port::remember(folder.path(), "redis", port)?;
                    return Ok(Self { process, port, password, folder });
                }
                Err(DevError::Start { .. }) if tries < PORTS && !port::is_free(port) => {
                    port = port::free()?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it listens: `redis://127.0.0.1:PORT`, with its password where it has one.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// The same by way of another loopback port: that of a proxy in front of it.
    #[must_use]
    pub fn url_through(&self, port: u16) -> String {
        url(port, self.password.as_deref())
    }

    /// Its port on 127.0.0.1, the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw().unsigned_abs()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        self.process.kill().await
    }

    /// Starts it again on the same port, after [`RedisServer::kill`] or while it still runs.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        self.process.stop().await?;
        self.process = run(&self.folder, self.port, self.password.as_deref()).await?;
        Ok(())
    }

    /// Stops it (SIGSTOP): connections stay open and get no answer.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Ends a pause (SIGCONT).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Ends it orderly: what it was told is on disk then, if it keeps anything.
    pub async fn stop(mut self) -> Result<(), DevError> {
        self.process.stop().await
    }
}

async fn run(folder: &Folder, port: u16, password: Option<&str>) -> Result<Process, DevError> {
    let data = folder.private("redis")?;
    let config = data.join("redis.conf");
    let identity = Identity {
        name: "Redis",
        log: folder.path().join("redis.log"),
        pid_file: data.join("redis.pid"),
        mark: config.clone(),
        orderly: Signal::SIGTERM,
        abrupt: Signal::SIGKILL,
    };
    let log = identity.claim().await?;
    let server = find::redis()?;
    folder::write_private(&config, &settings(folder, port, password)?)?;
    let mut command = command(server);
    command.arg(&config);
    let throwaway = folder.is_throwaway().then(|| folder.path());
    let mut process = Process::start(identity, &log, command, throwaway)?;
    drop(log);
    let client = redis::Client::open(url(port, password))
        .map_err(|error| DevError::Database(error.to_string()))?;
    process.until_ready(START, async |pid| answers(&client, pid).await).await?;
    Ok(process)
}

/// The configuration, in a file so that the password is on no command line. The title stays as
/// started, since the folder's server is known by it.
fn settings(folder: &Folder, port: u16, password: Option<&str>) -> Result<String, DevError> {
    let data = folder.private("redis")?;
    let data = data.display();
    let keeps = if folder.is_throwaway() { "no" } else { "yes" };
    let password = password.map_or_else(String::new, |it| format!("requirepass {it}\n"));
    Ok(format!(
        "bind 127.0.0.1\nport {port}\ndir \"{data}\"\npidfile \"{data}/redis.pid\"\n\
         set-proc-title no\nsave \"\"\nappendonly {keeps}\nappendfsync everysec\n\
         maxmemory-policy noeviction\n{password}"
    ))
}

fn url(port: u16, password: Option<&str>) -> String {
    let user = password.map_or_else(String::new, |password| format!("default:{password}@"));
    format!("redis://{user}127.0.0.1:{port}")
}

/// Whether the server on that port is this process, and has loaded its data.
async fn answers(client: &redis::Client, pid: Pid) -> bool {
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return false;
    };
    let info: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
    info.is_ok_and(|info| {
        let says = |line: &str| info.lines().any(|it| it == line);
        says(&format!("process_id:{pid}")) && says("loading:0")
    })
}
