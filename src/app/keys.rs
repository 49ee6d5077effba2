//! The keys of tickets, codes and access tokens, from the settings.

use std::sync::Arc;

use super::error::StartError;
use crate::config::{AccessSettings, Settings};
use crate::queue::ticket::jwt::TicketKeys;
use crate::queue::ticket::short_code::{CodeKeys, Purpose};
use crate::store::pg::token_generations::TokenGenerations;
use crate::user::keys::{JwksSource, ProviderKeys};
use crate::user::rehearsal_pass::RehearsalPasses;
use crate::user::token::Tokens;

fn secrets(settings: &Settings) -> Vec<String> {
    settings.queue.queue_secrets.iter().map(|secret| secret.reveal().to_owned()).collect()
}

/// The keys of tickets, and the token generations.
pub(super) fn tickets(settings: &Settings, generations: &TokenGenerations) -> TicketKeys {
    TicketKeys::new(&secrets(settings), &settings.access.jwt_issuer)
        .with_generations(generations.clone())
}

/// The keys of codes for `purpose`.
pub(super) fn codes(settings: &Settings, purpose: Purpose) -> CodeKeys {
    CodeKeys::new(purpose, &secrets(settings), &settings.access.jwt_issuer)
}

/// The passes of synthetic buyers in rehearsals.
pub(super) fn passes(settings: &Settings) -> RehearsalPasses {
    RehearsalPasses::new(&secrets(settings), &settings.access.jwt_issuer)
}

/// The accepted access tokens: those of an identity provider if its keys are set, else our own.
pub fn tokens(access: &AccessSettings) -> Result<Tokens, StartError> {
    access.check()?;
    let issuer = &access.jwt_issuer;
    let keys = match (&access.jwks_path, &access.jwks_url) {
        (Some(path), _) => ProviderKeys::open(path).map_err(StartError::JwksPath)?,
        (None, Some(url)) => {
            ProviderKeys::at(JwksSource::address(url.clone()).map_err(StartError::JwksUrl)?)
        }
        (None, None) => {
            let secret = access.jwt_secret.as_ref().map_or("", |secret| secret.reveal());
            return Ok(Tokens::own(issuer, secret.as_bytes()));
        }
    };
    Ok(Tokens::provided(issuer, Arc::new(keys)))
}
