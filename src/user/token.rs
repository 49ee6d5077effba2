//! Creates and verifies access tokens, according to RFC 8725. The server decides which algorithm,
//! issuer and audience it accepts. It never uses keys that the token's header proposes (`jku`,
//! `jwk`, `x5u`).

mod claims;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header,
};

use self::claims::{Audiences, Claims, time};
use super::keys::ProviderKeys;
use super::model::{ClaimedName, MAX_SUBJECT_BYTES, Subject};
use super::token_error::TokenError;
use crate::caller::{CLOCK_LEEWAY_SECONDS, Lifetime, MAX_TOKEN_BYTES, Role};
use crate::store::id::UserId;
use crate::store::pg::token_generations::TokenGenerations;
use crate::store::token_cache::TokenCache;

/// Audience of access tokens. Queue tickets have another one, so neither kind passes for the other.
const AUDIENCE: &str = "onsale";

/// A new access token.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// The JWT.
    pub access_token: String,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// The user that a valid token identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// A user by id, from a token that this server signed.
    Own(UserId, Role),
    /// A user by identity, from a token of an identity provider.
    Provided(Subject, Role),
}

/// The content of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The user.
    pub bearer: Bearer,
    /// Lifetime of the token and of its session.
    pub lifetime: Lifetime,
    /// Name of the user at the identity provider.
    pub name: Option<ClaimedName>,
}

/// Creates and verifies access tokens.
#[derive(Debug)]
pub struct Tokens {
    issuer: String,
    keys: Keys,
    /// Under the current one new tokens are signed; earlier ones end tokens from before a restore.
    generations: TokenGenerations,
    cache: TokenCache<CachedToken>,
}

/// A verified token in the cache.
#[derive(Debug, Clone)]
struct CachedToken {
    verified: Verified,
    /// Token generation under which it was signed; 0 for tokens of an identity provider.
    generation: u64,
    /// Generation of the provider's keys that verified it; 0 for own tokens.
    keys: u64,
}

/// Tokens in the cache, of about 150 bytes each.
const CACHED_TOKENS: usize = 200_000;

enum Keys {
    /// HS256. Boxed, because the other variant is far smaller.
    Secret(Box<(EncodingKey, DecodingKey)>),
    Provider(Arc<ProviderKeys>),
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(..)",
            Self::Provider(_) => "Provider(..)",
        })
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Minted(.., {})", self.expires_at)
    }
}

impl Tokens {
    /// Uses tokens that this server signs, with HS256 and `secret`.
    #[must_use]
    pub fn own(issuer: &str, secret: &[u8]) -> Self {
        let keys = (EncodingKey::from_secret(secret), DecodingKey::from_secret(secret));
        Self::with_keys(issuer, Keys::Secret(Box::new(keys)))
    }

    /// Uses tokens of an identity provider, verified with its keys.
    #[must_use]
    pub fn provided(issuer: &str, keys: Arc<ProviderKeys>) -> Self {
        Self::with_keys(issuer, Keys::Provider(keys))
    }

    fn with_keys(issuer: &str, keys: Keys) -> Self {
        let (generations, cache) = (TokenGenerations::default(), TokenCache::new(CACHED_TOKENS));
        Self { issuer: issuer.to_owned(), keys, generations, cache }
    }

    /// These tokens, with the generations of an installation. Without them, no restore has happened.
    #[must_use]
    pub fn with_generations(self, generations: TokenGenerations) -> Self {
        Self { generations, ..self }
    }

    /// The token generations.
    #[must_use]
    pub(super) fn generations(&self) -> &TokenGenerations {
        &self.generations
    }

    /// Returns the identity provider's keys; `None` if this server signs the tokens.
    #[must_use]
    pub fn provider(&self) -> Option<&Arc<ProviderKeys>> {
        match &self.keys {
            Keys::Secret(_) => None,
            Keys::Provider(keys) => Some(keys),
        }
    }

    /// Creates a token for `user` that lasts `ttl` and cannot be renewed.
    pub fn mint(&self, user: UserId, role: Role, ttl: Duration) -> Result<Minted, TokenError> {
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        let expires_at = time(Utc::now().timestamp().saturating_add(seconds));
        self.mint_within(user, role, Lifetime { expires_at, renew_until: None })
    }

