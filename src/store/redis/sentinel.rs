//! Finds the primary through Redis Sentinel.
//!
//! Each new connection asks all sentinels at the same time, and uses the answer with the highest
//! failover number. A sentinel that is cut off from the others still names the old primary.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{Client, ConnectionInfo, RedisError, Value};
use tokio::sync::watch;

use super::connect::connect;
use super::failure::{is_setting, refused};
use super::tls::{self, Certificates};

/// Schemes of URLs that name sentinels, and the scheme of the servers and sentinels behind them.
const SCHEMES: [(&str, &str); 2] =
    [("redis+sentinel://", "redis"), ("rediss+sentinel://", "rediss")];
/// Time limit for a sentinel's answer; all sentinels are asked at the same time.
const ASK_LIMIT: Duration = Duration::from_millis(300);

/// The sentinels, the name of the service, and the login at its primary.
pub(super) struct Sentinels {
    asked: Vec<Client>,
    service: String,
    /// The primary's user, password, database and certificates; the address in it is replaced.
    login: ConnectionInfo,
    /// The address of the primary that was found last.
    primary: watch::Sender<String>,
}

impl Sentinels {
    /// Parses
    /// `redis+sentinel://[user:password@]host:port,…/service[/database][?login=user:password]`.
    /// The login before the hosts is the primary's, the one in the query string the sentinels'.
    /// With `rediss+sentinel`, both the sentinels and the servers are reached over TLS. `None` if
    /// the URL has another scheme.
    pub(super) fn of_url(
        url: &str,
        certificates: &Certificates,
    ) -> Result<Option<Self>, RedisError> {
        let found = SCHEMES.iter().find_map(|(prefix, one)| Some((url.strip_prefix(prefix)?, one)));
        let Some((rest, scheme)) = found else {
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
            "" => format!("{scheme}://{rest}"),
            login => format!("{scheme}://{login}@{rest}"),
        };
        let hosts =
            hosts.split(',').map(|host| certificates.client(url_of(own_login, host.trim())));
        let server = certificates.client(url_of(login, &format!("localhost/{database}")))?;
        Ok(Some(Self {
            asked: hosts.collect::<Result<_, _>>()?,
            service: service.to_owned(),
            login: server.get_connection_info().clone(),
            primary: watch::Sender::default(),
        }))
    }

    /// The address of the primary that was found last; empty before the first.
    pub(super) fn primary(&self) -> String {
        self.primary.borrow().clone()
    }

    /// Opens a connection to the primary with `limit` as the time limit of each call. Also returns
    /// the primary's address, which changes when another primary is found.
    pub(super) async fn connect(
        &self,
        limit: Duration,
    ) -> Result<(MultiplexedConnection, watch::Receiver<String>), RedisError> {
        let ask = |client| tokio::time::timeout(ASK_LIMIT, self.ask(client));
        let answers = join_all(self.asked.iter().map(ask)).await;
        let (mut latest, mut wrong_setting) = (None::<(u64, String, u16)>, None);
        for answer in answers.into_iter().flatten() {
            match answer {
                Ok(named) => latest = latest.max(named),
                Err(error) if is_setting(&error) => wrong_setting = Some(error),
                Err(_) => {}
            }
        }
        let (_, host, port) = latest.ok_or_else(|| {
            wrong_setting.unwrap_or_else(|| refused("no sentinel names the primary"))
        })?;
        let named = format!("{host}:{port}");
        let mut conn = connect(&Client::open(tls::moved(&self.login, &host, port))?, limit).await?;
        // The sentinels may name a server that is not promoted yet, or that was demoted: the next
        // attempt finds the primary.
        let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut conn).await?;
        let role = role.into_iter().next().map(redis::from_redis_value::<String>).transpose()?;
        if role.as_deref() != Some("master") {
            return Err(refused("the server that Sentinel names is not a primary"));
        }
        self.primary.send_if_modified(|primary| {
            let is_new = *primary != named;
            primary.clone_from(&named);
            is_new
        });
        Ok((conn, self.primary.subscribe()))
    }

    /// Asks one sentinel for the primary: the number of its last failover, its host and its port.
    async fn ask(&self, client: &Client) -> Result<Option<(u64, String, u16)>, RedisError> {
        let mut conn = connect(client, ASK_LIMIT).await?;
        let fields: HashMap<String, String> =
            redis::cmd("SENTINEL").arg("MASTER").arg(&self.service).query_async(&mut conn).await?;
        let number = fields.get("config-epoch").and_then(|text| text.parse().ok());
        let port = fields.get("port").and_then(|text| text.parse().ok());
        Ok(fields
            .get("ip")
            .zip(number)
            .zip(port)
            .map(|((ip, number), port)| (number, ip.clone(), port)))
    }
}

fn malformed() -> RedisError {
    let reason = "the URL must have the form redis+sentinel://host:port,host:port/service";
    (redis::ErrorKind::InvalidClientConfig, reason).into()
}

#[cfg(test)]
mod tests {
    use redis::ConnectionAddr;

    use super::*;

    fn read(url: &str) -> Result<Option<Sentinels>, RedisError> {
        Sentinels::of_url(url, &Certificates::default())
    }

    #[test]
    fn a_url_names_sentinels_a_service_and_both_logins() {
        let url = "redis+sentinel://me:p%40ss@a:26379,b:26380/sale/3?login=guard:word";
        let named = read(url).unwrap().unwrap();
        assert_eq!((named.service.as_str(), named.asked.len()), ("sale", 2));
        let sentinel = named.asked[1].get_connection_info();
        let login = named.login.redis_settings();
        assert_eq!((login.username(), login.password(), login.db()), (Some("me"), Some("p@ss"), 3));
        assert_eq!(sentinel.addr(), &ConnectionAddr::Tcp("b".into(), 26380));
        assert_eq!(sentinel.redis_settings().username(), Some("guard"));
        let secure = read("rediss+sentinel://a:26379/sale").unwrap().unwrap();
        assert!(tls::is_used(&secure.login) && tls::is_used(secure.asked[0].get_connection_info()));
        assert!(tls::is_used(&tls::moved(&secure.login, "b", 1)) && !tls::is_used(&named.login));
    }

    #[test]
    fn an_incomplete_url_of_sentinel_is_refused_and_other_urls_are_ignored() {
        for bad in ["a:1", "a:1/", "/sale", "a:1/sale?password=x", "a:1/sale/x"] {
            assert!(read(&format!("redis+sentinel://{bad}")).is_err(), "{bad}");
        }
        for other in ["redis://a:1", "redis://a:1,redis://b:2"] {
            assert!(read(other).unwrap().is_none(), "{other}");
        }
    }
}
