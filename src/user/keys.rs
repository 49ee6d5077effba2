//! The identity provider's keys in force: read from a file or fetched from an address, and read
//! again when they may have changed.
//!
//! The last good keys stay in force while the provider does not answer, or answers with a document
//! that cannot be used. A good document replaces them all, so a key that it lacks is withdrawn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use reqwest::Url;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::jwks::{Jwks, JwksError, Key, MAX_JWKS_BYTES};
use super::token_error::TokenError;

/// The longest that one fetch takes, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// The shortest time between two fetches for unknown keys, whatever tokens arrive.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// Where a document is read from.
#[derive(Debug)]
pub enum JwksSource {
    /// A file, read again when it changes.
    File(PathBuf),
    /// An address, fetched with this client.
    Address(Box<Url>, reqwest::Client),
}

/// When a source is read again without a reason.
#[derive(Debug, Clone, Copy)]
pub struct ReadAgain {
    /// How often a file is compared with what was read.
    pub file: Duration,
    /// How often an address is fetched.
    pub address: Duration,
    /// How often an address is fetched while no keys are known.
    pub first: Duration,
}

impl Default for ReadAgain {
    fn default() -> Self {
        let (file, first) = (Duration::from_secs(2), Duration::from_secs(2));
        Self { file, address: Duration::from_mins(5), first }
    }
}

/// The keys of one document.
#[derive(Debug)]
struct InForce {
    /// `None` until the first good document arrives.
    jwks: Option<Jwks>,
    /// Grows with each document that replaces another.
    generation: u64,
}

/// What the last reading of the source found.
#[derive(Debug, Default)]
struct LastRead {
    text: Vec<u8>,
    stamp: Option<Stamp>,
    /// When the source was last read because of a key that was not known.
    for_unknown_key: Option<Instant>,
    /// Why it could not be used, where that is so: logged once.
    trouble: Option<String>,
}

/// What a file's entry says; it differs once the file was written or replaced.
type Stamp = (SystemTime, u64, u64);

/// The keys in force, and where they come from.
#[derive(Debug)]
pub struct ProviderKeys {
    source: JwksSource,
    in_force: ArcSwap<InForce>,
    /// Held while the source is read: one reading at a time.
    last: Mutex<LastRead>,
}

impl JwksSource {
    /// The document at `url`: https, or http on this machine.
    ///
    /// # Errors
    /// [`JwksError::Unreachable`] where no client can be made.
    pub fn address(url: Url) -> Result<Self, JwksError> {
        let secure = url.scheme() == "https";
        // A redirection could lead to an address that the setting would not allow.
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(secure)
            .timeout(FETCH_TIMEOUT)
            .user_agent(concat!("onsale/", env!("CARGO_PKG_VERSION")));
        let client = if secure { client } else { client.no_proxy() };
        let client = client.build().map_err(|error| unreachable(&error))?;
        Ok(Self::Address(Box::new(url), client))
    }
}

