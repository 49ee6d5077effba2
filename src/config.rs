//! Settings, by concern. Each is an environment variable, and a flag unless it is a secret. Errors
//! name the variable.

pub mod access;
pub mod limits;
mod redis_tls;
pub mod retention;
mod secret;
mod secret_file;
pub mod sources;
pub mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, ValueEnum};
use reqwest::Url;

use self::access::NOT_TRUSTED;
pub use self::access::{AccessSettings, JWT_ISSUER, is_trusted};
use self::limits::LimitSettings;
pub use self::redis_tls::RedisTlsSettings;
pub use self::retention::RetentionSettings;
use self::secret::refuse;
pub use self::secret::{InvalidSetting, Secret};
pub use self::webhook::WebhookSettings;

/// Minimum of `ONSALE_RECONCILE_EVERY`: a shorter period would spend most of the stores' time on
/// comparisons.
const SHORTEST_ROUND: Duration = Duration::from_millis(100);

/// Default of `ONSALE_DB_POOL`.
pub const DB_POOL: u32 = 16;
/// Default of `ONSALE_RECONCILE_EVERY`.
pub const RECONCILE_EVERY: &str = "20s";

/// The settings of `onsale serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// HTTP server.
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
    /// Webhooks.
    #[command(flatten)]
    pub webhook: WebhookSettings,
}

