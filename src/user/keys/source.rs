//! Reads the JWKS document of an identity provider, from a file or a URL.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::Url;
use tokio::io::AsyncReadExt;

use crate::user::jwks::{JwksError, MAX_JWKS_BYTES};

/// Longest duration of one fetch, from connecting to the last byte.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Source of the JWKS document.
#[derive(Debug)]
pub enum JwksSource {
    /// A file, read again when it changes.
    File(PathBuf),
    /// A URL, fetched with this client.
    Address(Box<Url>, reqwest::Client),
}

/// Modification time, size and inode of a file. They differ after the file is written or replaced.
pub(super) type Stamp = (SystemTime, u64, u64);

impl JwksSource {
    /// Creates the source for the document at `url`: https, or http on this machine.
    ///
    /// # Errors
    /// [`JwksError::Unreachable`] if the HTTP client cannot be created.
    pub fn address(url: Url) -> Result<Self, JwksError> {
        let secure = url.scheme() == "https";
        // A redirection could lead to a URL that the setting would not allow.
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

impl std::fmt::Display for JwksSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Address(url, _) => url.fmt(f),
        }
    }
}

/// The stamp of a file; `None` if there is none.
pub(super) async fn stamp(path: &Path) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt;
    let entry = tokio::fs::metadata(path).await.ok()?;
    Some((entry.modified().ok()?, entry.len(), entry.ino()))
}

/// Reads a file.
pub(super) async fn read_file(path: &Path) -> Result<Vec<u8>, JwksError> {
    let limit = u64::try_from(MAX_JWKS_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Vec::new();
    tokio::fs::File::open(path).await?.take(limit).read_to_end(&mut text).await?;
    Ok(text)
}

/// Fetches a document.
pub(super) async fn fetch(client: &reqwest::Client, url: &Url) -> Result<Vec<u8>, JwksError> {
    let request = client.get(url.clone()).header("accept", "application/json");
    let mut answer = request.send().await.map_err(|error| unreachable(&error))?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(JwksError::Unreachable(format!("the status is {}", answer.status())));
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

/// Converts an error together with its causes, which its own text does not include.
fn unreachable(error: &reqwest::Error) -> JwksError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    JwksError::Unreachable(text)
}
