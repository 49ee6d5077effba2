//! Values by their names in PostgreSQL.

use crate::concert::model::{AdmissionMode, ConcertStatus, EntryOrder};
use crate::store::StoreError;

/// The value that has this name in PostgreSQL.
fn named<T: Copy, const N: usize>(
    all: [T; N],
    name: fn(T) -> &'static str,
    text: &str,
) -> Result<T, StoreError> {
    let found = all.into_iter().find(|value| name(*value) == text);
    found.ok_or_else(|| StoreError::Inconsistent(format!("unknown value {text}")))
}

pub(super) fn concert_status(text: &str) -> Result<ConcertStatus, StoreError> {
    named([ConcertStatus::Available, ConcertStatus::Unavailable], ConcertStatus::as_str, text)
}

pub(super) fn admission_mode(text: &str) -> Result<AdmissionMode, StoreError> {
    named([AdmissionMode::Fixed, AdmissionMode::Auto], AdmissionMode::as_str, text)
}

pub(super) fn entry_order(text: &str) -> Result<EntryOrder, StoreError> {
    named([EntryOrder::Fifo, EntryOrder::Draw], EntryOrder::as_str, text)
}
