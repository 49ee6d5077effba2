//! `onsale seed`: creates the demo sale, or users for a load test.

use clap::Args;
use onsale::admin::demo::Demo;
use onsale::app;
use onsale::config::Settings;
use onsale::user::service::create_many;

use super::{Failure, connect, output};

#[derive(Debug, Args)]
pub struct SeedArgs {
    #[command(flatten)]
    settings: Settings,
    /// Create this many users instead of the demo sale
    #[arg(long)]
    users: Option<u32>,
}

/// Creates what was asked for, and prints it.
pub(super) async fn run(args: SeedArgs) -> Result<(), Failure> {
    let Some(users) = args.users else {
        return seed_demo(args.settings).await;
    };
    let created = create_many(&connect(&args.settings.postgres)?, users).await?;
    if let (Some(first), Some(last)) = (created.first(), created.last()) {
        output::line(format_args!("created {} users, {first} to {last}", created.len()));
    }
    Ok(())
}

async fn seed_demo(mut settings: Settings) -> Result<(), Failure> {
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
