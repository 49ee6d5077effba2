//! A private Redis or Valkey server: alone, or as a part of a cluster or a Sentinel setup.

pub mod cluster;
pub mod sentinel;
pub mod setup;

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;

use crate::claim::Identity;
use crate::error::DevError;
use crate::folder::{self, Folder};
use crate::process::{Process, command};
use crate::{find, port};

/// The sentinels' name for the primary.
pub(crate) const SERVICE: &str = "onsale";

/// Time limit of a start, which may include loading the kept data.
const START: Duration = Duration::from_mins(1);
/// Time limit of an answer. The driver's default of 500 ms is too short on a busy machine.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a server may give no answer before the others replace it, in ms.
const FAILS_MS: u32 = 2000;
/// Maximum number of ports to try: another process may take a port before the server does.
const PORTS: usize = 5;

/// The role of a server.
#[derive(Debug, Clone, Copy)]
enum Role {
    /// A single server.
    Alone,
    /// A node of a cluster; the other nodes reach it at the port `bus`.
    Node { bus: u16 },
    /// A replica of the server at the port `primary`.
    Replica { primary: u16 },
    /// A sentinel for the server at the port `primary` and its replicas.
    Sentinel { primary: u16 },
}

/// A running Redis server on its own loopback port.
#[derive(Debug)]
pub struct RedisServer {
    // Dropped before the folder, which it must not outlive.
    process: Process,
    port: u16,
    password: Option<String>,
    role: Role,
    folder: Folder,
}

impl RedisServer {
    /// Starts a server that keeps its data in `folder/redis` (append-only file, flushed every
    /// second) with its own password. It continues with the data of an earlier start.
    pub async fn start(folder: &Path) -> Result<Self, DevError> {
        let folder = Folder::kept(folder, "redis")?;
        let password = folder::secret(&folder.private("redis")?.join("password"))?;
        Self::launch(folder, Some(password), Role::Alone).await
    }

    /// Starts an empty server without persistence. Its folder is removed with it, and it is empty
    /// after a restart.
    pub async fn throwaway() -> Result<Self, DevError> {
        Self::throwaway_as(Role::Alone).await
    }

    async fn throwaway_as(role: Role) -> Result<Self, DevError> {
        Self::launch(Folder::throwaway()?, None, role).await
    }

