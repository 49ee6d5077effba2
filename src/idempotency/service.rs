//! Running an effect at most once per key.

use super::model::{Answer, KeyError, Outcome, Request};
use super::pg;
use crate::store::pg::{MaybeConflict, Pg, Tx};
use crate::store::{Store, StoreError};

/// Runs `effect` in a transaction, unless `request` was answered before: then that answer again.
///
/// `effect` returns what is to be told and stored, a value or a final refusal; an `Err` stores
/// nothing and rolls back. Where the connection breaks during COMMIT, the whole is run once more
/// under the same key, which tells whether the first try counted.
pub async fn once<T, E>(
    pg: &Pg,
    request: &Request,
    effect: impl AsyncFn(&mut Tx) -> Result<T, E>,
) -> Result<Answer<T>, E>
where
    T: Outcome,
    E: From<KeyError> + From<StoreError> + MaybeConflict + Send,
{
    match attempt(pg, request, &effect).await {
        Err(Failed::Unknown) => attempt(pg, request, &effect).await,
        other => other,
    }
    .map_err(|failed| match failed {
        Failed::Unknown => StoreError::Unavailable {
            store: Store::PostgreSql,
            reason: "the outcome of two commits is unknown".to_owned(),
        }
        .into(),
        Failed::Told(error) => error,
    })
}

/// The answer given under this key before, if any: for refusals that are decided before the
/// transaction, which must not hide an earlier success.
pub async fn replay<T: Outcome>(pg: &Pg, request: &Request) -> Result<Option<Answer<T>>, KeyError> {
    let Some(stored) = pg::look(pg, request).await? else {
        return Ok(None);
    };
    Ok(Some(Answer {
        outcome: read(stored)?,
        replayed: true,
    }))
}

enum Failed<E> {
    Unknown,
    Told(E),
}

impl<E> MaybeConflict for Failed<E>
where
    E: MaybeConflict,
{
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Told(error) if error.is_conflict())
    }
}

impl<E: From<StoreError>> From<StoreError> for Failed<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown(_) => Self::Unknown,
            other => Self::Told(other.into()),
        }
    }
}

async fn attempt<T, E>(
    pg: &Pg,
    request: &Request,
    effect: &impl AsyncFn(&mut Tx) -> Result<T, E>,
) -> Result<Answer<T>, Failed<E>>
where
    T: Outcome,
    E: From<KeyError> + From<StoreError> + MaybeConflict + Send,
{
    pg.transact(async |tx: &mut Tx| {
        let told = |error: E| Failed::Told(error);
        if let Some(stored) = pg::claim(tx, request).await.map_err(|e| told(e.into()))? {
            let outcome = read(stored).map_err(|e| told(e.into()))?;
            return Ok(Answer {
                outcome,
                replayed: true,
            });
        }
        let outcome = effect(tx).await.map_err(told)?;
        let stored = serde_json::to_value(&outcome).map_err(|error| {
            told(StoreError::Inconsistent(format!("an outcome is not JSON: {error}")).into())
        })?;
        pg::store(tx, request, &stored).await?;
        Ok(Answer {
            outcome,
            replayed: false,
        })
    })
    .await
}

fn read<T: Outcome>(stored: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(stored).map_err(|error| {
        StoreError::Inconsistent(format!("a stored outcome is unreadable: {error}"))
    })
}
