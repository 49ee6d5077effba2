//! `onsale health`: asks the process on this machine how it is, for the health check of a container.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

/// Time limit of the request.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub struct HealthArgs {
    /// Address on which the process listens
    #[arg(long, env = "ONSALE_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Ask whether it can serve (`/readyz`), and not only whether it runs (`/livez`)
    #[arg(long)]
    ready: bool,
}

/// Why the process is not healthy.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// It does not answer.
    #[error("{0} does not answer: {1}")]
    Silent(String, reqwest::Error),
    /// It answers with an error.
    #[error("{0} answers {1}: {2}")]
    Unhealthy(String, reqwest::StatusCode, String),
}

/// Asks the process; returns its answer.
pub async fn ask(args: &HealthArgs) -> Result<String, HealthError> {
    let path = if args.ready { "readyz" } else { "livez" };
    let url = format!("http://{}/{path}", reachable(args.listen));
    let silent = |error| HealthError::Silent(url.clone(), error);
    // A proxy from the environment does not lead to this machine.
    let client = reqwest::Client::builder().timeout(LIMIT).no_proxy().build().map_err(silent)?;
    let answer = client.get(&url).send().await.map_err(silent)?;
    let status = answer.status();
    let text = answer.text().await.map_err(silent)?;
    if status.is_success() { Ok(text) } else { Err(HealthError::Unhealthy(url, status, text)) }
}

/// The address under which a process that listens on `listen` answers on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_listens_on_all_addresses_is_asked_on_this_machine() {
        for (listen, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
