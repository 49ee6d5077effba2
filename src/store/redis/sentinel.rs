//! The primary that Sentinel names.
//!
//! All sentinels are asked at once, each time a connection is made, and the one that has heard of
//! the latest failover is believed: one that is cut off still names the primary of before.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, Value};
use tokio::sync::watch;

use super::connect::connect;
use super::failure::refused;

const SCHEME: &str = "redis+sentinel://";
/// How long a sentinel may take to answer: others are asked at the same time.
const ASK_LIMIT: Duration = Duration::from_millis(300);

/// Where to ask, for which primary, and how to log in to it.
pub(super) struct Sentinels {
    asked: Vec<Client>,
    service: String,
    /// The primary's user, password and database; its address is replaced.
    login: ConnectionInfo,
    /// The address of the last one found.
    primary: watch::Sender<String>,
}

impl Sentinels {
    /// Reads `redis+sentinel://[user:password@]host:port,…/service[/database][?login=user:password]`:
    /// the login before the hosts is the primary's, the one behind them the sentinels'. Nothing
    /// where the URL is of another kind.
    pub(super) fn of_url(url: &str) -> Result<Option<Self>, RedisError> {
        let Some(rest) = url.strip_prefix(SCHEME) else {
            return Ok(None);
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').ok_or_else(malformed)?;
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (service, database) = path.split_once('/').unwrap_or((path, "0"));
        let own_login = match query.split_once('=') {
            Some(("login", login)) => login,
            None if query.is_empty() => "",
            _ => return Err(malformed()),
        };
        if service.is_empty() || hosts.is_empty() {
            return Err(malformed());
        }
        let url_of = |login: &str, rest: &str| match login {
            "" => format!("redis://{rest}"),
            login => format!("redis://{login}@{rest}"),
        };
        let hosts = hosts.split(',').map(|host| Client::open(url_of(own_login, host.trim())));
        Ok(Some(Self {
            asked: hosts.collect::<Result<_, _>>()?,
            service: service.to_owned(),
            login: url_of(login, &format!("localhost/{database}")).into_connection_info()?,
            primary: watch::Sender::default(),
        }))
    }

    /// A connection to the primary, on which a call may take `limit`; and its address, which changes
    /// when another one is found.
    pub(super) async fn connect(
        &self,
        limit: Duration,
    ) -> Result<(MultiplexedConnection, watch::Receiver<String>), RedisError> {
        let ask = |client| tokio::time::timeout(ASK_LIMIT, self.ask(client));
        let answers = join_all(self.asked.iter().map(ask)).await;
        let latest = answers.into_iter().filter_map(|said| said.ok()?.ok()?).max();
        let (_, host, port) = latest.ok_or_else(|| refused("no sentinel names the primary"))?;
        let named = format!("{host}:{port}");
        let address = self.login.clone().set_addr(ConnectionAddr::Tcp(host, port));
        let mut conn = connect(&Client::open(address)?, limit).await?;
        // Named and not promoted yet, or demoted and not heard of it: another try will tell.
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut conn).await?;
        let role = role.into_iter().next().map(redis::from_redis_value::<String>).transpose()?;
        if role.as_deref() != Some("master") {
            return Err(refused("the server that Sentinel names is not a primary"));
        }
        self.primary.send_if_modified(|primary| {
            let other = *primary != named;
            primary.clone_from(&named);
            other
        });
        Ok((conn, self.primary.subscribe()))
    }

    /// What one sentinel says: the number of the failover it has last heard of, and the address.
    async fn ask(&self, client: &Client) -> Result<Option<(u64, String, u16)>, RedisError> {
        let mut conn = connect(client, ASK_LIMIT).await?;
        let said: HashMap<String, String> =
            redis::cmd("SENTINEL").arg("MASTER").arg(&self.service).query_async(&mut conn).await?;
        let number = said.get("config-epoch").and_then(|text| text.parse().ok());
        let port = said.get("port").and_then(|text| text.parse().ok());
        Ok(said
            .get("ip")
            .zip(number)
            .zip(port)
            .map(|((ip, number), port)| (number, ip.clone(), port)))
    }
}

fn malformed() -> RedisError {
    let what = "a URL of Sentinel is redis+sentinel://host:port,host:port/service";
    (redis::ErrorKind::InvalidClientConfig, what).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_sentinels_a_service_and_both_logins() {
        let url = "redis+sentinel://me:p%40ss@a:26379,b:26380/sale/3?login=guard:word";
        let read = Sentinels::of_url(url).unwrap().unwrap();
        assert_eq!((read.service.as_str(), read.asked.len()), ("sale", 2));
        let (login, asked) = (read.login.redis_settings(), read.asked[1].get_connection_info());
        assert_eq!((login.username(), login.password(), login.db()), (Some("me"), Some("p@ss"), 3));
        assert_eq!(asked.addr(), &ConnectionAddr::Tcp("b".into(), 26380));
        assert_eq!(asked.redis_settings().username(), Some("guard"));
    }

    #[test]
    fn a_url_of_sentinel_that_lacks_something_is_refused_and_others_are_not_its_business() {
        for bad in ["a:1", "a:1/", "/sale", "a:1/sale?password=x", "a:1/sale/x"] {
            assert!(Sentinels::of_url(&format!("{SCHEME}{bad}")).is_err(), "{bad}");
        }
        for other in ["redis://a:1", "redis://a:1,redis://b:2"] {
            assert!(Sentinels::of_url(other).unwrap().is_none(), "{other}");
        }
    }
}
