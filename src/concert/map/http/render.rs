//! Renders each body once per version and process, because a map of 50,000 seats is megabytes of
//! JSON.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use moka::future::Cache;
use moka::policy::EvictionPolicy;
use serde::Serialize;

use crate::http::api::compression::{Effort, pack};
use crate::http::api::negotiation::Encoding;
use crate::store::id::ScheduleId;

/// Size of the cache, in bytes of bodies.
const CACHE_BYTES: u64 = 128 * 1024 * 1024;
/// Time without requests after which a body is dropped. In a rush, maps change several times a
/// second.
const IDLE: Duration = Duration::from_secs(2);

/// One body in every encoding.
#[derive(Debug)]
pub struct Rendered {
    plain: Vec<u8>,
    gzip: Vec<u8>,
    brotli: Vec<u8>,
}

/// Identifies a rendered body.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The schedule.
    pub schedule: ScheduleId,
    /// The kind of answer.
    pub answer: &'static str,
    /// The version of the answer. It covers everything that the body depends on.
    pub version: String,
}

/// Cache of the latest bodies.
#[derive(Debug, Clone)]
pub struct Renderings {
    cache: Cache<Key, Arc<Rendered>>,
}

/// Why a body could not be rendered. Always a defect of onsale.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Serializing or compressing failed.
    #[error("a seat map could not be written: {0}")]
    Write(#[from] std::io::Error),
    /// The rendering task ended early.
    #[error("the task that renders a seat map ended early: {0}")]
    Ended(#[from] tokio::task::JoinError),
}

impl Default for Renderings {
    fn default() -> Self {
        let weigh = |_: &Key, body: &Arc<Rendered>| {
            u32::try_from(body.plain.len() + body.gzip.len() + body.brotli.len())
                .unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .weigher(weigh)
            .max_capacity(CACHE_BYTES)
            // The default policy would keep a new version out of the cache until it was requested
            // often.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(IDLE)
            .build();
        Self { cache }
    }
}

impl Renderings {
    /// Returns the body of `key` if it is rendered already.
    #[must_use]
    pub fn known(&self, key: &Key) -> Option<Arc<Rendered>> {
        self.cache.get(key).now_or_never().flatten()
    }

    /// Returns the body of `key`. If there is none, `write` renders it on a blocking thread, once
    /// for all callers that wait.
    pub async fn get(
        &self,
        key: Key,
        write: impl FnOnce() -> Result<Vec<u8>, std::io::Error> + Send + 'static,
    ) -> Result<Arc<Rendered>, Arc<RenderError>> {
        let make = async {
            let task = tokio::task::spawn_blocking(move || Rendered::new(write()?));
            Ok(Arc::new(task.await??))
        };
        self.cache.try_get_with(key, make).await
    }
}

impl Rendered {
    fn new(plain: Vec<u8>) -> Result<Self, std::io::Error> {
        // Low effort, because a version lives for a fraction of a second.
        let pack = |encoding| pack(&plain, encoding, Effort::Little);
        Ok(Self { gzip: pack(Encoding::Gzip)?, brotli: pack(Encoding::Brotli)?, plain })
    }

    /// Returns the body in one encoding.
    #[must_use]
    pub fn bytes(&self, encoding: Encoding) -> &[u8] {
        match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
            Encoding::Plain => &self.plain,
        }
    }
}

/// Serializes `body` as JSON.
pub fn json(body: &impl Serialize) -> Result<Vec<u8>, std::io::Error> {
    Ok(serde_json::to_vec(body)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_body_is_rendered_once_for_all_requests() {
        let (renderings, written) = (Renderings::default(), Arc::new(AtomicUsize::new(0)));
        let ask = |version: &str| {
            let (written, version) = (Arc::clone(&written), version.to_owned());
            let key = Key { schedule: ScheduleId(1), answer: "map", version: version.clone() };
            renderings.get(key, move || {
                written.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
                json(&version)
            })
        };
        let (one, two, other) = tokio::join!(ask("1.1-1"), ask("1.1-1"), ask("1.2-1"));
        assert!(Arc::ptr_eq(&one.unwrap(), &two.unwrap()));
        assert_eq!(written.load(Ordering::Relaxed), 2);

        let other = other.unwrap();
        assert_eq!(other.bytes(Encoding::Plain), br#""1.2-1""#);
        let (mut zipped, mut smaller) = (Vec::new(), Vec::new());
        let gzip = other.bytes(Encoding::Gzip);
        flate2::read::GzDecoder::new(gzip).read_to_end(&mut zipped).unwrap();
        let brotli = other.bytes(Encoding::Brotli);
        brotli::Decompressor::new(brotli, 4096).read_to_end(&mut smaller).unwrap();
        assert_eq!((zipped.as_slice(), smaller.as_slice()), (&*other.plain, &*other.plain));
    }
}
