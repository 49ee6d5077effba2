//! Sign-up, and whose token a token is.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use chrono::Utc;

use super::model::User;
use super::pg;
use super::provided::ProvidedUsers;
use super::session;
use super::token::{Bearer, Minted, Tokens, Verified};
use super::token_error::TokenError;
use crate::caller::{Caller, Identified, Identify, IdentifyError, Lifetime, Role};
use crate::rate_limit::CallerKey;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// Users made in one statement, so that seeding a million stays within the statement's time limit.
const BATCH: i64 = 10_000;

/// The use cases of people.
#[derive(Debug)]
pub struct Users {
    pg: Pg,
    tokens: Tokens,
    open_signup: bool,
    provided: ProvidedUsers,
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
    /// The caller's token belongs to no session, or the session is over.
    #[error("the session cannot be renewed")]
    NotRenewable,
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
        let provided = ProvidedUsers::new(pg.clone());
        Self { pg, tokens, open_signup, provided, subjects: RandomState::new() }
    }

    /// Makes a user, with an empty balance, and the first token of their session. `name` as
    /// [`super::model::tidy_name`] leaves it.
    pub async fn sign_up(&self, name: String) -> Result<SignedUp, SignUpError> {
        self.sign_up_once(name, None).await
    }

    /// As [`Users::sign_up`], once for each `form`: sent again within two minutes, the same form
    /// gives the user that it made, and a token of theirs.
    pub async fn sign_up_once(
        &self,
        name: String,
        form: Option<[u8; 32]>,
    ) -> Result<SignedUp, SignUpError> {
        if !self.open_signup {
            return Err(SignUpError::Closed);
        }
        if self.tokens.provider().is_some() {
            // Before anything is written: the user could not call.
            return Err(TokenError::NotOurs.into());
        }
        let user = self.create(name, form).await?;
        let token = self.begin_session(user.id)?;
        Ok(SignedUp { user, token })
    }

    async fn create(&self, name: String, form: Option<[u8; 32]>) -> Result<User, StoreError> {
        let mut tx = self.pg.begin().await?;
        let id = pg::create(&mut tx, &name).await?;
        if let Some(form) = form
            && !pg::note_form(&mut tx, &form, id).await?
        {
            drop(tx);
            return pg::find_by_form(&self.pg, &form).await?.ok_or_else(|| {
                StoreError::Inconsistent("a form was used and has no user".to_owned())
            });
        }
        tx.commit().await?;
        Ok(User { id, name })
    }

    /// The first token of a new session of `user`.
    pub(super) fn begin_session(&self, user: UserId) -> Result<Minted, TokenError> {
        self.tokens.mint_within(user, Role::User, session::begin(Utc::now()))
    }

    /// The next token of the caller's session.
    ///
    /// # Errors
    /// [`SignUpError::NotRenewable`] where the token belongs to no session.
    pub async fn renew(&self, caller: &Caller) -> Result<Minted, SignUpError> {
        let lifetime = session::renew(caller, Utc::now()).ok_or(SignUpError::NotRenewable)?;
        self.token_within(caller.user, lifetime).await
    }

    /// Makes a buyer's token of exactly this lifetime for a user that there is.
    pub async fn token_within(
        &self,
        user: UserId,
        lifetime: Lifetime,
    ) -> Result<Minted, SignUpError> {
        self.find(user).await?.ok_or(SignUpError::Unknown(user))?;
        Ok(self.tokens.mint_within(user, Role::User, lifetime)?)
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

    /// Verifies a token; one that names a key that is not known may have been signed with a new one.
    async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let Some(keys) = self.tokens.provider() else {
            return self.tokens.verify(token);
        };
        let generation = keys.generation();
        match self.tokens.verify(token) {
            Err(TokenError::UnknownKey) if keys.look_for_unknown(generation).await => {
                self.tokens.verify(token)
            }
            answer => answer,
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
        Some(match self.tokens.verify(token).ok()?.bearer {
            Bearer::Own(user, _) => CallerKey::User(user.0),
            Bearer::Provided(subject, _) => match self.provided.known(&subject) {
                Some(user) => CallerKey::User(user.0),
                None => CallerKey::Subject(self.subjects.hash_one(&subject)),
            },
        })
    }

    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a> {
        Box::pin(async move {
            let verified = self.verify(token).await.map_err(|error| match error {
                TokenError::NoKeys => IdentifyError::NoKeys,
                error if error.is_expired() => IdentifyError::Expired,
                error => IdentifyError::Refused(error.to_string()),
            })?;
            let Verified { bearer, lifetime, name } = verified;
            let (user, role) = match bearer {
                Bearer::Own(user, role) => (user, role),
                Bearer::Provided(subject, role) => {
                    (self.provided.find_or_create(subject, name).await?, role)
                }
            };
            Ok(Caller { user, role, lifetime })
        })
    }
}
