//! Running an effect at most once per key.

use super::model::{Answer, KeyError, Outcome, Request};
use super::pg;
use crate::store::pg::single::Call;
use crate::store::pg::{MaybeConflict, Pg, Tx, Work};
use crate::store::{Store, StoreError};

/// Runs `effect` in a transaction, unless `request` was answered before: then that answer again.
///
/// `effect` comes to what is to be told and stored, a value or a final refusal; an `Err` stores
/// nothing and rolls back. Where the connection breaks during COMMIT, the whole is run once more
/// under the same key, which tells whether the first try counted.
pub async fn once<W>(pg: &Pg, request: &Request, effect: &W) -> Result<Answer<W::Output>, W::Error>
where
    W: Work<Output: Outcome, Error: From<KeyError>>,
{
    let once = Once { request, effect };
    match pg.transact(&once).await {
        Err(Failed::Unknown) => pg.transact(&once).await,
        other => other,
    }
    .map_err(|failed| match failed {
        Failed::Unknown => unknown().into(),
        Failed::Told(error) => error,
    })
}

/// As [`once`], for an effect that is one call of a function that takes the key, stores the answer
/// and commits, all by itself (`migrations/0005_hold_and_pay.sql`).
///
/// # Errors
/// [`StoreError::OutcomeUnknown`] where the connection broke during the first call, and the second
/// gave no answer. With any other error nothing was written.
pub async fn once_called<C: Call>(pg: &Pg, effect: &C) -> Result<Called<C::Output>, StoreError> {
    let reason = match pg.call(effect).await {
        Err(StoreError::OutcomeUnknown(reason)) => reason,
        other => return other.map(|output| Called { output, again: false }),
    };
    match pg.call(effect).await {
        Ok(output) => Ok(Called { output, again: true }),
        Err(error) => Err(StoreError::OutcomeUnknown(format!("{reason}, then {error}"))),
    }
}

/// What [`once_called`] comes to.
#[derive(Debug)]
pub struct Called<T> {
    /// What the function returned.
    pub output: T,
    /// It is that of a second call: the first may still be running, where the key is in progress.
    pub again: bool,
}

fn unknown() -> StoreError {
    let reason = "the outcome of two commits is unknown".to_owned();
    StoreError::Unavailable { store: Store::PostgreSql, reason }
}

/// The answer given under this key before, if any: for refusals that are decided before the
/// transaction, which must not hide an earlier success.
pub async fn replay<T: Outcome>(pg: &Pg, request: &Request) -> Result<Option<Answer<T>>, KeyError> {
    let Some(stored) = pg::look(pg, request).await? else {
        return Ok(None);
    };
    Ok(Some(Answer { outcome: read(stored)?, replayed: true }))
}

/// An effect behind its key.
struct Once<'a, W> {
    request: &'a Request,
    effect: &'a W,
}

impl<W> Work for Once<'_, W>
where
    W: Work<Output: Outcome, Error: From<KeyError>>,
{
    type Output = Answer<W::Output>;
    type Error = Failed<W::Error>;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, Self::Error> {
        let told = |error: KeyError| Failed::Told(error.into());
        if let Some(stored) = pg::claim(tx, self.request).await.map_err(told)? {
            return Ok(Answer { outcome: read(stored)?, replayed: true });
        }
        let outcome = self.effect.run(tx).await.map_err(Failed::Told)?;
        let stored = serde_json::to_value(&outcome).map_err(|error| {
            StoreError::Inconsistent(format!("an outcome is not JSON: {error}"))
        })?;
        pg::store(tx, self.request, &stored).await?;
        Ok(Answer { outcome, replayed: false })
    }
}

/// What a transaction came to where not to an answer.
enum Failed<E> {
    /// Perhaps committed.
    Unknown,
    /// Rolled back.
    Told(E),
}

impl<E: MaybeConflict> MaybeConflict for Failed<E> {
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

fn read<T: Outcome>(stored: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(stored).map_err(|error| {
        StoreError::Inconsistent(format!("a stored outcome is unreadable: {error}"))
    })
}
