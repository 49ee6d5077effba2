//! A private PostgreSQL server.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::claim::Identity;
use crate::cluster::{Cluster, USER};
use crate::error::DevError;
use crate::folder::Folder;
use crate::port;
use crate::process::Process;

/// Time limit of a start, which may include the recovery after a crash.
const START: Duration = Duration::from_mins(1);
/// Maximum number of ports to try: another process may take a port before the server does.
const PORTS: usize = 5;
/// Maximum number of connections: enough for all processes and tests that share the server.
const CONNECTIONS: u16 = 300;

/// A running PostgreSQL server on its own loopback port, with an empty database `onsale`.
#[derive(Debug)]
pub struct PostgresServer {
    // Dropped before the folder, which it must not outlive.
    process: Process,
    port: u16,
    cluster: Cluster,
    folder: Folder,
}

impl PostgresServer {
    /// Starts a server that keeps its data in `folder/postgres` with full durability and its own
    /// password. It continues with the data of an earlier start.
    ///
    /// PostgreSQL refuses to run as root, so root runs the server under an unprivileged account. If
    /// that account cannot enter `folder`, `folder/postgres` is a link to a folder that it can
    /// enter.
    pub async fn start(folder: &Path) -> Result<Self, DevError> {
        Self::launch(Folder::kept(folder, "postgres")?).await
    }

    /// Starts an empty server that does not wait for the disk (`fsync` off). Its folder is removed
    /// with it. The data survives [`PostgresServer::kill`]; only a power failure could damage it.
    pub async fn throwaway() -> Result<Self, DevError> {
        Self::launch(Folder::throwaway()?).await
    }

    /// Starts a hot standby of a throwaway server, which streams every change from it.
    pub async fn standby(primary: &Self) -> Result<Self, DevError> {
        let folder = Folder::throwaway()?;
        let cluster = Cluster::locate(&folder)?;
        cluster.copy_from(&primary.url("postgres")).await?;
        Self::launch_in(folder, cluster).await
    }

    async fn launch(folder: Folder) -> Result<Self, DevError> {
        let cluster = Cluster::locate(&folder)?;
        let server = Self::launch_in(folder, cluster).await?;
        if !has_database(&server.url("postgres"), USER).await? {
            server.create_database(USER, "template1").await?;
        }
        Ok(server)
    }

    async fn launch_in(folder: Folder, cluster: Cluster) -> Result<Self, DevError> {
        let mut port = port::remembered(folder.path(), "postgres")?;
        let mut tries = 0;
        let server = loop {
            tries += 1;
            match run(&folder, &cluster, port).await {
                Ok(process) => {
                    break Self { process, port, cluster, folder };
                }
                Err(DevError::Start { .. }) if tries < PORTS && !port::is_free(port) => {
                    port = port::free()?;
                }
                Err(error) => return Err(error),
            }
        };
        port::remember(server.folder.path(), "postgres", port)?;
        Ok(server)
    }

