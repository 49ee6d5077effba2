//! The measured costs of operations, from `docs/performance.toml`.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

/// The file, which is compiled in.
const FILE: &str = include_str!("../../../../docs/performance.toml");

/// A measured figure, and where it is stated.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The number.
    pub value: f64,
    /// What it is of, and its unit.
    pub unit: String,
    /// The document that states it.
    pub document: String,
    /// The first cell of its line in a table, or the beginning of its paragraph.
    pub row: String,
    /// A text in that line that has the number.
    pub stated: String,
}

/// The figures by which a plan counts. `docs/performance.toml` describes each.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the file says what each figure is, with its unit")]
pub struct Figures {
    pub poll_onsale: Figure,
    pub polls_per_second: Figure,
    pub poll_redis: Figure,
    pub board_short: Figure,
    pub board_million: Figure,
    pub waiting_bytes: Figure,
    pub join_rate: Figure,
    pub join_onsale: Figure,
    pub join_redis: Figure,
    pub join_postgresql: Figure,
    pub batched_join_onsale: Figure,
    pub batched_join_redis: Figure,
    pub admit_thousand: Figure,
    pub refused_onsale: Figure,
    pub refused_redis: Figure,
    pub seat_onsale: Figure,
    pub seat_redis: Figure,
    pub seat_postgresql: Figure,
    pub call_redis: Figure,
    pub stream_kilobytes: Figure,
    pub stream_event: Figure,
    pub join_bytes: Figure,
    pub poll_bytes: Figure,
    pub board_bytes: Figure,
    pub purchase_bytes: Figure,
    pub refused_bytes: Figure,
}

/// A cost that was never measured, and what the plan does instead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(as = MissingCost))]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The cost.
    pub what: String,
    /// What the plan does instead.
    pub instead: String,
}

/// Measurements with which a plan is compared. No figure comes from them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the file says what each point is, with its unit")]
pub struct Points {
    pub rush_polls: Figure,
    pub rush_buyers: Figure,
    pub rush_left: Figure,
    pub rush_refused: Figure,
    pub named_onsale: Figure,
    pub named_redis: Figure,
    pub named_postgresql: Figure,
    pub line_bytes: Figure,
}

/// Everything in the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// The figures by which a plan counts.
    pub figures: Figures,
    /// Costs that were never measured.
    pub missing: Vec<Missing>,
    /// What a plan is compared with.
    pub points: Points,
}

/// The file with the costs is not as it must be: a defect of the build, which a test excludes.
#[derive(Debug, thiserror::Error)]
#[error("docs/performance.toml: {0}")]
pub struct CostsError(#[from] basic_toml::Error);

impl Costs {
    /// The measured costs.
    ///
    /// # Errors
    /// If the file has other fields.
    pub fn measured() -> Result<Self, CostsError> {
        Ok(basic_toml::from_str(FILE)?)
    }
}
