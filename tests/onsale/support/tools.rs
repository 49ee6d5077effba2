//! Programs on private ports: `PgBouncer`, nginx, `HAProxy` and Prometheus (`scripts/test-tools.sh`),
//! and Redis servers with a configuration of their own.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use tokio::net::TcpStream;

use super::wait::until;

/// The alerts of this project.
pub const ALERTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/prometheus/alerts.yml");

/// A running program; ended when dropped, with its folder.
pub struct Tool {
    pub port: u16,
    child: Child,
    folder: PathBuf,
}

impl Tool {
    /// `PgBouncer` in session mode before the server at `server` (`host=… port=…`), with these lines
    /// in its configuration.
    pub async fn pgbouncer(server: &str, lines: &str) -> Self {
        let (folder, port) = (folder("pgbouncer"), free_port());
        let config = folder.join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = {server} user=onsale\n[pgbouncer]\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nauth_type = any\npool_mode = session\nunix_socket_dir =\n{lines}\n"
        );
        std::fs::write(&config, text).expect("its configuration");
        let mut command = command("pgbouncer");
        command.arg(&config);
        // It refuses to run as root.
        let account = User::from_name("postgres").ok().flatten().filter(|_| geteuid().is_root());
        if let Some(user) = account {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Self::start(command, folder, port).await
    }

    /// A Redis server, or a sentinel, with these lines in its configuration; `PORT` in them is its
    /// port.
    pub async fn redis(lines: &str, is_sentinel: bool) -> Self {
        let (folder, port) = (folder("redis"), free_port());
        let config = folder.join("redis.conf");
        let lines = lines.replace("PORT", &port.to_string());
        let text = format!("dir {}\nbind 127.0.0.1\n{lines}\n", folder.display());
        std::fs::write(&config, text).expect("its configuration");
        let own = std::env::var_os("ONSALE_REDIS_SERVER");
        let mut command = own.map_or_else(|| command("redis-server"), Command::new);
        command.arg(&config).stdout(Stdio::null());
        if is_sentinel {
            command.arg("--sentinel");
        }
        Self::start(command, folder, port).await
    }

    /// Prometheus with the alerts of this project. Each second it reads `/metrics` of the processes
    /// at `targets` and evaluates the alerts.
    pub async fn prometheus(targets: &[SocketAddr]) -> Self {
        let (folder, port) = (folder("prometheus"), free_port());
        let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
        let config = folder.join("prometheus.yml");
        let text = format!(
            "global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}\n\
             rule_files: ['{ALERTS}']\n\
             scrape_configs:\n- job_name: onsale\n  static_configs: [{{ targets: {targets:?} }}]\n"
        );
        std::fs::write(&config, text).expect("its configuration");
        let mut command = command("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn");
        Self::start(command, folder, port).await
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// The folder with its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs the command, whose files are in `folder`, and waits until it listens on `port`.
    pub async fn start(mut command: Command, folder: PathBuf, port: u16) -> Self {
        let child = command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| {
            panic!("{command:?}: {error}; run scripts/test-tools.sh");
        });
        let tool = Self { port, child, folder };
        until("the program listens", async || TcpStream::connect(("127.0.0.1", port)).await.ok())
            .await;
        tool
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // SIGTERM, so that nginx ends its workers too.
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
        }
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A program of the system; Debian has servers in a folder that users do not search.
pub fn command(name: &str) -> Command {
    let system = Path::new("/usr/sbin").join(name);
    if system.exists() { Command::new(system) } else { Command::new(name) }
}

/// A new folder for the files of a program.
pub fn folder(name: &str) -> PathBuf {
    let unique = uuid::Uuid::now_v7().simple().to_string();
    let folder = std::env::temp_dir().join(format!("onsale-{name}-{unique}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A port that is free now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("a port").port()
}
