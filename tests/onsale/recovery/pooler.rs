//! A pooler before PostgreSQL that drops the settings of a session.

use std::process::Stdio;

use onsale_dev::pg::PostgresServer;

use crate::support::faults::serve;
use crate::support::program::Program;
use crate::support::servers::Servers;
use crate::support::tools::Tool;
use crate::support::world::World;

/// Without the settings nothing would end a wait for a lock. They may also be set in the database.
#[tokio::test]
async fn a_process_behind_a_pooler_starts_only_if_the_session_settings_are_in_force() {
    let postgres = PostgresServer::throwaway().await.expect("PostgreSQL");
    let mut world = World::beside(&postgres.url("postgres"), Servers::new().await).await;
    let server = format!("host=127.0.0.1 port={}", postgres.port());
    let dropping =
        Tool::pgbouncer(&server, "ignore_startup_parameters = extra_float_digits,options").await;
    let database = world.database_url.rsplit('/').next().expect("its name").to_owned();
    let url = format!("postgres://onsale@127.0.0.1:{}/{database}", dropping.port);
    let mut command = serve(&url, &world.redis_url);
    let refused = command.stdout(Stdio::null()).output().await.expect("onsale");
    let text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{text}");
    assert!(text.contains("lock_timeout is 0 and not 1500"), "{text}");

    for setting in [
        "lock_timeout = '1500ms'",
        "statement_timeout = '3s'",
        "idle_in_transaction_session_timeout = '2500ms'",
        "timezone = 'UTC'",
        "enable_bitmapscan = off",
        "jit = off",
    ] {
        let alter = format!(r#"alter database "{database}" set {setting}"#);
        sqlx::query(sqlx::AssertSqlSafe(alter)).execute(&world.pool).await.expect("a setting");
    }
    // Another pooler: the first one keeps its sessions from before.
    let dropping =
        Tool::pgbouncer(&server, "ignore_startup_parameters = extra_float_digits,options").await;
    world.database_url = format!("postgres://onsale@127.0.0.1:{}/{database}", dropping.port);
    let program = Program::start(&world, &[]).await;
    program.anonymous().get("/readyz").await.ok(200);
}
