//! A PostgreSQL whose disk is full.
//!
//! A limit on the size of its files (`RLIMIT_FSIZE`, setrlimit(2)) simulates this: PostgreSQL
//! ignores the signal of that limit, "so that ulimit violations work like disk full"
//! (postmaster.c). It needs neither a file system for the test nor root. Only the server's account
//! may set the limit, so the server sets it, with `COPY TO PROGRAM` and prlimit from util-linux.

use onsale_dev::pg::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::wait::until;

/// From now on no file of the server can grow. The next commit that writes the log makes PostgreSQL
/// panic, and its recovery fails too. A server that is killed and started again has no limit.
pub async fn fill(server: &PostgresServer) {
    let postmaster = server.pid();
    // The postmaster first: processes that it starts later inherit the limit. Others may end
    // meanwhile.
    let program = format!(
        "cat >/dev/null; prlimit --pid {postmaster} --fsize=0: || exit 1
         for pid in $(cat /proc/{postmaster}/task/{postmaster}/children);
         do prlimit --pid $pid --fsize=0: ; done; true"
    );
    let statement = format!("copy (select) to program $program${program}$program$");
    let mut connection = until("PostgreSQL takes connections", async || {
        PgConnection::connect(&server.url("postgres")).await.ok()
    })
    .await;
    let filled = connection.execute(AssertSqlSafe(statement)).await.map(|_| ());
    // PostgreSQL may panic before it answers: a panic, an ended session or a full disk.
    if let Err(sqlx::Error::Database(error)) = filled {
        let code = error.code().unwrap_or_default();
        assert!(["57", "53", "58", "XX"].contains(&&code[..2]), "{error}");
    }
}
