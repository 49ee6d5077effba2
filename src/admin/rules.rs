//! Validation rules that several request bodies share.

use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Deserializer};

/// Deserializes a member that may be absent, for `#[serde(deserialize_with)]`. Null is allowed only
/// if the member's own type allows it.
pub(crate) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A value that PostgreSQL and RFC 3339 can both represent.
pub(crate) trait Storable {
    /// Returns why the value cannot be stored; `None` if it can.
    fn problem(&self) -> Option<&'static str>;
}

impl Storable for String {
    fn problem(&self) -> Option<&'static str> {
        self.contains('\0').then_some("must not contain NUL")
    }
}

impl Storable for DateTime<Utc> {
    fn problem(&self) -> Option<&'static str> {
        // This range leaves room for time arithmetic at both ends.
        let fits = (1970..=9998).contains(&self.year());
        (!fits).then_some("must be a time from 1970 to 9998")
    }
}

impl<T: Storable> Storable for Option<T> {
    fn problem(&self) -> Option<&'static str> {
        self.as_ref().and_then(T::problem)
    }
}

/// Checks [`Storable`] as a garde rule.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that garde calls")]
pub(crate) fn storable(value: &impl Storable, (): &()) -> garde::Result {
    value.problem().map_or(Ok(()), |problem| Err(garde::Error::new(problem)))
}
