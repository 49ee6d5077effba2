//! Signs users up, issues access tokens, and identifies the user of a token.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;

use super::keys::ProviderKeys;
use super::model::User;
use super::pg;
use super::provided::ProvidedUsers;
use super::rehearsal_pass::{Pass, RehearsalPasses};
use super::session;
pub use super::sign_up_error::SignUpError;
use super::token::{Bearer, Minted, Tokens, Verified};
use super::token_error::TokenError;
use crate::caller::{Caller, Identified, Identify, IdentifyError, Lifetime, Role};
use crate::rate_limit::CallerKey;
use crate::store::id::{RehearsalId, UserId};
use crate::store::pg::Pg;
use crate::store::pg::token_generations::GenerationError;
use crate::store::{Store, StoreError};

/// Users created by one statement. Small enough that seeding a million users stays within the
/// statement timeout.
const BATCH: i64 = 10_000;

/// Users as a service.
#[derive(Debug)]
pub struct Users {
    pg: Pg,
    tokens: Tokens,
    open_signup: bool,
    provided: ProvidedUsers,
    passes: RehearsalPasses,
    /// Hashes the subjects of users that are not in the cache.
    subjects: RandomState,
}

/// A user, and the first token of a new session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUp {
    /// The user.
    pub user: User,
    /// The access token.
    pub token: Minted,
}

impl Users {
    /// Creates the service. `tokens` issues and verifies access tokens.
    #[must_use]
    pub fn new(pg: Pg, tokens: Tokens, open_signup: bool) -> Self {
        let provided = ProvidedUsers::new(pg.clone());
        let (passes, subjects) = (RehearsalPasses::default(), RandomState::new());
        Self { pg, tokens, open_signup, provided, passes, subjects }
    }

    /// These users, and the synthetic buyers of rehearsals with these passes.
    #[must_use]
    pub fn with_passes(self, passes: RehearsalPasses) -> Self {
        Self { passes, ..self }
    }

    /// Signs the pass of a synthetic buyer; `None` without secrets.
    #[must_use]
    pub fn sign_pass(&self, pass: &Pass) -> Option<String> {
        self.passes.sign(pass)
    }

    /// Creates a user with an empty balance, and the first token of a session. The caller has
    /// cleaned `name` with [`super::model::tidy_name`].
    pub async fn sign_up(&self, name: String) -> Result<SignedUp, SignUpError> {
        self.sign_up_once(name, None).await
    }

    /// Like [`Users::sign_up`], once for each `form`. If the same form arrives again within two
    /// minutes, returns the user that it created, with a new token.
    pub async fn sign_up_once(
        &self,
        name: String,
        form: Option<[u8; 32]>,
    ) -> Result<SignedUp, SignUpError> {
        if !self.open_signup {
            return Err(SignUpError::Closed);
        }
        if self.tokens.provider().is_some() {
            // Refuse before anything is written, because such a user would get no token.
            return Err(TokenError::NotOurs.into());
        }
        let user = self.create(name, form).await?;
        let token = self.begin_session(user.id)?;
        Ok(SignedUp { user, token })
    }

    async fn create(&self, name: String, form: Option<[u8; 32]>) -> Result<User, StoreError> {
        let mut tx = self.pg.begin("sign_up").await?;
        let id = pg::create(&mut tx, &name).await?;
        if let Some(form) = form
            && !pg::note_form(&mut tx, &form, id).await?
        {
            drop(tx);
            return pg::find_by_form(&self.pg, &form).await?.ok_or_else(|| {
                StoreError::Inconsistent("a used sign-up form has no user".to_owned())
            });
        }
        tx.commit().await?;
        Ok(User { id, name })
    }

    /// Creates the first token of a new session of `user`.
    pub(super) fn begin_session(&self, user: UserId) -> Result<Minted, TokenError> {
        self.tokens.mint_within(user, Role::User, session::begin(Utc::now()))
    }

    /// Creates the next token of the caller's session.
    ///
    /// # Errors
    /// [`SignUpError::NotRenewable`] if the token has no session, or the session is over.
    pub async fn renew(&self, caller: &Caller) -> Result<Minted, SignUpError> {
        let lifetime = session::renew(caller, Utc::now()).ok_or(SignUpError::NotRenewable)?;
        self.token_within(caller.user, lifetime).await
    }

    /// Creates a buyer's token with exactly this lifetime for an existing user.
    pub async fn token_within(
        &self,
        user: UserId,
        lifetime: Lifetime,
    ) -> Result<Minted, SignUpError> {
        self.find(user).await?.ok_or(SignUpError::Unknown(user))?;
        Ok(self.tokens.mint_within(user, Role::User, lifetime)?)
    }

    /// Whether this server signs access tokens; false if an identity provider does.
    #[must_use]
    pub fn signs_tokens(&self) -> bool {
        self.tokens.provider().is_none()
    }

    /// Whether anyone may sign up.
    #[must_use]
    pub fn open_signup(&self) -> bool {
        self.open_signup
    }

    /// The keys of the identity provider; `None` if this service signs its tokens.
    #[must_use]
    pub fn provider(&self) -> Option<&Arc<ProviderKeys>> {
        self.tokens.provider()
    }

