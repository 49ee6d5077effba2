//! Compares what an administrator edited with the current state.

use serde::Serialize;
use serde_json::Value;

use super::error::AdminError;
use crate::precondition::{EntityTag, Precondition};
use crate::store::StoreError;

/// Checks that the current state is the one that the caller has seen. The caller has locked it.
///
/// # Errors
/// [`AdminError::ChangedMeanwhile`] has the current state.
pub(super) fn ensure_unchanged(
    expected: &Precondition,
    current: &impl Serialize,
) -> Result<(), AdminError> {
    let tag = EntityTag::of(current);
    if expected.accepts(&tag) {
        return Ok(());
    }
    Err(AdminError::ChangedMeanwhile { current: json(current)?, tag })
}

/// Converts a value to JSON for the audit.
pub(super) fn json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value)
        .map_err(|error| StoreError::Inconsistent(format!("a change is not JSON: {error}")))
}