    async fn launch(
        folder: Folder,
        password: Option<String>,
        mut role: Role,
    ) -> Result<Self, DevError> {
        let mut port = port::remembered(folder.path(), "redis")?;
        let mut tries = 0;
        loop {
            tries += 1;
            match run(&folder, port, password.as_deref(), role).await {
                Ok(process) => {
                    port::remember(folder.path(), "redis", port)?;
                    return Ok(Self { process, port, password, role, folder });
                }
                Err(DevError::Start { .. }) if tries < PORTS && !role.is_free_beside(port) => {
                    port = port::free()?;
                    if let Role::Node { bus } = &mut role {
                        *bus = port::free()?;
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The server's URL: `redis://127.0.0.1:PORT`, with the password if there is one.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// The URL through another loopback port, for example that of a proxy.
    #[must_use]
    pub fn url_through(&self, port: u16) -> String {
        url(port, self.password.as_deref())
    }

    /// The server's port on 127.0.0.1; it stays the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw().unsigned_abs()
    }

    /// Kills the server (SIGKILL) and waits until it has ended.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        self.process.kill().await
    }

    /// Starts the server again on the same port, after [`RedisServer::kill`] or while it runs.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        self.process.stop().await?;
        let password = self.password.as_deref();
        self.process = run(&self.folder, self.port, password, self.role).await?;
        Ok(())
    }

    /// Runs one command on a new connection.
    pub async fn call<T: redis::FromRedisValue>(&self, words: &[&str]) -> Result<T, DevError> {
        let mut connection = self.connect().await?;
        let command = redis::cmd(words[0]).arg(&words[1..]).to_owned();
        Ok(command.query_async(&mut connection).await?)
    }

    /// Opens a new connection.
    pub async fn connect(&self) -> Result<MultiplexedConnection, DevError> {
        let limits = AsyncConnectionConfig::new().set_response_timeout(Some(ANSWER));
        let client = redis::Client::open(self.url())?;
        Ok(client.get_multiplexed_async_connection_with_config(&limits).await?)
    }

    /// Stops the server (SIGSTOP): connections stay open and get no answer.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Ends a pause (SIGCONT).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Shuts the server down. If it keeps its data, all writes are on disk then.
    pub async fn stop(mut self) -> Result<(), DevError> {
        self.process.stop().await
    }
}

impl Role {
    /// Whether the ports that a server with this role needs are free.
    fn is_free_beside(self, port: u16) -> bool {
        port::is_free(port) && !matches!(self, Self::Node { bus } if !port::is_free(bus))
    }

    /// The part of the configuration that depends on the role.
    fn settings(self, keeps: &str) -> String {
        // Without a delay for further replicas: there is at most one.
        let all = format!(
            "save \"\"\nappendonly {keeps}\nappendfsync everysec\nmaxmemory-policy noeviction\n\
             repl-diskless-sync-delay 0\n"
        );
        match self {
            Self::Alone => all,
            Self::Node { bus } => format!(
                "{all}cluster-enabled yes\ncluster-port {bus}\ncluster-node-timeout {FAILS_MS}\n\
                 cluster-require-full-coverage no\ncluster-allow-replica-migration no\n"
            ),
            Self::Replica { primary } => format!("{all}replicaof 127.0.0.1 {primary}\n"),
            Self::Sentinel { primary } => format!(
                "sentinel monitor {SERVICE} 127.0.0.1 {primary} 2\n\
                 sentinel down-after-milliseconds {SERVICE} {FAILS_MS}\n\
                 sentinel failover-timeout {SERVICE} 10000\n"
            ),
        }
    }
}

async fn run(
    folder: &Folder,
    port: u16,
    password: Option<&str>,
    role: Role,
) -> Result<Process, DevError> {
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
    folder::write_private(&config, &settings(folder, port, password, role)?)?;
    let mut command = command(server);
    command.arg(&config);
    if matches!(role, Role::Sentinel { .. }) {
        command.arg("--sentinel");
    }
    let throwaway = folder.is_throwaway().then(|| folder.path());
    let mut process = Process::start(identity, &log, command, throwaway)?;
    drop(log);
    let client = redis::Client::open(url(port, password))?;
    process.until_ready(START, async |pid| answers(&client, pid).await).await?;
    Ok(process)
}

/// The configuration file; the password is there so that it is on no command line. The process
/// title stays the original command line, by which `claim` recognizes the server.
fn settings(
    folder: &Folder,
    port: u16,
    password: Option<&str>,
    role: Role,
) -> Result<String, DevError> {
    let data = folder.private("redis")?;
    let data = data.display();
    let keeps = if folder.is_throwaway() { "no" } else { "yes" };
    let password = password.map_or_else(String::new, |it| format!("requirepass {it}\n"));
    Ok(format!(
        "bind 127.0.0.1\nport {port}\ndir \"{data}\"\npidfile \"{data}/redis.pid\"\n\
         set-proc-title no\n{}{password}",
        role.settings(keeps)
    ))
}

fn url(port: u16, password: Option<&str>) -> String {
    let user = password.map_or_else(String::new, |password| format!("default:{password}@"));
    format!("redis://{user}127.0.0.1:{port}")
}

/// Whether the server on this port is this process, and has loaded its data.
async fn answers(client: &redis::Client, pid: Pid) -> bool {
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else {
        return false;
    };
    let info: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
    info.is_ok_and(|info| {
        let has_line = |line: &str| info.lines().any(|it| it == line);
        has_line(&format!("process_id:{pid}")) && !has_line("loading:1")
    })
}

impl From<redis::RedisError> for DevError {
    fn from(error: redis::RedisError) -> Self {
        Self::Redis(error.to_string())
    }
}
