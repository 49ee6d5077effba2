//! Posts one message to an endpoint.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use ipnet::IpNet;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::address::{AddressPolicy, AddressRefused};
use super::model::EventId;
use super::signature::{SigningKeys, signatures};

/// Longest time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How much of an answer's body is read, so that the connection can be used again, and for how long.
const BODY_BYTES: usize = 16 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(1);

/// Longest text of an error that is stored.
const ERROR_CHARS: usize = 200;

/// A message to one endpoint.
#[derive(Debug, Clone)]
pub struct Message {
    /// Id of the event, the same in every attempt.
    pub id: EventId,
    /// Type of the event.
    pub event_type: String,
    /// When the event occurred.
    pub occurred_at: DateTime<Utc>,
    /// Data of the event.
    pub data: Value,
    /// URL of the endpoint.
    pub url: String,
    /// The endpoint's keys: the current ones, and during a rotation the previous ones.
    pub keys: Vec<SigningKeys>,
}

/// Result of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The endpoint answered 2xx.
    Delivered(u16),
    /// The endpoint answered 410: it wants no messages any more.
    Gone,
    /// Anything else.
    Failed {
        /// Status of the answer, if there was one.
        status: Option<u16>,
        /// Why it failed. Contains nothing of the answer's body.
        error: String,
        /// The endpoint asks for this pause.
        retry_after: Option<Duration>,
    },
}

/// Posts messages; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    https: (Client, AddressPolicy),
    http: (Client, AddressPolicy),
}

/// Why a URL cannot be an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not a URL.
    #[error("must be a URL")]
    Malformed,
    /// Another scheme than https, or http although no network is allowed for it.
    #[error("must be an https URL")]
    Scheme,
    /// It has parts that have no place in the URL of an endpoint.
    #[error("must have no user name, password or fragment")]
    Parts,
    /// Its host is an address that is not public and not allowed.
    #[error("must not have a private, local or reserved address")]
    Address,
}

impl Sender {
    /// Creates the HTTP clients. Messages go to public addresses by https, and to the networks in
    /// `allowed` by https or http. `timeout` limits an attempt.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub fn new(allowed: &[IpNet], timeout: Duration) -> Result<Self, reqwest::Error> {
        let client = |policy: &AddressPolicy, https_only| {
            Client::builder()
                // A redirection, or a proxy of the environment, would lead past the address policy.
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .https_only(https_only)
                .dns_resolver(Arc::new(policy.clone()))
                .connect_timeout(CONNECT_TIMEOUT.min(timeout))
                .timeout(timeout)
                .pool_max_idle_per_host(8)
                .pool_idle_timeout(Duration::from_secs(30))
                .user_agent(concat!("onsale/", env!("CARGO_PKG_VERSION")))
                .build()
        };
        let (public, private) = (AddressPolicy::public_and(allowed), AddressPolicy::only(allowed));
        Ok(Self {
            https: (client(&public, true)?, public),
            http: (client(&private, false)?, private),
        })
    }

    /// Checks the URL of an endpoint. The address of a name is checked again for each connection.
    ///
    /// # Errors
    /// [`UrlRefused`] says why.
    pub fn check(&self, url: &str) -> Result<Url, UrlRefused> {
        let url: Url = url.parse().map_err(|_| UrlRefused::Malformed)?;
        if !["https", "http"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err(UrlRefused::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(UrlRefused::Parts);
        }
        let (_, policy) = self.client(&url);
        policy.check(&url).map_err(|AddressRefused| UrlRefused::Address)?;
        if url.scheme() == "http" && policy.is_empty() {
            return Err(UrlRefused::Scheme);
        }
        Ok(url)
    }

    /// Posts a message once.
    pub async fn send(&self, message: &Message) -> Attempt {
        let url = match self.check(&message.url) {
            Ok(url) => url,
            Err(refused) => return failed(None, &format!("the URL {refused}")),
        };
        let (client, _) = self.client(&url);
        let body = json!({
            "type": message.event_type,
            "timestamp": message.occurred_at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "data": message.data,
        });
        let (body, id) = (body.to_string(), message.id.to_string());
        let timestamp = Utc::now().timestamp();
        let signature = signatures(&message.keys, &id, timestamp, body.as_bytes());
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) => judge(answer).await,
            Err(error) => failed(None, &reason(&error)),
        }
    }

    fn client(&self, url: &Url) -> &(Client, AddressPolicy) {
        if url.scheme() == "https" { &self.https } else { &self.http }
    }
}

