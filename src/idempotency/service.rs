//! Runs an effect at most once per idempotency key.

use super::model::{Answer, Done, Effect, KeyError, Outcome, Request};
use super::pg;
use crate::store::pg::single::Call;
use crate::store::pg::{MaybeConflict, Pg, Tx, Work};
use crate::store::{Store, StoreError};

/// Runs `effect` in a transaction. If `request` was answered before, returns that answer instead.
///
/// `effect` returns the outcome to answer and store, and its event. An `Err` stores nothing and
/// rolls back. If the connection breaks during COMMIT, everything runs once more with
/// the same key, which shows whether the first try was committed.
pub async fn once<W, T, E>(pg: &Pg, request: &Request, effect: &W) -> Result<Done<T, E>, W::Error>
where
    W: Work<Output = Effect<T, E>, Error: From<KeyError>>,
    T: Outcome,
    E: Send,
{
    let once = Once { request, effect };
    match pg.transact(&once).await {
        Err(Failed::Unknown) => pg.transact(&once).await,
        other => other,
    }
    .map_err(|failed| match failed {
        Failed::Unknown => unknown().into(),
        Failed::RolledBack(error) => error,
    })
}

/// Like [`once`], for an effect that is one call of an SQL function. The function itself locks the
/// key, stores the answer and commits (`migrations/functions/key_claim.sql`).
///
/// # Errors
/// [`StoreError::OutcomeUnknown`] if the connection broke during the first call and the second call
/// gave no answer. After any other error nothing was written.
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

/// The result of [`once_called`].
#[derive(Debug)]
pub struct Called<T> {
    /// What the function returned.
    pub output: T,
    /// Whether this is the result of a second call. If it says that the key is in progress, the
    /// first call may still be running.
    pub again: bool,
}

fn unknown() -> StoreError {
    let reason = "the outcome of two commits is unknown".to_owned();
    StoreError::Unavailable { store: Store::PostgreSql, reason }
}

/// Reads the answer that was given for this key before, if any. For refusals that are decided
/// before the transaction: they must not hide an earlier success.
pub async fn replay<T: Outcome>(pg: &Pg, request: &Request) -> Result<Option<Answer<T>>, KeyError> {
    let Some(stored) = pg::find_outcome(pg, request).await? else {
        return Ok(None);
    };
    Ok(Some(Answer { outcome: read(stored)?, replayed: true }))
}

/// An effect with its request, as the work of one transaction.
struct Once<'a, W> {
    request: &'a Request,
    effect: &'a W,
}

impl<W, T, E> Work for Once<'_, W>
where
    W: Work<Output = Effect<T, E>, Error: From<KeyError>>,
    T: Outcome,
    E: Send,
{
    type Output = Done<T, E>;
    type Error = Failed<W::Error>;
    const NAME: &'static str = W::NAME;

    async fn run(&self, tx: &mut Tx) -> Result<Self::Output, Self::Error> {
        let failed = |error: KeyError| Failed::RolledBack(error.into());
        if let Some(stored) = pg::claim(tx, self.request).await.map_err(failed)? {
            let answer = Answer { outcome: read(stored)?, replayed: true };
            return Ok(Done { answer, event: None });
        }
        let Effect { outcome, event } = self.effect.run(tx).await.map_err(Failed::RolledBack)?;
        let stored = serde_json::to_value(&outcome).map_err(|error| {
            StoreError::Inconsistent(format!("an outcome is not JSON: {error}"))
        })?;
        pg::store(tx, self.request, &stored).await?;
        Ok(Done { answer: Answer { outcome, replayed: false }, event: Some(event) })
    }
}

/// Why a transaction gave no answer.
enum Failed<E> {
    /// The transaction may be committed.
    Unknown,
    /// The transaction has rolled back.
    RolledBack(E),
}

impl<E: MaybeConflict> MaybeConflict for Failed<E> {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::RolledBack(error) => error.store_error(),
            Self::Unknown => None,
        }
    }
}

impl<E: From<StoreError>> From<StoreError> for Failed<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::OutcomeUnknown(_) => Self::Unknown,
            other => Self::RolledBack(other.into()),
        }
    }
}

fn read<T: Outcome>(stored: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(stored).map_err(|error| {
        StoreError::Inconsistent(format!("a stored outcome cannot be read: {error}"))
    })
}
