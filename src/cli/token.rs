//! `onsale token`: prints an access token.

use std::time::Duration;

use clap::Args;
use onsale::caller::Role;
use onsale::config::{AccessSettings, PostgresSettings};
use onsale::store::id::UserId;
use onsale::user::service::{SignUpError, Users};

use super::output;

/// The command line of `onsale token`.
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(flatten)]
    pub(super) postgres: PostgresSettings,
    #[command(flatten)]
    pub(super) access: AccessSettings,
    /// Id of the user
    #[arg(long)]
    user: i64,
    /// Give the token the role admin
    #[arg(long, conflicts_with = "role")]
    admin: bool,
    #[arg(long, help = "Give the token a role: viewer, box_office, operator or admin")]
    #[arg(value_parser = parse_role)]
    role: Option<Role>,
    /// Lifetime of the token
    #[arg(long, default_value = "1d", value_parser = parse_lifetime)]
    ttl: Duration,
}

/// Prints a token of the user.
///
/// # Errors
/// [`SignUpError::Unknown`] if there is no such user.
pub async fn issue(users: &Users, args: &TokenArgs) -> Result<(), SignUpError> {
    let role = if args.admin { Role::Admin } else { args.role.unwrap_or(Role::User) };
    let minted = users.token(UserId(args.user), role, args.ttl).await?;
    output::line(minted.access_token);
    Ok(())
}

/// Reads the lifetime of a token.
pub fn parse_lifetime(text: &str) -> Result<Duration, String> {
    let lifetime = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if lifetime < Duration::from_secs(1) {
        return Err("a token must be valid for a second at least".to_owned());
    }
    Ok(lifetime)
}

/// Reads the name of a role of staff.
pub fn parse_role(name: &str) -> Result<Role, &'static str> {
    Role::parse_staff(name).ok_or("not one of viewer, box_office, operator, admin")
}