/// Settings of the HTTP server.
#[derive(Debug, Clone, Args)]
pub struct HttpSettings {
    /// Address to listen on; port 0 picks a free port.
    #[arg(long, env = "ONSALE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Comma-separated origins whose pages may make every API call.
    #[arg(long, env = "ONSALE_CORS_ORIGINS", value_delimiter = ',', value_parser = origin)]
    pub cors_origins: Vec<String>,
    /// Maximum number of requests in progress; more are refused with 503.
    #[arg(long, env = "ONSALE_MAX_IN_FLIGHT", default_value = "4096")]
    pub max_in_flight: usize,
    /// Maximum number of open event streams; more are refused with 503.
    #[arg(long, env = "ONSALE_MAX_STREAMS", default_value = "15000")]
    pub max_streams: usize,
    /// Folder with your own waiting pages, `wait.html` or `wait.<schedule id>.html`, and their
    /// styles and images; see docs/PAGES.md.
    #[arg(long, env = "ONSALE_THEME", value_name = "FOLDER")]
    pub theme: Option<PathBuf>,
    /// URL of the page on which buyers sign in, at the shop or the identity provider: https, or
    /// http on this machine. It gets the parameter `return_to`, the URL to which the buyer returns.
    #[arg(long, env = "ONSALE_SIGN_IN_URL", value_name = "ONSALE_SIGN_IN_URL")]
    pub sign_in_url: Option<Url>,
    /// Time limit for the arrival of a body, and again for the start of the answer.
    #[arg(long, env = "ONSALE_REQUEST_TIMEOUT", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub request_timeout: Duration,
    /// Time between SIGTERM and the end of the listener: `/readyz` answers 503, so that load
    /// balancers send new requests elsewhere, and streams close one after the other. A second signal
    /// ends it.
    #[arg(long, env = "ONSALE_DRAIN_DELAY", default_value = "5s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub drain_delay: Duration,
    /// Time limit for running requests once the listener is closed.
    #[arg(long, env = "ONSALE_DRAIN_TIMEOUT", default_value = "10s")]
    #[arg(value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// Ceiling for polls per second of one queue at this process. Above it, poll intervals grow; at
    /// the configured rate, no buyer learns of their admission more than 2 s late.
    #[arg(long, env = "ONSALE_POLLS_PER_SECOND", default_value = "30000")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub polls_per_second: u32,
    /// Whether `onsale drill` may cause failures here: on staging, never in production.
    #[arg(long, env = "ONSALE_ALLOW_DRILL", default_value = "false")]
    #[arg(action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub allow_drill: bool,
    /// Limits per client.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// Settings of PostgreSQL, which holds the durable data.
#[derive(Debug, Clone, Args)]
pub struct PostgresSettings {
    /// URL of PostgreSQL 15 or later.
    #[arg(long, env = "DATABASE_URL", value_name = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Secret,
    /// Maximum number of connections to PostgreSQL.
    #[arg(long, env = "ONSALE_DB_POOL", default_value_t = DB_POOL)]
    #[arg(value_parser = clap::value_parser!(u32).range(2..=1000))]
    pub db_pool: u32,
    /// Serve even if a power failure can undo commits that PostgreSQL has acknowledged; for tests.
    #[arg(long, env = "ONSALE_UNSAFE_POSTGRES", default_value = "false")]
    #[arg(action = ArgAction::Set, num_args = 0..=1, default_missing_value = "true")]
    pub unsafe_postgres: bool,
}

/// Settings of Redis, which holds the data that can expire.
#[derive(Debug, Clone, Args)]
pub struct RedisSettings {
    /// URL of Redis 7.0 or later, or of Valkey. Several comma-separated URLs: seed nodes of a Redis
    /// Cluster. redis+sentinel://host:port,host:port/service: the primary that Sentinel names.
    /// rediss:// and rediss+sentinel:// use TLS.
    #[arg(long, env = "REDIS_URL", value_name = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Secret,
    /// TLS.
    #[command(flatten)]
    pub tls: RedisTlsSettings,
    /// Period of the reconciler, which compares Redis with PostgreSQL and repairs differences.
    #[arg(long, env = "ONSALE_RECONCILE_EVERY", default_value = RECONCILE_EVERY)]
    #[arg(value_parser = humantime::parse_duration)]
    pub reconcile_every: Duration,
}

/// Settings of queue tickets.
#[derive(Debug, Clone, Args)]
pub struct QueueSettings {
    /// Ticket secrets, comma-separated, each at least 32 random bytes: the first signs, all verify.
    #[arg(long, env = "ONSALE_QUEUE_SECRETS", value_name = "ONSALE_QUEUE_SECRETS")]
    #[arg(hide_env_values = true, value_delimiter = ',', required = true)]
    pub queue_secrets: Vec<Secret>,
}

/// Settings of logs and traces.
#[derive(Debug, Clone, Args)]
pub struct TelemetrySettings {
    /// Log filter: a level, or a filter such as `info,onsale=debug`.
    #[arg(long, env = "ONSALE_LOG", default_value = "info", global = true)]
    pub log: String,
    /// Format of log lines.
    #[arg(long, env = "ONSALE_LOG_FORMAT", default_value = "text", global = true)]
    pub log_format: LogFormat,
    /// Base URL of an OTLP collector for traces, over HTTP or HTTPS.
    #[arg(long, env = "ONSALE_OTLP_ENDPOINT", global = true)]
    pub otlp_endpoint: Option<String>,
    /// Share of polls that are traced, 0 to 1: a part of what the sampler of traces takes.
    #[arg(long, env = "ONSALE_TRACE_POLL_RATIO", default_value = "0.001", global = true)]
    #[arg(value_parser = share)]
    pub trace_poll_ratio: f64,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// JSON for programs: one object per line.
    Json,
}

impl Settings {
    /// Refuses settings that contradict each other.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the variable to change. It contains no secret.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        self.access.check()?;
        self.webhook.check()?;
        self.redis.tls.check(self.redis.redis_url.reveal())?;
        let secrets = &self.queue.queue_secrets;
        if let Some(reason) = secrets.iter().find_map(Secret::weakness) {
            return refuse("ONSALE_QUEUE_SECRETS", reason);
        }
        if self.access.jwt_secret.as_ref().is_some_and(|secret| secrets.contains(secret)) {
            let reason = "it contains ONSALE_JWT_SECRET: a ticket could pass for an access token";
            return refuse("ONSALE_QUEUE_SECRETS", reason);
        }
        if self.http.sign_in_url.as_ref().is_some_and(|url| !is_trusted(url)) {
            return refuse("ONSALE_SIGN_IN_URL", NOT_TRUSTED);
        }
        if self.http.max_in_flight == 0 {
            return refuse("ONSALE_MAX_IN_FLIGHT", "it must be at least 1");
        }
        if self.redis.reconcile_every < SHORTEST_ROUND {
            return refuse("ONSALE_RECONCILE_EVERY", "it must be at least 100ms");
        }
        Ok(())
    }
}

/// Checks that an origin has the form that browsers send: with a path it would never match.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '*']) => {
            Ok(text.to_ascii_lowercase())
        }
        _ => Err("an origin is a scheme, a host and an optional port: https://shop.example".into()),
    }
}

/// Reads a share of a whole.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share is a number from 0 to 1: 0.001".to_owned())
}

#[cfg(test)]
mod tests;