impl ProviderKeys {
    /// The keys of a file, which is read now.
    ///
    /// # Errors
    /// [`JwksError`] where the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, JwksError> {
        let text = std::fs::read(path)?;
        let jwks = Some(Jwks::parse(&text)?);
        let last = LastRead { text, ..LastRead::default() };
        Ok(Self::new(JwksSource::File(path.into()), jwks, last))
    }

    /// The keys of an address, none of which is known before [`ProviderKeys::keep_current`] runs.
    #[must_use]
    pub fn at(source: JwksSource) -> Self {
        Self::new(source, None, LastRead::default())
    }

    fn new(source: JwksSource, jwks: Option<Jwks>, last: LastRead) -> Self {
        let in_force = ArcSwap::from_pointee(InForce { jwks, generation: 0 });
        Self { source, in_force, last: Mutex::new(last) }
    }

    /// The key called `kid`.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`]; [`TokenError::NoKeys`] where no document has arrived yet.
    pub fn get(&self, kid: &str) -> Result<Key, TokenError> {
        let in_force = self.in_force.load();
        let jwks = in_force.jwks.as_ref().ok_or(TokenError::NoKeys)?;
        jwks.get(kid).cloned().ok_or(TokenError::UnknownKey)
    }

    /// Another number whenever the keys are others.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.in_force.load().generation
    }

    /// Reads the source because a token names a key that is not known, unless that was done within
    /// [`SHORTEST_PAUSE`]. Returns whether the keys are others than those of `generation`.
    pub async fn look_for_unknown(&self, generation: u64) -> bool {
        let mut last = self.last.lock().await;
        if self.generation() != generation {
            return true;
        }
        if last.for_unknown_key.is_some_and(|at| at.elapsed() < SHORTEST_PAUSE) {
            return false;
        }
        // Before the reading, since a client that hangs up ends it; and after it, so that a slow
        // provider is not asked again at once.
        last.for_unknown_key = Some(Instant::now());
        self.read(&mut last).await;
        last.for_unknown_key = Some(Instant::now());
        self.generation() != generation
    }

    /// Keeps the keys current until `stop` is cancelled: reads the source now, and again and again.
    pub async fn keep_current(self: Arc<Self>, every: ReadAgain, stop: CancellationToken) {
        while stop.run_until_cancelled(self.read_if_changed()).await.is_some() {
            let pause = match &self.source {
                JwksSource::File(_) => every.file,
                JwksSource::Address(..) if self.in_force.load().jwks.is_none() => every.first,
                JwksSource::Address(..) => every.address,
            };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Reads the source now, whatever it was before.
    pub async fn read_again(&self) {
        let mut last = self.last.lock().await;
        self.read(&mut last).await;
    }

    async fn read_if_changed(&self) {
        let mut last = self.last.lock().await;
        if let JwksSource::File(path) = &self.source {
            let stamp = stamp(path).await;
            if stamp.is_some() && stamp == last.stamp {
                return;
            }
        }
        self.read(&mut last).await;
    }

    /// Reads the source; a good document that differs from the last one replaces the keys.
    async fn read(&self, last: &mut LastRead) {
        let (text, stamp) = match &self.source {
            JwksSource::File(path) => {
                // Taken before the text: what is written in between is read the next time.
                let stamp = stamp(path).await;
                (read_file(path).await, stamp)
            }
            JwksSource::Address(url, client) => (fetch(client, url).await, None),
        };
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.keep(last, &error),
        };
        last.stamp = stamp;
        if text == last.text {
            last.trouble = None;
            return;
        }
        match Jwks::parse(&text) {
            Ok(jwks) => {
                let generation = self.generation() + 1;
                self.in_force.store(Arc::new(InForce { jwks: Some(jwks), generation }));
                tracing::info!(source = %self.source, generation, "took on the identity provider's keys");
                (last.text, last.trouble) = (text, None);
            }
            Err(error) => self.keep(last, &error),
        }
    }

    fn keep(&self, last: &mut LastRead, error: &JwksError) {
        let trouble = error.to_string();
        if last.trouble.as_ref() == Some(&trouble) {
            return;
        }
        let keys_known = self.in_force.load().jwks.is_some();
        tracing::warn!(source = %self.source, %error, keys_known,
            "the identity provider's keys could not be read; the last good ones stay in force");
        last.trouble = Some(trouble);
    }
}

impl std::fmt::Display for JwksSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Address(url, _) => url.fmt(f),
        }
    }
}

async fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let entry = tokio::fs::metadata(path).await.ok()?;
    Some((entry.modified().ok()?, entry.len(), entry.ino()))
}

async fn read_file(path: &Path) -> Result<Vec<u8>, JwksError> {
    let most = u64::try_from(MAX_JWKS_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    tokio::fs::File::open(path).await?.take(most).read_to_end(&mut text).await?;
    Ok(text)
}

async fn fetch(client: &reqwest::Client, url: &Url) -> Result<Vec<u8>, JwksError> {
    let request = client.get(url.clone()).header("accept", "application/json");
    let mut answer = request.send().await.map_err(|error| unreachable(&error))?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(JwksError::Unreachable(format!("the answer is {}", answer.status())));
    }
    let mut text = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|error| unreachable(&error))? {
        if text.len() + piece.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLarge);
        }
        text.extend_from_slice(&piece);
    }
    Ok(text)
}

/// The error with its causes, which `reqwest` leaves to the reader.
fn unreachable(error: &reqwest::Error) -> JwksError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    JwksError::Unreachable(text)
}