    /// Creates a token for `user` with this lifetime.
    pub fn mint_within(
        &self,
        user: UserId,
        role: Role,
        lifetime: Lifetime,
    ) -> Result<Minted, TokenError> {
        let Keys::Secret(keys) = &self.keys else {
            return Err(TokenError::NotOurs);
        };
        let exp = lifetime.expires_at.timestamp();
        let generation = self.generations.current()?;
        let claims = Claims {
            aud: Audiences::One(AUDIENCE.to_owned()),
            iss: self.issuer.clone(),
            sub: user.to_string(),
            role: Some(role),
            iat: Some(Utc::now().timestamp()),
            exp,
            renew_until: lifetime.renew_until.map(|until| until.timestamp()),
            name: None,
            generation: (generation > 0).then(|| generation.into()),
        };
        let access_token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &keys.0)?;
        Ok(Minted { access_token, expires_at: time(exp) })
    }

    /// Verifies `token`, and returns its content.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLong);
        }
        // If the keys were replaced since a token was verified, it is verified again: its key may
        // have been withdrawn.
        let keys = self.provider().map_or(0, |keys| keys.generation());
        let is_current = |cached: &CachedToken| cached.keys == keys;
        let read = || {
            let (verified, generation) = self.read(token)?;
            Ok::<_, TokenError>(CachedToken { verified, generation, keys })
        };
        let CachedToken { verified, generation, .. } =
            self.cache.get_current_or(token, is_current, read)?;
        // The same rule as in `jsonwebtoken`, which does not check cached tokens.
        let exp = verified.lifetime.expires_at.timestamp();
        if exp < Utc::now().timestamp() - CLOCK_LEEWAY_SECONDS.cast_signed() {
            return Err(TokenError::Invalid(ErrorKind::ExpiredSignature.into()));
        }
        // A provider's token names a person, and not a user id that a restore may give out again.
        if let Bearer::Own(user, _) = verified.bearer {
            self.generations.check(generation, user)?;
        }
        Ok(verified)
    }

    /// Verifies a token that is not in the cache. Also returns its token generation.
    fn read(&self, token: &str) -> Result<(Verified, u64), TokenError> {
        let header = decode_header(token)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        if header.typ.as_deref().is_some_and(|typ| !is_access_token(typ)) {
            return Err(TokenError::Type);
        }
        match &self.keys {
            Keys::Secret(keys) => {
                let claims = self.claims(token, &keys.1, Algorithm::HS256)?;
                let user = own_user(&claims.sub).ok_or(TokenError::Subject)?;
                let renew_until = claims.renew_until.map(time);
                let lifetime = Lifetime { expires_at: time(claims.exp), renew_until };
                let bearer = Bearer::Own(user, claims.role.unwrap_or(Role::User));
                let generation = match claims.generation {
                    None => 0,
                    Some(claim) => claim.as_u64().ok_or(TokenError::WrongGeneration)?,
                };
                Ok((Verified { bearer, lifetime, name: None }, generation))
            }
            Keys::Provider(keys) => {
                let kid = header.kid.ok_or(TokenError::UnknownKey)?;
                let key = keys.get(&kid)?;
                let claims = self.claims(token, &key.key, key.algorithm)?;
                Ok((provided(claims)?, 0))
            }
        }
    }

    /// Returns the claims of a token signed by `key` with `algorithm`. The key decides the
    /// algorithm, not the token.
    fn claims(
        &self,
        token: &str,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<Claims, TokenError> {
        let mut rules = Validation::new(algorithm);
        rules.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[&self.issuer]);
        rules.validate_nbf = true;
        rules.leeway = CLOCK_LEEWAY_SECONDS;
        Ok(decode::<Claims>(token, key, &rules)?.claims)
    }
}

/// Reads the claims of a provider's token. The provider renews its tokens itself, so `renew_until`
/// is ignored.
fn provided(claims: Claims) -> Result<Verified, TokenError> {
    let Claims { iss: issuer, sub: subject, role, exp, iat, name, .. } = claims;
    if !(1..=MAX_SUBJECT_BYTES).contains(&subject.len()) || subject.contains('\0') {
        return Err(TokenError::Subject);
    }
    let bearer = Bearer::Provided(Subject { issuer, subject }, role.unwrap_or(Role::User));
    let name = name.as_ref().and_then(serde_json::Value::as_str);
    let name = name.and_then(|name| ClaimedName::new(name, time(iat.unwrap_or(0))));
    let lifetime = Lifetime { expires_at: time(exp), renew_until: None };
    Ok(Verified { bearer, lifetime, name })
}

/// Whether `typ` is `JWT`, or the type of access tokens in RFC 9068.
fn is_access_token(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    matches!(typ.as_str(), "jwt" | "at+jwt" | "application/at+jwt")
}

/// Reads the user id in a token that this server signed. Only digits without leading zeros are an
/// id.
fn own_user(subject: &str) -> Option<UserId> {
    let id: i64 = subject.parse().ok().filter(|id| *id > 0)?;
    (subject == id.to_string()).then_some(UserId(id))
}

#[cfg(test)]
mod provider_tests;
#[cfg(test)]
mod tests;
