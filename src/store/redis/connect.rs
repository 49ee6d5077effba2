//! Opens a multiplexed connection.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};

use super::tls;

/// Time limit for a new connection, including the requests to Sentinel.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_millis(700);

/// The settings of a connection with `limit` as the time limit of each call.
pub(super) fn with_limit(limit: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_LIMIT))
        .set_response_timeout(Some(limit))
}

/// Opens a connection with `limit` as the time limit of each call.
pub(super) async fn connect(
    client: &Client,
    limit: Duration,
) -> Result<MultiplexedConnection, RedisError> {
    let opened = client.get_multiplexed_async_connection_with_config(&with_limit(limit)).await;
    opened.map_err(|error| tls::explained(error, tls::is_used(client.get_connection_info())))
}
