//! The range of a value over several runs.

use serde::Serialize;

/// The lowest, the median and the highest of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Range {
    /// The lowest.
    pub low: f64,
    /// The middle one; of two the lower.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

impl Range {
    /// The range of some values; zeros without any.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len().saturating_sub(1) / 2;
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        Self { low: at(0), median: at(middle), high: at(values.len().saturating_sub(1)) }
    }
}
