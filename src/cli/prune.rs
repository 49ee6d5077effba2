//! `onsale prune`: deletes old rows, or says how many it would delete.

use std::process::ExitCode;

use clap::Args;
use onsale::admin::prune::service::{Found, Pruner, USER};
use onsale::config::{PostgresSettings, RetentionSettings};
use onsale::store::StoreError;
use onsale::store::pg::{Pg, migrations};

use super::output;

/// The command line of `onsale prune`.
#[derive(Debug, Args)]
pub struct PruneArgs {
    #[command(flatten)]
    pub postgres: PostgresSettings,
    #[command(flatten)]
    retention: RetentionSettings,
    /// Delete the rows. Without this flag, they are only counted
    #[arg(long)]
    apply: bool,
}

/// Counts or deletes, and prints a line for each table. Fails with code 1 if the schema is another
/// one than this program's.
pub async fn run(pg: Pg, args: &PruneArgs) -> Result<ExitCode, StoreError> {
    if let Some(mismatch) = migrations::mismatch(&pg).await? {
        output::note(format_args!("onsale: {mismatch}"));
        return Ok(ExitCode::FAILURE);
    }
    let found = Pruner::new(pg, args.retention, args.apply).run().await?;
    for Found { table, keep, rows, skipped } in found {
        let did = match (args.apply, table == USER) {
            (true, false) => "deleted",
            (true, true) => "erased",
            (false, false) => "would delete",
            (false, true) => "would erase",
        };
        output::line(format_args!("{table}: {did} {rows} rows (kept: {keep})"));
        if skipped > 0 {
            output::line(format_args!(
                "{table}: {skipped} sales were skipped: their reports are not final"
            ));
        }
    }
    if !args.apply {
        output::line("nothing was deleted: add --apply");
    }
    Ok(ExitCode::SUCCESS)
}
