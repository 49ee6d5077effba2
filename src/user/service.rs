//! Sign-up, and whose token a token is.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use moka::sync::Cache;

use super::model::{Subject, User, name_of};
use super::pg;
use super::token::{Bearer, Minted, TokenError, Tokens};
use crate::http::auth::{Caller, Identified, Identify, IdentifyError, Role};
use crate::http::guard::allowance::CallerKey;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// How long the token of a sign-up lasts: longer than any sale.
const SIGN_UP_TTL: Duration = Duration::from_hours(24);

/// How many people of an identity provider are kept in memory; the rest cost a read per request.
const KNOWN_SUBJECTS: u64 = 100_000;

/// Users made in one statement, so that seeding a million stays within the statement's time limit.
const BATCH: i64 = 10_000;

/// The use cases of people.
#[derive(Debug)]
pub struct Users {
    pg: Pg,
    tokens: Tokens,
    open_signup: bool,
    /// A pair never changes its user, so nothing in here can be stale.
    known: Cache<Subject, UserId>,
    /// Hashes subjects whose users are not known yet.
    subjects: RandomState,
}

/// A user just made, and their first token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUp {
    /// The user.
    pub user: User,
    /// What they call with.
    pub token: Minted,
}

/// Why no user was made, or no token.
#[derive(Debug, thiserror::Error)]
pub enum SignUpError {
    /// `ONSALE_OPEN_SIGNUP` is false.
    #[error("sign-up is closed")]
    Closed,
    /// There is no user with this id.
    #[error("there is no user {0}")]
    Unknown(UserId),
    /// The token could not be made.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// PostgreSQL failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Users {
    /// The use cases on `pg`, with `tokens` saying whom a token speaks for.
    #[must_use]
    pub fn new(pg: Pg, tokens: Tokens, open_signup: bool) -> Self {
        Self {
            pg,
            tokens,
            open_signup,
            known: Cache::new(KNOWN_SUBJECTS),
            subjects: RandomState::new(),
        }
    }

    /// Makes a user, with an empty balance, and their token. `name` as [`super::model::tidy_name`]
    /// leaves it.
    pub async fn sign_up(&self, name: String) -> Result<SignedUp, SignUpError> {
        if !self.open_signup {
            return Err(SignUpError::Closed);
        }
        let mut tx = self.pg.begin().await?;
        let id = pg::create(&mut tx, &name).await?;
        let token = self.tokens.mint(id, Role::User, SIGN_UP_TTL)?;
        tx.commit().await?;
        Ok(SignedUp { user: User { id, name }, token })
    }

    /// Whether anybody may make a user.
    #[must_use]
    pub fn open_signup(&self) -> bool {
        self.open_signup
    }

    /// Finds one user.
    pub async fn find(&self, user: UserId) -> Result<Option<User>, StoreError> {
        pg::find(&self.pg, user).await
    }

    /// Makes a token for a user that there is.
    pub async fn token(
        &self,
        user: UserId,
        role: Role,
        ttl: Duration,
    ) -> Result<Minted, SignUpError> {
        self.find(user).await?.ok_or(SignUpError::Unknown(user))?;
        Ok(self.tokens.mint(user, role, ttl)?)
    }

    /// Makes `count` users named `Buyer 1` and so on; their ids, in order.
    pub async fn create_many(&self, count: u32) -> Result<Vec<UserId>, StoreError> {
        create_many(&self.pg, count).await
    }

    async fn provided(&self, subject: Subject) -> Result<UserId, StoreError> {
        if let Some(user) = self.known.get(&subject) {
            return Ok(user);
        }
        let user = match pg::find_subject(&self.pg, &subject).await? {
            Some(user) => user,
            None => self.create_provided(&subject).await?,
        };
        self.known.insert(subject, user);
        Ok(user)
    }

    /// Makes the user at their first call; where two first calls race, one makes it and the other
    /// finds it.
    async fn create_provided(&self, subject: &Subject) -> Result<UserId, StoreError> {
        let mut tx = self.pg.begin().await?;
        let made = pg::create_subject(&mut tx, subject, &name_of(subject)).await?;
        tx.commit().await?;
        match made {
            Some(user) => Ok(user),
            None => pg::find_subject(&self.pg, subject).await?.ok_or_else(|| {
                let reason = "a subject conflicts with a user that is not there";
                StoreError::Inconsistent(reason.to_owned())
            }),
        }
    }
}

/// Makes `count` users without any token in sight: what a seed does.
pub async fn create_many(pg: &Pg, count: u32) -> Result<Vec<UserId>, StoreError> {
    let count = i64::from(count);
    let mut made = Vec::new();
    for first in (1..=count).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        let last = count.min(first + BATCH - 1);
        let mut tx = pg.begin().await?;
        made.extend(pg::create_many(&mut tx, first, last).await?);
        tx.commit().await?;
    }
    Ok(made)
}

impl Identify for Users {
    fn recognize(&self, token: &str) -> Option<CallerKey> {
        Some(match self.tokens.verify(token).ok()? {
            Bearer::Own(user, _) => CallerKey::User(user.0),
            Bearer::Provided(subject, _) => match self.known.get(&subject) {
                Some(user) => CallerKey::User(user.0),
                None => CallerKey::Subject(self.subjects.hash_one(&subject)),
            },
        })
    }

    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a> {
        Box::pin(async move {
            match self.tokens.verify(token) {
                Ok(Bearer::Own(user, role)) => Ok(Caller { user, role }),
                Ok(Bearer::Provided(subject, role)) => {
                    let user = self.provided(subject).await?;
                    Ok(Caller { user, role })
                }
                Err(error) if error.is_expired() => Err(IdentifyError::Expired),
                Err(error) => Err(IdentifyError::Refused(error.to_string())),
            }
        })
    }
}
