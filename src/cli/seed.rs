//! `onsale seed`: creates the demo sale, or users for a load test.

use clap::Args;
use onsale::admin::demo::Demo;
use onsale::admin::error::AdminError;
use onsale::app::{self, StartError};
use onsale::config::Settings;
use onsale::store::StoreError;
use onsale::store::pg::Pg;
use onsale::user::service::create_many;

use super::output;

/// Why nothing, or not all, was created.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// The process that brings the sale to Redis could not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The demo sale.
    #[error(transparent)]
    Demo(#[from] AdminError),
    /// PostgreSQL, for the users.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Args)]
pub struct SeedArgs {
    #[command(flatten)]
    settings: Settings,
    /// Create this many users instead of the demo sale
    #[arg(long)]
    users: Option<u32>,
}

/// Creates what was asked for, and prints it.
pub async fn run(args: SeedArgs) -> Result<(), SeedError> {
    let Some(users) = args.users else {
        return seed_demo(args.settings).await;
    };
    let postgres = &args.settings.postgres;
    let pg = Pg::lazy(postgres.database_url.reveal(), postgres.db_pool)?;
    let created = create_many(&pg, users).await?;
    if let (Some(first), Some(last)) = (created.first(), created.last()) {
        output::line(format_args!("created {} users, {first} to {last}", created.len()));
    }
    Ok(())
}

async fn seed_demo(mut settings: Settings) -> Result<(), SeedError> {
    // Starts a process for a short time, which also brings the sale to Redis.
    settings.http.listen.set_port(0);
    let running = app::start(settings).await?;
    let demo = running.demo().await;
    running.stop().cancel();
    running.stopped().await;
    let Demo { open, upcoming, .. } = demo?;
    output::line(format_args!("schedule {open} is on sale, schedule {upcoming} opens soon"));
    Ok(())
}
