//! `onsale admin`: administrators, who are users with a token of that role.

use std::time::Duration;

use clap::{Args, Subcommand};
use onsale::config::{AccessSettings, PostgresSettings};
use onsale::user::model::tidy_name;
use onsale::user::service::{SignUpError, Users};

use super::output;

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Create a user, and print an administrator's access token for it
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
    /// Lifetime of the token
    #[arg(long, default_value = "1d", value_parser = humantime::parse_duration)]
    ttl: Duration,
}

/// Creates the user. The token alone goes to standard output.
pub async fn create(users: &Users, args: CreateArgs) -> Result<(), SignUpError> {
    let created = users.create_admin(args.name, args.ttl).await?;
    output::note(format_args!("created user {}, {}", created.user.id, created.user.name));
    output::line(created.token.access_token);
    Ok(())
}

fn parse_name(name: &str) -> Result<String, &'static str> {
    tidy_name(name).ok_or("not a name")
}
