//! Yardsticks: servers that do less than onsale, or that work in the usual way.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::IntoResponse;
use axum::routing::get;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::Outcome;
use crate::stage::Server;

/// Starts a yardstick in its own process.
pub async fn start(args: &[&str]) -> Outcome<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--yardstick").args(args);
    Server::start(command).await
}

/// Serves as the yardstick that `args` name, until the process is killed.
pub async fn serve(args: &[String]) -> Outcome<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let router = match args[..] {
        ["bare", file] => bare(&std::fs::read_to_string(file)?)?,
        ["zrank-one", url, key, secret] => zrank(One::connect(url).await?, key, secret),
        ["zrank-pool", url, key, secret] => zrank(Pool::new(url)?, key, secret),
        ["zrank-pool-unchecked", url, key, secret] => zrank(UncheckedPool::new(url)?, key, secret),
        _ => return Err(format!("no such yardstick: {args:?}").into()),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("ready on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}

/// The upper limit: every path answers the same bytes.
fn bare(answer: &str) -> Outcome<Router> {
    let answer: Value = serde_json::from_str(answer)?;
    let mut headers = HeaderMap::new();
    let given: Vec<(String, String)> = serde_json::from_value(answer["headers"].clone())?;
    for (name, value) in given {
        headers.append(name.parse::<HeaderName>()?, value.parse::<HeaderValue>()?);
    }
    let body = axum::body::Bytes::from(answer["body"].as_str().ok_or("no body")?.to_owned());
    let status: u16 = serde_json::from_value(answer["status"].clone())?;
    let status = axum::http::StatusCode::from_u16(status)?;
    let whole = get(move || async move { (status, headers.clone(), body.clone()) });
    Ok(Router::new()
        .route("/v1/queue/ticket", whole.clone())
        .route("/v1/schedules/{id}/{*rest}", whole))
}

/// A client that reads a rank from Redis.
trait Rank: Clone + Send + Sync + 'static {
    fn rank(&self, key: &str, member: &str) -> impl Future<Output = Option<u64>> + Send;
}

/// One multiplexed connection for all requests.
#[derive(Clone)]
struct One(redis::aio::MultiplexedConnection);

impl One {
    async fn connect(url: &str) -> Outcome<Self> {
        Ok(Self(redis::Client::open(url)?.get_multiplexed_async_connection().await?))
    }
}

impl Rank for One {
    async fn rank(&self, key: &str, member: &str) -> Option<u64> {
        redis::cmd("ZRANK").arg(key).arg(member).query_async(&mut self.0.clone()).await.ok()?
    }
}

/// Number of connections of a pool.
const POOL: usize = 16;

/// A pool of exclusive connections that deadpool-redis checks with a round trip before each use.
#[derive(Clone)]
struct Pool(deadpool_redis::Pool);

impl Pool {
    fn new(url: &str) -> Outcome<Self> {
        let mut config = deadpool_redis::Config::from_url(url);
        config.pool = Some(deadpool_redis::PoolConfig::new(POOL));
        Ok(Self(config.create_pool(Some(deadpool_redis::Runtime::Tokio1))?))
    }
}

impl Rank for Pool {
    async fn rank(&self, key: &str, member: &str) -> Option<u64> {
        let mut connection = self.0.get().await.ok()?;
        redis::cmd("ZRANK").arg(key).arg(member).query_async(&mut connection).await.ok()?
    }
}

/// The same pool without the check.
#[derive(Clone)]
struct UncheckedPool(deadpool::managed::Pool<Unchecked>);

/// Opens connections as deadpool-redis does, and does not check them.
struct Unchecked(deadpool_redis::Manager);

impl deadpool::managed::Manager for Unchecked {
    type Type = redis::aio::MultiplexedConnection;
    type Error = redis::RedisError;

    async fn create(&self) -> Result<Self::Type, Self::Error> {
        self.0.create().await
    }

    async fn recycle(
        &self,
        _: &mut Self::Type,
        _: &deadpool::managed::Metrics,
    ) -> deadpool::managed::RecycleResult<Self::Error> {
        Ok(())
    }
}

impl UncheckedPool {
    fn new(url: &str) -> Outcome<Self> {
        let manager = Unchecked(deadpool_redis::Manager::new(url)?);
        Ok(Self(deadpool::managed::Pool::builder(manager).max_size(POOL).build()?))
    }
}

impl Rank for UncheckedPool {
    async fn rank(&self, key: &str, member: &str) -> Option<u64> {
        let mut connection = self.0.get().await.ok()?;
        redis::cmd("ZRANK").arg(key).arg(member).query_async(&mut *connection).await.ok()?
    }
}

/// The usual way: verify the token, ask Redis for the rank, answer.
fn zrank(ranks: impl Rank, key: &str, secret: &str) -> Router {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&["onsale-queue"]);
    let shared =
        Arc::new((key.to_owned(), DecodingKey::from_secret(secret.as_bytes()), validation));
    let state = (ranks, shared);
    Router::new().route("/v1/queue/ticket", get(by_rank)).with_state(state)
}

type Asking<R> = (R, Arc<(String, DecodingKey, Validation)>);

async fn by_rank<R: Rank>(
    State((ranks, shared)): State<Asking<R>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, axum::http::StatusCode> {
    let refused = axum::http::StatusCode::UNAUTHORIZED;
    let (key, secret, validation) = &*shared;
    let ticket = headers.get("queue-token").and_then(|t| t.to_str().ok()).ok_or(refused)?;
    let claims = jsonwebtoken::decode::<Value>(ticket, secret, validation).map_err(|_| refused)?;
    let user = claims.claims["sub"].as_str().ok_or(refused)?.to_owned();
    let ahead = ranks.rank(key, &user).await.ok_or(refused)?;
    Ok(axum::Json(serde_json::json!({"status": "WAITING", "ahead": ahead, "position": ahead + 1})))
}
