//! Reads the replies of scripts.

use redis::Value;

use crate::store::{Store, StoreError};

/// A script's reply: a word, then flat values.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The first element: `OK`, `TAKEN`, …
    pub word: String,
    values: Vec<Value>,
}

/// Why a script gave no reply of its own.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// This server does not have the schedule's keys in this epoch: rebuild them.
    #[error("Redis lost the schedule's keys")]
    Lost,
    /// The keys were rebuilt in a higher epoch: read the epoch again.
    #[error("the schedule's keys have a higher epoch")]
    Stale,
    /// The keys are being rebuilt.
    #[error("the schedule's keys are being rebuilt")]
    Loading,
    /// Redis failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ScriptError {
    /// The kind of the error, for traces.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Stale => "stale",
            Self::Loading => "loading",
            Self::Store(error) => error.kind(),
        }
    }
}

impl Reply {
    /// Reads a reply.
    ///
    /// # Errors
    /// [`ScriptError`]: the shared replies of `lua/lib/guard`, and a value that is not a list that
    /// begins with a word.
    pub fn read(value: Value) -> Result<Self, ScriptError> {
        let Value::Array(mut values) = value else {
            return Err(unexpected(&value).into());
        };
        if values.is_empty() {
            return Err(unexpected(&Value::Array(values)).into());
        }
        let word: String = redis::from_redis_value(values.remove(0)).map_err(|e| bad(&e))?;
        match word.as_str() {
            "LOST" => Err(ScriptError::Lost),
            "STALE" => Err(ScriptError::Stale),
            "LOADING" => Err(ScriptError::Loading),
            _ => Ok(Self { word, values }),
        }
    }

    /// The value at `index`, counted after the word.
    pub fn get<T: redis::FromRedisValue>(&self, index: usize) -> Result<T, StoreError> {
        let value = self.values.get(index).ok_or_else(|| self.unknown())?;
        redis::from_redis_value_ref(value).map_err(|e| bad(&e))
    }

    /// All values from `index` on.
    pub fn rest<T: redis::FromRedisValue>(&self, index: usize) -> Result<Vec<T>, StoreError> {
        (index..self.values.len()).map(|index| self.get(index)).collect()
    }

    /// The error for a reply that the script's header does not list.
    #[must_use]
    pub fn unknown(&self) -> StoreError {
        StoreError::Inconsistent(format!("a script replied {} {:?}", self.word, self.values))
    }
}

fn unexpected(value: &Value) -> StoreError {
    StoreError::Inconsistent(format!("a script replied {value:?}"))
}

fn bad(error: &redis::ParsingError) -> StoreError {
    StoreError::Defect { store: Store::Redis, reason: error.to_string() }
}
