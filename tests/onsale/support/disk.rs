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
    // The postmaster first: what it starts from then on has its limit. A process may end meanwhile.
    let program = format!(
        "cat >/dev/null; for pid in {postmaster} $(cat /proc/{postmaster}/task/{postmaster}/children);
         do prlimit --pid $pid --fsize=0: || test $pid != {postmaster} || exit 1; done"
    );
    let statement = format!("copy (select) to program $program${program}$program$");
    let mut connection = until("PostgreSQL takes connections", async || {
        PgConnection::connect(&server.url("postgres")).await.ok()
    })
    .await;
    let filled = connection.execute(AssertSqlSafe(statement)).await;
    // It may panic before it has answered, but not say that the program failed (class 38).
    if let Err(sqlx::Error::Database(error)) = filled {
        assert!(!error.code().is_some_and(|code| code.starts_with("38")), "{error}");
    }
}