    /// Finds one user.
    pub async fn find(&self, user: UserId) -> Result<Option<User>, StoreError> {
        pg::find(&self.pg, user).await
    }

    /// Creates a token for an existing user. It lasts `ttl` and cannot be renewed.
    pub async fn token(
        &self,
        user: UserId,
        role: Role,
        ttl: Duration,
    ) -> Result<Minted, SignUpError> {
        self.find(user).await?.ok_or(SignUpError::Unknown(user))?;
        Ok(self.tokens.mint(user, role, ttl)?)
    }

    /// Creates a user, and a token with `role` for it, which lasts `ttl` and cannot be renewed.
    pub async fn create_staff(
        &self,
        name: String,
        role: Role,
        ttl: Duration,
    ) -> Result<SignedUp, SignUpError> {
        if self.tokens.provider().is_some() {
            // Refuse before anything is written, because such a user would get no token.
            return Err(TokenError::NotOurs.into());
        }
        let user = self.create(name, None).await?;
        let token = self.tokens.mint(user.id, role, ttl)?;
        Ok(SignedUp { user, token })
    }

    /// Creates `count` users named `Buyer 1` and so on. Returns their ids in order.
    pub async fn create_many(&self, count: u32) -> Result<Vec<UserId>, StoreError> {
        create_many(&self.pg, count).await
    }

    /// One step of the loop that reads the token generations and the barred users. After a restore or
    /// a failover, users of an identity provider are looked up again: their ids may have changed.
    /// After an erasure too: its person may come back as another user.
    pub async fn refresh_generations(&self) -> Result<bool, StoreError> {
        let changes = self.tokens.generations().refresh(&self.pg).await?;
        if changes.ids || changes.barred {
            self.provided.clear();
        }
        if changes.ids {
            tracing::warn!("the database was restored or failed over; users are looked up again");
        }
        Ok(false)
    }

    /// Verifies a token. If it names an unknown key, reads the provider's keys again first, since
    /// the key may be new.
    async fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        let Some(keys) = self.tokens.provider() else {
            return self.tokens.verify(token);
        };
        let generation = keys.generation();
        match self.tokens.verify(token) {
            Err(TokenError::UnknownKey) if keys.look_for_unknown(generation).await => {
                self.tokens.verify(token)
            }
            result => result,
        }
    }
}

/// Creates `count` users named `Buyer 1` and so on, without tokens, for seeding. Returns their ids
/// in order.
pub async fn create_many(pg: &Pg, count: u32) -> Result<Vec<UserId>, StoreError> {
    let count = i64::from(count);
    let mut ids = Vec::new();
    for first in (1..=count).step_by(usize::try_from(BATCH).unwrap_or(1)) {
        let last = count.min(first + BATCH - 1);
        let mut tx = pg.begin("create_users").await?;
        ids.extend(pg::create_many(&mut tx, first, last).await?);
        tx.commit().await?;
    }
    Ok(ids)
}

impl Identify for Users {
    fn recognize(&self, token: &str) -> Option<CallerKey> {
        Some(match self.tokens.verify(token).ok()?.bearer {
            Bearer::Own(user, _) => CallerKey::User(user.0),
            Bearer::Provided(subject, _) => match self.provided.find_cached(&subject) {
                Some(user) => CallerKey::User(user.0),
                None => CallerKey::Subject(self.subjects.hash_one(&subject)),
            },
        })
    }

    fn rehearsal(&self, token: &str) -> Option<RehearsalId> {
        Some(self.passes.verify(token, Utc::now())?.rehearsal)
    }

    fn identify<'a>(&'a self, token: &'a str) -> Identified<'a> {
        Box::pin(async move {
            if let Some(Pass { rehearsal, number, expires_at }) =
                self.passes.verify(token, Utc::now())
            {
                let lifetime = Lifetime { expires_at, renew_until: None };
                return Ok(Caller { user: rehearsal.buyer(number), role: Role::User, lifetime });
            }
            let verified = self.verify(token).await.map_err(|error| match error {
                TokenError::NoKeys => IdentifyError::NoKeys,
                TokenError::Generation(GenerationError::Superseded) => IdentifyError::Superseded,
                TokenError::Generation(unread @ GenerationError::Unread) => {
                    let reason = unread.to_string();
                    StoreError::Unavailable { store: Store::PostgreSql, reason }.into()
                }
                error if error.is_expired() => IdentifyError::Expired,
                error => IdentifyError::Refused(error.to_string()),
            })?;
            let Verified { bearer, lifetime, name } = verified;
            let (user, role) = match bearer {
                Bearer::Own(user, role) => (user, role),
                Bearer::Provided(subject, role) => {
                    let user = self.provided.find_or_create(subject.clone(), name).await?;
                    if self.tokens.generations().is_barred(user) {
                        // Once the erasure is done, the person may come back as another user.
                        self.provided.forget(&subject);
                        return Err(IdentifyError::Refused(GenerationError::Barred.to_string()));
                    }
                    (user, role)
                }
            };
            Ok(Caller { user, role, lifetime })
        })
    }
}
