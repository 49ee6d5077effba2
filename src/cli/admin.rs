//! `onsale admin`: staff, who are users with a token of a role.

use std::time::Duration;

use clap::{Args, Subcommand};
use onsale::caller::Role;
use onsale::config::{AccessSettings, PostgresSettings};
use onsale::user::model::tidy_name;
use onsale::user::service::{SignUpError, Users};

use super::output;
use super::token::{parse_lifetime, parse_role};

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Create a user, and print an access token for it: an administrator's, or one of another role
    Create(Box<CreateArgs>),
}

#[derive(Debug, Args)]
pub struct CreateArgs {
    #[command(flatten)]
    pub postgres: PostgresSettings,
    #[command(flatten)]
    pub access: AccessSettings,
    /// Name of the user, as it appears in the audit
    #[arg(long, default_value = "Administrator", value_parser = parse_name)]
    name: String,
    #[arg(long, help = "Role of the token: viewer, box_office, operator or admin")]
    #[arg(default_value = "admin", value_parser = parse_role)]
    role: Role,
    /// Lifetime of the token
    #[arg(long, default_value = "1d", value_parser = parse_lifetime)]
    ttl: Duration,
}

/// Creates the user. The token alone goes to standard output.
pub async fn create(users: &Users, args: CreateArgs) -> Result<(), SignUpError> {
    let created = users.create_staff(args.name, args.role, args.ttl).await?;
    output::note(format_args!("created user {}, {}", created.user.id, created.user.name));
    output::line(created.token.access_token);
    Ok(())
}

fn parse_name(name: &str) -> Result<String, &'static str> {
    tidy_name(name).ok_or("not a name")
}
