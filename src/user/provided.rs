//! The users that an identity provider sends: made at their first call, named as it names them.

use moka::sync::Cache;

use super::model::{ClaimedName, Subject, SubjectUser, name_of};
use super::pg;
use crate::store::StoreError;
use crate::store::id::UserId;
use crate::store::pg::Pg;

/// How many people of an identity provider are kept in memory; the rest cost a read per request.
const KNOWN_SUBJECTS: u64 = 100_000;

/// Finds, makes and names the users of an identity provider.
#[derive(Debug)]
pub(super) struct ProvidedUsers {
    pg: Pg,
    /// A pair never changes its user. Its name may be older than another process's: then a token
    /// that names it otherwise leads to PostgreSQL.
    known: Cache<Subject, SubjectUser>,
}

impl ProvidedUsers {
    pub(super) fn new(pg: Pg) -> Self {
        Self { pg, known: Cache::new(KNOWN_SUBJECTS) }
    }

    /// The user of `subject`, where that needs no store.
    pub(super) fn known(&self, subject: &Subject) -> Option<UserId> {
        self.known.get(subject).map(|known| known.id)
    }

    /// The user of `subject`, named as `claimed` says unless a later token said otherwise.
    pub(super) async fn find_or_create(
        &self,
        subject: Subject,
        claimed: Option<ClaimedName>,
    ) -> Result<UserId, StoreError> {
        let known = match self.known.get(&subject) {
            Some(known) => known,
            None => match pg::find_subject(&self.pg, &subject).await? {
                Some(found) => found,
                None => self.create(&subject, claimed.as_ref()).await?,
            },
        };
        let (user, renamed) = (known.id, claimed.filter(|claimed| known.is_renamed_by(claimed)));
        let known = match renamed {
            Some(claimed) => self.rename(&subject, claimed).await?.unwrap_or(known),
            None => known,
        };
        self.known.insert(subject, known);
        Ok(user)
    }

    /// Makes the user at their first call; where two first calls race, one makes it and the other
    /// finds it.
    async fn create(
        &self,
        subject: &Subject,
        claimed: Option<&ClaimedName>,
    ) -> Result<SubjectUser, StoreError> {
        let name = name_of(subject, claimed);
        let named_at = claimed.map(|claimed| claimed.issued_at);
        let mut tx = self.pg.begin().await?;
        let made = pg::create_subject(&mut tx, subject, &name, named_at).await?;
        tx.commit().await?;
        match made {
            Some(id) => Ok(SubjectUser { id, name, named_at }),
            None => pg::find_subject(&self.pg, subject).await?.ok_or_else(|| {
                let reason = "a subject conflicts with a user that is not there";
                StoreError::Inconsistent(reason.to_owned())
            }),
        }
    }

    /// Writes the name of a later token; what is in force after it, which may be later still.
    async fn rename(
        &self,
        subject: &Subject,
        claimed: ClaimedName,
    ) -> Result<Option<SubjectUser>, StoreError> {
        pg::rename_subject(&self.pg, subject, &claimed).await?;
        pg::find_subject(&self.pg, subject).await
    }
}
