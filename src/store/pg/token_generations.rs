//! Token generations: which access tokens and tickets from before a restore are still accepted.
//!
//! A restore of PostgreSQL to an earlier moment loses the users who signed up since, and their
//! tokens and tickets stay valid by their signatures. `onsale restore finish` begins a new
//! generation (`migrations/0023_restore.sql`). Tokens and tickets name the generation under which they
//! were signed. One of an earlier generation is accepted only if the restored database has its user.

mod barred_users;

use std::sync::Arc;

use arc_swap::ArcSwapOption;

use self::barred_users::BarredUsers;
use super::Pg;
use crate::store::StoreError;
use crate::store::id::UserId;

/// A generation, and the users whose tokens of earlier generations are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenGeneration {
    /// When it began, in seconds since 1970.
    pub generation: u64,
    /// Users up to this id keep their earlier tokens and tickets; 0: none.
    pub kept_users: i64,
}

/// Why a token or ticket cannot be accepted, or not be signed, under the current generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenerationError {
    /// Its user may be another person since a restore.
    #[error("it was signed before a restore of the database")]
    Superseded,
    /// This process has not read the generations yet.
    #[error("the token generations have not been read yet")]
    Unread,
    /// Its user is erased, or is being erased.
    #[error("its user is erased")]
    Barred,
}

/// What a read has found to have changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GenerationChanges {
    /// Ids may name others than before: there is a new generation, or the database is another copy.
    pub ids: bool,
    /// Users were barred, or no longer are.
    pub barred: bool,
}

/// The generations as this process read them last; cheap to clone.
#[derive(Debug, Clone)]
pub struct TokenGenerations {
    last: Arc<ArcSwapOption<LastRead>>,
    barred: BarredUsers,
}

/// What was read last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct LastRead {
    /// Which copy of the database it was: the timeline, which changes when a standby is promoted,
    /// and the oid.
    copy: String,
    /// Oldest first.
    generations: Vec<TokenGeneration>,
}

impl Default for TokenGenerations {
    /// No restore has happened.
    fn default() -> Self {
        let last = Arc::new(ArcSwapOption::from_pointee(LastRead::default()));
        Self { last, barred: BarredUsers::default() }
    }
}

impl TokenGenerations {
    /// Generations that [`TokenGenerations::refresh`] has yet to read.
    #[must_use]
    pub fn unread() -> Self {
        Self { last: Arc::default(), barred: BarredUsers::default() }
    }

    /// Reads the generations once.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if PostgreSQL does not answer.
    pub async fn read(pg: &Pg) -> Result<Self, StoreError> {
        let generations = Self::unread();
        generations.refresh(pg).await?;
        Ok(generations)
    }

    /// Reads the generations and the barred users again; returns what has changed. The first read of
    /// the generations is no change.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if PostgreSQL does not answer. The last ones stay in use.
    pub async fn refresh(&self, pg: &Pg) -> Result<GenerationChanges, StoreError> {
        let barred = self.barred.refresh(pg).await?;
        let rows = sqlx::query!(
            r#"select left(pg_walfile_name(pg_current_wal_lsn()), 8) || '-' || d.oid as "copy!",
                      r.generation as "generation?", r.kept_users as "kept_users?"
               from pg_database d left join restore r on true
               where d.datname = current_database() order by r.generation"#
        )
        .fetch_all(pg.pool())
        .await?;
        let copy = rows.first().map_or_else(String::new, |row| row.copy.clone());
        let generations = rows.into_iter().filter_map(|row| {
            let generation = row.generation?.cast_unsigned();
            Some(TokenGeneration { generation, kept_users: row.kept_users? })
        });
        Ok(GenerationChanges { ids: self.replace(&copy, generations.collect()), barred })
    }

