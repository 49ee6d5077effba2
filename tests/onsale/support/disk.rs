//! A PostgreSQL whose disk is full.
//!
//! What is staged is a limit on the size of its files (`RLIMIT_FSIZE`, setrlimit(2)): PostgreSQL
//! ignores the signal that goes with it, "so that ulimit violations work like disk full"
//! (postmaster.c). That takes neither a file system of the test's own nor root. Nobody but the
//! server's account may set it, so the server does, by `COPY TO PROGRAM` and util-linux's prlimit.

use onsale::dev::pg::PostgresServer;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::wait::until;

/// From now on no file grows: the next commit that writes the log panics, all of PostgreSQL with it,
/// and its recovery fails as well. There is room again for a server that is killed and started.
pub async fn fill(server: &PostgresServer) {
    let postmaster = server.pid();
    // The postmaster first, so that what it starts from then on has its limit. Others may end meanwhile.
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
    // It may panic before it has answered: a panic, a session that ends, a full disk.
    if let Err(sqlx::Error::Database(error)) = filled {
        let code = error.code().unwrap_or_default();
        assert!(["57", "53", "58", "XX"].contains(&&code[..2]), "{error}");
    }
}
