//! Users of an identity provider. The first request creates a user; tokens set its name.

use moka::sync::Cache;

use super::model::{ClaimedName, Subject, SubjectUser, name_of};
use super::pg;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// Users of an identity provider in the cache. Each request of another user reads PostgreSQL.
const CACHED_SUBJECTS: u64 = 100_000;

/// Finds, creates and renames the users of an identity provider.
#[derive(Debug)]
pub(super) struct ProvidedUsers {
    pg: Pg,
    /// The user of a subject never changes. Its name may be outdated; a token with another name
    /// then causes a read of PostgreSQL.
    cache: Cache<Subject, SubjectUser>,
}

impl ProvidedUsers {
    pub(super) fn new(pg: Pg) -> Self {
        Self { pg, cache: Cache::new(CACHED_SUBJECTS) }
    }

    /// Empties the cache.
    pub(super) fn clear(&self) {
        self.cache.invalidate_all();
    }

    /// Removes one subject from the cache.
    pub(super) fn forget(&self, subject: &Subject) {
        self.cache.invalidate(subject);
    }

    /// Finds the user of `subject` in the cache.
    pub(super) fn find_cached(&self, subject: &Subject) -> Option<UserId> {
        self.cache.get(subject).map(|user| user.id)
    }

    /// Finds or creates the user of `subject`. Sets the name `claimed`, unless a later token has
    /// set one.
    pub(super) async fn find_or_create(
        &self,
        subject: Subject,
        claimed: Option<ClaimedName>,
    ) -> Result<UserId, StoreError> {
        let user = match self.cache.get(&subject) {
            Some(user) => user,
            None => match pg::find_subject(&self.pg, &subject).await? {
                Some(found) => found,
                None => self.create(&subject, claimed.as_ref()).await?,
            },
        };
        let (id, renamed) = (user.id, claimed.filter(|claimed| user.is_renamed_by(claimed)));
        let user = match renamed {
            Some(claimed) => self.rename(&subject, claimed).await?.unwrap_or(user),
            None => user,
        };
        self.cache.insert(subject, user);
        Ok(id)
    }

    /// Creates a user. If two first requests race, one creates the user and the other finds it.
    async fn create(
        &self,
        subject: &Subject,
        claimed: Option<&ClaimedName>,
    ) -> Result<SubjectUser, StoreError> {
        let name = name_of(subject, claimed);
        let named_at = claimed.map(|claimed| claimed.issued_at);
        let mut tx = self.pg.begin("create_provided_user").await?;
        let created = pg::create_subject(&mut tx, subject, &name, named_at).await?;
        tx.commit().await?;
        match created {
            Some(id) => Ok(SubjectUser { id, name, named_at }),
            None => pg::find_subject(&self.pg, subject).await?.ok_or_else(|| {
                let reason = "a new subject conflicts with a user that cannot be found";
                StoreError::Inconsistent(reason.to_owned())
            }),
        }
    }

    /// Writes the name of a later token, and reads the user again. The name may then be from a
    /// still later token.
    async fn rename(
        &self,
        subject: &Subject,
        claimed: ClaimedName,
    ) -> Result<Option<SubjectUser>, StoreError> {
        pg::rename_subject(&self.pg, subject, &claimed).await?;
        pg::find_subject(&self.pg, subject).await
    }
}