    /// Takes over generations, oldest first, of a copy of the database; returns whether either
    /// differs from before.
    pub(crate) fn replace(&self, copy: &str, generations: Vec<TokenGeneration>) -> bool {
        let read = LastRead { copy: copy.to_owned(), generations };
        let before = self.last.load();
        if before.as_deref() == Some(&read) {
            return false;
        }
        let had_any = before.is_some();
        self.last.store(Some(Arc::new(read)));
        had_any
    }

    /// The generation under which tokens and tickets are signed now; 0 before the first restore.
    ///
    /// # Errors
    /// [`GenerationError::Unread`].
    pub fn current(&self) -> Result<u64, GenerationError> {
        let last = self.last.load();
        let generations = &last.as_deref().ok_or(GenerationError::Unread)?.generations;
        Ok(generations.last().map_or(0, |last| last.generation))
    }

    /// Whether the tokens and tickets of a user are refused.
    #[must_use]
    pub fn is_barred(&self, user: UserId) -> bool {
        self.barred.has(user)
    }

    /// Checks that what was signed under `generation` still names the same person as `user`. A
    /// generation that this process has not read yet is accepted: another process has read it. Before
    /// the first read, while PostgreSQL is down, everything is accepted: no user can be changed.
    ///
    /// # Errors
    /// [`GenerationError::Superseded`], [`GenerationError::Barred`].
    pub fn check(&self, generation: u64, user: UserId) -> Result<(), GenerationError> {
        if self.is_barred(user) {
            return Err(GenerationError::Barred);
        }
        let last = self.last.load();
        let Some(LastRead { generations, .. }) = last.as_deref() else {
            return Ok(());
        };
        let mut later = generations.iter().rev().take_while(|later| later.generation > generation);
        if later.all(|later| user.0 <= later.kept_users) {
            Ok(())
        } else {
            Err(GenerationError::Superseded)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generations(list: &[(u64, i64)]) -> Vec<TokenGeneration> {
        let one = |&(generation, kept_users)| TokenGeneration { generation, kept_users };
        list.iter().map(one).collect()
    }

    #[test]
    fn a_token_is_accepted_if_every_later_restore_kept_its_user() {
        let read = TokenGenerations::default();
        assert_eq!((read.current(), read.check(0, UserId(900))), (Ok(0), Ok(())));
        assert!(read.replace("1", generations(&[(100, 50), (200, 1030)])));
        assert_eq!(read.current(), Ok(200));
        for (generation, user, accepted) in [
            (0, 50, true),
            (0, 51, false),
            // Signed between the two restores: only the second one counts.
            (100, 1030, true),
            (100, 1031, false),
            (200, 5000, true),
            (300, 5000, true),
        ] {
            let checked = read.check(generation, UserId(user));
            assert_eq!(checked.is_ok(), accepted, "generation {generation}, user {user}");
        }
        // A later restore to before the first one loses users that the first one kept.
        assert!(read.replace("1", generations(&[(100, 50), (200, 1030), (300, 20)])));
        assert_eq!(read.check(0, UserId(21)), Err(GenerationError::Superseded));
        assert_eq!(read.check(0, UserId(20)), Ok(()));
    }

    #[test]
    fn a_restore_that_kept_no_user_ends_all_earlier_tokens() {
        let read = TokenGenerations::default();
        read.replace("1", generations(&[(100, 0)]));
        assert_eq!(read.check(0, UserId(1)), Err(GenerationError::Superseded));
        assert_eq!(read.check(100, UserId(1)), Ok(()));
    }

    #[test]
    fn before_the_first_read_tokens_are_accepted_and_none_is_signed() {
        let read = TokenGenerations::unread();
        assert_eq!(read.check(0, UserId(1)), Ok(()));
        assert_eq!(read.current(), Err(GenerationError::Unread));
        assert!(!read.replace("1", Vec::new()), "the first read is no change");
        assert_eq!(read.check(0, UserId(1)), Ok(()));
        assert!(read.replace("1", generations(&[(100, 0)])));
        assert!(!read.replace("1", generations(&[(100, 0)])));
        assert!(read.replace("2", generations(&[(100, 0)])), "a standby was promoted");
    }
}