async fn judge(answer: Response) -> Attempt {
    let status = answer.status();
    let header = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = header.and_then(|text| retry_after(text, SystemTime::now()));
    // The rest of a long body is dropped with the connection.
    let _ = tokio::time::timeout(BODY_TIMEOUT, discard(answer)).await;
    match status {
        status if status.is_success() => Attempt::Delivered(status.as_u16()),
        StatusCode::GONE => Attempt::Gone,
        // The other statuses of this class, such as 304, lead nowhere.
        status if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) => {
            failed(Some(status), "the endpoint redirects; redirections are not followed")
        }
        status => {
            let error = "the endpoint did not answer 2xx".to_owned();
            Attempt::Failed { status: Some(status.as_u16()), error, retry_after }
        }
    }
}

/// The pause that a `Retry-After` asks for at `now`: a number of seconds, or an HTTP date.
fn retry_after(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only a number that is too large fails.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Reads a body up to [`BODY_BYTES`].
async fn discard(mut answer: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > BODY_BYTES {
            return;
        }
    }
}

fn failed(status: Option<StatusCode>, error: &str) -> Attempt {
    let error = error.chars().take(ERROR_CHARS).collect();
    Attempt::Failed { status: status.map(|status| status.as_u16()), error, retry_after: None }
}

/// Why there was no answer, without the URL: its query may have a secret in it.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the endpoint did not answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = if error.is_connect() { "no connection" } else { "the connection broke" };
    format!("{what}: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_of_any_size_or_as_a_date() {
        let now = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("99999999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", Some(120)),
            ("Sun Nov  6 08:51:37 1994", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[tokio::test]
    async fn only_an_answer_that_names_another_place_is_called_a_redirection() {
        for (status, redirects) in [
            (301, true),
            (302, true),
            (303, true),
            (307, true),
            (308, true),
            (300, false),
            (304, false),
            (305, false),
            (500, false),
        ] {
            let answer = hyper::http::Response::builder().status(status).header("retry-after", "7");
            let result = judge(answer.body("").unwrap().into()).await;
            let Attempt::Failed { error, retry_after, .. } = result else {
                panic!("{status} is a failure");
            };
            assert_eq!(error.contains("redirects"), redirects, "{status}");
            assert_eq!(retry_after.is_some(), !redirects, "{status}");
        }
    }

    #[test]
    fn only_urls_that_may_be_endpoints_pass() {
        let strict = Sender::new(&[], Duration::from_secs(1)).unwrap();
        let local = Sender::new(&["127.0.0.0/8".parse().unwrap()], Duration::from_secs(1)).unwrap();
        for (url, refused, refused_locally) in [
            ("https://shop.example/hooks?k=v", None, None),
            ("https://8.8.8.8/", None, None),
            ("http://8.8.8.8/", Some(UrlRefused::Address), Some(UrlRefused::Address)),
            ("http://shop.example/", Some(UrlRefused::Scheme), None),
            ("http://127.0.0.1:9000/", Some(UrlRefused::Address), None),
            ("https://127.0.0.1/", Some(UrlRefused::Address), None),
            ("https://10.0.0.1/", Some(UrlRefused::Address), Some(UrlRefused::Address)),
            ("https://a:b@shop.example/", Some(UrlRefused::Parts), Some(UrlRefused::Parts)),
            ("https://shop.example/#x", Some(UrlRefused::Parts), Some(UrlRefused::Parts)),
            ("file:///etc/passwd", Some(UrlRefused::Scheme), Some(UrlRefused::Scheme)),
            ("ftp://shop.example/", Some(UrlRefused::Scheme), Some(UrlRefused::Scheme)),
            ("shop.example", Some(UrlRefused::Malformed), Some(UrlRefused::Malformed)),
        ] {
            assert_eq!(strict.check(url).err(), refused, "{url}");
            assert_eq!(local.check(url).err(), refused_locally, "{url}");
        }
    }
}
