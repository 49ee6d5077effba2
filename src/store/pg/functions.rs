//! The SQL functions of `migrations/functions`, and whether the database has them.
//!
//! A file has a revision. A binary replaces older revisions and keeps newer ones, which a newer
//! release applied: processes of both releases then call the newer text.

use std::cmp::Ordering;

use aws_lc_rs::digest;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, PgExecutor};

use super::super::StoreError;

/// The revision and the checksum of each file.
const REVISIONS: &str = include_str!("../../../migrations/functions/revisions.txt");

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../migrations/functions/", $name, ".sql")))),+]
    };
}

/// Name and text of the files, in the order in which they are applied: each after those it calls.
const FILES: [(&str, &str); 16] = files![
    "record_reservations",
    "end_holds",
    "key_claim",
    "key_store",
    "point_lock",
    "point_change",
    "write_hold",
    "settle_payment",
    "charge_points",
    "refund_payments",
    "move_reservation",
    "give_seats",
    "revoke_guest",
    "erase_name",
    "erase_users",
    "publish_events",
];

/// A file of `migrations/functions`: one function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name of the function, and of its file.
    pub name: &'static str,
    /// The text of the file.
    pub text: &'static str,
    /// Number of the text, from 1. It rises with every change.
    pub revision: i32,
    /// SHA-256 of the text.
    pub checksum: Vec<u8>,
}

impl Function {
    /// What PostgreSQL stores as the function's source: the text between the dollar quotes.
    fn body(&self) -> &'static str {
        self.text.split("$$").nth(1).unwrap_or("")
    }
}

/// What the database has of a function, compared with the file in this binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Missing,
    Older(i32),
    Same,
    /// The same revision with another text.
    Changed,
    /// The database's function is not the text that was applied: it was replaced by hand.
    Replaced,
    Newer(i32),
}

/// Names of the functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The functions of this binary, in the order in which they are applied.
///
/// # Errors
/// [`StoreError::Inconsistent`] if a file has no line in `revisions.txt`.
pub fn all() -> Result<Vec<Function>, StoreError> {
    let function = |(name, text): &(&'static str, &'static str)| {
        let revision = revision_of(name).ok_or_else(|| {
            StoreError::Inconsistent(format!("the function {name} is not in revisions.txt"))
        })?;
        let checksum = digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec();
        Ok(Function { name, text, revision, checksum })
    };
    FILES.iter().map(function).collect()
}

fn revision_of(name: &str) -> Option<i32> {
    let mut lines = REVISIONS.lines().map(|line| line.split(' '));
    lines.find_map(|mut words| (words.next()? == name).then(|| words.next()?.parse().ok())?)
}

