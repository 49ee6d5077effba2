//! The identity provider's current keys, from a file or a URL. They are read again when they may
//! have changed.
//!
//! While the provider does not answer, or its document cannot be used, the last good keys stay in
//! force. A good document replaces all keys, so a key that it lacks is withdrawn.

mod source;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub use self::source::JwksSource;
use self::source::{Stamp, fetch, read_file, stamp};
use super::jwks::{Jwks, JwksError, Key};
use super::token_error::TokenError;

/// Shortest time between two reads of the source because of unknown keys.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);

/// Intervals at which a source is read again.
#[derive(Debug, Clone, Copy)]
pub struct ReadIntervals {
    /// Time between two checks of a file for changes.
    pub file: Duration,
    /// Time between two fetches of a URL.
    pub address: Duration,
    /// Time between two fetches of a URL until the first good document.
    pub first: Duration,
}

impl Default for ReadIntervals {
    fn default() -> Self {
        let (file, first) = (Duration::from_secs(2), Duration::from_secs(2));
        Self { file, address: Duration::from_mins(5), first }
    }
}

/// The keys of one document.
#[derive(Debug)]
struct CurrentKeys {
    /// `None` until the first good document arrives.
    jwks: Option<Jwks>,
    /// Rises with each document that replaces another.
    generation: u64,
}

/// Result of the last read of the source.
#[derive(Debug, Default)]
struct LastRead {
    text: Vec<u8>,
    stamp: Option<Stamp>,
    /// When the source was last read because of an unknown key.
    for_unknown_key: Option<Instant>,
    /// Why the last document could not be used. Kept so that the same error is logged only once.
    error: Option<String>,
}

/// The current keys, and their source.
#[derive(Debug)]
pub struct ProviderKeys {
    source: JwksSource,
    current: ArcSwap<CurrentKeys>,
    /// Locked while the source is read, so that there is one read at a time.
    last: Mutex<LastRead>,
    /// When the source was last read with success or found unchanged, in ms since 1970; 0: never.
    confirmed_ms: AtomicI64,
}

impl ProviderKeys {
    /// Reads the keys of a file.
    ///
    /// # Errors
    /// [`JwksError`] if the file cannot be used.
    pub fn open(path: &Path) -> Result<Self, JwksError> {
        let text = std::fs::read(path)?;
        let jwks = Some(Jwks::parse(&text)?);
        let last = LastRead { text, ..LastRead::default() };
        let keys = Self::new(JwksSource::File(path.into()), jwks, last);
        keys.confirm();
        Ok(keys)
    }

    /// Uses the keys of a URL. There are none before [`ProviderKeys::keep_current`] runs.
    #[must_use]
    pub fn at(source: JwksSource) -> Self {
        Self::new(source, None, LastRead::default())
    }

    fn new(source: JwksSource, jwks: Option<Jwks>, last: LastRead) -> Self {
        let current = ArcSwap::from_pointee(CurrentKeys { jwks, generation: 0 });
        Self { source, current, last: Mutex::new(last), confirmed_ms: AtomicI64::new(0) }
    }

    fn confirm(&self) {
        self.confirmed_ms.store(Utc::now().timestamp_millis(), Ordering::Relaxed);
    }

    /// When the keys were last read, or found unchanged; `None` before the first good document.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<DateTime<Utc>> {
        let ms = self.confirmed_ms.load(Ordering::Relaxed);
        DateTime::from_timestamp_millis(ms).filter(|_| ms > 0)
    }

    /// Returns the key with this `kid`.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`]; [`TokenError::NoKeys`] before the first good document.
    pub fn get(&self, kid: &str) -> Result<Key, TokenError> {
        let current = self.current.load();
        let jwks = current.jwks.as_ref().ok_or(TokenError::NoKeys)?;
        jwks.get(kid).cloned().ok_or(TokenError::UnknownKey)
    }

    /// Returns the generation of the keys. It rises whenever they change.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current.load().generation
    }

    /// Reads the source because a token names an unknown key, unless that was done within
    /// [`UNKNOWN_KEY_PAUSE`]. Returns whether the keys have changed since `generation`.
    pub async fn look_for_unknown(&self, generation: u64) -> bool {
        let mut last = self.last.lock().await;
        if self.generation() != generation {
            return true;
        }
        if last.for_unknown_key.is_some_and(|at| at.elapsed() < UNKNOWN_KEY_PAUSE) {
            return false;
        }
        // Set before the read, because a client that disconnects cancels it. Set again after it, so
        // that a slow provider is not asked again at once.
        last.for_unknown_key = Some(Instant::now());
        self.read(&mut last).await;
        last.for_unknown_key = Some(Instant::now());
        self.generation() != generation
    }

    /// Keeps the keys current until `stop` is cancelled: reads the source now, then at intervals.
    pub async fn keep_current(self: Arc<Self>, every: ReadIntervals, stop: CancellationToken) {
        while stop.run_until_cancelled(self.read_if_changed()).await.is_some() {
            let pause = match &self.source {
                JwksSource::File(_) => every.file,
                JwksSource::Address(..) if self.current.load().jwks.is_none() => every.first,
                JwksSource::Address(..) => every.address,
            };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Reads the source now, even if it has not changed.
    pub async fn read_again(&self) {
        let mut last = self.last.lock().await;
        self.read(&mut last).await;
    }

    async fn read_if_changed(&self) {
        let mut last = self.last.lock().await;
        if let JwksSource::File(path) = &self.source {
            let stamp = stamp(path).await;
            if stamp.is_some() && stamp == last.stamp {
                // The document of this stamp may have been refused.
                if last.error.is_none() {
                    self.confirm();
                }
                return;
            }
        }
        self.read(&mut last).await;
    }

    /// Reads the source. A good document that differs from the last one replaces the keys.
    async fn read(&self, last: &mut LastRead) {
        let (text, stamp) = match &self.source {
            JwksSource::File(path) => {
                // Taken before the text, so that a write in between is noticed the next time.
                let stamp = stamp(path).await;
                (read_file(path).await, stamp)
            }
            JwksSource::Address(url, client) => (fetch(client, url).await, None),
        };
        let text = match text {
            Ok(text) => text,
            Err(error) => return self.keep_last_good(last, &error),
        };
        last.stamp = stamp;
        if text == last.text {
            last.error = None;
            self.confirm();
            return;
        }
        match Jwks::parse(&text) {
            Ok(jwks) => {
                let generation = self.generation() + 1;
                self.current.store(Arc::new(CurrentKeys { jwks: Some(jwks), generation }));
                tracing::info!(
                    source = %self.source,
                    generation,
                    "replaced the identity provider's keys"
                );
                (last.text, last.error) = (text, None);
                self.confirm();
            }
            Err(error) => self.keep_last_good(last, &error),
        }
    }

    /// Leaves the keys as they are, and logs an error that differs from the last one.
    fn keep_last_good(&self, last: &mut LastRead, error: &JwksError) {
        let message = error.to_string();
        if last.error.as_ref() == Some(&message) {
            return;
        }
        let keys_known = self.current.load().jwks.is_some();
        tracing::warn!(source = %self.source, %error, keys_known,
            "the identity provider's keys could not be read; the last good ones stay in use");
        last.error = Some(message);
    }
}
