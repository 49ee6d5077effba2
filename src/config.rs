//! Settings, by concern. Each is an environment variable and a flag; errors name the variable.

pub mod access;
pub mod limits;
mod secret;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use reqwest::Url;

pub use self::access::AccessSettings;
use self::access::{NOT_TRUSTED, is_trusted};
use self::limits::LimitSettings;
pub use self::secret::{InvalidSetting, Secret};
use self::secret::{SHORT_SECRET, refuse};

/// Comparing the stores more often would be most of what they do.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);

/// Everything `onsale serve` runs by.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Where and how much it serves.
    #[command(flatten)]
    pub http: HttpSettings,
    /// PostgreSQL.
    #[command(flatten)]
    pub postgres: PostgresSettings,
    /// Redis.
    #[command(flatten)]
    pub redis: RedisSettings,
    /// Access tokens.
    #[command(flatten)]
    pub access: AccessSettings,
    /// Queue tickets.
    #[command(flatten)]
    pub queue: QueueSettings,
}

/// Where requests come in, and how many at a time.
#[derive(Debug, Clone, Args)]
pub struct HttpSettings {
    /// Address to listen on; port 0 picks one.
    #[arg(long, env = "ONSALE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Comma-separated origins whose pages may call everything.
    #[arg(long, env = "ONSALE_CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Requests in progress at a time; more are refused with 503.
    #[arg(long, env = "ONSALE_MAX_IN_FLIGHT", default_value = "4096")]
    pub max_in_flight: usize,
    /// Streams open at a time; more are refused with 503.
    #[arg(long, env = "ONSALE_MAX_STREAMS", default_value = "15000")]
    pub max_streams: usize,
    /// A folder with waiting pages of your own, `wait.html` or `wait.<schedule id>.html`, and their
    /// styles and pictures: docs/PAGES.md.
    #[arg(long, env = "ONSALE_THEME", value_name = "FOLDER")]
    pub theme: Option<PathBuf>,
    /// Page on which buyers sign in, at the shop or the identity provider: https, or http on this
    /// machine. It gets `return_to`, the address to send the buyer back to.
    #[arg(long, env = "ONSALE_SIGN_IN_URL", value_name = "ONSALE_SIGN_IN_URL")]
    pub sign_in_url: Option<Url>,
    /// How long an answer may take to begin.
    #[arg(long, env = "ONSALE_REQUEST_TIMEOUT", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,
    /// How long what runs may finish after SIGTERM.
    #[arg(long, env = "ONSALE_DRAIN_TIMEOUT", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// Polls per second that those who wait in one line may cause at this process: past it they are
    /// told longer pauses, as far as nobody's turn goes by unnoticed.
    #[arg(long, env = "ONSALE_POLLS_PER_SECOND", default_value = "30000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub polls_per_second: u32,
    /// What one client may take.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// What must last.
#[derive(Debug, Clone, Args)]
pub struct PostgresSettings {
    /// PostgreSQL 15 or later.
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Secret,
    /// Connections to PostgreSQL.
    #[arg(long, env = "ONSALE_DB_POOL", default_value = "16")]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub db_pool: u32,
    /// Serve even where PostgreSQL acknowledges commits that a power cut undoes; for tests.
    #[arg(long, env = "ONSALE_UNSAFE_POSTGRES", default_value = "false")]
    #[arg(action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub unsafe_postgres: bool,
}

/// What can time out.
#[derive(Debug, Clone, Args)]
pub struct RedisSettings {
    /// Redis 7.0 or later, or Valkey; several, comma-separated: seed nodes of a Redis Cluster;
    /// redis+sentinel://host:port,host:port/service: the primary that Sentinel names.
    #[arg(long, env = "REDIS_URL", value_name = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Secret,
    /// How often what Redis has is compared with PostgreSQL, and mended.
    #[arg(long, env = "ONSALE_RECONCILE_EVERY", default_value = "20s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub reconcile_every: Duration,
}

/// Tickets.
#[derive(Debug, Clone, Args)]
pub struct QueueSettings {
    /// Ticket secrets, comma-separated, each at least 32 bytes: the first signs, all verify.
    #[arg(long, env = "ONSALE_QUEUE_SECRETS", value_name = "ONSALE_QUEUE_SECRETS")]
    #[arg(hide_env_values = true, value_delimiter = ',', required = true)]
    pub queue_secrets: Vec<Secret>,
}

/// What operators are told.
#[derive(Debug, Clone, Args)]
pub struct TelemetrySettings {
    /// Which log lines: a level, or a filter such as `info,onsale=debug`.
    #[arg(long, env = "ONSALE_LOG", default_value = "info", global = true)]
    pub log: String,
    /// How log lines look.
    #[arg(long, env = "ONSALE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Where traces go: the base address of an OTLP collector, over HTTP.
    #[arg(long, env = "ONSALE_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one object a line.
    Json,
}

impl Settings {
    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the variable to change, and no secret.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        self.access.check()?;
        let secrets = &self.queue.queue_secrets;
        if secrets.iter().any(Secret::is_short) {
            return refuse("ONSALE_QUEUE_SECRETS", SHORT_SECRET);
        }
        if self.access.jwt_secret.as_ref().is_some_and(|secret| secrets.contains(secret)) {
            let reason = "ONSALE_JWT_SECRET is among them; no ticket may pass for an access token";
            return refuse("ONSALE_QUEUE_SECRETS", reason);
        }
        if self.http.sign_in_url.as_ref().is_some_and(|url| !is_trusted(url)) {
            return refuse("ONSALE_SIGN_IN_URL", NOT_TRUSTED);
        }
        if self.http.max_in_flight == 0 {
            return refuse("ONSALE_MAX_IN_FLIGHT", "with 0 nothing is ever served");
        }
        if self.redis.reconcile_every < SHORTEST_ROUND {
            return refuse("ONSALE_RECONCILE_EVERY", "it is 100ms at least");
        }
        Ok(())
    }
}

/// An origin as browsers send it: nothing after the port, or it would never match.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*']) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("an origin is a scheme, a host and maybe a port: https://shop.example".into()),
    }
}

#[cfg(test)]
mod tests;