/// Functions that [`apply`] applied, and those that it kept.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct AppliedFunctions {
    /// Name and revision of the functions that it created or replaced.
    pub applied: Vec<(&'static str, i32)>,
    /// Name and revision of functions that a newer release applied, which stay.
    pub newer: Vec<(&'static str, i32)>,
}

/// Fails if a function of this binary has another text than the database under one revision, so
/// that `migrate` changes nothing at all then.
///
/// # Errors
/// [`StoreError::Inconsistent`] names the function.
pub async fn check(conn: &mut PgConnection) -> Result<(), StoreError> {
    let has_table: bool = sqlx::query_scalar("select to_regclass('sql_function') is not null")
        .fetch_one(&mut *conn)
        .await?;
    if !has_table {
        return Ok(());
    }
    let states = states(conn).await?;
    match states.iter().find(|(_, state)| *state == State::Changed) {
        Some((function, _)) => Err(StoreError::Inconsistent(changed(function))),
        None => Ok(()),
    }
}

/// Creates or replaces the functions whose text is newer than the database's, and those that are
/// missing or were replaced by hand: all or none.
///
/// # Errors
/// [`StoreError::Inconsistent`] if the database has another text under the same revision.
pub async fn apply(conn: &mut PgConnection) -> Result<AppliedFunctions, StoreError> {
    let mut tx = conn.begin().await?;
    let mut done = AppliedFunctions::default();
    for (function, state) in states(&mut *tx).await? {
        match state {
            State::Same => continue,
            State::Newer(revision) => {
                done.newer.push((function.name, revision));
                continue;
            }
            State::Changed => return Err(StoreError::Inconsistent(changed(&function))),
            State::Missing | State::Replaced | State::Older(_) => {}
        }
        sqlx::raw_sql(function.text).execute(&mut *tx).await?;
        sqlx::query(
            "insert into sql_function (name, revision, checksum) values ($1, $2, $3)
             on conflict (name) do update set revision = excluded.revision,
               checksum = excluded.checksum, applied_at = excluded.applied_at",
        )
        .bind(function.name)
        .bind(function.revision)
        .bind(&function.checksum)
        .execute(&mut *tx)
        .await?;
        done.applied.push((function.name, function.revision));
    }
    tx.commit().await?;
    Ok(done)
}

/// Why the database's functions do not serve this binary; `None` if they do. A function that was
/// replaced by hand serves: only [`apply`] restores it.
pub async fn mismatch(on: impl PgExecutor<'_>) -> Result<Option<String>, StoreError> {
    let reason = |(function, state): (Function, State)| {
        let Function { name, revision, .. } = &function;
        match state {
            State::Missing => Some(format!("function {name} is not applied")),
            State::Older(old) => {
                Some(format!("function {name} has revision {old}, and not {revision}"))
            }
            State::Changed => Some(changed(&function)),
            State::Same | State::Replaced | State::Newer(_) => None,
        }
    };
    Ok(states(on).await?.into_iter().find_map(reason))
}

fn changed(function: &Function) -> String {
    let Function { name, revision, .. } = function;
    format!("function {name} has changed since its revision {revision} was applied")
}

async fn states(on: impl PgExecutor<'_>) -> Result<Vec<(Function, State)>, StoreError> {
    // A function that somebody has dropped has no body, whatever the table says.
    let rows: Vec<(String, i32, Vec<u8>, Vec<String>)> = sqlx::query_as(
        "select f.name, f.revision, f.checksum, array_agg(p.prosrc)
           from sql_function f join pg_proc p on p.proname = f.name
            and p.pronamespace = current_schema()::regnamespace
          group by f.name, f.revision, f.checksum",
    )
    .fetch_all(on)
    .await?;
    let state = |function: &Function| {
        let applied = rows.iter().find(|row| row.0 == function.name);
        let Some((_, revision, checksum, bodies)) = applied else {
            return State::Missing;
        };
        match revision.cmp(&function.revision) {
            Ordering::Less => State::Older(*revision),
            Ordering::Greater => State::Newer(*revision),
            Ordering::Equal if *checksum != function.checksum => State::Changed,
            Ordering::Equal if bodies.iter().all(|body| body == function.body()) => State::Same,
            Ordering::Equal => State::Replaced,
        }
    };
    let with_state = |function| {
        let state = state(&function);
        (function, state)
    };
    Ok(all()?.into_iter().map(with_state).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_function_file_has_its_line() {
        let lines: Vec<&str> =
            REVISIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
        for (at, function) in all().expect("a line for each file").iter().enumerate() {
            let Function { name, revision, checksum, .. } = function;
            let sum = hex::encode(checksum);
            let next = revision + 1;
            assert!(
                lines.get(at) == Some(&format!("{name} {revision} {sum}").as_str()),
                "line {at} of migrations/functions/revisions.txt; if the text has changed since it \
                 was released, the line is:\n{name} {next} {sum}"
            );
        }
        assert_eq!(lines.len(), FILES.len());
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/functions");
        let names = std::fs::read_dir(folder).expect("the folder").map(|entry| {
            entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")
        });
        let mut found: Vec<String> =
            names.filter_map(|name| Some(name.strip_suffix(".sql")?.to_owned())).collect();
        let mut listed: Vec<&str> = names_of_files();
        found.sort();
        listed.sort_unstable();
        assert_eq!(found, listed);
    }

    fn names_of_files() -> Vec<&'static str> {
        names().collect()
    }

    #[test]
    fn a_file_only_replaces_its_function() {
        for (name, text) in FILES {
            assert!(text.contains(&format!("create or replace function {name}(")), "{name}");
            assert_eq!(text.matches("create ").count(), 1, "{name} makes one thing");
            assert_eq!(text.matches("$$").count(), 2, "{name} has one body");
            assert!(!text.contains("drop function"), "{name}: a drop is a numbered migration");
        }
    }
}