    /// The URL of a database: `postgres://onsale@127.0.0.1:PORT/DATABASE`, with the password if
    /// there is one.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_through(self.port, database)
    }

    /// The URL through another loopback port, for example that of a proxy.
    #[must_use]
    pub fn url_through(&self, port: u16, database: &str) -> String {
        let password = self.cluster.password.as_deref();
        let password = password.map_or_else(String::new, |it| format!(":{it}"));
        format!("postgres://{USER}{password}@127.0.0.1:{port}/{database}")
    }

    /// The server's port on 127.0.0.1; it stays the same after a restart.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The pid of the postmaster.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid().as_raw().unsigned_abs()
    }

    /// Creates a database; see [`create_database`].
    pub async fn create_database(&self, name: &str, template: &str) -> Result<(), DevError> {
        create_database(&self.url("postgres"), name, template).await
    }

    /// Makes a standby the primary, and waits until it accepts writes.
    pub async fn promote(&self) -> Result<(), DevError> {
        let mut connection = self.connect().await?;
        connection.execute("select pg_promote()").await.map_err(refused)?;
        connection.close().await.map_err(refused)
    }

    /// Waits until a standby has everything that the primary has now.
    pub async fn wait_for(&self, primary: &Self) -> Result<(), DevError> {
        let mut connection = primary.connect().await?;
        let end: String = sqlx::query_scalar("select pg_current_wal_flush_lsn()::text")
            .fetch_one(&mut connection)
            .await
            .map_err(refused)?;
        connection.close().await.map_err(refused)?;
        let mut connection = self.connect().await?;
        let replayed = "select pg_last_wal_replay_lsn() >= $1::pg_lsn";
        while !sqlx::query_scalar::<_, bool>(replayed)
            .bind(&end)
            .fetch_one(&mut connection)
            .await
            .map_err(refused)?
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        connection.close().await.map_err(refused)
    }

    async fn connect(&self) -> Result<PgConnection, DevError> {
        PgConnection::connect(&self.url("postgres")).await.map_err(refused)
    }

    /// Kills the server and all its backends (SIGKILL), like a crash, and waits until they have
    /// ended.
    pub async fn kill(&mut self) -> Result<(), DevError> {
        self.process.kill().await
    }

    /// Starts the server again on the same port, after [`PostgresServer::kill`] or while it runs.
    pub async fn restart(&mut self) -> Result<(), DevError> {
        self.process.stop().await?;
        self.process = run(&self.folder, &self.cluster, self.port).await?;
        Ok(())
    }

    /// Stops the server and all its backends (SIGSTOP): connections stay open and get no answer.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Ends a pause (SIGCONT).
    pub fn resume(&self) {
        self.process.resume();
    }

    /// Shuts the server down: open transactions are rolled back, and connections are closed.
    pub async fn stop(mut self) -> Result<(), DevError> {
        self.process.stop().await
    }
}

/// Creates a database as a copy of `template`, which must have no connections. `server` is the URL
/// of a third database of the same server, for a user who may create databases.
pub async fn create_database(server: &str, name: &str, template: &str) -> Result<(), DevError> {
    let statement = format!("create database {} template {}", quoted(name), quoted(template));
    let mut connection = PgConnection::connect(server).await.map_err(refused)?;
    connection.execute(AssertSqlSafe(statement)).await.map_err(refused)?;
    connection.close().await.map_err(refused)
}

async fn has_database(server: &str, name: &str) -> Result<bool, DevError> {
    let mut connection = PgConnection::connect(server).await.map_err(refused)?;
    let found: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = $1")
        .bind(name)
        .fetch_optional(&mut connection)
        .await
        .map_err(refused)?;
    connection.close().await.map_err(refused)?;
    Ok(found.is_some())
}

async fn run(folder: &Folder, cluster: &Cluster, port: u16) -> Result<Process, DevError> {
    let data = cluster.data();
    let identity = Identity {
        name: "PostgreSQL",
        log: folder.path().join("postgres.log"),
        pid_file: data.join("postmaster.pid"),
        mark: data.clone(),
        // A "fast" shutdown: it does not wait for clients to disconnect.
        orderly: Signal::SIGINT,
        // An "immediate" shutdown: it also reaches backends that are paused.
        abrupt: Signal::SIGQUIT,
    };
    let log = identity.claim().await?;
    if !cluster.initialise(&log).await? {
        return Err(identity.did_not_start("initdb failed".into()));
    }
    let mut command = cluster.program("postgres");
    command.arg("-D").arg(&data);
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    command.args(["-c", &format!("port={port}"), "-c", &format!("max_connections={CONNECTIONS}")]);
    command.args(["-c", "timezone=UTC", "-c", "log_timezone=UTC"]);
    if folder.is_throwaway() {
        command.args(["-c", "fsync=off"]);
    }
    let throwaway = folder.is_throwaway().then(|| folder.path());
    let mut process = Process::start(identity, &log, command, throwaway)?;
    drop(log);
    process.until_ready(START, async |pid| is_ready(&data, pid)).await?;
    Ok(process)
}

/// Whether `postmaster.pid` names this process and says that it accepts connections, as a primary or
/// as a hot standby.
fn is_ready(data: &Path, pid: Pid) -> bool {
    let text = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    lines.first() == Some(&pid.to_string().as_str())
        && matches!(lines.get(7), Some(&"ready" | &"standby"))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn refused(error: sqlx::Error) -> DevError {
    DevError::Database(error.to_string())
}
