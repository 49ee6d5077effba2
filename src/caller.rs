//! The caller of a request: the user and role of an access token, and the trait that verifies it.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rate_limit::CallerKey;
use crate::store::StoreError;
use crate::store::id::{RehearsalId, UserId};

/// Maximum length of an access token in bytes. A longer one is refused before it is read.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Tolerated difference between the clocks of two machines, in seconds: access tokens and tickets
/// are accepted for this long after they expire.
pub const CLOCK_LEEWAY_SECONDS: u64 = 30;

/// The role of a caller. Each role may do everything that the roles before it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys tickets.
    User,
    /// Reads the console: figures, settings, reports and the audit.
    Viewer,
    /// Serves single buyers: finds them, refunds, moves seats, keeps the guest list.
    BoxOffice,
    /// Controls a running sale: settings, times, blocked seats, withdrawal.
    Operator,
    /// Creates sales, and does everything else.
    Admin,
}

impl Role {
    /// Every role, the lowest first.
    pub const ALL: [Self; 5] =
        [Self::User, Self::Viewer, Self::BoxOffice, Self::Operator, Self::Admin];

    /// The name, as in tokens and in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Viewer => "viewer",
            Self::BoxOffice => "box_office",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of staff with this name; `None` for any other text, `user` included.
    #[must_use]
    pub fn parse_staff(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.is_staff() && role.as_str() == name)
    }

    /// Whether this is the role of somebody who works for the organiser.
    #[must_use]
    pub fn is_staff(self) -> bool {
        self > Self::User
    }
}

/// The caller of a request, according to a verified access token. As an HTTP extractor it refuses a
/// request without one with `401 unauthenticated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// The user of the token.
    pub user: UserId,
    /// The role that the token gives to the user.
    pub role: Role,
    /// How long the token and its session last.
    pub lifetime: Lifetime,
}

/// How long an access token is valid, and until when its session can be renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
    /// No token of the session outlives this. `None`: the token cannot be renewed.
    pub renew_until: Option<DateTime<Utc>>,
}

/// Why a token does not identify a caller.
#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// The token is forged, malformed, for another audience, or of an unknown user. Callers get no
    /// details.
    #[error("the token is refused: {0}")]
    Refused(String),
    /// The token has a valid signature, but has expired.
    #[error("the token has expired")]
    Expired,
    /// The token is from before a restore of the database, and its user may be another person now.
    #[error("the token is from before a restore of the database")]
    Superseded,
    /// The identity provider's keys are not loaded yet, so no token can be verified.
    #[error("the identity provider's keys are not loaded yet")]
    NoKeys,
    /// A store was needed and failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The future of [`Identify::identify`].
pub type Identified<'a> = Pin<Box<dyn Future<Output = Result<Caller, IdentifyError>> + Send + 'a>>;

/// Verifies access tokens. The user feature implements this trait, and the HTTP layer calls it.
pub trait Identify: Send + Sync + 'static {
    /// Verifies `token` and finds its user.
    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a>;

    /// Verifies `token` without a store call. If it is valid, returns the key that its requests
    /// count for in the rate limit per user.
    fn recognize(&self, token: &str) -> Option<CallerKey>;

    /// The rehearsal whose synthetic buyer this token names. `None` for every other token.
    fn rehearsal(&self, _token: &str) -> Option<RehearsalId> {
        None
    }
}
