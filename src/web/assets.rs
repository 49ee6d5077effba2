//! The files of pages, embedded in the binary: compressed once, and cached by browsers for a year.
//!
//! A debug build reads them from `web/` and reads them again when they change, so that a developer
//! can edit styles and texts without a new build.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use axum::body::Bytes;
use axum::http::HeaderValue;
use rust_embed::Embed;

use super::modules::needed;
use super::texts::Texts;
use crate::http::api::compression::{Effort, pack};
use crate::http::api::negotiation::Encoding;

/// How often a debug build checks whether a file has changed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Name of the stylesheet, which joins all files of `web/css`.
const STYLES: &str = "onsale.css";
/// Path of the JavaScript client.
pub(super) const CLIENT: &str = "js/onsale.js";

/// `Cache-Control` for an address that contains the build: the file never changes.
pub(super) const FOR_GOOD: HeaderValue =
    HeaderValue::from_static("public, max-age=31536000, immutable");
/// `Cache-Control` for any other address: the browser checks for a new version each time.
pub(super) const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

#[derive(Embed)]
#[folder = "web/"]
struct Files;

/// The current files; cheap to clone.
#[derive(Debug, Clone)]
pub struct Assets(Arc<Mutex<(Instant, Arc<Built>)>>);

/// The files of one build.
#[derive(Debug)]
pub struct Built {
    /// The build's id: a hash of the files, so every process with the same files has the same id.
    pub id: String,
    /// The texts of pages.
    pub texts: Texts,
    pub(super) files: HashMap<String, Arc<File>>,
    modules: BTreeMap<String, String>,
}

/// One file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) kind: &'static str,
    plain: Bytes,
    pub(super) tag: String,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl Assets {
    /// Reads all files.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new((Instant::now(), Arc::new(Built::read())))))
    }

    /// The current files.
    #[must_use]
    pub fn now(&self) -> Arc<Built> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (checked_at, current) = &mut *guard;
        if cfg!(debug_assertions) && checked_at.elapsed() > LOOK_EVERY {
            let built = Built::read();
            if built.id != current.id {
                *current = Arc::new(built);
            }
            *checked_at = Instant::now();
        }
        Arc::clone(current)
    }
}

impl Default for Assets {
    fn default() -> Self {
        Self::new()
    }
}

impl Built {
    fn read() -> Self {
        let mut names: Vec<_> = Files::iter().collect();
        names.sort_unstable();
        let (mut hash, mut styles) = (Context::new(&SHA256), Vec::new());
        let (mut texts, mut files, mut modules) =
            (Texts::default(), HashMap::new(), BTreeMap::new());
        for name in names {
            let Some(data) = Files::get(&name).map(|file| file.data) else {
                continue;
            };
            let (folder, rest) = name.split_once('/').unwrap_or_default();
            match folder {
                "css" => styles.extend_from_slice(&data),
                "lang" => texts.add(rest, &data),
                "js" | "vendor" | "img" => {
                    if name.ends_with(".js") {
                        modules
                            .insert(name.to_string(), String::from_utf8_lossy(&data).into_owned());
                    }
                    files.insert(name.to_string(), Arc::new(File::new(&name, data.clone())));
                }
                _ => continue,
            }
            hash.update(name.as_bytes());
            hash.update(&data);
        }
        files.insert(STYLES.to_owned(), Arc::new(File::new(STYLES, styles.into())));
        let id = hex::encode(hash.finish().as_ref().get(..6).unwrap_or_default());
        Self { id, texts, files, modules }
    }

    /// The address of a file, by its path below `web/`.
    #[must_use]
    pub fn address(&self, path: &str) -> String {
        format!("/assets/{}/{path}", self.id)
    }

    /// The address of the stylesheet.
    #[must_use]
    pub fn styles(&self) -> String {
        self.address(STYLES)
    }

    /// The addresses of `first` and of all modules that it needs.
    #[must_use]
    pub fn modules(&self, first: &str) -> Vec<String> {
        needed(first, &self.modules).iter().map(|module| self.address(module)).collect()
    }
}

impl File {
    fn new(name: &str, data: Cow<'static, [u8]>) -> Self {
        let plain = match data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => Bytes::from(data),
        };
        let digest = aws_lc_rs::digest::digest(&SHA256, &plain);
        let tag = hex::encode(digest.as_ref().get(..8).unwrap_or_default());
        let (gzip, brotli) = (OnceLock::new(), OnceLock::new());
        Self { kind: kind(name), plain, tag, gzip, brotli }
    }

    /// The file in an encoding. The first call for an encoding compresses the file.
    pub(super) fn bytes(&self, encoding: Encoding) -> Bytes {
        let packed = match encoding {
            Encoding::Plain => return self.plain.clone(),
            Encoding::Gzip => &self.gzip,
            Encoding::Brotli => &self.brotli,
        };
        // In a debug build, brotli's best quality takes seconds.
        let effort = if cfg!(debug_assertions) { Effort::Little } else { Effort::Much };
        let make = || pack(&self.plain, encoding, effort).map_or(self.plain.clone(), Bytes::from);
        packed.get_or_init(make).clone()
    }
}

/// The content type of a file, by the ending of its name.
pub(super) fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
