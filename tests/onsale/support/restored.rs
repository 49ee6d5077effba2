//! A database that is restored to an earlier moment on a private PostgreSQL, and the commands of
//! `onsale restore`.

use std::path::{Path, PathBuf};
use std::process::Output;

use onsale::store::process_records;
use onsale::store::redis::Redis;
use onsale_dev::pg::PostgresServer;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool};
use tokio::process::Command;

use super::program::command;
use super::servers::Servers;
use super::tools::folder;
use super::wait::until;
use super::world::World;

/// Name of the database with the backup.
const BACKUP: &str = "backup";

/// A world whose database has a backup.
pub struct Restorable {
    pub world: World,
    pub folder: PathBuf,
    server: PostgresServer,
}

/// What a command of `onsale restore` did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub text: String,
    pub errors: String,
}

impl Restorable {
    pub async fn new() -> Self {
        let server = PostgresServer::throwaway().await.expect("PostgreSQL");
        let world = World::beside(&server.url("postgres"), Servers::new().await).await;
        Self { world, folder: folder("restore"), server }
    }

    fn database(&self) -> String {
        let (_, name) = self.world.database_url.rsplit_once('/').expect("a database's URL");
        name.to_owned()
    }

    /// Takes a backup; no process may run. Its users signed up an hour ago.
    pub async fn back_up(&mut self) {
        let earlier = "update \"user\" set created_at = created_at - interval '1 hour'";
        sqlx::query(earlier).execute(&self.world.pool).await.expect("earlier");
        let name = self.database();
        self.replace(&name, BACKUP).await;
    }

    /// Replaces the database by the backup; ends all sessions.
    pub async fn restore(&mut self) {
        let name = self.database();
        self.replace(BACKUP, &name).await;
    }

    /// Replaces the database `target` by a copy of `source`.
    async fn replace(&mut self, source: &str, target: &str) {
        self.world.pool.close().await;
        let mut conn = PgConnection::connect(&self.server.url("postgres")).await.expect("it");
        let drop = format!("drop database if exists {target} with (force)");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut conn).await.expect("dropped");
        // A process that has just ended may still connect.
        let end =
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1";
        until("the source has no sessions", async || {
            sqlx::query(end).bind(source).execute(&mut conn).await.expect("ended");
            self.server.create_database(target, source).await.ok()
        })
        .await;
        self.world.pool = PgPool::connect(&self.world.database_url).await.expect("PostgreSQL");
    }

    /// The file of `onsale restore prepare`.
    pub fn file(&self) -> PathBuf {
        self.folder.join("known.json")
    }

    /// Runs `onsale restore prepare`, which must succeed; returns the contents of the file.
    pub async fn prepare(&self) -> Value {
        until_nothing_runs(&self.world).await;
        let file = self.file();
        let ran = run(&self.world, &["prepare", "--to", name(&file)], &[]).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let text = std::fs::read_to_string(&file).expect("the file");
        let mut envelope: Value = serde_json::from_str(&text).expect("JSON");
        envelope["content"].take()
    }

    /// Runs `onsale restore compare --json`; returns its code and its answer.
    pub async fn compare(&self) -> (Option<i32>, Value) {
        let file = self.file();
        let ran = run(&self.world, &["compare", "--json", "--from", name(&file)], &[]).await;
        let answer = serde_json::from_str(&ran.text).unwrap_or_else(|_| panic!("{ran:?}"));
        (ran.code, answer)
    }

    /// Runs `onsale restore finish` with further arguments.
    pub async fn finish(&self, more: &[&str]) -> Ran {
        let file = self.file();
        run(&self.world, &[&["finish", "--from", name(&file)][..], more].concat(), &[]).await
    }
}

impl Drop for Restorable {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The path as an argument.
pub fn name(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

/// The command `onsale restore` with these arguments.
pub fn restore_command(world: &World, arguments: &[&str]) -> Command {
    command(world, &[&["restore"][..], arguments].concat()).into()
}

/// Runs `onsale restore` with these arguments and further variables.
pub async fn run(world: &World, arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = restore_command(world, arguments);
    command.envs(environment.iter().copied());
    let Output { status, stdout, stderr } = command.output().await.expect("onsale runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code: status.code(), text: text(stdout), errors: text(stderr) }
}

/// Waits until no process has a record in Redis: less long than that of a killed process lasts.
pub async fn until_nothing_runs(world: &World) {
    let redis = Redis::lazy(&world.redis_url).expect("a URL");
    until("no process has a record", async || {
        let records = process_records::list(&redis).await.expect("Redis");
        records.is_empty().then_some(())
    })
    .await;
}
