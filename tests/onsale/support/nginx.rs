//! nginx by the files of `deploy/nginx` (`scripts/nginx.sh`), and curl as its client.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::client::Client;
use super::tools::{Tool, folder, free_port};

/// A running nginx.
pub struct Nginx {
    tool: Tool,
    /// The port without TLS.
    pub http_port: u16,
}

/// What curl received.
#[derive(Debug)]
pub struct Received {
    /// 0 if there was no answer.
    pub status: u16,
    /// `2` for HTTP/2.
    pub version: String,
    /// Head and body.
    pub text: String,
}

impl Nginx {
    /// Starts nginx before these processes.
    pub async fn before(servers: &[SocketAddr]) -> Self {
        let (folder, https, http_port) = (folder("nginx"), free_port(), free_port());
        let mut command = Command::new("sh");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/nginx.sh"));
        command.arg(&folder).args([https.to_string(), http_port.to_string()]);
        command.args(servers.iter().map(ToString::to_string));
        Self { tool: Tool::start(command, folder, https).await, http_port }
    }

    /// A client of the API.
    pub fn client(&self) -> Client {
        Client::over_tls(self.tool.port)
    }

    /// The port with TLS.
    pub fn port(&self) -> u16 {
        self.tool.port
    }

    /// The file with its certificate, which it has signed itself.
    pub fn certificate(&self) -> PathBuf {
        self.tool.folder().join("site/certificate.pem")
    }

    /// Replaces `old` in a file of the configuration, and makes nginx read it again. Requests that
    /// run are finished by the old configuration.
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.tool.folder().join(file);
        let text = std::fs::read_to_string(&path).expect("its configuration");
        assert!(text.contains(old), "{file} has no {old}");
        std::fs::write(&path, text.replace(old, new)).expect("its configuration");
        self.tool.signal(Signal::SIGHUP);
    }

    /// The access log.
    pub fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.tool.folder().join("access.log")).expect("a log");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The text of its files, logs and temporary ones included.
    pub fn written(&self) -> String {
        let files = std::fs::read_dir(self.tool.folder()).expect("its folder").flatten();
        let texts = files.filter_map(|file| std::fs::read(file.path()).ok());
        texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).collect()
    }

    /// Requests a path over HTTP/2 with curl, which trusts the certificate of nginx and no other.
    /// `more` are further arguments.
    pub async fn curl(&self, path: &str, more: &[&str]) -> Received {
        let mut command = self.curl_command(path, more);
        let output = command.output().await.expect("curl");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, about) = text.rsplit_once('\n').expect("a last line");
        let (status, version) = about.split_once(' ').expect("status and version");
        let status = status.parse().expect("a status");
        Received { status, version: version.to_owned(), text: text.to_owned() }
    }

    /// The command of [`Nginx::curl`], for an answer that is read while it arrives. Its last line is
    /// the status and the version of HTTP.
    pub fn curl_command(&self, path: &str, more: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new("curl");
        command.args(["--silent", "--no-buffer", "--include", "--path-as-is", "--noproxy", "*"]);
        command.args(["--max-time", "60", "--write-out", "\n%{http_code} %{http_version}"]);
        command.arg("--cacert").arg(self.certificate());
        command.args(more);
        if path.starts_with("http") {
            command.arg(path);
        } else {
            command.arg(format!("https://localhost:{}{path}", self.tool.port));
        }
        command.kill_on_drop(true);
        command
    }
}
